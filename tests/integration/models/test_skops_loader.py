import io
import json
import pickle
import stat
import zipfile

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from tests.integration.release_builder import train_model
from workbench.errors import Refused
from workbench.models import skops_archive
from workbench.models.reviewed_types import find_bounds_faults
from workbench.models.skops_archive import count_visits
from workbench.models.skops_loader import find_untrusted_types, load_model


def shout(values):
    return values


def rewrite(content: bytes, change) -> bytes:
    """Return a skops file whose schema was changed by hand."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w") as new:
        for name in old.namelist():
            member = old.read(name)
            new.writestr(name, json.dumps(change(json.loads(member))) if name == "schema.json" else member)
    return packed.getvalue()


@pytest.mark.parametrize(
    "estimator",
    [None, RandomForestClassifier(5), HistGradientBoostingClassifier(max_iter=5), DecisionTreeClassifier(max_depth=3)],
    ids=["logistic", "forest", "boosting", "tree"],
)
def test_a_reviewed_model_answers_as_before(estimator):
    trained = train_model(estimator)
    content = skops.io.dumps(trained.model)
    assert find_untrusted_types(content) == ()
    assert np.array_equal(load_model(content).predict_proba(trained.holdout)[:, 1], trained.scores)


def test_a_type_that_is_not_on_the_list_is_named_and_not_loaded():
    content = skops.io.dumps(FunctionTransformer(shout))
    with pytest.raises(Refused) as caught:
        load_model(content)
    assert caught.value.reasons == find_untrusted_types(content)
    assert any("shout" in reason for reason in caught.value.reasons)


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04", pickle.dumps([1]), b"PK\x05\x06" + bytes(18), skops.io.dumps([1])[:-10]],
    ids=["empty", "only_magic", "pickle", "empty_archive", "cut_off"],
)
def test_bytes_that_are_no_model_are_refused(content):
    with pytest.raises(Refused):
        load_model(content)


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/b", "..", "a\\b"])
def test_an_archive_member_that_leads_elsewhere_is_refused(name):
    packed = io.BytesIO(skops.io.dumps([1]))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(Refused, match="not sound"):
        load_model(packed.getvalue())


def test_a_zip_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    packed = io.BytesIO()
    monkeypatch.setattr(skops_archive, "LARGEST_UNPACKED", 1024 * 1024)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(1024 * 1024 + 1))
    with pytest.raises(Refused, match="Unpacked"):
        load_model(packed.getvalue())


def add_member(content: bytes, info: zipfile.ZipInfo) -> bytes:
    packed = io.BytesIO(content)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(info, b"x")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("kind", "reason"),
    [(stat.S_IFREG, "its schema does not name"), (stat.S_IFLNK, "no plain file"), (stat.S_IFIFO, "no plain file")],
)
def test_a_member_that_skops_did_not_write_is_refused(kind, reason):
    info = zipfile.ZipInfo("more.npy")
    info.create_system, info.external_attr = 3, (kind | 0o644) << 16
    with pytest.raises(Refused, match=reason):
        load_model(add_member(skops.io.dumps([1]), info))


def test_a_schema_that_shares_its_parts_without_end_is_refused_at_once():
    """Sixty lists of twice the one before are 2^60 for whoever looks at each; skops does."""
    part = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode"}
    inner = {**part, "content": [], "__id__": 1}
    for number in range(2, 62):
        inner = {**part, "content": [inner, {**part, "content": [], "__id__": number - 1}], "__id__": number}
    content = rewrite(skops.io.dumps([1]), lambda schema: {**schema, **inner})
    with pytest.raises(Refused, match="Reading it would take"):
        load_model(content)


def test_a_schema_that_leads_back_to_itself_is_counted_once():
    part = {"__loader__": "ListNode", "__id__": 1}
    assert count_visits({**part, "content": [part, part]}, {}) < 10


@pytest.mark.parametrize("asked", ["filename", "file"])
def test_a_model_that_opens_what_a_row_names_is_refused(asked):
    """All its types are trusted: only, whoever asks the endpoint would say which of the server's files is read."""
    table = pd.DataFrame({"text": ["alpha beta", "gamma delta"] * 5})
    words = ColumnTransformer([("words", CountVectorizer(), "text")])
    model = make_pipeline(words, LogisticRegression()).fit(table, [0, 1] * 5)
    assert load_model(skops.io.dumps(model)) is not None
    model[0].named_transformers_["words"].set_params(input=asked)
    with pytest.raises(Refused, match="opens the files that rows name"):
        load_model(skops.io.dumps(model))


def test_a_schema_nested_too_deeply_is_refused():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", "[" * 1_000_000)
    with pytest.raises(Refused):
        load_model(packed.getvalue())


def test_a_schema_that_names_a_program_runs_nothing(tmp_path):
    canary = tmp_path / "canary"

    def call_system(schema):
        schema["__class__"], schema["__module__"], schema["__loader__"] = "system", "os", "ObjectNode"
        schema["content"] = {"__reduce__": [["touch", str(canary)]]}
        return schema

    content = rewrite(skops.io.dumps(train_model().model), call_system)
    with pytest.raises(Refused):
        load_model(content)
    assert not canary.exists()


@pytest.mark.parametrize("field", ["left_child", "right_child", "feature"])
@pytest.mark.parametrize("value", [10**6, -5])
def test_a_tree_that_leads_out_of_bounds_is_refused(field, value):
    model = train_model(DecisionTreeClassifier(max_depth=3)).model
    state = model.tree_.__getstate__()
    state["nodes"][field][0] = value
    model.tree_.__setstate__(state)
    assert list(find_bounds_faults(model))
    with pytest.raises(Refused, match="out of bounds"):
        load_model(skops.io.dumps(model))


def test_a_tree_that_leads_back_is_refused():
    model = train_model(DecisionTreeClassifier(max_depth=3)).model
    state = model.tree_.__getstate__()
    state["nodes"]["left_child"][1] = 0
    model.tree_.__setstate__(state)
    assert list(find_bounds_faults(model))


def test_a_forest_whose_trees_want_more_features_than_it_takes_is_refused():
    model = train_model(RandomForestClassifier(3)).model
    model.n_features_in_ = 1
    assert list(find_bounds_faults(model))


@pytest.mark.parametrize(("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 99)])
def test_a_boosted_tree_that_leads_out_of_bounds_is_refused(field, value):
    model = train_model(HistGradientBoostingClassifier(max_iter=3)).model
    model._predictors[0][0].nodes[field][0] = value
    assert list(find_bounds_faults(model))

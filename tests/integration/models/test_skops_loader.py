import io
import json
import pickle
import stat
import warnings
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
from workbench.models.skops_archive import _find_member_faults, count_visits
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


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/b", "..", "a\\b", "a\nb"])
def test_an_archive_member_that_leads_elsewhere_is_refused(name):
    packed = io.BytesIO(skops.io.dumps([1]))
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(name, b"x")
    with pytest.raises(Refused, match="not sound") as caught:
        load_model(packed.getvalue())
    assert f"It has a member {name!r}." in caught.value.reasons


@pytest.mark.parametrize(
    ("limit", "said"), [("LARGEST_UNPACKED", "Unpacked it would be"), ("LARGEST_SCHEMA", "Its schema would be")]
)
def test_what_would_be_larger_than_the_limit_is_refused_before_it_is_unpacked(monkeypatch, limit, said):
    content = skops.io.dumps(LogisticRegression())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(member.file_size for member in archive.infolist())
    monkeypatch.setattr(skops_archive, limit, size)
    assert load_model(content) is not None
    monkeypatch.setattr(skops_archive, limit, 10)
    monkeypatch.setattr(zipfile.ZipFile, "read", pytest.fail)
    with pytest.raises(Refused, match="not sound") as caught:
        load_model(content)
    assert said in str(caught.value)


def add_member(content: bytes, info: zipfile.ZipInfo, member: bytes = b"x") -> bytes:
    packed = io.BytesIO(content)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.writestr(info, member)
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


def test_a_part_that_is_shared_is_counted_for_each_that_shares_it():
    """Whoever looks at each part, as skops does, looks at a shared one as often as it is reached."""
    part = {"__loader__": "ListNode"}
    shared = {**part, "content": ["x"], "__id__": 1}
    again = {**part, "content": [], "__id__": 1}
    alone, twice = (count_visits({**part, "content": parts}, {}) for parts in ([shared], [shared, again]))
    assert twice == alone + count_visits(shared, {})


def test_a_schema_that_takes_more_steps_than_the_limit_is_refused_before_skops_reads_it(monkeypatch):
    content = skops.io.dumps(LogisticRegression())
    monkeypatch.setattr(skops_archive, "MOST_VISITS", 3)
    monkeypatch.setattr(skops.io, "get_untrusted_types", pytest.fail)
    with pytest.raises(Refused, match="Reading it would take"):
        load_model(content)


def test_a_schema_that_leads_back_to_itself_is_counted_once():
    part = {"__loader__": "ListNode", "__id__": 1}
    assert count_visits({**part, "content": [part, part]}, {}) < 10


def test_parts_that_name_themselves_in_each_other_are_counted_as_skops_looks_at_them():
    part = {"__loader__": "ListNode", "__id__": 1}
    assert count_visits({**part, "content": [{**part, "content": ["x"] * 50}]}, {}) < 10


def test_two_members_of_one_name_are_refused():
    with zipfile.ZipFile(io.BytesIO(skops.io.dumps([1]))) as archive:
        schema = archive.read("schema.json")
    with warnings.catch_warnings(action="ignore"), pytest.raises(Refused, match="the same name"):
        load_model(add_member(skops.io.dumps([1]), zipfile.ZipInfo("schema.json"), schema))


def test_an_encrypted_member_is_refused():
    info = zipfile.ZipInfo("schema.json")
    info.flag_bits = 1
    member = [*_find_member_faults([info])]
    assert member == ["Its member 'schema.json' is encrypted or no plain file."]


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


# None of these is ever written, loaded or asked: our check alone looks at them.


@pytest.mark.parametrize("field", ["left_child", "right_child", "feature"])
@pytest.mark.parametrize("is_beyond", [True, False])
def test_a_tree_that_leads_one_step_out_of_bounds_is_found(field, is_beyond):
    model = train_model(DecisionTreeClassifier(max_depth=3)).model
    state = model.tree_.__getstate__()
    end = model.n_features_in_ if field == "feature" else len(state["nodes"])
    state["nodes"][field][0] = end if is_beyond else -3
    model.tree_.__setstate__(state)
    assert list(find_bounds_faults(model))


def test_a_tree_that_leads_back_is_found():
    model = train_model(DecisionTreeClassifier(max_depth=3)).model
    state = model.tree_.__getstate__()
    state["nodes"]["left_child"][1] = 0
    model.tree_.__setstate__(state)
    assert list(find_bounds_faults(model))


def test_a_forest_whose_trees_want_more_features_than_it_takes_is_found():
    model = train_model(RandomForestClassifier(3)).model
    model.n_features_in_ = 1
    assert list(find_bounds_faults(model))


@pytest.mark.parametrize("field", ["left", "right", "feature_idx"])
def test_a_boosted_tree_that_leads_one_step_out_of_bounds_is_found(field):
    model = train_model(HistGradientBoostingClassifier(max_iter=3)).model
    nodes = model._predictors[0][0].nodes
    nodes[field][0] = {"left": len(nodes), "right": 0, "feature_idx": model.n_features_in_}[field]
    assert list(find_bounds_faults(model))

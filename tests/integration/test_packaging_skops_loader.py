import io
import json
import pickle
import zipfile

import numpy as np
import pytest
import skops.io
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.preprocessing import FunctionTransformer
from sklearn.tree import DecisionTreeClassifier

from tests.integration.release_builder import train_model
from workbench.errors import Refused
from workbench.packaging import skops_loader
from workbench.packaging.skops_loader import TRUSTED_TYPES, find_untrusted_types, load_model
from workbench.packaging.tree_bounds import find_tree_faults


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


def test_the_list_is_short_and_about_data():
    assert all(name.split(".")[0] in ("numpy", "sklearn") for name in TRUSTED_TYPES)


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
    monkeypatch.setattr(skops_loader, "LARGEST_UNPACKED", 1024 * 1024)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("schema.json", bytes(1024 * 1024 + 1))
    with pytest.raises(Refused, match="Unpacked"):
        load_model(packed.getvalue())


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
    assert list(find_tree_faults(model))
    with pytest.raises(Refused, match="out of bounds"):
        load_model(skops.io.dumps(model))


def test_a_tree_that_leads_back_is_refused():
    model = train_model(DecisionTreeClassifier(max_depth=3)).model
    state = model.tree_.__getstate__()
    state["nodes"]["left_child"][1] = 0
    model.tree_.__setstate__(state)
    assert list(find_tree_faults(model))


def test_a_forest_whose_trees_want_more_features_than_it_takes_is_refused():
    model = train_model(RandomForestClassifier(3)).model
    model.n_features_in_ = 1
    assert list(find_tree_faults(model))


@pytest.mark.parametrize(("field", "value"), [("left", 10**6), ("right", 0), ("feature_idx", 99)])
def test_a_boosted_tree_that_leads_out_of_bounds_is_refused(field, value):
    model = train_model(HistGradientBoostingClassifier(max_iter=3)).model
    model._predictors[0][0].nodes[field][0] = value
    assert list(find_tree_faults(model))

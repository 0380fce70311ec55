"""A reviewed name is trusted in the one way it is used, and a loaded model does nothing besides answering."""

from __future__ import annotations

import io
import zipfile

import pytest
import skops.io
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tests.integration.reviewed_models import LABELS, LOGISTIC, NUMBERS
from tests.soak.hostile_skops import mapping, named, node, pack_skops, plain, schema, sequence
from workbench.errors import Refused
from workbench.models import skops_archive, skops_loader
from workbench.models.skops_loader import find_untrusted_types, load_model
from workbench.models.skops_schema import judge_names

# The way a name is written: only our own reader sees these, and none of the names does anything.


@pytest.mark.parametrize(
    ("way", "name"),
    [
        ("LossNode", "numpy.clip"),
        ("ConstructorFromReduceNode", "numpy.clip"),
        ("ObjectNode", "numpy.clip"),
        ("FunctionNode", "sklearn.pipeline.Pipeline"),
        ("TypeNode", "numpy.clip"),
        ("SetNode", "numpy.clip"),
        ("SparseMatrixNode", "scipy.sparse._csr.csr_matrix"),
    ],
)
def test_a_reviewed_name_is_not_trusted_where_it_would_be_used_otherwise(way, name):
    (objection,) = judge_names(pack_skops(schema(node(way, name))))[1]
    assert objection.startswith(f"{name} (")


def test_a_name_that_is_not_reviewed_is_named_by_our_own_reader_however_it_is_written():
    for way in ("ObjectNode", "LossNode", "NoNodeOfTheirs"):
        assert judge_names(pack_skops(schema(node(way, "fractions.Fraction"))))[1] == {"fractions.Fraction"}


def test_what_our_own_reader_objects_to_is_not_loaded_although_skops_trusts_it(monkeypatch):
    content = skops.io.dumps(LOGISTIC())
    monkeypatch.setattr(
        skops_loader, "judge_names", lambda content, _: (judge_names(content)[0], {"a name (as it is)"})
    )
    with pytest.raises(Refused, match="not trusted") as caught:
        load_model(content)
    assert caught.value.reasons == ("a name (as it is)",)


PARTIAL = {
    "func": node("FunctionNode", "numpy.clip"),
    "args": sequence(kind="tuple"),
    "kwds": mapping(),
    "namespace": plain(None),
}


@pytest.mark.parametrize(
    "parts",
    [
        {"func": named("builtins.str")},
        {"func": node("PartialNode", "functools.partial", content=PARTIAL)},
        {"namespace": mapping(func=plain("x"))},
    ],
    ids=["a_type", "a_partial", "attributes"],
)
def test_a_partial_of_more_than_a_reviewed_function_is_refused(parts):
    sound = pack_skops(schema(node("PartialNode", "functools.partial", content=PARTIAL)))
    assert find_untrusted_types(sound) == ()
    spoiled = pack_skops(schema(node("PartialNode", "functools.partial", content={**PARTIAL, **parts})))
    assert "functools.partial (of more than a function)" in judge_names(spoiled)[1]


@pytest.mark.parametrize("protocol", [0, 1, True, None])
def test_a_file_of_an_older_protocol_is_refused(protocol):
    with pytest.raises(Refused, match="protocol"):
        load_model(pack_skops(schema(plain(1), protocol=protocol)))


def test_a_sparse_table_larger_than_the_limit_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(skops_archive, "LARGEST_UNPACKED", 10_000)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", bytes(10_001))
    matrix = node("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="1.npz")
    with pytest.raises(Refused, match="its tables would be"):
        load_model(pack_skops(schema(matrix, **{"1__npz": inner.getvalue()})))


# What a model would do besides answering


def test_a_model_that_keeps_files_is_refused(tmp_path):
    model = make_pipeline(StandardScaler(), LOGISTIC()).fit(NUMBERS, LABELS)
    model.memory = str(tmp_path)
    with pytest.raises(Refused, match="memory=None"):
        load_model(skops.io.dumps(model))


def test_a_model_that_calls_another_method_for_an_answer_is_refused():
    model = StackingClassifier([("a", LOGISTIC())], cv=2).fit(NUMBERS, LABELS)
    model.stack_method_ = ["fit"]
    with pytest.raises(Refused, match="'fit'"):
        load_model(skops.io.dumps(model))


def test_a_loaded_model_works_alone_and_in_silence(capfd):
    model = RandomForestClassifier(3, n_jobs=2).fit(NUMBERS, LABELS).set_params(verbose=3)
    loaded = load_model(skops.io.dumps(model))
    assert (loaded.n_jobs, loaded.verbose) == (1, 0)
    capfd.readouterr()
    assert loaded.predict(NUMBERS).shape == LABELS.shape
    assert capfd.readouterr() == ("", "")

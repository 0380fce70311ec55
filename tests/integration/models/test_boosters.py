"""Boosters as text: evaluated and compiled they answer as their library did when the texts were made. No library is needed."""

from __future__ import annotations

import sys

import numpy as np
import onnxruntime
import pandas as pd
import pytest
import scipy.sparse
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import FixedThresholdClassifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from tests.integration.booster_files import FOLDER, NAMES, make_text, read_file, rows_beside
from workbench.errors import Refused, UsageError
from workbench.models.boosters.booster import allow_rounding
from workbench.models.boosters.forest import LARGEST_CATEGORY, Tree, grow_forest
from workbench.models.boosters.stand_ins import BoostedClassifier, BoostedRegressor, rows_of
from workbench.models.boosters.substituting import put_texts_for_boosters
from workbench.models.compiler.converters.composition import convert_predictor
from workbench.models.compiler.converters.tables import spread
from workbench.models.compiler.onnx_compiler import compile_own
from workbench.models.compiler.onnx_graph import Graph
from workbench.models.compiler.proof import compare_form, find_spread, measure_estimator
from workbench.models.compiler.proof_rows import THRESHOLDS, make_row_sets
from workbench.models.contract import parse_contract
from workbench.models.fitted_model import decide_task, describe_contract
from workbench.models.frames import describe_columns, to_rows
from workbench.models.onnx_predictor import load_onnx_predictor
from workbench.models.skops_canonical import to_canonical
from workbench.models.skops_loader import find_untrusted_types, load_model
from workbench.models.skops_predictor import predictor_of
from workbench.runs.spool import log_model

COLUMNS = ["a", "b", "c"]


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


def allowed_for(name: str, expected: np.ndarray):
    """As near as `boosters.watching` asks: 1e-9 of the spread, or what rounding to single precision can do."""
    booster = make_text(name).booster
    if not booster.sums_single:
        return 1e-9 * find_spread(expected.ravel())
    return allow_rounding(booster, rows_beside(name)).max() + 2.0**-24


def compile_text(model) -> bytes:
    graph = Graph()
    table = spread(graph, graph.add_input("numbers", 3, text=False), 3)
    found = convert_predictor(model, table)
    if found.value is not None:
        return graph.to_bytes([("scores", graph.without_refused(found.value), "DOUBLE", 1)])
    scores = graph.without_refused(found.probabilities)
    return graph.to_bytes([("scores", scores, "DOUBLE", found.classes), ("place", found.label, "INT64", 0)])


def ask_compiled(model, rows):
    return onnxruntime.InferenceSession(compile_text(model), providers=["CPUExecutionProvider"]).run(
        None, {"numbers": rows}
    )


# They answer as their library


def test_a_text_answers_as_the_library_did(name):
    said, model, rows = read_file(name)["answers"], make_text(name), rows_beside(name)
    for method, answers in said.items():
        expected, found = np.array(answers), getattr(model, method)(rows)
        if method == "predict" and isinstance(model, BoostedClassifier):
            assert expected.tolist() == found.tolist()
        else:
            assert np.abs(expected - found).max() <= allowed_for(name, expected)


def test_it_is_compiled_to_the_same_answers(name):
    model, rows = make_text(name), rows_beside(name)
    scores, *places = ask_compiled(model, rows)
    if isinstance(model, BoostedRegressor):
        assert np.allclose(scores[:, 0], model.predict(rows), rtol=1e-12, atol=1e-14)
    else:
        assert np.allclose(scores, model.predict_proba(rows), rtol=1e-12, atol=1e-14)
        assert model.classes_[places[0]].tolist() == model.predict(rows).tolist()


def test_a_row_alone_gets_the_answer_it_gets_among_others(name):
    model, rows = make_text(name), rows_beside(name)
    together = model.predict(rows).tolist()
    assert [model.predict(row[None, :])[0] for row in rows] == together


def test_a_file_holds_a_text_and_gives_it_back(name):
    model, rows = make_text(name), rows_beside(name)
    content = to_canonical(skops.io.dumps(model))
    assert find_untrusted_types(content) == ()
    loaded = load_model(content)
    assert loaded.text == model.text
    assert loaded.predict(rows).tolist() == model.predict(rows).tolist()
    assert content == to_canonical(skops.io.dumps(loaded))


def test_every_threshold_has_rows_beside_it_in_the_proof_of_a_compiled_model():
    table = pd.DataFrame(rows_beside("xgboost_two_classes"), columns=COLUMNS)
    table = table[table.abs().lt(10).all(axis=1)]
    model = make_text("xgboost_two_classes")
    contract = contract_of(model, table)
    sets = make_row_sets(model, contract, to_rows(table), [])
    beside = next(each for each in sets if each.kind == THRESHOLDS)
    features, values = model.find_splits()
    assert len(beside.rows) >= len(set(zip(features.tolist(), values.tolist(), strict=True)))
    measure = measure_estimator(predictor_of(model, contract), sets)
    predict = load_onnx_predictor(compile_own(model, contract), contract)
    assert compare_form("own", predict, measure, largest=1e-6, largest_batch=1e-9).served


def contract_of(model, table):
    columns = describe_columns(table, None, longest_text=1_000)
    return describe_contract(decide_task(model, table), columns, None)


def test_no_library_of_boosters_is_imported():
    load_model(skops.io.dumps(make_text("xgboost_number"))).predict(rows_beside("xgboost_number"))
    assert {"xgboost", "lightgbm", "catboost"} & {*sys.modules} == set()


# Inside of other models


def test_it_is_the_last_step_of_a_pipeline(name):
    rows = rows_beside(name)
    finite = rows[np.isfinite(rows).all(axis=1) & (np.abs(rows) < 10).all(axis=1)]
    scaler = StandardScaler().fit(finite)
    scaler.mean_[:], scaler.scale_[:] = 0.0, 1.0
    model = Pipeline([("scale", scaler), ("model", make_text(name))])
    loaded = load_model(skops.io.dumps(model))
    assert loaded.predict(finite).tolist() == make_text(name).predict(finite).tolist()


@pytest.mark.parametrize("library", ["xgboost", "lightgbm", "catboost"])
def test_calibration_and_thresholds_take_it_for_the_classifier_it_is(library):
    rows, text = rows_beside(f"{library}_two_classes"), make_text(f"{library}_two_classes")
    labels = text.predict(rows)
    calibrated = CalibratedClassifierCV(FrozenEstimator(text)).fit(rows, labels)
    scores, places = ask_compiled(calibrated, rows)
    assert np.allclose(scores, calibrated.predict_proba(rows), rtol=1e-9)
    fixed = FixedThresholdClassifier(FrozenEstimator(text), threshold=0.3, pos_label=text.classes_[1]).fit(rows, labels)
    assert (load_model(skops.io.dumps(fixed)).predict(rows) == text.classes_[1]).sum() >= (
        labels == text.classes_[1]
    ).sum()
    assert text.classes_[places].tolist() == calibrated.predict(rows).tolist()


def test_only_a_booster_whose_library_has_a_decision_function_has_one():
    rows = rows_beside("lightgbm_two_classes")
    margins = make_text("lightgbm_two_classes").decision_function(rows)
    assert np.allclose(1 / (1 + np.exp(-margins)), make_text("lightgbm_two_classes").predict_proba(rows)[:, 1])
    assert not hasattr(make_text("xgboost_two_classes"), "decision_function")


# What it takes


def test_other_columns_are_refused():
    text = make_text("lightgbm_two_classes")
    text.feature_names_in_ = np.array(COLUMNS, dtype=object)
    frame = pd.DataFrame(rows_beside("lightgbm_two_classes"), columns=COLUMNS)
    assert len(text.predict(frame)) == len(frame)
    for wrong in (frame[COLUMNS[::-1]], frame[COLUMNS[:2]], frame.assign(c="x"), frame.astype({"c": "category"})):
        with pytest.raises(ValueError, match="booster"):
            text.predict(wrong)
    with pytest.raises(ValueError, match="3 columns"):
        text.predict(frame.to_numpy()[:, :2])


def test_whole_numbers_flags_and_missing_ones_are_numbers():
    frame = pd.DataFrame({"a": [1, 2], "b": [True, False], "c": pd.array([1, None], dtype="Int64")})
    assert rows_of(frame, 3)[0].tolist() == [1, 1, 1]
    assert np.isnan(rows_of(frame, 3)[1, 2])


def test_what_a_sparse_table_leaves_out_is_missing_to_xgboost_and_zero_to_others():
    rows = np.nan_to_num(rows_beside("xgboost_zero_is_missing")[:12])
    sparse = scipy.sparse.csr_matrix(rows)
    for name in ("xgboost_zero_is_missing", "lightgbm_two_classes"):
        assert make_text(name).predict(sparse).tolist() == make_text(name).predict(rows).tolist()
    with_gaps = np.where(rows == 0, np.nan, rows)
    text = make_text("xgboost_zero_is_missing")
    assert text.predict_proba(sparse).tolist() == text.predict_proba(with_gaps).tolist()


def test_xgboost_refuses_what_single_precision_cannot_hold_and_the_others_do_not():
    rows = np.array([[1e300, 0.0, 0.0]])
    with pytest.raises(ValueError, match="too large"):
        make_text("xgboost_two_classes").predict(rows)
    assert len(make_text("lightgbm_two_classes").predict(rows)) == 1
    assert len(make_text("catboost_two_classes").predict(rows)) == 1


def test_a_text_is_not_fitted_again():
    with pytest.raises(Refused, match="fitted again"):
        make_text("xgboost_two_classes").fit([[0.0]], [0])
    with pytest.raises(Refused, match="never fitted"):
        BoostedClassifier("xgboost").predict([[0.0]])


# Putting it in place, with a stand-in for the library


class _Booster:
    pandas_categorical = None

    def __init__(self, text: str) -> None:
        self._text = text

    def model_to_string(self) -> str:
        return f"{self._text}\nparameters:\n[data: /a/secret/place]\n"


class LGBMClassifier:
    """Writes a text as LightGBM does, and answers what the text says, a little beside it where `off` is not 0."""

    def __init__(self, name: str = "lightgbm_two_classes", off: float = 0.0) -> None:
        self._name, self.off = name, off
        self.booster_, self.classes_ = _Booster(read_file(name)["text"]), np.array(read_file(name)["classes"])

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def get_params(self, deep: bool = True):
        return {"off": self.off}

    def predict_proba(self, table):
        found = make_text(self._name).predict_proba(table)
        return found + self.off * np.array([-1.0, 1.0])

    def decision_function(self, table):
        return make_text(self._name).decision_function(table)

    def predict(self, table):
        return make_text(self._name).predict(table)


LGBMClassifier.__module__ = "lightgbm.sklearn"


@pytest.fixture
def table():
    rows = rows_beside("lightgbm_two_classes")
    return pd.DataFrame(rows[np.abs(np.nan_to_num(rows)).max(axis=1) < 10], columns=COLUMNS)


def test_a_booster_is_replaced_wherever_it_is_and_the_model_is_left_as_it_was(table):
    booster = LGBMClassifier()
    model = Pipeline([("scale", StandardScaler().fit(table.to_numpy())), ("model", booster)])
    written = put_texts_for_boosters(model, table)
    assert model.steps[-1][1] is booster
    text = written.steps[-1][1]
    assert isinstance(text, BoostedClassifier)
    assert b"secret" not in text.text
    assert text.text == read_file("lightgbm_two_classes")["text"].encode()


def test_a_model_without_boosters_is_handed_back_as_it_is(table):
    model = StandardScaler().fit(table)
    assert put_texts_for_boosters(model, table) is model


def test_a_text_that_answers_otherwise_is_refused_with_the_numbers_and_the_settings(table):
    with pytest.raises(UsageError) as caught:
        put_texts_for_boosters(LGBMClassifier(off=1e-6), table)
    assert "by 1e-06 where" in str(caught.value)
    assert "off=1e-06" in str(caught.value)
    assert put_texts_for_boosters(LGBMClassifier(off=1e-13), table) is not None


def test_a_class_of_ones_own_is_no_booster(table):
    class Mine(LGBMClassifier):
        pass

    model = Mine()
    assert put_texts_for_boosters(model, table) is model


def test_a_setting_that_is_not_computed_is_named(table):
    class Linear(LGBMClassifier):
        def __init__(self) -> None:
            super().__init__()
            self.booster_ = _Booster(read_file("lightgbm_two_classes")["text"].replace("is_linear=0", "is_linear=1"))

    Linear.__module__ = "lightgbm.sklearn"
    with pytest.raises(UsageError, match="linear_tree") as caught:
        put_texts_for_boosters(Linear(), table)
    assert "linear_tree=False" in caught.value.next_step


def test_a_logged_booster_is_a_skops_file_with_a_contract(tmp_path, monkeypatch, table):
    monkeypatch.setenv("WORKBENCH_SPOOL", str(tmp_path))
    log_model(LGBMClassifier(), table)
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["contract.json", "model.skops"]
    contract = parse_contract((tmp_path / "model" / "contract.json").read_bytes())
    assert contract.classes == ("no", "yes")
    model = load_model((tmp_path / "model" / "model.skops").read_bytes())
    assert list(model.feature_names_in_) == COLUMNS
    assert compile_own(model, contract)


# The forest


def test_a_forest_is_what_its_trees_are_and_keeps_no_node_that_nobody_reaches():
    zero, none = np.zeros(5), np.full(5, -1)
    left, right = np.array([1, -1, -1, -1, -1]), np.array([2, -1, -1, -1, -1])
    tree = Tree(none * 0, zero, left, right, none > 0, np.arange(5.0).reshape(-1, 1))
    forest = grow_forest([tree, tree], 1, 1)
    assert len(forest.feature) == 6
    assert forest.depth == 1
    with pytest.raises(Refused, match="category"):
        grow_forest(
            [Tree(none * 0, zero, left, right, none > 0, zero.reshape(-1, 1), 0, {0: [LARGEST_CATEGORY + 1]})], 1, 1
        )


def test_every_kind_of_text_is_tried_here():
    libraries = {read_file(name)["library"] for name in NAMES}
    assert libraries == {"catboost", "lightgbm", "xgboost"}
    assert all((FOLDER / f"{name}.json").stat().st_size < 20_000 for name in NAMES)

"""Compiled models answer like the models: our own converters, family by family, and what is left to scikit-learn where they end."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import (
    ExtraTreesRegressor,
    HistGradientBoostingClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    Normalizer,
    OneHotEncoder,
    PowerTransformer,
    StandardScaler,
)
from sklearn.svm import SVC

from tests.conftest import examples
from tests.integration.models.compiled_families import (
    AMOUNTS,
    CLASSES,
    CLASSIFIERS,
    HOLDOUT_ROWS,
    NUMBERS,
    REGRESSORS,
    SCALED,
    TABLE,
    TRIED,
    contract_of,
    forest,
    prepared,
)
from tests.integration.release_builder import train_model
from tests.unit.models.builders import build_contract
from workbench.errors import Refused
from workbench.models.compiler import proof_rows
from workbench.models.compiler.choosing import choose_form
from workbench.models.compiler.onnx_compiler import OWN, PREPARED, compile_forms, compile_own
from workbench.models.compiler.proof import compare_form, measure_estimator
from workbench.models.compiler.proof_rows import THRESHOLDS, make_row_sets
from workbench.models.contract import Contract
from workbench.models.frames import build_frame, describe_columns, to_rows
from workbench.models.onnx_predictor import load_onnx_predictor
from workbench.models.served_model import load_served
from workbench.models.skops_canonical import to_canonical
from workbench.models.skops_predictor import predictor_of


@pytest.fixture(autouse=True)
def fewer_drawn_rows(monkeypatch):
    """The gate draws a thousand; here every family is tried, and the special rows and thresholds are what finds faults."""
    monkeypatch.setattr(proof_rows, "_DRAWN", 200)


def prove(model, table: pd.DataFrame, truth: pd.Series):
    """Fit a model, compile it with our own converters, and compare both on every row the gate would."""
    model.fit(table[HOLDOUT_ROWS:], truth[HOLDOUT_ROWS:].to_numpy())
    contract = contract_of(model, table)
    rows = to_rows(table)
    own = predictor_of(model, contract)
    measure = measure_estimator(own, make_row_sets(model, contract, rows[:HOLDOUT_ROWS], rows[HOLDOUT_ROWS:]))
    compiled = load_onnx_predictor(compile_own(model, contract), contract)
    return compare_form(OWN, compiled, measure, largest=1e-6, largest_batch=1e-9)


@cache
def prove_classifier(name: str):
    return prove(CLASSIFIERS[name], TABLE, CLASSES)


@pytest.mark.parametrize("name", examples(CLASSIFIERS, TRIED))
def test_a_classifier_compiled_here_is_the_classifier(name):
    found = prove_classifier(name)
    assert found.served, found.reason
    assert max(each.largest_difference for each in found.rows) < 1e-12


@pytest.mark.parametrize("name", SCALED)
def test_a_transformer_compiled_here_is_the_transformer(name):
    found = prove(SCALED[name], TABLE[NUMBERS], CLASSES)
    assert found.served, found.reason


@pytest.mark.parametrize("name", examples(REGRESSORS, TRIED))
def test_a_regressor_compiled_here_is_the_regressor(name):
    found = prove(REGRESSORS[name], TABLE, AMOUNTS)
    assert found.served, found.reason
    assert max(each.largest_difference for each in found.rows) < 1e-11


@pytest.mark.parametrize("name", examples(["forest", "histograms", "numbered_bins", "isotonic_calibration"], TRIED))
def test_rows_beside_every_threshold_are_compared(name):
    found = prove_classifier(name)
    beside = next(each for each in found.rows if each.kind == THRESHOLDS)
    assert beside.rows > 50


def test_labels_are_the_models_own_in_whatever_spelling():
    model = make_pipeline(SimpleImputer(), LogisticRegression()).fit(TABLE[NUMBERS], np.where(CLASSES, "yes", "no"))
    contract = contract_of(model, TABLE[NUMBERS])
    compiled = load_onnx_predictor(compile_own(model, contract), contract)
    rows = to_rows(TABLE[NUMBERS])
    assert compiled(rows).labels == model.predict(TABLE[NUMBERS]).tolist()


# What a comparison finds


def tampered(change):
    """Return a forest's own answers, changed, beside the measure they are held against."""
    model = forest().fit(TABLE[["amount", "count"]], CLASSES)
    contract = contract_of(model, TABLE[["amount", "count"]])
    rows = to_rows(TABLE[["amount", "count"]])
    own = predictor_of(model, contract)
    measure = measure_estimator(own, make_row_sets(model, contract, rows[:HOLDOUT_ROWS], rows[HOLDOUT_ROWS:]))
    return compare_form("changed", lambda asked: change(own(asked), asked), measure, largest=1e-6, largest_batch=1e-9)


def test_one_other_score_in_all_rows_is_found():
    def change(answers, rows):
        scores = [0.123 if row["amount"] == 0.0 else score for row, score in zip(rows, answers.scores, strict=True)]
        return type(answers)(scores, answers.labels)

    found = tampered(change)
    assert not found.served
    assert "special values" in found.reason


def test_one_other_label_is_found():
    def change(answers, rows):
        labels = [1 - label if row["amount"] == 0.0 else label for row, label in zip(rows, answers.labels, strict=True)]
        return type(answers)(answers.scores, labels)

    found = tampered(change)
    assert not found.served
    assert "labels on special values" in found.reason


def test_an_answer_that_depends_on_who_asks_beside_it_is_found():
    found = tampered(
        lambda answers, rows: type(answers)([s + 1e-6 * (len(rows) == 1) for s in answers.scores], answers.labels)
    )
    assert not found.served
    assert "A row alone" in found.reason


def test_how_far_the_model_is_from_itself_on_huge_numbers_opens_no_limit_for_ordinary_rows():
    model = LinearRegression().fit(TABLE[["amount"]], AMOUNTS)
    contract, rows = contract_of(model, TABLE[["amount"]]), to_rows(TABLE[["amount"]])
    own = predictor_of(model, contract)
    measure = measure_estimator(own, make_row_sets(model, contract, rows[:HOLDOUT_ROWS], rows[HOLDOUT_ROWS:]))
    measure = replace(measure, alone=(*((size, 0.0) for size, _ in measure.alone if size < 1e30), (3e38, 1e30)))

    def shift(asked, least):
        answers = own(asked)
        shifts = [measure.spread * (row["amount"] is not None and abs(row["amount"]) > least) for row in asked]
        return type(answers)([score + by for score, by in zip(answers.scores, shifts, strict=True)])

    limits = {"largest": 1e-6, "largest_batch": 1e-9}
    assert compare_form("on huge numbers", lambda asked: shift(asked, 3e38), measure, **limits).served
    assert not compare_form("on ordinary ones", lambda asked: shift(asked, 10.0), measure, **limits).served


def test_a_number_where_the_model_raises_is_found():
    model = prepared(LogisticRegression(), texts=OneHotEncoder()).fit(TABLE, CLASSES)
    contract = contract_of(model, TABLE)
    rows = to_rows(TABLE)
    own = predictor_of(model, contract)
    measure = measure_estimator(own, make_row_sets(model, contract, rows[:HOLDOUT_ROWS], rows[HOLDOUT_ROWS:]))
    assert any(np.isnan(each.scores).any() for each in measure.expected)
    lenient = prepared(LogisticRegression()).fit(TABLE, CLASSES)
    compiled = load_onnx_predictor(compile_own(lenient, contract), contract)
    assert not compare_form("lenient", compiled, measure, largest=1e-6, largest_batch=1e-9).served


# Where our own converters end


def test_what_has_no_converter_says_so():
    model = SVC(random_state=0).fit(TABLE[["amount"]], CLASSES)
    contract = contract_of(model, TABLE[["amount"]])
    own, prepared_only = compile_forms(model, contract)
    assert (own.name, own.content, own.reason) == (OWN, None, "no converter for SVC")
    assert prepared_only.reason == "nothing stands before its last step"


LAST_STEPS = {"neighbors": KNeighborsClassifier(5), "vectors": SVC(), "kernel": KernelRidge(kernel="rbf", gamma=0.1)}


@pytest.mark.parametrize("name", LAST_STEPS)
def test_what_stands_before_a_model_without_a_converter_is_compiled(name):
    model = prepared(LAST_STEPS[name]).fit(TABLE[HOLDOUT_ROWS:], CLASSES[HOLDOUT_ROWS:])
    contract, rows = contract_of(model, TABLE), to_rows(TABLE)
    data = (rows[:HOLDOUT_ROWS], rows[HOLDOUT_ROWS:])
    choice = choose_form(model, contract, data, compile_forms(model, contract), largest=1e-6, largest_batch=1e-9)
    assert (choice.serving.form, choice.served_as) == (PREPARED, "onnx+skops")
    files = {"model.onnx": choice.form.content, "model.skops": to_canonical(skops.io.dumps(model))}
    answered, own = load_served(choice.served_as, files, contract)(rows), predictor_of(model, contract)(rows)
    assert np.allclose(answered.scores, own.scores, rtol=0, atol=1e-12)
    assert answered.labels == own.labels


class Constant(ClassifierMixin, BaseEstimator):
    def fit(self, table, target):
        self.classes_ = np.unique(target)
        return self

    def predict_proba(self, table):
        return np.full((len(table), 2), 0.5)


def test_what_nobody_converts_is_explained_and_not_raised():
    trained = train_model(Constant())
    found = list(compile_forms(trained.model, trained.contract))
    assert found[-1].reason == "nothing stands before its last step"
    assert all(form.content is None for form in found)
    assert all("Constant" in form.reason for form in found[:-1])


def test_a_class_that_bears_a_known_name_is_not_taken_for_it():
    named_alike = type("LogisticRegression", (Constant,), {})
    own = next(compile_forms(train_model(named_alike()).model, train_model().contract))
    assert own.content is None


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "Int32"])
@pytest.mark.parametrize("function", [np.absolute, np.negative])
def test_a_function_of_narrow_whole_numbers_is_left_to_the_model(function, dtype):
    table = pd.DataFrame({"tiny": (TABLE["count"] % 100).astype(dtype), "amount": TABLE.amount.abs()})
    model = make_pipeline(FunctionTransformer(function), LogisticRegression()).fit(table, CLASSES)
    own = next(compile_forms(model, contract_of(model, table)))
    assert "overflow" in own.reason


def test_numbers_of_single_precision_are_left_to_the_model():
    table = TABLE[["amount"]].astype("float32")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, CLASSES)
    own = next(compile_forms(model, contract_of(model, table)))
    assert "single precision" in own.reason


@pytest.mark.parametrize("content", [b"", b"\x08\x09", b"PK\x03\x04", b"\x08\x09" * 100])
def test_bytes_that_are_no_compiled_model_are_refused(content):
    with pytest.raises(Refused):
        load_onnx_predictor(content, train_model().contract)


def test_a_compiled_model_that_takes_other_columns_is_refused():
    model = prepared(LogisticRegression()).fit(TABLE, CLASSES)
    compiled = compile_own(model, contract_of(model, TABLE))
    with pytest.raises(Refused, match="other columns"):
        load_onnx_predictor(compiled, train_model().contract)


def test_a_model_of_three_classes_has_no_score():
    trained = train_model()
    trained.model[-1].classes_ = np.array([0, 1, 2])
    with pytest.raises(Refused, match="exactly two classes"):
        predictor_of(trained.model, trained.contract)


# Frames


def test_a_frame_comes_back_as_it_was():
    table = TABLE.assign(
        kind=pd.Categorical(TABLE.site, ["right", "left", "middle"], ordered=True),
        whole=pd.array([None, *range(len(TABLE) - 1)], dtype="Int64"),
        flag=pd.array([True, None] * (len(TABLE) // 2), dtype="boolean"),
        small=TABLE["count"].mod(100).astype("int8"),
        narrow=TABLE.amount.astype("float32"),
        marked=pd.Series(["a", None] * (len(TABLE) // 2), dtype=object),
        zip=pd.Categorical(TABLE["count"] % 5),
    )
    contract = Contract("regression", describe_columns(table))
    pd.testing.assert_frame_equal(build_frame(to_rows(table), contract), table)


def test_a_missing_value_in_training_alone_is_allowed():
    full = TABLE.assign(age=TABLE.age.fillna(40.0))
    contract = Contract("regression", describe_columns(full[NUMBERS], TABLE[NUMBERS]))
    assert [column.nullable for column in contract.columns] == [False, True, False]


def test_a_contract_without_types_still_makes_a_frame():
    contract = build_contract([("a", "i", True), ("b", "b", True), ("c", "O", False)], "regression")
    frame = build_frame([{"a": None, "b": True, "c": "x"}], contract)
    assert [str(kind) for kind in frame.dtypes] == ["float64", "object", "str"]


def test_narrow_whole_numbers_beside_single_precision_are_of_single_precision():
    table = pd.DataFrame({"a": TABLE.amount.astype("float32"), "b": (TABLE["count"] % 100).astype("int8")})
    model = make_pipeline(StandardScaler(), ExtraTreesRegressor(5, random_state=0)).fit(table, AMOUNTS)
    assert "single precision" in next(compile_forms(model, contract_of(model, table))).reason
    wide = table.astype({"b": "int64"})
    assert next(compile_forms(model.fit(wide, AMOUNTS), contract_of(model, wide))).content


@pytest.mark.parametrize("dtype", ["int8", "float32"])
def test_a_number_is_compiled_as_its_column_holds_it(dtype):
    table = pd.DataFrame({"a": (TABLE["count"] % 100).astype(dtype), "b": TABLE.amount})
    found = prove(make_pipeline(StandardScaler(), LogisticRegression()), table, CLASSES)
    assert found.served, found.reason


def test_a_column_scaled_by_one_number_keeps_its_precision():
    found = prove(make_pipeline(StandardScaler(), LogisticRegression()), TABLE[["amount"]], CLASSES)
    assert max(each.largest_difference for each in found.rows) < 1e-12


def test_an_infinite_logarithm_gets_no_answer():
    steps = FunctionTransformer(np.log1p), LogisticRegression()
    model = make_pipeline(*steps).fit(TABLE[["amount"]].abs(), CLASSES)
    contract = contract_of(model, TABLE[["amount"]])
    answers = load_onnx_predictor(compile_own(model, contract), contract)([{"amount": -1.0}, {"amount": 1.0}])
    assert np.isnan(answers.scores).tolist() == [True, False]


def test_a_power_of_what_is_not_positive_gets_no_answer():
    model = make_pipeline(PowerTransformer(method="box-cox"), LogisticRegression())
    found = prove(model, TABLE[["amount"]].abs() + 0.5, CLASSES)
    assert found.served, found.reason


def test_a_row_of_almost_nothing_keeps_its_length():
    found = prove(make_pipeline(Normalizer(), LogisticRegression()), TABLE[["amount", "count"]], CLASSES)
    assert found.served, found.reason


def test_a_question_that_no_category_answers_is_compiled():
    draw = np.random.default_rng(1)
    table = pd.DataFrame({"kind": draw.choice(["a", "b"], 300), "amount": TABLE.amount})
    table["kind"] = table["kind"].where(draw.random(300) > 0.3)
    model = HistGradientBoostingClassifier(max_iter=8, min_samples_leaf=3, categorical_features=["kind"])
    assert prove(model, table, (table.kind.isna() ^ (TABLE.amount > 300)).astype(int)).served


def test_a_column_of_small_numbers_grows_where_a_number_is_larger():
    contract = Contract("regression", describe_columns(pd.DataFrame({"a": np.array([1, 2], dtype="int8")})))
    assert build_frame([{"a": 5}], contract)["a"].dtype == "int8"
    assert build_frame([{"a": 300}], contract)["a"].tolist() == [300]

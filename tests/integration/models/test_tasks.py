"""What is served decides as the model does, for several classes, for thresholds, and where two classes are equally likely."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from workbench.models.compiler import proof_rows
from workbench.models.compiler.onnx_compiler import OWN, compile_forms, compile_own
from workbench.models.compiler.proof import compare_form, measure_estimator
from workbench.models.compiler.proof_rows import make_row_sets
from workbench.models.contract import Contract, Predict
from workbench.models.frames import describe_columns, to_rows
from workbench.models.model_inspection import HoldoutFiles, Inspection, Tolerance, try_model
from workbench.models.onnx_predictor import load_onnx_predictor
from workbench.models.predictions import Predictions, spell_predictions
from workbench.models.skops_predictor import predictor_of
from workbench.stats.task import task_of_classes

ROWS, HOLDOUT = 300, 100
_GENERATOR = np.random.default_rng(5)
TABLE = pd.DataFrame({name: _GENERATOR.normal(size=ROWS).round(3) for name in ("a", "b", "c")})
SIGNAL = TABLE["a"] - TABLE["b"] + _GENERATOR.normal(scale=0.6, size=ROWS)
METALS = np.array(["bronze", "gold", "silver"], dtype=object)[np.digitize(SIGNAL, [-0.7, 0.7])]
CHURN = np.where(SIGNAL > 0, "stayed", "churned").astype(object)

SEVERAL = {
    "logistic": LogisticRegression(),
    "forest": RandomForestClassifier(7, random_state=0),
    "extra_trees": ExtraTreesClassifier(7, random_state=0),
    "histograms": HistGradientBoostingClassifier(max_iter=3, random_state=0),
    "boosting": GradientBoostingClassifier(n_estimators=6, random_state=0),
    "one_vs_rest": OneVsRestClassifier(LogisticRegression()),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
    "calibrated": CalibratedClassifierCV(LinearSVC(), cv=2),
    "search": GridSearchCV(LogisticRegression(), {"C": [0.1, 1]}, cv=2),
    "linear_svc": LinearSVC(),
    "ridge": RidgeClassifier(),
}


@pytest.fixture(autouse=True)
def fewer_drawn_rows(monkeypatch):
    monkeypatch.setattr(proof_rows, "_DRAWN", 200)


def contract_of(model: Any, **changes: Any) -> Contract:
    classes = tuple(model.classes_.tolist())
    response = next(name for name in ("predict_proba", "decision_function", "predict") if hasattr(model, name))
    contract = Contract(task_of_classes(len(classes)), describe_columns(TABLE), classes=classes, response=response)
    return replace(contract, **changes)


def compare(model: Any, contract: Contract, compiled: Predict) -> Any:
    rows, own = to_rows(TABLE), predictor_of(model, contract)
    measure = measure_estimator(own, make_row_sets(model, contract, rows[:HOLDOUT], rows[HOLDOUT:]))
    return compare_form(OWN, compiled, measure, largest=1e-6, largest_batch=1e-9)


@pytest.mark.parametrize("name", SEVERAL)
def test_a_model_of_several_classes_is_compiled_and_answers_as_it_does(name):
    model = make_pipeline(StandardScaler(), SEVERAL[name]).fit(TABLE[HOLDOUT:], METALS[HOLDOUT:])
    contract = contract_of(model)
    compiled = load_onnx_predictor(compile_own(model, contract), contract)
    found = compare(model, contract, compiled)
    assert found.served, found.reason
    answers, scores = compiled(to_rows(TABLE)), getattr(model, contract.response)(TABLE)
    assert np.abs(np.array(answers.scores) - scores).max() < 1e-12
    assert answers.labels == model.predict(TABLE).tolist()


def test_the_score_of_one_class_that_differs_is_seen():
    model = LogisticRegression().fit(TABLE, METALS)
    contract = contract_of(model)
    own = predictor_of(model, contract)

    def shifted(rows):
        answers = own(rows)
        return replace(answers, scores=[[low + 1e-4, middle - 1e-4, high] for low, middle, high in answers.scores])

    found = compare(model, contract, shifted)
    assert not found.served
    assert all(each.differing == each.rows for each in found.rows if each.rows)


def test_an_answer_of_two_scores_to_a_question_of_three_is_no_answer():
    model = LogisticRegression().fit(TABLE, METALS)
    contract = contract_of(model)
    own = predictor_of(model, contract)
    found = compare(model, contract, lambda rows: replace(own(rows), scores=[row[:2] for row in own(rows).scores]))
    assert not found.served


def test_a_model_that_only_votes_is_served_as_it_is_with_one_for_its_class():
    model = VotingClassifier([("a", LogisticRegression()), ("b", RidgeClassifier())]).fit(TABLE, METALS)
    contract = contract_of(model)
    assert [form for form in compile_forms(model, contract) if form.content] == []
    answers = predictor_of(model, contract)(to_rows(TABLE))
    assert answers.labels == model.predict(TABLE).tolist()
    assert answers.scores == [[float(label == each) for each in model.classes_] for label in answers.labels]


# Two classes


@pytest.mark.parametrize("positive", ["churned", "stayed"])
@pytest.mark.parametrize("form", ["estimator", "compiled"])
def test_the_score_is_that_of_the_named_class_wherever_it_stands(positive, form):
    model = LogisticRegression().fit(TABLE, CHURN)
    contract = contract_of(model, positive_class=positive)
    predict = (
        predictor_of(model, contract)
        if form == "estimator"
        else load_onnx_predictor(compile_own(model, contract), contract)
    )
    scores = model.predict_proba(TABLE)[:, list(model.classes_).index(positive)]
    assert predict(to_rows(TABLE)).scores == pytest.approx(scores.tolist(), abs=1e-12)


@pytest.mark.parametrize("form", ["estimator", "compiled"])
@pytest.mark.parametrize("is_tuned", [True, False])
def test_the_label_is_that_of_the_threshold_and_not_that_of_one_half(is_tuned, form):
    inner = LogisticRegression()
    model = TunedThresholdClassifierCV(inner, cv=2) if is_tuned else FixedThresholdClassifier(inner, threshold=0.85)
    model.fit(TABLE, CHURN)
    contract = contract_of(model, positive_class="stayed")
    predict = (
        predictor_of(model, contract)
        if form == "estimator"
        else load_onnx_predictor(compile_own(model, contract), contract)
    )
    answers = predict(to_rows(TABLE))
    at = model.best_threshold_ if is_tuned else 0.85
    assert answers.labels == model.predict(TABLE).tolist()
    assert answers.labels == ["stayed" if score >= at else "churned" for score in answers.scores]
    assert at != 0.5 or not is_tuned


@pytest.mark.parametrize("form", ["estimator", "compiled"])
def test_a_forest_that_is_divided_in_half_decides_for_the_first_class_as_it_does_itself(form):
    model = RandomForestClassifier(2, max_depth=1, random_state=0).fit(TABLE, CHURN)
    model.estimators_[0].tree_.value[:] = [[[1.0, 0.0]]]
    model.estimators_[1].tree_.value[:] = [[[0.0, 1.0]]]
    contract = contract_of(model)
    predict = (
        predictor_of(model, contract)
        if form == "estimator"
        else load_onnx_predictor(compile_own(model, contract), contract)
    )
    answers = predict(to_rows(TABLE))
    assert set(answers.scores) == {0.5}
    assert set(answers.labels) == {"churned"} == set(model.predict(TABLE))


# In a process of its own


def inspect(model: Any, folder: Path, **changes: Any) -> Inspection:
    contract = contract_of(model)
    places = {label: place for place, label in enumerate(model.classes_)}
    facts = {
        "rows": tuple(map(str, range(HOLDOUT))),
        "truth": np.array([places[each] for each in METALS[:HOLDOUT]], dtype=float),
        "score": getattr(model, contract.response)(TABLE[:HOLDOUT]),
        "task": "multiclass",
        "label": np.array([places[each] for each in model.predict(TABLE[:HOLDOUT])], dtype=float),
        "classes": contract.classes,
    }
    (folder / "model").mkdir()
    (folder / "model" / "model.skops").write_bytes(skops.io.dumps(model))
    (folder / "model" / "contract.json").write_bytes(contract.to_bytes())
    TABLE[:HOLDOUT].to_parquet(folder / "features.parquet")
    (folder / "predictions.parquet").write_bytes(spell_predictions(Predictions(**{**facts, **changes}), {}))
    files = HoldoutFiles(folder / "features.parquet", folder / "predictions.parquet", folder / "training.parquet")
    return try_model(folder / "model", data=files, tolerance=Tolerance(), onnx_path=folder / "model.onnx")


def test_several_classes_are_tried_disturbed_and_timed(tmp_path):
    found = inspect(make_pipeline(StandardScaler(), LogisticRegression()).fit(TABLE, METALS), tmp_path)
    assert found.model.load_error is None
    assert (found.model.served_as, found.differing_labels) == ("onnx", 0)
    assert found.model.largest_difference < 1e-12
    assert found.numerics.largest_batch_difference < 1e-12
    assert found.answers.shape == (len(found.disturbed), HOLDOUT, 3)


def test_a_label_that_the_model_does_not_decide_for_is_counted(tmp_path):
    model = LogisticRegression().fit(TABLE, METALS)
    places = {label: place for place, label in enumerate(model.classes_)}
    label = np.array([places[each] for each in model.predict(TABLE[:HOLDOUT])], dtype=float)
    label[:2] = (label[:2] + 1) % 3
    assert inspect(model, tmp_path, label=label).differing_labels == 2


def test_scores_of_one_class_only_do_not_fit_a_model_of_three(tmp_path):
    model = LogisticRegression().fit(TABLE, METALS)
    one = {"score": np.full(HOLDOUT, 0.5), "task": "regression", "label": None, "classes": None}
    found = inspect(model, tmp_path, **one)
    assert "100 rows of 3 scores for 100 scores" in found.model.load_error

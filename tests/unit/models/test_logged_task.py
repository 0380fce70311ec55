"""Labels are what they are: the model and its scores say which task it is, and which class the scores are for."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, VotingClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier, SGDClassifier
from sklearn.model_selection import FixedThresholdClassifier, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

import workbench as wb
from tests.unit.runs.kept_runs import read_predictions
from tests.unit.runs.refusals import refuse
from workbench.errors import UsageError
from workbench.models.contract import Contract, Threshold, parse_contract
from workbench.models.first_answers import parse_first_answers
from workbench.models.predictions import PREDICTIONS, Predictions, find_order
from workbench.runs import spool

ROWS = 120
_GENERATOR = np.random.default_rng(3)
FEATURES = pd.DataFrame(_GENERATOR.normal(size=(ROWS, 3)), columns=["a", "b", "c"])
SIGNAL = FEATURES["a"] - FEATURES["b"] + _GENERATOR.normal(scale=0.7, size=ROWS)
TWO = (SIGNAL > 0).to_numpy().astype(int)
THREE = np.digitize(SIGNAL, [-0.8, 0.8])
PAIRS = {
    "text": ("stayed", "churned"),
    "one and two": (1, 2),
    "minus one and one": (-1, 1),
    "true and false": (False, True),
    "nought and one": (0, 1),
}
TRIPLES = {"text": ("bronze", "gold", "silver"), "whole numbers": (0, 1, 2), "other numbers": (10, 20, 35)}


@pytest.fixture(autouse=True)
def run_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def log(truth, score, model, **said) -> tuple[Predictions, Contract, Path]:
    wb.log_predictions(range(ROWS), truth, score, **said)
    wb.log_model(model, FEATURES)
    return read_back()


def read_back() -> tuple[Predictions, Contract, Path]:
    folder = spool._folder()
    predictions = read_predictions(folder)
    back = np.empty(ROWS, dtype=int)
    back[find_order((folder / PREDICTIONS).read_bytes(), folder.name)] = np.arange(
        ROWS
    )  # from the order of names to that of the notebook
    parts = {name: getattr(predictions, name) for name in ("truth", "score", "label")}
    moved = {name: None if value is None else value[back] for name, value in parts.items()}
    contract = parse_contract((folder / spool.MODEL / "contract.json").read_bytes())
    return replace(predictions, **moved), contract, folder


def name(places, names) -> np.ndarray:
    return np.array(names, dtype=object)[places]


# Two classes


@pytest.mark.parametrize("labels", PAIRS)
def test_two_labels_are_classes_whatever_they_are(labels):
    truth = name(TWO, PAIRS[labels])
    model = LogisticRegression().fit(FEATURES, list(truth))
    predictions, contract, _ = log(truth, model.predict_proba(FEATURES)[:, 1], model)
    assert (predictions.task, contract.task) == ("classification", "classification")
    assert contract.classes == tuple(sorted(PAIRS[labels])) == predictions.classes
    assert contract.positive_class == contract.classes[1]
    assert predictions.truth.tolist() == [float(each == contract.classes[1]) for each in truth]


@pytest.mark.parametrize("truth_as", ["label", "flag"])
def test_the_positive_class_is_the_one_the_scores_are_for(truth_as):
    labels = name(TWO, ("stayed", "churned"))
    model = LogisticRegression().fit(FEATURES, labels)
    truth = labels if truth_as == "label" else (labels == "churned").astype(int)
    predictions, contract, _ = log(truth, model.predict_proba(FEATURES)[:, 0], model)
    assert model.classes_[0] == "churned" == contract.positive_class == predictions.positive_class
    assert predictions.truth.tolist() == (labels == "churned").astype(float).tolist()
    assert predictions.label.tolist() == (model.predict(FEATURES) == "churned").astype(float).tolist()


def test_the_order_in_which_model_and_predictions_are_logged_does_not_matter():
    labels = name(TWO, ("stayed", "churned"))
    model = LogisticRegression().fit(FEATURES, labels)
    score = model.predict_proba(FEATURES)[:, 0]
    first, contract, folder = log(labels, score, model)
    content = (folder / spool.PREDICTIONS).read_bytes()
    wb.log_model(model, FEATURES)
    wb.log_predictions(range(ROWS), labels, score)
    assert (folder / spool.PREDICTIONS).read_bytes() == content
    assert read_back()[1] == contract
    assert first.label is not None


def test_scores_of_class_nought_are_only_taken_from_who_names_it():
    model = LogisticRegression().fit(FEATURES, TWO)
    with pytest.raises(UsageError, match="those of class 0") as caught:
        log(TWO, model.predict_proba(FEATURES)[:, 0], model)
    assert "positive=0" in caught.value.next_step
    predictions, contract, _ = log(TWO, model.predict_proba(FEATURES)[:, 0], model, positive=0)
    assert contract.positive_class == 0
    assert predictions.truth.tolist() == (1 - TWO).tolist()


@pytest.mark.parametrize("labels", ["one and two", "minus one and one"])
def test_labels_that_are_numbers_are_no_scores(labels):
    truth = name(TWO, PAIRS[labels]).astype(int)
    model = LogisticRegression().fit(FEATURES, truth)
    predictions, contract, _ = log(truth, model.predict(FEATURES), model)
    assert contract.response == "predict_proba"
    assert predictions.score.tolist() == model.predict_proba(FEATURES)[:, 1].tolist()
    assert predictions.label.tolist() == (model.predict(FEATURES) == PAIRS[labels][1]).astype(float).tolist()


def test_classes_that_are_numbers_are_in_the_order_of_their_size():
    wb.log_predictions(range(ROWS), name(TWO, (2, 10)).astype(int), np.c_[SIGNAL < 0, SIGNAL > 0] * 0.8, positive=10)
    predictions = read_back()[0] if (spool._folder() / spool.MODEL).exists() else read_predictions(spool._folder())
    assert predictions.classes == (2, 10)


def test_whoever_names_the_positive_class_is_believed():
    model = LogisticRegression().fit(FEATURES, TWO)
    both = model.predict_proba(FEATURES)
    predictions, contract, _ = log(TWO, both, model, positive=0)
    assert contract.positive_class == 0
    assert predictions.truth.tolist() == (1 - TWO).tolist()
    assert predictions.score.tolist() == both[:, 0].tolist()


@pytest.mark.parametrize(
    "model",
    [LinearSVC(), RidgeClassifier(), SGDClassifier(loss="hinge", random_state=0)],
    ids=lambda each: type(each).__name__,
)
def test_a_model_without_probabilities_is_scored_by_its_decision_function(model):
    model = make_pipeline(StandardScaler(), model).fit(FEATURES, TWO)
    predictions, contract, _ = log(TWO, model.decision_function(FEATURES), model)
    assert (contract.task, contract.response) == ("classification", "decision_function")
    assert predictions.response == "decision_function"
    assert predictions.label.tolist() == model.predict(FEATURES).tolist()


def test_a_model_that_only_votes_is_scored_by_its_class():
    voters = [("a", LogisticRegression()), ("b", RidgeClassifier()), ("c", LinearSVC())]
    model = VotingClassifier(voters).fit(FEATURES, TWO)
    _, contract, _ = log(TWO, model.predict(FEATURES), model)
    assert contract.response == "predict"


def test_a_decision_function_that_was_logged_is_what_will_be_served():
    model = LogisticRegression().fit(FEATURES, TWO)
    _, contract, _ = log(TWO, model.decision_function(FEATURES), model)
    assert contract.response == "decision_function"


def test_rounded_scores_are_the_models_too():
    labels = name(TWO, ("stayed", "churned"))
    model = LogisticRegression().fit(FEATURES, labels)
    _, contract, _ = log(labels, model.predict_proba(FEATURES)[:, 0].round(2), model)
    assert contract.positive_class == "churned"


def test_scores_of_another_model_get_no_labels_of_this_one():
    model, other = LogisticRegression().fit(FEATURES, TWO), DummyClassifier(strategy="prior").fit(FEATURES, TWO)
    predictions, contract, _ = log(TWO, other.predict_proba(FEATURES)[:, 1], model)
    assert predictions.label is None
    assert (contract.positive_class, contract.response) == (1, "predict_proba")


def test_text_labels_as_scores_give_way_to_the_probabilities_of_the_model_that_decides_so():
    labels = name(TWO, ("stayed", "churned"))
    model = LogisticRegression().fit(FEATURES, labels)
    predictions, contract, _ = log(labels, model.predict(FEATURES), model)
    assert predictions.score.tolist() == model.predict_proba(FEATURES)[:, 1].tolist()
    assert contract.response == "predict_proba"


# Thresholds


@pytest.mark.parametrize("is_tuned", [True, False])
def test_a_threshold_is_part_of_the_model(is_tuned):
    labels = name(TWO, ("stayed", "churned"))
    inner = LogisticRegression()
    model = (
        TunedThresholdClassifierCV(inner, scoring="balanced_accuracy", random_state=0)
        if is_tuned
        else FixedThresholdClassifier(inner, threshold=0.8)
    )
    model = make_pipeline(StandardScaler(), model).fit(FEATURES, labels)
    at = model[-1].best_threshold_ if is_tuned else 0.8
    predictions, contract, _ = log(labels, model.predict_proba(FEATURES)[:, 1], model)
    assert contract.threshold == Threshold("stayed", float(at), "predict_proba")
    assert predictions.label.tolist() == (predictions.score >= at).astype(float).tolist()


def test_a_threshold_says_of_which_class_it_is():
    labels = name(TWO, ("stayed", "churned"))
    model = FixedThresholdClassifier(LogisticRegression(), threshold=0.2, pos_label="churned").fit(FEATURES, labels)
    predictions, contract, _ = log(labels, model.predict_proba(FEATURES)[:, 0], model)
    assert contract.threshold == Threshold("churned", 0.2, "predict_proba")
    assert contract.positive_class == "churned"
    assert predictions.label.tolist() == (predictions.score >= 0.2).astype(float).tolist()


# Several classes


@pytest.mark.parametrize("labels", TRIPLES)
@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        RandomForestClassifier(20, random_state=0),
        HistGradientBoostingClassifier(max_iter=5, random_state=0),
        OneVsRestClassifier(LogisticRegression()),
    ],
    ids=lambda each: type(each).__name__,
)
def test_three_labels_are_classes_with_a_score_each(model, labels):
    truth = name(THREE, TRIPLES[labels])
    model.fit(FEATURES, list(truth))
    predictions, contract, _ = log(truth, model.predict_proba(FEATURES), model)
    assert (contract.task, contract.response, contract.positive_class) == ("multiclass", "predict_proba", None)
    assert contract.classes == TRIPLES[labels] == predictions.classes
    assert predictions.truth.tolist() == THREE.tolist()
    assert predictions.score.tolist() == model.predict_proba(FEATURES).tolist()
    assert name(predictions.label.astype(int), TRIPLES[labels]).tolist() == model.predict(FEATURES).tolist()


def test_labels_as_scores_are_judged_as_classes_by_the_models_own_probabilities():
    model = LogisticRegression().fit(FEATURES, THREE)
    predictions, contract, _ = log(THREE, model.predict(FEATURES), model)
    assert (predictions.task, contract.task) == ("multiclass", "multiclass")
    assert predictions.score.tolist() == model.predict_proba(FEATURES).tolist()


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (LogisticRegression(), "the model's probabilities"),
        (RidgeClassifier(), "the values of the model's decision function"),
    ],
)
@pytest.mark.parametrize("classes", [TRIPLES["text"], (10, 20, 35), PAIRS["text"], (1, 2)])
def test_where_labels_give_way_the_notebook_says_so_in_one_line_and_keeps_it(model, said, classes, caplog):
    truth = name(THREE if len(classes) > 2 else TWO, classes)
    truth = truth if isinstance(classes[0], str) else truth.astype(int)
    model.fit(FEATURES, truth)
    _, _, folder = log(truth, model.predict(FEATURES), model)
    note = f"labels were given as scores; {said} are stored instead"
    assert [record.message for record in caplog.records] == [f"Note: {note}."]
    assert parse_first_answers((folder / "first_answers.json").read_bytes()).note == note


@pytest.mark.parametrize("what", ["scores", "labels of two", "labels of another"])
def test_where_what_was_given_is_stored_nothing_is_said(what, caplog):
    truth = TWO if what == "labels of two" else THREE
    model = LogisticRegression().fit(FEATURES, truth)
    others = np.roll(model.predict(FEATURES), 1)
    given = {"scores": model.predict_proba, "labels of two": model.predict, "labels of another": lambda _: others}
    _, _, folder = log(truth, given[what](FEATURES), model)
    assert "instead" not in caplog.text
    assert parse_first_answers((folder / "first_answers.json").read_bytes()).note == ""


def test_labels_that_are_not_what_the_model_decides_for_stay_labels():
    model = LogisticRegression().fit(FEATURES, THREE)
    others = model.predict(FEATURES)
    others[0] = (others[0] + 1) % 3
    predictions, contract, _ = log(THREE, others, model)
    assert predictions.score.tolist() == np.eye(3)[others].tolist()
    assert predictions.response == contract.response == "predict"


@pytest.mark.parametrize("model", [LinearSVC(), RidgeClassifier()], ids=lambda each: type(each).__name__)
def test_several_classes_without_probabilities_are_scored_by_their_decision_functions(model):
    model.fit(FEATURES, THREE)
    predictions, contract, _ = log(THREE, model.decision_function(FEATURES), model)
    assert contract.response == predictions.response == "decision_function"
    assert predictions.score.tolist() == model.decision_function(FEATURES).tolist()


def test_columns_in_another_order_are_put_into_that_of_the_model():
    truth = name(THREE, TRIPLES["text"])
    model = LogisticRegression().fit(FEATURES, truth)
    order = [2, 0, 1]
    given = [TRIPLES["text"][at] for at in order]
    predictions, contract, _ = log(truth, model.predict_proba(FEATURES)[:, order], model, classes=given)
    assert contract.classes == TRIPLES["text"]
    assert predictions.score.tolist() == model.predict_proba(FEATURES).tolist()


def test_a_class_no_holdout_row_is_of_is_still_a_class():
    model = LogisticRegression().fit(FEATURES, THREE)
    truth = np.where(THREE == 2, 1, THREE)
    predictions, contract, _ = log(truth, model.predict_proba(FEATURES), model)
    assert contract.classes == (0, 1, 2)
    assert predictions.count_rarest() == 0


def test_several_classes_are_known_without_a_model_too():
    scores = np.full((3, 3), 1 / 3)
    wb.log_predictions([1, 2, 3], ["b", "a", "c"], scores)
    predictions = read_predictions(spool._folder())
    assert (predictions.task, predictions.classes) == ("multiclass", ("a", "b", "c"))
    assert predictions.truth.tolist() == [1, 0, 2]


# Numbers


def test_a_model_of_numbers_is_regression_even_of_zero_and_one():
    model = LinearRegression().fit(FEATURES, TWO)
    predictions, contract, _ = log(TWO, model.predict(FEATURES), model)
    assert (predictions.task, contract.task) == ("regression", "regression")


def test_without_a_model_numbers_stay_what_they_were():
    wb.log_predictions([1, 2], [1, 2], [1.5, 1.5])
    assert read_predictions(spool._folder()).task == "regression"
    wb.log_predictions([1, 2], [0, 1], [0.5, 0.5])
    assert read_predictions(spool._folder()).task == "classification"


# What does not fit


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"truth": name(TWO, ("yes", "no"))}, "The truth 'no' is none of the model's: bronze, gold, silver."),
        ({"score": np.full((ROWS, 2), 0.5)}, "There are 2 scores a row and 3 classes."),
        ({"score": np.full(ROWS, 0.3)}, "The score 0.3 is none of the model's"),
        ({"positive": "gold"}, "Of 3 classes none is the positive one."),
        ({"classes": ("bronze", "gold", "tin")}, "The classes given are not the model's: bronze, gold, silver."),
    ],
)
def test_what_does_not_fit_the_model_is_told_at_once_and_nothing_is_kept_of_it(said, says, run_folder):
    truth = name(THREE, TRIPLES["text"])
    model = LogisticRegression().fit(FEATURES, truth)
    wb.log_model(model, FEATURES)
    given = {"truth": truth, "score": model.predict_proba(FEATURES), **said}
    if "truth" in said:
        given["truth"] = np.where(given["truth"] == "yes", "no", "no")
    with pytest.raises(UsageError) as caught:
        wb.log_predictions(range(ROWS), **given)
    assert says in " ".join(caught.value.reasons)
    assert caught.value.next_step
    assert not (run_folder / spool.PREDICTIONS).exists()


def test_classes_are_not_predicted_by_a_model_of_numbers():
    wb.log_predictions(range(ROWS), name(TWO, ("no", "yes")), np.full(ROWS, 0.5))
    with pytest.raises(UsageError, match="The model predicts numbers"):
        wb.log_model(LinearRegression().fit(FEATURES, TWO), FEATURES)


def test_several_labels_at_once_are_no_task_here():
    model = MultiOutputClassifier(LogisticRegression()).fit(FEATURES, np.stack([TWO, 1 - TWO], axis=1))
    assert "several labels at once" in str(refuse(model, FEATURES))


def test_a_hundred_and_one_classes_are_too_many():
    labels = np.arange(ROWS) % 101
    assert "101 classes; the most are 100" in str(refuse(DummyClassifier().fit(FEATURES, labels), FEATURES))


def test_a_class_whose_name_nobody_can_read_is_refused():
    labels = name(TWO, ("stayed", "churn\u202eed"))
    assert "rename it" in str(refuse(LogisticRegression().fit(FEATURES, labels), FEATURES))


def test_a_score_that_is_missing_for_one_class_is_missing():
    scores = np.full((3, 3), 1 / 3)
    scores[1, 2] = math.nan
    with pytest.raises(UsageError, match="1 of 9 values of score"):
        wb.log_predictions([1, 2, 3], ["b", "a", "c"], scores)

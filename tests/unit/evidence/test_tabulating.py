"""Which class is taken for which, and how well each is told from the rest."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import classification_report, roc_auc_score

from workbench.evidence.measures.calibration import calibrate_classes, measure_calibration
from workbench.evidence.measures.classes import measure_classes
from workbench.evidence.measures.sample import measure_sample
from workbench.models.contract import Column, Contract, Threshold
from workbench.models.predictions import Predictions
from workbench.runs.concluding import read_threshold

NAMES = ("bronze", "gold", "silver")


def draw(rows: int = 300, *, sharpness: float = 1.0, seed: int = 0) -> Predictions:
    """Return probabilities that mean what they say; sharper ones do not."""
    generator = np.random.default_rng(seed)
    score = generator.dirichlet([0.7, 0.7, 0.7], size=rows)
    truth = np.array([generator.choice(3, p=line) for line in score], dtype=float)
    score = score**sharpness / (score**sharpness).sum(axis=1, keepdims=True)
    ids = tuple(f"{row:04}" for row in range(rows))
    return Predictions(
        ids, truth, score, "multiclass", score.argmax(axis=1).astype(float), NAMES, None, "predict_proba"
    )


def test_the_shares_of_each_class_are_those_of_scikit_learn():
    predictions = draw()
    expected = classification_report(predictions.truth, predictions.label, output_dict=True)
    fact = measure_classes(predictions)
    assert [each.name for each in fact.classes] == list(NAMES)
    for place, each in enumerate(fact.classes):
        own = expected[f"{place}.0"]
        found = (each.precision.value, each.recall.value, each.f1, each.rows)
        assert found == pytest.approx((own["precision"], own["recall"], own["f1-score"], own["support"]))
        assert each.recall.low < each.recall.value < each.recall.high
        assert each.roc_auc == pytest.approx(roc_auc_score(predictions.truth == place, predictions.score[:, place]))
    assert fact.accuracy.value == pytest.approx(expected["accuracy"])


def test_every_metric_of_the_task_is_there():
    names = {item.name for item in measure_classes(draw()).metrics}
    assert names == {"accuracy", "brier_score", "f1_macro", "f1_weighted", "log_loss", "roc_auc", "roc_auc_weighted"}


def test_a_class_that_is_never_called_has_no_precision():
    predictions = draw()
    never = np.where(predictions.label == 2, 1.0, predictions.label)
    fact = measure_classes(Predictions(**{**vars(predictions), "label": never}))
    assert fact.classes[2].precision is None
    assert fact.classes[2].recall.value == 0
    assert fact.confusion[2][2] == 0


def test_the_first_class_of_two_may_be_the_positive_one():
    truth, score = np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.2, 0.4])
    fact = measure_classes(
        Predictions(("a", "b", "c"), truth, score, "classification", None, ("churned", "stayed"), "churned")
    )
    assert [each.name for each in fact.classes] == ["stayed", "churned"]
    assert fact.confusion == ((1, 0), (1, 1))
    assert (fact.positive_class, fact.decided_by) == ("churned", "score")
    assert [each.roc_auc for each in fact.classes] == [1.0, 1.0]


def test_numbers_have_no_classes():
    assert measure_classes(Predictions(("a",), np.ones(1), np.ones(1), "regression")) is None


def test_labels_nobody_kept_are_not_compared():
    predictions = draw()
    assert measure_classes(predictions, None, 3).differing_labels == 3
    assert measure_classes(Predictions(**{**vars(predictions), "label": None}), None, 3).differing_labels is None


def test_the_threshold_is_that_of_the_contract():
    threshold = Threshold("b", 0.3, "predict_proba")
    contract = Contract("classification", (Column("x", "number"),), "b", ("a", "b"), threshold=threshold)
    assert read_threshold({"model/contract.json": contract.to_bytes()}) == threshold
    assert read_threshold({}) is None
    assert read_threshold({"model/contract.json": b"{}"}) is None


# Calibration, class by class


def test_probabilities_that_mean_what_they_say_are_off_by_no_more_than_chance():
    for fact in calibrate_classes(draw(2000)):
        assert fact.ece - fact.ece_by_chance < 0.02
        assert abs(fact.slope - 1) < 3 * fact.slope_error


def test_probabilities_that_are_too_extreme_are_seen_in_each_class():
    for fact in calibrate_classes(draw(2000, sharpness=3)):
        assert fact.ece - fact.ece_by_chance > 0.05
        assert fact.slope + 2 * fact.slope_error < 1


def test_the_error_of_all_classes_is_the_mean_of_each():
    predictions = draw()
    fact, each = measure_calibration(predictions), calibrate_classes(predictions)
    assert fact.ece == pytest.approx(np.mean([one.ece for one in each]))
    assert fact.slope is None


def test_a_rare_class_leaves_its_calibration_unknown_and_not_that_of_the_others():
    predictions = draw()
    few = np.flatnonzero(predictions.truth != 2)[:200].tolist() + np.flatnonzero(predictions.truth == 2)[:5].tolist()
    rare = Predictions(
        tuple(map(str, few)), predictions.truth[few], predictions.score[few], "multiclass", None, NAMES, None, None
    )
    assert [fact is None for fact in calibrate_classes(rare)] == [False, False, True]
    assert measure_calibration(rare) is None
    assert measure_sample(rare).rarer_class == 5


def test_scores_that_are_no_probabilities_have_no_calibration():
    predictions = draw()
    decisions = Predictions(**{**vars(predictions), "score": predictions.score * 3 - 1})
    assert calibrate_classes(decisions) == [None] * 3

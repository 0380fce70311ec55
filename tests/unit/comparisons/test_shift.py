"""A champion that suddenly knows nothing is rather asked another question; one that drifts a little is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.comparisons.builders import build_shift
from workbench.comparisons.comparing import measure_shift
from workbench.models.predictions import Predictions
from workbench.policies.policy import MetricRule
from workbench.stats.interval import Interval

AUC = MetricRule("roc_auc", 0.005, 0.8)
WEIGHTS = np.array([1.0, 0.8, 0.0])


def draw(seed: int, rows: int = 800) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    features = generator.normal(size=(rows, 3))
    return features, (features @ WEIGHTS + generator.normal(size=rows) > 0).astype(float)


def predict(features: np.ndarray, truth: np.ndarray) -> Predictions:
    """What a fitted logistic regression says of rows."""
    score = 1 / (1 + np.exp(-np.clip(1.6 * features @ WEIGHTS, -40, 40)))
    return Predictions(tuple(map(str, range(len(truth)))), truth, score, "classification", response="predict_proba")


OWN = predict(*draw(1))


def shift_of(change, seed: int = 2, rows: int = 800):
    return measure_shift(predict(*change(*draw(seed, rows))), OWN, AUC)


@pytest.mark.parametrize(
    "change",
    [
        lambda features, truth: (features, 1 - truth),
        lambda features, truth: (features * [1000.0, 1.0, 1.0], truth),
        lambda features, truth: (features[:, [2, 1, 0]], truth),
        lambda features, truth: (np.random.default_rng(3).normal(size=features.shape), truth),
    ],
    ids=["label turned round", "another unit", "columns exchanged", "other columns"],
)
def test_the_same_names_with_another_meaning_are_strange(change):
    shift = shift_of(change)
    assert shift.is_strange
    assert (
        shift.told
        == f"roc_auc {shift.here:.3g} on these 800 rows, roc_auc {shift.own:.3g} on the 800 of its own holdout"
    )
    assert shift.own > 0.85


@pytest.mark.parametrize("rows", [60, 200, 800])
def test_new_rows_of_the_same_world_are_not_nor_is_a_small_drift(rows):
    def drift(features, truth):
        return features + np.random.default_rng(4).normal(scale=0.3, size=features.shape), truth

    for seed in range(2, 4):
        assert not shift_of(lambda *drawn: drawn, seed, rows).is_strange
        assert not shift_of(drift, seed, rows).is_strange


def test_an_error_is_a_skill_too_whatever_its_unit():
    features, _ = draw(1)
    truth = features @ WEIGHTS
    said = Predictions(tuple(map(str, range(800))), truth, truth + 0.3 * features[:, 2], "regression")
    rule = MetricRule("root_mean_squared_error", 0.02, 9.0)
    same = measure_shift(replace(said, truth=said.truth * 60, score=said.score * 60), said, rule)
    assert (same.is_strange, same.is_known) == (False, True)
    assert same.skill_here.estimate == pytest.approx(same.skill_own.estimate)
    assert measure_shift(replace(said, truth=said.truth * 60), said, rule).is_strange


def test_what_a_metric_has_no_value_for_is_not_known():
    one = replace(OWN, truth=np.zeros(800))
    shift = measure_shift(OWN, one, AUC)
    assert (shift.own, shift.is_known, shift.is_strange) == (None, False, False)
    assert "no value on the 800 of its own holdout" in shift.told


@pytest.mark.parametrize(
    ("here", "own", "strange"),
    [
        (Interval(0.55, 0.5, 0.6, 0.99), Interval(0.76, 0.70, 0.82, 0.99), True),
        (Interval(0.55, 0.4, 0.71, 0.99), Interval(0.76, 0.70, 0.82, 0.99), False),  # chance explains it
        (Interval(0.70, 0.695, 0.705, 0.99), Interval(0.76, 0.755, 0.765, 0.99), False),  # the world moves a little
        (Interval(0.90, 0.895, 0.905, 0.99), Interval(0.76, 0.755, 0.765, 0.99), False),
        (Interval(-0.1, -0.5, 0.3, 0.99), Interval(0.2, 0.1, 0.4, 0.99), True),  # below a constant
        (Interval(-0.1, -0.5, 0.3, 0.99), Interval(0.1, -0.3, 0.4, 0.99), False),  # as it may have been there
        (Interval(-0.4, -0.5, -0.3, 0.99), Interval(0.1, -0.3, 0.4, 0.99), True),
    ],
)
def test_strange_is_what_neither_chance_nor_a_small_drift_explains(here, own, strange):
    assert build_shift(skill_here=here, skill_own=own).is_strange is strange

"""The mean of a metric over several scores of the same rows, as one metric."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.stats.averaged_metric import average, count_different, stack
from workbench.stats.metrics import METRICS
from workbench.stats.paired_bootstrap import paired_bootstrap

DRAWN = np.random.default_rng(5)
TRUTH = (DRAWN.random(200) < 0.4).astype(float)
SCORES = [np.clip(0.3 * TRUTH + 0.6 * DRAWN.random(200), 0, 1) for _ in range(3)]
CONSTANT = np.full(200, TRUTH.mean())


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "accuracy", "f1"])
def test_its_value_is_the_mean_and_its_interval_no_wider_than_the_widest(name: str) -> None:
    metric, together = METRICS[name], average(METRICS[name], 3)
    assert together.value(TRUTH, stack(SCORES, 3)) == pytest.approx(np.mean([metric.value(TRUTH, s) for s in SCORES]))
    alone = [paired_bootstrap(TRUTH, score, CONSTANT, metric, level=0.95, resamples=2_000) for score in SCORES]
    found = paired_bootstrap(TRUTH, stack(SCORES, 3), stack([CONSTANT] * 3, 3), together, level=0.95, resamples=2_000)
    assert found is not None
    assert found.estimate == pytest.approx(np.mean([each.estimate for each in alone if each]))
    assert found.high - found.low <= max(each.high - each.low for each in alone if each)


def test_several_classes_are_kept_apart_and_one_score_is_itself() -> None:
    truth = DRAWN.integers(0, 3, 120).astype(float)
    scores = [DRAWN.dirichlet(np.ones(3), 120) for _ in range(2)]
    metric = METRICS["log_loss"]
    assert average(metric, 2).value(truth, stack(scores, 2)) == pytest.approx(
        np.mean([metric.value(truth, score) for score in scores])
    )
    assert average(metric, 1) is metric
    assert stack(scores[:1], 1) is scores[0]


def test_unequally_many_are_judged_and_what_is_the_same_counts_as_often_as_it_is_there() -> None:
    """Seven seeds against five; the same scores on both sides, in another order and number, are no difference."""
    a, b, c = SCORES
    metric, together = METRICS["roc_auc"], average(METRICS["roc_auc"], 3)
    ours, theirs = [a, b, a, c], [b, c]
    assert (count_different(ours), count_different(theirs)) == (3, 2)
    found = paired_bootstrap(TRUTH, stack(ours, 3), stack(theirs, 3), together, level=0.95, resamples=2_000)
    expected = np.mean([metric.value(TRUTH, s) for s in ours]) - np.mean([metric.value(TRUTH, s) for s in theirs])
    assert found is not None
    assert found.estimate == pytest.approx(expected)
    same = paired_bootstrap(TRUTH, stack([a, b, c], 3), stack([c, a, b] * 2, 3), together, level=0.95)
    assert same is not None
    assert (same.low, same.high) == (0, 0)
    often = paired_bootstrap(TRUTH, stack(ours * 5, 3), stack(theirs * 7, 3), together, level=0.95, resamples=2_000)
    assert often == found


def test_its_influence_is_the_mean_of_theirs() -> None:
    metric, together = METRICS["roc_auc"], average(METRICS["roc_auc"], 3)
    assert metric.influence is not None
    assert together.influence is not None
    expected = np.mean([metric.influence(TRUTH, score) for score in SCORES], axis=0)
    assert together.influence(TRUTH, stack(SCORES, 3)) == pytest.approx(expected)

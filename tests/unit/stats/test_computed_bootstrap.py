"""What is computed of many rows is what very many resamples of them give."""

from __future__ import annotations

import importlib
from statistics import NormalDist

import numpy as np
import pytest

from workbench.stats.interval import Interval
from workbench.stats.metrics import METRICS
from workbench.stats.paired_bootstrap import MOST_DRAWN, paired_bootstrap

ENTRY = importlib.import_module("workbench.stats.paired_bootstrap")
NORMAL = NormalDist()
ROWS = MOST_DRAWN + 500


def draw(name, rows=ROWS, seed=0):
    """Return truth and two scores, of which the second is noisier; of several classes where the metric is of them alone."""
    generator = np.random.default_rng(seed)
    metric = METRICS[name]
    if metric.tasks == ("regression",):
        truth = generator.normal(size=rows)
        return truth, *(truth + noise * generator.standard_t(6, size=rows) for noise in (0.50, 0.52))
    if metric.tasks == ("multiclass",):
        truth = generator.choice(3, p=[0.5, 0.3, 0.2], size=rows).astype(float)
        evidence = [1.5 * np.eye(3)[truth.astype(int)] + generator.normal(size=(rows, 3)) for _ in range(2)]
        return truth, *(np.exp(each) / np.exp(each).sum(axis=1, keepdims=True) for each in evidence)
    truth = (generator.random(rows) < 0.2).astype(float)
    evidence = 1.5 * truth - 2 + generator.normal(size=rows)
    return truth, *(1 / (1 + np.exp(-evidence - noise * generator.normal(size=rows))) for noise in (0.5, 0.7))


@pytest.mark.parametrize("name", sorted(METRICS))
def test_the_influence_of_a_row_is_by_how_much_the_metric_changes_when_it_weighs_more(name):
    truth, score, _ = draw(name, rows=60)
    metric, step = METRICS[name], 1e-5 * 60 * np.eye(60)
    changed = metric.evaluate(truth, score, 1 + step) - metric.evaluate(truth, score, 1 - step)
    assert metric.influence(truth, score) == pytest.approx(changed / 2e-5, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("name", ["log_loss", "r2", "roc_auc"])
def test_computed_bounds_are_those_of_resamples(name, monkeypatch):
    """4,000 resamples have bounds that are themselves off by 2.8 % of half the interval's width (one standard error)."""
    columns = draw(name)
    computed = paired_bootstrap(*columns, METRICS[name], level=0.95)
    monkeypatch.setattr(ENTRY, "MOST_DRAWN", ROWS)
    drawn = paired_bootstrap(*columns, METRICS[name], level=0.95, resamples=4_000)
    half = (drawn.high - drawn.low) / 2
    assert computed.estimate == drawn.estimate
    assert (computed.low, computed.high) == pytest.approx((drawn.low, drawn.high), abs=0.09 * half)


def test_what_is_not_linear_is_told_as_half_a_million_resamples_tell_it():
    """F1 depends on nothing but which rows are true and called by whom."""
    truth, *scores = draw("f1", rows=ROWS)
    calls = [(score >= 0.3).astype(float) for score in scores]
    pair = ENTRY._prepare([truth, *calls], METRICS["f1"], None, None, ENTRY._Drawing(0.95, 1, 0))
    truth, *calls = pair.columns
    _, first, counts = np.unique(truth * 4 + calls[0] * 2 + calls[1], return_index=True, return_counts=True)
    weights = np.random.default_rng(1).multinomial(ROWS, counts / ROWS, size=500_000).astype(float)
    evaluate = METRICS["f1"].evaluate
    ours, theirs = (evaluate(truth[first], each[first], weights) for each in calls)
    drawn, computed = ours - theirs, pair.computed
    for share in (0.001, 0.05, 0.5, 0.95, 0.999):
        found = computed.find_quantile(NORMAL.inv_cdf(share))
        assert found == pytest.approx(np.quantile(drawn, share), abs=0.02 * drawn.std())
    below = np.mean(drawn < pair.estimate) + np.mean(drawn == pair.estimate) / 2
    assert computed.find_deviate_of_estimate(computed.acceleration) == pytest.approx(NORMAL.inv_cdf(below), abs=0.01)


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "f1_macro"])
def test_neither_the_order_of_the_rows_nor_a_seed_nor_who_is_named_first_matters(name):
    columns = draw(name)
    expected = paired_bootstrap(*columns, METRICS[name], level=0.95)
    order = np.random.default_rng(1).permutation(ROWS)
    truth, score, reference = (each[order] for each in columns)
    assert paired_bootstrap(truth, score, reference, METRICS[name], level=0.95, seed=3, resamples=7) == expected
    turned = paired_bootstrap(truth, reference, score, METRICS[name], level=0.95)
    assert turned == Interval(-expected.estimate, -expected.high, -expected.low, 0.95)


def test_a_few_rows_that_differ_among_many_are_drawn_and_cost_no_more_than_they_are(monkeypatch):
    """Twelve calls of 100,000 that only one gets right, four that only the other: counts of them, and no smooth distribution."""
    truth = (np.arange(100_000) % 2).astype(float)
    score, reference = truth.copy(), truth.copy()
    reference[:12], score[50:54] = 1 - truth[:12], 1 - truth[50:54]
    monkeypatch.setattr(ENTRY, "draw_counts", None)  # no resample of all rows is drawn
    found = paired_bootstrap(truth, score, reference, METRICS["accuracy"], level=0.95)
    assert found.estimate == pytest.approx(8e-5)
    assert (found.low * 1e5, found.high * 1e5) == pytest.approx((1.5, 14.5), abs=1.1)


def test_scores_that_only_rounding_tells_apart_are_equal_among_many_rows_too():
    truth, score, _ = draw("roc_auc")
    assert paired_bootstrap(truth, score, score * (1 + 1e-9), METRICS["roc_auc"], level=0.95).low == 0

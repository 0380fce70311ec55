"""Resamples of whole units come to the same by what the units add up to as by their rows, and cost less."""

from __future__ import annotations

import importlib

import numpy as np
import pytest

from workbench.stats.metrics import METRICS
from workbench.stats.paired_bootstrap import paired_bootstrap
from workbench.stats.unit_sums import sum_units

ENTRY = importlib.import_module("workbench.stats.paired_bootstrap")
SUMMED = ["accuracy", "brier_score", "log_loss", "mean_absolute_error", "roc_auc"]


def draw(rows=400, groups=40, classes=2, seed=0):
    """Return truth, two scores with ties, and groups of unequal size of which each adds something of its own."""
    generator = np.random.default_rng(seed)
    group = generator.choice(groups, rows, p=generator.dirichlet(np.ones(groups)))
    truth = generator.integers(0, classes, rows)
    own = generator.normal(size=(2, groups))[:, group]
    if classes == 2:
        return (
            truth * 1.0,
            *(np.round(1 / (1 + np.exp(-(truth + each + generator.normal(size=rows)))), 2) for each in own),
            group,
        )
    scores = (np.exp(np.eye(classes)[truth] + each[:, None] + generator.normal(size=(rows, classes))) for each in own)
    return truth * 1.0, *(each / each.sum(axis=1, keepdims=True) for each in scores), group


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("name", SUMMED)
def test_the_metric_of_a_resample_is_that_of_its_rows(name, classes):
    metric, (truth, score, other, group) = METRICS[name], draw(classes=classes)
    if classes > 2 and name == "mean_absolute_error":
        return
    units = np.unique(group, return_inverse=True)[1]
    counts = (
        np.random.default_rng(1).multinomial(units.max() + 1, np.ones(units.max() + 1) / (units.max() + 1), 50) * 1.0
    )
    ours, theirs = (metric.evaluate(truth, each, counts[:, units]) for each in (score, other))
    found = sum_units(metric, truth, score, other, units)(counts)
    assert found == pytest.approx(metric.sign * (ours - theirs), abs=1e-12)


def test_a_resample_without_a_class_is_undefined_and_other_metrics_take_rows():
    truth, score, other, group = draw()
    units = np.unique(group, return_inverse=True)[1]
    only = (np.bincount(units[truth == 1], minlength=units.max() + 1) == 0) * 1.0
    assert np.isnan(sum_units(METRICS["roc_auc"], truth, score, other, units)(only[None]))
    assert sum_units(METRICS["f1"], truth, score, other, units) is None


@pytest.mark.parametrize("labelled", ["clusters", "times"])
@pytest.mark.parametrize("name", ["log_loss", "roc_auc"])
def test_intervals_are_those_of_rows_that_are_weighed_one_by_one(name, labelled, monkeypatch):
    truth, score, other, group = draw(groups=200)
    rule = {"metric": METRICS[name], "level": 0.95, "resamples": 500, labelled: group}
    by_units = paired_bootstrap(truth, score, other, **rule)
    monkeypatch.setattr(ENTRY, "sum_units", lambda *_: None)
    by_rows = paired_bootstrap(truth, score, other, **rule)
    assert [by_units.low, by_units.high] == pytest.approx([by_rows.low, by_rows.high], abs=1e-9)


@pytest.mark.parametrize("name", ["roc_auc", "f1"])
def test_what_many_clusters_come_to_is_computed_within_what_two_seeds_differ_by(name, monkeypatch):
    truth, score, other, group = draw(rows=5_200, groups=1_500)
    rule = {"metric": METRICS[name], "level": 0.95, "clusters": group}
    with monkeypatch.context() as patched:
        patched.setattr(ENTRY, "draw_counts", None)
        computed = paired_bootstrap(truth, score, other, **rule)
        assert paired_bootstrap(truth, other, score, **rule).low == -computed.high
    monkeypatch.setattr(ENTRY, "MOST_DRAWN", 10_000)
    drawn = paired_bootstrap(truth, score, other, resamples=3_000, **rule)
    half = (drawn.high - drawn.low) / 2
    assert [computed.low, computed.high] == pytest.approx([drawn.low, drawn.high], abs=0.06 * half)

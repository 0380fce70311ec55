"""The test of a slice keeps its promise where nothing differs, and sees what does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.stats.metrics import METRICS
from workbench.stats.paired_jackknife import jackknife_interval, paired_jackknife

RATIOS = ["accuracy", "brier_score", "log_loss", "mean_absolute_error", "roc_auc", "root_mean_squared_error"]


def draw(generator, rows, *, noise=(0.7, 0.7), task="classification"):
    """Return truth and the scores of two models that differ in nothing but how much noise each adds."""
    signal = generator.normal(size=rows)
    seen = [signal + generator.normal(size=rows) * each for each in noise]
    if task == "regression":
        return (signal + generator.normal(size=rows) * 0.3, *seen)
    truth = (generator.random(rows) < 1 / (1 + np.exp(-2 * signal))).astype(float)
    return (truth, *(1 / (1 + np.exp(-2 * each)) for each in seen))


@pytest.mark.parametrize("name", RATIOS)
def test_p_values_are_uniform_where_the_models_are_equally_good(name):
    generator, metric = np.random.default_rng(11), METRICS[name]
    p_values = [paired_jackknife(*draw(generator, 150, task=metric.tasks[0]), metric) for _ in range(1_000)]
    assert None not in p_values
    # Accuracy takes few values, so its p values come in steps; what counts is that no level is passed too often.
    if name != "accuracy":
        assert stats.kstest(p_values, "uniform").pvalue > 0.001
    for level in (0.01, 0.05, 0.10):
        assert np.mean(np.array(p_values) <= level) <= level + 3 * np.sqrt(level / 1_000)


def test_blocks_of_many_rows_keep_the_promise_too():
    generator = np.random.default_rng(5)
    p_values = [paired_jackknife(*draw(generator, 430), METRICS["roc_auc"]) for _ in range(400)]
    assert stats.kstest(p_values, "uniform").pvalue > 0.001


@pytest.mark.parametrize("name", ["accuracy", "brier_score", "mean_absolute_error"])
def test_for_a_mean_it_is_the_paired_t_test(name):
    metric = METRICS[name]
    truth, one, other = draw(np.random.default_rng(2), 120, noise=(0.9, 0.6), task=metric.tasks[0])
    losses = [np.array([metric.value(truth[[i]], score[[i]]) for i in range(120)]) for score in (one, other)]
    expected = stats.ttest_1samp(metric.sign * (losses[0] - losses[1]), 0, alternative="less").pvalue
    assert paired_jackknife(truth, one, other, metric) == pytest.approx(expected, rel=2e-3)


@pytest.mark.parametrize("name", RATIOS)
def test_a_worse_model_is_seen_and_turning_the_models_round_turns_the_answer(name):
    metric = METRICS[name]
    truth, bad, good = draw(np.random.default_rng(1), 600, noise=(2.0, 0.2), task=metric.tasks[0])
    worse = paired_jackknife(truth, bad, good, metric)
    assert worse < 0.001
    assert paired_jackknife(truth, good, bad, metric) == pytest.approx(1 - worse, abs=1e-9)


def test_the_order_of_the_rows_is_nothing_to_it():
    truth, one, other = draw(np.random.default_rng(8), 500)
    order = np.random.default_rng(9).permutation(500)
    first, again = (
        paired_jackknife(*columns, METRICS["roc_auc"])
        for columns in ((truth, one, other), (truth[order], one[order], other[order]))
    )
    assert first == again


def test_equal_scores_are_not_worse():
    truth, one, _ = draw(np.random.default_rng(8), 100)
    assert paired_jackknife(truth, one, one, METRICS["roc_auc"]) == 1.0


def test_a_loss_that_is_the_same_everywhere_is_no_chance():
    truth = np.arange(50.0)
    assert paired_jackknife(truth, truth + 2, truth + 1, METRICS["mean_absolute_error"]) == 0.0


@pytest.mark.parametrize(
    "columns",
    [
        (np.array([]), np.array([]), np.array([])),
        (np.array([1.0]), np.array([0.5]), np.array([0.4])),
        (np.ones(100), np.linspace(0, 1, 100), np.linspace(1, 0, 100)),
        (np.r_[np.ones(9), np.zeros(91)], np.linspace(0, 1, 100), np.linspace(1, 0, 100)),
        (np.r_[np.ones(50), np.zeros(50)], np.full(100, np.nan), np.linspace(1, 0, 100)),
    ],
    ids=["nothing", "one row", "one class", "nine of a class", "no numbers"],
)
def test_rows_that_carry_no_test_give_none(columns):
    assert paired_jackknife(*columns, METRICS["roc_auc"]) is None


def test_several_classes_are_tested_too_unless_one_of_them_is_too_rare():
    generator = np.random.default_rng(4)
    truth = np.repeat([0.0, 1.0, 2.0], 40)
    good, bad = (np.eye(3)[truth.astype(int)] + generator.normal(size=(120, 3)) * noise for noise in (0.5, 3.0))
    assert paired_jackknife(truth, bad, good, METRICS["roc_auc"]) < 0.001
    assert paired_jackknife(truth, good, bad, METRICS["roc_auc"]) > 0.999
    few = np.r_[0:89]
    assert paired_jackknife(truth[few], bad[few], good[few], METRICS["roc_auc"]) is None


def test_the_bounds_of_a_mean_are_those_of_the_paired_t_test():
    metric = METRICS["mean_absolute_error"]
    truth, one, other = draw(np.random.default_rng(2), 120, noise=(0.6, 0.9), task="regression")
    gains = np.abs(other - truth) - np.abs(one - truth)
    expected = stats.ttest_1samp(gains, 0).confidence_interval(0.95)
    found = jackknife_interval(truth, one, other, metric, level=0.975)
    assert (found.low, found.high) == pytest.approx(tuple(expected), rel=2e-3)
    assert found.estimate == pytest.approx(gains.mean())
    assert jackknife_interval(truth[:20], one[:20], other[:20], metric, level=0.975) is None


@pytest.mark.parametrize("labelled", ["clusters", "times"])
def test_rows_that_hang_together_are_left_out_together(labelled):
    """Ten rows each, with an intraclass correlation of 0.3: as rows chance looks like a worse slice."""
    generator, metric, label = np.random.default_rng(6), METRICS["mean_absolute_error"], np.repeat(np.arange(120), 10)
    found = {"rows": [], labelled: []}
    for _ in range(200):
        differing = 0.3**0.5 * generator.normal(size=120)[label] + 0.7**0.5 * generator.normal(size=1_200)
        sides = (np.zeros(1_200), 50 - differing, np.full(1_200, 50.0))
        found["rows"].append(paired_jackknife(*sides, metric))
        found[labelled].append(paired_jackknife(*sides, metric, **{labelled: label}))
    assert np.mean(np.array(found[labelled]) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)
    assert np.mean(np.array(found["rows"]) <= 0.05) > 0.12
    order = generator.permutation(1_200)
    shuffled = (column[order] for column in sides)
    assert paired_jackknife(*shuffled, metric, **{labelled: label[order]}) == pytest.approx(found[labelled][-1])


def test_fewer_than_ten_clusters_carry_no_test_and_clusters_of_one_row_are_the_rows():
    truth, one, other = draw(np.random.default_rng(4), 120)
    metric = METRICS["brier_score"]
    assert paired_jackknife(truth, one, other, metric, clusters=np.arange(120) % 9) is None
    assert jackknife_interval(truth, one, other, metric, level=0.95, times=np.arange(120) % 30) is None
    alone = jackknife_interval(truth, one, other, metric, level=0.95)
    assert jackknife_interval(truth, one, other, metric, level=0.95, clusters=np.arange(120)).low == pytest.approx(
        alone.low
    )

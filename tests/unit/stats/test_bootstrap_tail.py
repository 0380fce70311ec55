"""The modelled tail is that of very many resamples, and a deep level is neither bold nor blind."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from workbench.stats.bootstrap_tail import find_acceleration, find_linear_quantile, find_quantile
from workbench.stats.metrics import METRICS
from workbench.stats.paired_bootstrap import paired_bootstrap

NORMAL = NormalDist()
# Bonferroni over ten thousand tries.
DEEP = 1 - 0.05 / 10_000
GENERATOR = np.random.default_rng(0)
CONTRIBUTIONS = {
    "skewed": GENERATOR.exponential(size=60),
    "normal": GENERATOR.normal(size=60),
    "few that differ": np.repeat([0.0, 1.0, -1.0], [80, 15, 5]),
    "long-tailed": GENERATOR.standard_t(3, size=60),
}


@pytest.mark.parametrize("name", CONTRIBUTIONS)
def test_the_linear_quantiles_are_those_of_half_a_million_resamples(name):
    centred = CONTRIBUTIONS[name] - CONTRIBUTIONS[name].mean()
    generator, size = np.random.default_rng(1), len(centred)
    drawn = np.concatenate([centred[generator.integers(0, size, (50_000, size))].sum(axis=1) for _ in range(10)])
    steps = 0.5 if name == "few that differ" else 0.0  # of whole numbers: the quantile lies between two
    for share in (0.0002, 0.01, 0.05, 0.4, 0.6, 0.95, 0.99, 0.9998):
        found = find_linear_quantile(CONTRIBUTIONS[name], NORMAL.inv_cdf(share))
        assert found == pytest.approx(np.quantile(drawn, share), abs=0.05 * drawn.std() + steps)


@given(stn.arrays(float, st.integers(2, 30), elements=st.floats(-1e200, 1e200)))
def test_they_rise_with_their_level_up_to_the_most_that_can_be_drawn(contributions):
    found = [find_linear_quantile(contributions, z) for z in (-8, -5, -2.5, -0.31, -0.1, 0.1, 0.31, 2.5, 5, 8)]
    centred = contributions - contributions.mean()
    largest = len(centred) * float(np.abs(centred).max())
    assert all(-largest * (1 + 1e-9) <= each <= largest * (1 + 1e-9) for each in found)
    assert found[:3] == sorted(found[:3]) and found[-3:] == sorted(found[-3:])
    assert (found[0] <= found[4]) and (found[5] <= found[-1])


def draw_ranking(rows=100):
    generator = np.random.default_rng(4)
    truth = (np.arange(rows) % 3 == 0).astype(float)
    evidence = truth + generator.normal(size=rows)
    return truth, evidence + 0.3 * generator.normal(size=rows), evidence + 0.9 * generator.normal(size=rows)


def test_the_tail_of_ten_thousand_resamples_of_a_ranking_is_that_of_a_hundred_thousand():
    truth, *scores = draw_ranking()
    metric, generator = METRICS["roc_auc"], np.random.default_rng(2)

    def find_advantage(weights):
        return metric.evaluate(truth, scores[0], weights) - metric.evaluate(truth, scores[1], weights)

    counts = generator.multinomial(100, np.full(100, 0.01), size=100_000)
    drawn = np.concatenate([find_advantage(each.astype(float)) for each in np.array_split(counts, 10)])
    contributions = -find_advantage(1 - np.eye(100))
    for share in (0.0003, 0.9997):
        found = find_quantile(drawn[:10_000], NORMAL.inv_cdf(share), contributions)
        assert found == pytest.approx(np.quantile(drawn, share), abs=0.2 * drawn.std())


def test_the_model_begins_where_the_resamples_end():
    drawn = np.random.default_rng(3).normal(2, 5, 10_000)
    contributions = CONTRIBUTIONS["normal"]
    found = [find_quantile(drawn, z, contributions) for z in np.linspace(-4.5, 4.5, 400)]
    assert np.all(np.diff(found) > 0)
    assert np.diff(found).max() < 1.0
    edge = NORMAL.inv_cdf(0.01)
    assert find_quantile(drawn, edge - 1e-9, contributions) == pytest.approx(np.quantile(drawn, 0.01), abs=1e-6)


def test_the_acceleration_is_a_sixth_of_the_skewness_and_none_where_there_is_no_number():
    contributions = CONTRIBUTIONS["skewed"]
    centred = contributions - contributions.mean()
    skewness = np.mean(centred**3) / np.mean(centred**2) ** 1.5
    assert find_acceleration(contributions) == pytest.approx(skewness / 6 / math.sqrt(60))
    assert find_acceleration(np.full(5, 3.0)) == 0
    with np.errstate(invalid="ignore"):
        assert find_acceleration(np.array([1.0, np.inf, 2.0])) is None


def call(only_score, only_reference, rows=400):
    """Return truth and two calls of its classes, which differ on so many rows."""
    truth = (np.arange(rows) % 2).astype(float)
    score, reference = truth.copy(), truth.copy()
    reference[:only_score] = 1 - truth[:only_score]
    score[-only_reference or rows :] = 1 - truth[-only_reference or rows :]
    return truth, score, reference


def test_ten_rows_that_all_speak_for_one_do_not_decide_among_ten_thousand_tries_and_forty_do():
    """Ten of ten are chance in one of a thousand pairs, ten pairs of ten thousand: BCa alone called them all better."""
    few, many = (paired_bootstrap(*call(each, 0), METRICS["accuracy"], level=DEEP) for each in (10, 40))
    assert few.low < 0 < many.low


def test_among_many_tries_few_rows_that_differ_or_have_long_tails_are_seldom_called_better():
    """Each draw that is better by more than two errors, of 2,000 draws without a difference; the others cannot be called so."""
    generator, level, called = np.random.default_rng(6), 1 - 0.05 / 30, 0
    metric = METRICS["mean_absolute_error"]
    losses = generator.choice([-1.0, 0.0, 1.0], p=[0.05, 0.9, 0.05], size=(2_000, 100))
    leads = losses.mean(axis=1) / losses.std(axis=1, ddof=1) * 10
    for each in losses[leads > 2]:
        called += paired_bootstrap(np.zeros(100), 2 - each, np.full(100, 2.0), metric, level=level).low > 0
    assert called <= 2_000 * (1 - level) + 2 * math.sqrt(2_000 * (1 - level))


def test_a_difference_of_six_errors_is_found_at_the_deepest_level_in_nearly_every_draw():
    generator, metric = np.random.default_rng(8), METRICS["mean_absolute_error"]
    losses = 0.6 + generator.normal(size=(25, 100))
    found = [
        paired_bootstrap(np.zeros(100), 9 - each, np.full(100, 9.0), metric, level=DEEP).low > 0 for each in losses
    ]
    assert np.mean(found) > 0.8

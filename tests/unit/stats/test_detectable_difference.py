"""Which difference so many rows tell, and how many rows tell one that matters: as simulated."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.comparisons.verdict import Verdict, decide_verdict
from workbench.stats.detectable_difference import detectable_difference, rows_to_decide
from workbench.stats.interval import Interval
from workbench.stats.metrics import METRICS
from workbench.stats.paired_bootstrap import paired_bootstrap

MARGIN, SPREAD, PILOT = 0.1, 1.0, 100


def draw_verdicts(truth, rows, draws, margin=MARGIN, level=0.95):
    """The verdict of each draw of paired differences around a planted one, by the normal interval of their mean."""
    generator = np.random.default_rng(11)
    differences = generator.normal(truth, SPREAD, size=(draws, rows))
    means, errors = differences.mean(axis=1), differences.std(axis=1, ddof=1) / math.sqrt(rows)
    half = 1.6448536269514722 * errors
    bounds = zip(means, means - half, means + half, strict=True)
    return [decide_verdict(Interval(*map(float, each), level), margin) for each in bounds]


def pilot():
    half = 1.6448536269514722 * SPREAD / math.sqrt(PILOT)
    return Interval(0.0, -half, half, 0.95)


def test_it_is_the_number_of_the_textbook():
    """(1.6449 + 0.8416) standard errors, at one-sided 95 % and a power of 80 %."""
    assert detectable_difference(pilot()) == pytest.approx(2.4865 * SPREAD / 10, rel=1e-4)
    assert rows_to_decide(pilot(), PILOT, MARGIN) == math.ceil((2.4864750 / MARGIN) ** 2)


@pytest.mark.parametrize(("planted", "verdict"), [(0.0, Verdict.NOT_WORSE), (-MARGIN, Verdict.WORSE)])
def test_with_that_many_rows_a_planted_difference_is_decided_in_four_of_five_draws(planted, verdict):
    rows = rows_to_decide(pilot(), PILOT, MARGIN)
    verdicts = draw_verdicts(planted, rows, draws=2_000)
    decided = sum(each in (verdict, Verdict.BETTER) for each in verdicts) / len(verdicts)
    assert decided == pytest.approx(0.8, abs=0.03)
    before = draw_verdicts(planted, PILOT, draws=2_000)
    assert sum(each in (verdict, Verdict.BETTER) for each in before) / len(before) < 0.35


def test_a_difference_of_that_size_is_told_on_the_rows_there_are_in_four_of_five_draws():
    verdicts = draw_verdicts(detectable_difference(pilot()), PILOT, draws=2_000)
    assert verdicts.count(Verdict.BETTER) / len(verdicts) == pytest.approx(0.8, abs=0.03)


def test_where_the_rows_were_enough_and_did_not_decide_more_are_named_and_they_decide():
    """An interval of 2.3 margins around half a margin below zero: such a model is neither as good nor worse by the margin."""
    interval = Interval(-MARGIN / 2, -MARGIN * 1.1, MARGIN * 0.1, 0.95)
    rows = rows_to_decide(interval, 1_000, MARGIN)
    assert rows > 1_000
    spread = 0.6 * MARGIN / 1.6448536269514722 * math.sqrt(1_000)
    verdicts = draw_verdicts(-MARGIN / 2 / spread, rows, draws=300, margin=MARGIN / spread)
    assert verdicts.count(Verdict.INCONCLUSIVE) / len(verdicts) < 0.2


def test_the_rows_for_a_bootstrap_of_predictions_are_about_those_that_decide():
    """The same of real intervals: absolute errors of two models of the same quality."""
    metric, generator = METRICS["mean_absolute_error"], np.random.default_rng(5)

    def judge(rows):
        truth = generator.normal(size=rows)
        scores = [truth + generator.normal(scale=0.5, size=rows) for _ in range(2)]
        return paired_bootstrap(truth, *scores, metric, level=0.95, resamples=400)

    needed = rows_to_decide(judge(200), 200, 0.05)
    verdicts = [decide_verdict(judge(needed), 0.05) for _ in range(60)]
    good = sum(each in (Verdict.NOT_WORSE, Verdict.BETTER) for each in verdicts) / len(verdicts)
    assert 0.65 < good < 0.95


_WIDTHS = st.floats(1e-6, 1e6)
_LEVELS = st.floats(0.51, 1 - 1e-9)


@given(_WIDTHS, _WIDTHS, _LEVELS, st.floats(0.001, 0.1))
def test_a_wider_interval_tells_only_larger_differences_and_needs_more_rows(one, other, level, margin_share):
    narrow, wide = (Interval(0.0, -half, half, level) for half in sorted((one, other)))
    assert narrow.high <= detectable_difference(narrow) <= detectable_difference(wide)
    margin = margin_share * detectable_difference(narrow)
    assert rows_to_decide(narrow, 100, margin) <= rows_to_decide(wide, 100, margin)


@given(_WIDTHS, _LEVELS, st.floats(0.001, 0.999), st.floats(0.001, 0.999), st.integers(1, 10**6))
def test_a_smaller_margin_than_is_detectable_needs_more_rows_and_more_than_there_are(half, level, one, other, rows):
    interval = Interval(0.0, -half, half, level)
    small, large = (share * detectable_difference(interval) for share in sorted((one, other)))
    assert rows_to_decide(interval, rows, small) >= rows_to_decide(interval, rows, large) >= rows


def test_the_deeper_the_level_the_larger_the_difference_that_is_told_of_the_same_rows():
    generator, metric = np.random.default_rng(6), METRICS["roc_auc"]
    truth = (np.arange(200) % 3 == 0).astype(float)
    scores = truth + generator.normal(size=200) + 0.5 * generator.normal(size=(2, 200))
    levels = [1 - 0.05 / tried for tried in (1, 2, 30, 1_000, 10_000)]
    intervals = [paired_bootstrap(truth, *scores, metric, level=level, resamples=1_000) for level in levels]
    told = [detectable_difference(interval) for interval in intervals]
    assert told == sorted(told) and told[-1] > 1.8 * told[0]


def test_corrected_for_ten_thousand_tries_what_is_said_to_be_told_is_found_in_four_of_five_draws():
    metric, generator, level = METRICS["mean_absolute_error"], np.random.default_rng(9), 1 - 0.05 / 10_000

    def judge(planted):
        losses = planted + generator.normal(size=100)
        return paired_bootstrap(np.zeros(100), 9 - losses, np.full(100, 9.0), metric, level=level, resamples=1_000)

    stated = np.mean([detectable_difference(judge(0.0)) for _ in range(30)])
    found = [judge(stated).low > 0 for _ in range(100)]
    assert 0.8 - 2 * math.sqrt(0.16 / 100) <= np.mean(found) <= 0.95


@pytest.mark.parametrize("bounds", [(0.0, 0.0), (-math.inf, 0.1), (math.nan, math.nan), (0.1, -0.1)])
def test_an_interval_without_a_width_tells_nothing_of_that(bounds):
    interval = Interval(0.0, *bounds, 0.95)
    assert detectable_difference(interval) is None
    assert rows_to_decide(interval, 100, MARGIN) is None


def test_without_a_margin_or_with_one_of_nearly_nothing_no_number_of_rows_decides():
    assert rows_to_decide(pilot(), PILOT, 1e-300) is None
    assert rows_to_decide(pilot(), PILOT, 0.0) is None

"""Which difference so many rows tell, and how many rows tell one that matters: as simulated."""

from __future__ import annotations

import math

import numpy as np
import pytest

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


@pytest.mark.parametrize("bounds", [(0.0, 0.0), (-math.inf, 0.1), (math.nan, math.nan), (0.1, -0.1)])
def test_an_interval_without_a_width_tells_nothing_of_that(bounds):
    interval = Interval(0.0, *bounds, 0.95)
    assert detectable_difference(interval) is None
    assert rows_to_decide(interval, 100, MARGIN) is None


def test_without_a_margin_nothing_decides():
    assert rows_to_decide(pilot(), PILOT, 0.0) is None

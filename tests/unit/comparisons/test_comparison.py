"""An interval leads to one verdict, and the verdict to one sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.comparisons.builders import build_compared_run, build_comparison, build_interval
from workbench.comparisons.comparison import headline
from workbench.comparisons.verdict import Verdict, corrected_level, decide_verdict
from workbench.stats.interval import Interval

MARGIN = 0.005


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.001, 0.02, Verdict.BETTER),
        (0.0, 0.02, Verdict.NOT_WORSE),
        (-0.0049, 0.02, Verdict.NOT_WORSE),
        (-0.0049, -0.001, Verdict.NOT_WORSE),
        (-0.005, 0.02, Verdict.INCONCLUSIVE),
        (-0.03, 0.0, Verdict.INCONCLUSIVE),
        (-0.03, -0.001, Verdict.WORSE),
    ],
)
def test_the_bounds_decide_the_verdict(low, high, verdict):
    assert decide_verdict(Interval((low + high) / 2, low, high, 0.95), MARGIN) is verdict


def test_no_interval_is_inconclusive():
    assert decide_verdict(None, MARGIN) is Verdict.INCONCLUSIVE


RANK = [Verdict.WORSE, Verdict.INCONCLUSIVE, Verdict.NOT_WORSE, Verdict.BETTER]


@given(low=st.floats(-1, 1), width=st.floats(0, 1), shift=st.floats(0, 1), margin=st.floats(1e-6, 1))
def test_a_larger_advantage_never_gets_a_lesser_verdict(low, width, shift, margin):
    before = decide_verdict(Interval(low, low, low + width, 0.95), margin)
    after = decide_verdict(Interval(low, low + shift, low + width + shift, 0.95), margin)
    assert RANK.index(after) >= RANK.index(before)


@given(low=st.floats(-1, 1), width=st.floats(0, 1), margin=st.floats(1e-6, 1))
def test_one_of_two_is_never_better_both_ways(low, width, margin):
    there = decide_verdict(Interval(low, low, low + width, 0.95), margin)
    back = decide_verdict(Interval(-low, -low - width, -low, 0.95), margin)
    assert (there, back) != (Verdict.BETTER, Verdict.BETTER)
    if there is Verdict.BETTER:
        assert back in (Verdict.WORSE, Verdict.NOT_WORSE)


@pytest.mark.parametrize("bound", ["low", "high"])
def test_a_bound_that_is_no_number_is_never_a_pass(bound):
    interval = replace(build_interval(low=-1.0, high=1.0), **{bound: float("nan")})
    assert decide_verdict(interval, MARGIN) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(("tried", "level"), [(0, 0.95), (1, 0.95), (2, 0.975), (10, 0.995)])
def test_every_try_makes_the_level_stricter(tried, level):
    assert corrected_level(0.05, tried) == pytest.approx(level, abs=1e-12)


def test_the_best_run_stands_first():
    comparison = build_comparison(runs=(build_compared_run(run_id="aaaaaaaa"), build_compared_run(run_id="bbbbbbbb")))
    assert comparison.best.run_id == "aaaaaaaa"


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        (Verdict.BETTER, "is better than constant"),
        (Verdict.NOT_WORSE, "is not worse than constant"),
        (Verdict.WORSE, "is worse than constant"),
        (Verdict.INCONCLUSIVE, "cannot be told apart from constant"),
        (None, "cannot be told apart from constant"),
    ],
)
def test_the_headline_says_the_verdict_with_its_numbers(verdict, words):
    said = headline(build_comparison(runs=(build_compared_run(verdict=verdict),), rows=1430, tried=12))
    assert words in said
    assert "roc_auc: +0.487 to +0.499 (1,430 holdout rows, corrected for 12 tries)" in said


def test_both_bounds_of_the_headline_have_as_many_digits():
    run = build_compared_run(advantage=build_interval(low=0.4992, high=0.49997))
    assert "+0.499 to +0.500 (" in headline(build_comparison(runs=(run,)))


def test_the_headline_without_an_interval_says_so():
    said = headline(build_comparison(runs=(build_compared_run(advantage=None, verdict=Verdict.INCONCLUSIVE),)))
    assert said.endswith("no interval could be computed on 143 rows.")


def test_the_headline_of_what_cannot_be_told_says_which_difference_can_be_and_how_many_rows_would_decide():
    unsure = build_compared_run(advantage=build_interval(low=-0.0165, high=0.0165), verdict=Verdict.INCONCLUSIVE)
    said = headline(build_comparison(runs=(unsure,), left_out=2))
    assert "143 rows tell a difference of 0.025 or more (MDE, in 80 % of draws)" in said
    assert "about 3,600 would decide by the margin of 0.005." in said
    assert said.endswith("Left out: 2 that cannot be paired with them.")
    assert "MDE" not in headline(build_comparison())


def test_the_headline_says_how_many_were_left_out():
    assert "Left out" not in headline(build_comparison())
    assert headline(build_comparison(left_out=2)).endswith("Left out: 2 that cannot be paired with them.")


@pytest.mark.parametrize(
    "changes", [{"reference_value": float("nan")}, {"runs": (build_compared_run(value=float("inf")),)}]
)
def test_a_value_that_is_no_number_makes_a_comparison_undefined(changes):
    assert build_comparison().is_defined
    assert not build_comparison(**changes).is_defined

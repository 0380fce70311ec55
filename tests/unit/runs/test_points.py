"""Of the points of a metric one is the run's value, by the rule of MLflow."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.runs.points import Point, describe_summary, drop_repeated, find_latest, is_whole, summarize_points

_values = st.sampled_from([-1.0, 0.25, 0.5, math.nan, math.inf])
_points = st.builds(Point, st.sampled_from("ab"), _values, st.integers(-2, 2), st.integers(0, 2))


def latest(*points: tuple[float, int, int]) -> float:
    return find_latest(Point("loss", *point) for point in points)["loss"].value


def test_the_largest_step_counts_in_whatever_order_they_were_logged():
    assert latest((0.9, 1, 1), (0.1, 10, 2), (0.5, 5, 3)) == 0.1


def test_of_one_step_the_latest_counts():
    assert latest((0.1, 5, 2), (0.9, 5, 1)) == 0.1


def test_at_one_step_and_time_the_largest_value_counts():
    assert latest((0.1, 5, 1), (0.9, 5, 1), (0.5, 5, 1)) == 0.9


def test_steps_below_zero_count_below_zero():
    assert latest((0.1, -2, 2), (0.9, -1, 1)) == 0.9
    assert latest((0.1, 0, 1), (0.9, -1, 2)) == 0.1


def test_what_is_no_number_ranks_as_zero_and_infinity_as_the_largest_number():
    assert latest((-0.1, 0, 0), (math.nan, 0, 0)) != latest((-0.1, 0, 0))
    assert latest((0.1, 0, 0), (math.nan, 0, 0)) == 0.1
    assert latest((1.7e308, 0, 0), (math.inf, 0, 0)) == math.inf


@given(st.lists(_points, max_size=12), st.randoms())
def test_the_order_and_repetition_of_points_change_nothing(points: list[Point], chance: random.Random):
    shuffled = chance.sample(points, len(points)) + points
    assert {name: repr(point) for name, point in find_latest(points).items()} == {
        name: repr(point) for name, point in find_latest(shuffled).items()
    }
    assert len(drop_repeated(shuffled)) == len({repr(point) for point in points})


@pytest.mark.parametrize("step", [0, -1, 2**63 - 1, 2.0, True])
def test_a_whole_number_is_whole(step):
    assert is_whole(step)


@pytest.mark.parametrize("step", [0.5, "2", None, [2], math.nan, math.inf, 2**63, 1j])
def test_what_is_none_is_not(step):
    assert not is_whole(step)


def test_only_a_metric_with_several_points_or_a_step_has_something_to_be_said():
    points = [Point("loss", 0.9, 1, 1), Point("loss", 0.1, 10, 2), Point("auc", 0.5, 0, 1), Point("f1", 0.5, 3, 1)]
    assert summarize_points([*points, Point("two", 1.0, 0, 1), Point("two", 2.0, 0, 2)]) == {
        "loss": {"step": 10, "points": 2},
        "f1": {"step": 3, "points": 1},
        "two": {"step": 0, "points": 2},
    }


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        (None, ""),
        ({"step": 10, "points": 3}, "at step 10 (3 points)"),
        ({"step": -1, "points": 1}, "at step -1"),
        ({"step": 0, "points": 1_000}, "(1,000 points)"),
        ({"step": 0, "points": 1}, ""),
    ],
)
def test_a_course_is_said_in_a_few_words(summary, said):
    assert describe_summary(summary) == said

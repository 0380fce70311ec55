"""The points of a metric: every value it was given with its step and time, and which of them is the run's."""

from __future__ import annotations

import math
import re
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

LARGEST_STEP = 2**63 - 1
LONGEST_METRIC_NAME = 250
_RANK_OF_NAN = 0.0


def is_whole(step: Any) -> bool:
    """True for a number that can be a step: whole (2, 2.0, np.int64(2), for MLflow True too) and no longer than 64 bits."""
    try:
        return int(step) == step and abs(int(step)) <= LARGEST_STEP
    except (TypeError, ValueError, OverflowError):
        return False


def is_step(value: Any) -> bool:
    """True for a whole number of Python or numpy that MLflow can keep; true, false and text are none."""
    return is_finite(value) and is_whole(value)


def can_name_metric(name: Any) -> bool:
    """True for a name that MLflow keeps."""
    is_plain = isinstance(name, str) and re.fullmatch(r"\w[\w. -]*(/\w[\w. -]*)*", name, re.ASCII) is not None
    return is_plain and len(name) <= LONGEST_METRIC_NAME


def is_finite(value: Any) -> bool:
    """True for a number of Python or numpy that a float can hold; true, false and text are none."""
    if isinstance(value, str) or getattr(getattr(value, "dtype", None), "kind", "") == "b" or isinstance(value, bool):
        return False
    try:
        return math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        return False


@dataclass(frozen=True)
class Point:
    """One value of one metric; the time is in milliseconds since 1970."""

    name: str
    value: float
    step: int
    time_ms: int

    @property
    def rank(self) -> tuple[int, int, float]:
        """By what MLflow orders the points of one metric: step, time, value; its database has 0 for NaN, and no infinity."""
        value = _RANK_OF_NAN if math.isnan(self.value) else self.value
        return self.step, self.time_ms, max(-sys.float_info.max, min(value, sys.float_info.max))


def find_latest(points: Iterable[Point]) -> dict[str, Point]:
    """Return of each metric the point whose value MLflow shows: of the largest step the latest, at one time the largest."""
    latest: dict[str, tuple[tuple[int, int, float], Point]] = {}
    for point in points:
        rank, known = point.rank, latest.get(point.name)
        if known is None or rank > known[0]:
            latest[point.name] = rank, point
    return {name: point for name, (_, point) in latest.items()}


def drop_repeated(points: Iterable[Point]) -> list[Point]:
    """Return each point once: MLflow keeps one of two with the same name, step, time and value."""
    first: dict[tuple[object, ...], Point] = {}
    for point in points:
        first.setdefault((point.name, point.rank, math.isnan(point.value)), point)
    return list(first.values())


def summarize_points(points: Iterable[Point]) -> dict[str, dict[str, int]]:
    """Return the step of the run's value and how many points there are, of each metric that has several or a step."""
    points = list(points)
    counts = Counter(point.name for point in points)
    latest = find_latest(points).values()
    return {
        point.name: {"step": point.step, "points": counts[point.name]}
        for point in latest
        if point.step or counts[point.name] > 1
    }


def describe_summary(summary: Mapping[str, int] | None) -> str:
    """Say what `summarize_points` found of one metric, such as `at step 10 (3 points)`; nothing of a single value."""
    step, points = (summary["step"], summary["points"]) if summary else (0, 1)
    return " ".join([*([f"at step {step:,}"] if step else []), *([f"({count_points(points)})"] if points > 1 else [])])


def count_points(number: int) -> str:
    """Say how many points there are."""
    return f"{number:,} {'point' if number == 1 else 'points'}"

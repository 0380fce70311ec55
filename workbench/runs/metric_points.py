"""The points of a run's metrics as its folder has them, as far as they agree with its record."""

from __future__ import annotations

from pathlib import Path

from workbench.runs.folder import LOGGED_METRICS
from workbench.runs.kept_run import KeptRun
from workbench.runs.logged_calls import CALLS, LoggedCalls, read_kept_calls, read_logged_calls
from workbench.runs.points import Point
from workbench.runs.run import Run


def read_points(run: Run, folder: Path) -> dict[str, list[Point]]:
    """Return the points of each metric of a run in the order of their steps, the one that is the run's value last.

    A metric whose points say another value than the record (somebody changed the file, or an older version recorded the
    run) has none.
    """
    return order_points(run, read_logged_calls(folder, run.parameters, own=LOGGED_METRICS) or LoggedCalls())


def calls_of(kept: KeptRun) -> LoggedCalls:
    """Return what a run that was read already logged."""
    calls = read_kept_calls(kept.files.get(CALLS, b""), kept.run.parameters, own=kept.files.get(LOGGED_METRICS, b""))
    return calls or LoggedCalls()


def order_points(run: Run, calls: LoggedCalls) -> dict[str, list[Point]]:
    """Return the same of what a run logged."""
    points: dict[str, list[Point]] = {name: [] for name in run.metrics}
    for point in sorted(calls.agreeing_points(run), key=lambda point: point.rank):
        if point.name in points:
            points[point.name].append(point)
    return points

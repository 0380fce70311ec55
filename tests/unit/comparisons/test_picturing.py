"""Runs side by side are each shown once, whatever they are called."""

from __future__ import annotations

from tests.contract.stores import build_run
from workbench.comparisons.picturing import draw_runs
from workbench.errors import UsageError
from workbench.runs.finding.annotations import Annotations
from workbench.runs.points import Point


def test_runs_of_one_name_and_one_without_predictions_are_all_shown():
    names = ["best", "best", "other"]
    runs = [build_run(annotations=Annotations(name)) for name in names]

    def read(run):
        raise UsageError("It has none.")

    def read_points(run):
        return {"loss": [Point("loss", float(step), step, step) for step in range(3)]}

    (picture,) = draw_runs(runs, policy=None, read=read, read_points=read_points)
    assert {row[0] for row in picture.rows} == {runs[0].id, runs[1].id, "other"}

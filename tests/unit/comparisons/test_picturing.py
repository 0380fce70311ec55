"""Runs side by side are each shown once, whatever they are called, and scored by what they are compared by."""

from __future__ import annotations

import numpy as np

from tests.contract.stores import build_run
from workbench.comparisons.picturing import draw_runs
from workbench.errors import UsageError
from workbench.models.predictions import Predictions
from workbench.runs.finding.annotations import Annotations
from workbench.runs.points import Point
from workbench.stats.metrics import METRICS


def test_runs_of_one_name_and_one_without_predictions_are_all_shown():
    names = ["best", "best", "other"]
    runs = [build_run(annotations=Annotations(name)) for name in names]

    def read(run):
        raise UsageError("It has none.")

    def read_points(run):
        return {"loss": [Point("loss", float(step), step, step) for step in range(3)]}

    (picture,) = draw_runs(runs, policy=None, read=read, read_points=read_points)
    assert {row[0] for row in picture.rows} == {runs[0].id, runs[1].id, "other"}


def test_parts_of_the_holdout_are_scored_by_each_metric_that_runs_are_compared_by():
    truth = np.arange(8.0)
    rows = tuple(map(str, range(8)))
    parts = {"size": ["small", "large"] * 4}

    def read(run):
        return Predictions(rows, truth, truth + np.array([0.0, 2.0] * 4), task="regression"), parts

    metrics = [METRICS["mean_absolute_error"], METRICS["r2"]]
    found = draw_runs([build_run()], policy=None, read=read, read_points=lambda run: {}, metrics=lambda task: metrics)
    heat = {each.title: each.rows for each in found if "part of the holdout" in each.title}
    assert list(heat) == ["mean_absolute_error by part of the holdout", "r2 by part of the holdout"]
    assert heat["mean_absolute_error by part of the holdout"] == (("size large", "4", "2"), ("size small", "4", "0"))
    (only, *_) = draw_runs(
        [build_run()],
        policy=None,
        read=read,
        read_points=lambda run: {},
        metrics=lambda task: metrics,
        within="size=small",
    )[::-1]
    assert only.says.startswith("Only rows where size = small. ")
    assert only.rows == (("size small", "4", "1"),)

"""Picturing: runs side by side as curves and heat maps, drawn from the predictions and the points that each stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.parts import WHOLE, find_part
from workbench.drawings.picture import Picture
from workbench.drawings.series import choose_series
from workbench.drawings.side_by_side import (
    MOST_RUNS,
    Calls,
    SliceScores,
    draw_calls_of,
    draw_courses_of,
    draw_diagnostics_of,
    draw_slices,
)
from workbench.errors import UsageError
from workbench.models.diagnostics import Diagnostics, diagnose
from workbench.models.predictions import Predictions
from workbench.policies.policy import Policy
from workbench.runs.points import Point
from workbench.runs.run import Run
from workbench.stats.task import Task, has_classes, spell_class

if TYPE_CHECKING:
    from workbench.stats.metrics import Metric

Slices = dict[str, list[str]]
_MOST_VALUES = 50


def draw_runs(
    runs: Sequence[Run],
    *,
    policy: Policy,
    read: Callable[[Run], tuple[Predictions, Slices]],
    read_points: Callable[[Run], dict[str, list[Point]]],
    metrics: Callable[[Task], Sequence[Metric]] | None = None,
    within: str = "",
) -> list[Picture]:
    """Return pictures of runs that share a holdout, at most six: of their predictions, by slices, and of metrics by step.

    Slices are scored by the policy's metric for the task, or by each of those that `metrics` returns; `within` a slice
    (`size=small`) its rows alone are drawn. A run whose predictions
    cannot be read is in those of its metrics alone. Raises UsageError for more runs, for none, and for runs on several holdouts.
    """
    if not 1 <= len(runs) <= MOST_RUNS:
        raise UsageError(
            "Pictures show one run to six.",
            why=f"{len(runs):,} are named.",
            next_step="Select fewer: more colours nobody could tell apart.",
        )
    if len({holdout_digest(run) for run in runs}) > 1:
        raise UsageError(
            "These runs are not shown in one picture.",
            why="They were scored on different holdouts.",
            next_step="Select runs of one comparison.",
        )
    names, series = _name(runs), choose_series([run.id for run in runs])
    part = find_part(runs, within, lambda run: read(run)[1]) if within else WHOLE
    found: dict[str, tuple[Predictions, Slices]] = {}
    for name, run in names.items():
        with suppress(UsageError):
            found[name] = part.take_all(*read(run))
    diagnostics = {name: diagnose(found[name][0]) if name in found else Diagnostics() for name in names}
    courses = {
        name: {m: [(float(p.step), p.value) for p in line] for m, line in read_points(run).items()}
        for name, run in names.items()
    }
    calls = {name: _call(predictions) for name, (predictions, _) in found.items() if has_classes(predictions.task)}
    pictures = draw_diagnostics_of(diagnostics, series)
    judge = metrics or (lambda task: [policy.rule_of(task).metric])
    slices = _draw_slices(found, judge, dict(zip(names, series, strict=True)))
    drawn = [*draw_calls_of(calls), *pictures, *slices]
    said = f"Only rows where {part.name}. " if part.name else ""
    return [*(replace(each, says=f"{said}{each.says}") for each in drawn), *draw_courses_of(courses, series)]


def _name(runs: Sequence[Run]) -> dict[str, Run]:
    """Return runs by what they are called: by name where one alone has it, else by id."""
    said = [run.annotations.name or run.id for run in runs]
    return {name if said.count(name) == 1 else run.id: run for name, run in zip(said, runs, strict=True)}


def _call(predictions: Predictions) -> Calls:
    from workbench.stats.confusion import confusion_matrix

    confusion = confusion_matrix(predictions.truth, predictions.places(), predictions.width).tolist()
    return Calls(tuple(map(spell_class, predictions.named_classes())), tuple(map(tuple, confusion)))


def _draw_slices(
    found: dict[str, tuple[Predictions, Slices]], judge: Callable[[Task], Sequence[Metric]], series: dict[str, int]
) -> list[Picture]:
    """Return a heat map by each metric of the parts that the first run named with its predictions; none where it named none."""
    if not found:
        return []
    first, slices = next(iter(found.values()))
    alike = {name: each for name, (each, _) in found.items() if each.rows == first.rows and each.task == first.task}
    parts = [
        (f"{name} {value}", [each == value for each in values])
        for name, values in sorted(slices.items())
        if len(set(values)) <= _MOST_VALUES
        for value in sorted(set(values))
    ]
    colours = {name: series[name] for name in alike}
    pictures = []
    for metric in [each.on(first.columns) for each in judge(first.task)] if parts else []:
        scored = [_score_part(name, inside, list(alike.values()), metric) for name, inside in parts]
        pictures.append(draw_slices(metric.name, metric.direction, colours, scored))
    return pictures


def _score_part(name: str, inside: Sequence[bool], runs: Sequence[Predictions], metric: Metric) -> SliceScores:
    import numpy as np

    chosen = np.array(inside)
    scores = tuple(metric.score(each.truth[chosen], each.read_by(metric)[chosen]) for each in runs)
    return SliceScores(name, int(chosen.sum()), scores)

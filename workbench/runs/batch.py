"""A batch: what is to be run of one notebook, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.notebooks.notebook import Notebook
from workbench.runs.finding.annotations import NOTHING_SAID, Annotations
from workbench.runs.run import Run
from workbench.runs.trials import Goal, Trials


@dataclass(frozen=True)
class CurrentCell:
    """The cell a run is at (0: at none yet), of how many its author wrote, and since how many whole seconds."""

    run_id: str
    cell: int
    cells: int
    for_s: int


@dataclass(frozen=True)
class Progress:
    """Where a batch of runs stands; `cells` counts those executed, of all there are in it; `best` is a metric's name and value.

    `current` is the cell that has been running the longest. Beside its cells each run has one step more: writing down how it ended.
    """

    total: int
    finished: int
    failed: int
    running: int
    cells: int
    all_cells: int
    best: tuple[str, float] | None = None
    current: CurrentCell | None = None


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Batch:
    """What is to be run of a notebook: one run for each parameter set the trials ask for.

    A `cold` run gets an ordinary kernel. Every run's provenance holds the `origin`, such as the run it replays. The best value of
    the `goal` is reported; where there is none, that of the goal which `find_goal` finds a run that ended to be after.
    `annotations` are said of every run; those of a sweep are named with their number, behind `before` others.
    """

    path: Path
    notebook: Notebook
    trials: Trials
    sweep: str | None = None
    goal: Goal | None = None
    find_goal: Callable[[Run], Goal | None] = lambda _: None
    origin: Mapping[str, Any] = field(default_factory=dict)
    cold: bool = False
    on_progress: OnProgress = lambda _: None
    annotations: Annotations = NOTHING_SAID
    before: int = 0

    def annotate(self, written: int) -> Annotations:
        """Return what is said of the next run, when so many were written down."""
        return self.annotations if self.sweep is None else self.annotations.number(self.before + written + 1)

"""Where the parameter sets of a sweep come from, and the metric it is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from workbench.notebooks.notebook import Notebook
from workbench.notebooks.parameters import bind_parameters
from workbench.notebooks.value_types import is_number
from workbench.runs.run import Run

Aim = Literal["maximize", "minimize"]
_ENOUGH_WITHOUT_GOAL = 3


@dataclass(frozen=True)
class Goal:
    """The metric a sweep is about, and which way is better."""

    metric: str
    direction: Aim = "maximize"

    def read(self, run: Run) -> float | None:
        """Return the metric of a run that finished; None when it did not, or logged no finite number by that name."""
        value = run.metrics.get(self.metric) if run.is_finished else None
        return float(value) if value is not None and is_number(value) else None

    def find_best(self, runs: Iterable[Run]) -> tuple[str, float] | None:
        """Return the metric's name and its best value so far; None before a run has it."""
        values = [value for run in runs if (value := self.read(run)) is not None]
        return (self.metric, self.pick(values)) if values else None

    def is_hopeless(self, runs: Iterable[Run]) -> bool:
        """True when several runs finished and none has the metric: more of them would teach nothing."""
        scores = [self.read(run) for run in runs if run.is_finished]
        return len(scores) >= _ENOUGH_WITHOUT_GOAL and all(score is None for score in scores)

    def find_best_run(self, runs: Iterable[Run]) -> Run | None:
        """Return the run with the best value, the first of equals; None when none has one."""
        scored = {value: run for run in reversed(list(runs)) if (value := self.read(run)) is not None}
        return scored[self.pick(list(scored))] if scored else None

    def pick(self, values: Sequence[float]) -> float:
        """Return the best of at least one value."""
        return max(values) if self.direction == "maximize" else min(values)


class Trials(Protocol):
    """Where a sweep's parameter sets come from, one at a time, and who hears how their runs ended.

    An adaptive one is asked only when every run that ended was told: what it proposes depends on them.
    """

    total: int
    is_adaptive: bool

    def ask(self) -> Mapping[str, Any] | None:
        """Return the next set of bound parameters; None when there are no more."""

    def tell(self, run: Run) -> None:
        """Hear how a run ended."""


class ListedTrials:
    """Parameter sets known beforehand, in their order."""

    is_adaptive = False

    def __init__(self, sets: Iterable[Mapping[str, Any]]) -> None:
        waiting = list(sets)
        self.total = len(waiting)
        self._waiting = iter(waiting)

    def ask(self) -> Mapping[str, Any] | None:
        """Return the next set; None when all were given out."""
        return next(self._waiting, None)

    def tell(self, run: Run) -> None:
        """Do nothing: a list does not learn."""


def list_trials(notebook: Notebook, sets: Iterable[Mapping[str, Any]]) -> ListedTrials:
    """Return trials of parameter sets, bound to what the notebook declares; raises UsageError for one that does not fit."""
    return ListedTrials(bind_parameters(notebook.parameters, values) for values in sets)

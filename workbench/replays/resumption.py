"""A resumption: going on with a failed run from the cell it failed in, where what came before is unchanged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.notebooks.notebook import PARAMETERS, cell_source, find_failed_cell, tags_of, written_cells
from workbench.replays.replay import Replay
from workbench.runs.run import Run, RunState

RE_EXECUTED = "re-executed"


@dataclass(frozen=True)
class Resumption:
    """How a run is gone on with: from which cell, and whether that one was changed since; cells are numbered from 1."""

    run_id: str
    cell: int
    is_cell_changed: bool
    parameters: Mapping[str, Any]
    how: str = RE_EXECUTED

    @property
    def provenance(self) -> dict[str, Any]:
        """What the new run's provenance says about it."""
        return {"resumed_from": {"run": self.run_id, "cell": self.cell, "how": self.how}}

    def __str__(self) -> str:
        changed = "changed" if self.is_cell_changed else "unchanged"
        if self.cell == 1:
            return f"Run {self.run_id} failed in its first cell, which is {changed}; everything is executed again."
        cells = "Cell 1 is" if self.cell == 2 else f"Cells 1-{self.cell - 1} are"
        again = f"{cells} unchanged and {'is' if self.cell == 2 else 'are'} executed again"
        return f"{again}; it goes on from cell {self.cell}, which was {'' if self.is_cell_changed else 'not '}changed."


def find_stop(document: Mapping[str, Any]) -> int | None:
    """Return the cell an execution stopped in: the one that failed, else the last that was started; None when none was."""
    # Not its status: a cell that was never started is `completed` too when the kernel died before it.
    started = [
        number
        for number, cell in enumerate(written_cells(document), 1)
        if cell.get("metadata", {}).get("papermill", {}).get("start_time")
    ]
    return find_failed_cell(document) or (started[-1] if started else None)


def find_state_fault(run: Run, cell: int | None) -> list[str]:
    """Return why nobody can go on with a run, whatever the notebook is now."""
    if run.state is not RunState.FAILED:
        return [f"Run {run.id} is {run.state}; only a run that failed in one of its cells can be gone on with."]
    return [] if cell else [f"Run {run.id} stopped in no cell that is known."]


def find_prefix_changes(then: Mapping[str, Any], now: Mapping[str, Any], cell: int) -> list[str]:
    """Return every code cell before `cell` that is not as it was, of the executed notebook and the one as it is now."""
    before, after = _sources(then)[: cell - 1], _sources(now)[: cell - 1]
    changes = [
        f"Cell {number} was changed."
        for number, (old, new) in enumerate(zip(before, after, strict=False), 1)
        if old != new
    ]
    return [*changes, *(f"Cell {number} is gone." for number in range(len(after) + 1, len(before) + 1))]


def is_cell_changed(then: Mapping[str, Any], now: Mapping[str, Any], cell: int) -> bool:
    """True when the cell that failed is not as it was."""
    return _sources(then)[cell - 1 : cell] != _sources(now)[cell - 1 : cell]


def _sources(document: Mapping[str, Any]) -> list[tuple[str, bool]]:
    """Return each code cell's source, and whether it declares the parameters."""
    cells = written_cells(document)
    return [(cell_source(cell), PARAMETERS in tags_of(cell)) for cell in cells]


def find_parameter_changes(then: Mapping[str, Any], given: Mapping[str, Any]) -> list[str]:
    """Return every parameter that was given with another value than the run had; cells before depend on them."""
    return [
        f"Parameter {name} was {then[name]!r}, is {value!r}." if name in then else f"Parameter {name} was not there."
        for name, value in given.items()
        if name not in then or _spell(then[name]) != _spell(value)
    ]


def _spell(value: Any) -> str:
    # 1, 1.0 and True are equal to Python, and not the same parameter.
    return json.dumps(value, sort_keys=True, default=str)


def resumed_from(run: Run) -> Mapping[str, Any] | None:
    """Return what a run was gone on with from, None for one that was executed in one go."""
    return run.provenance.get("resumed_from")


def replays_of(run: Run, runs: Iterable[Run]) -> Iterator[Run]:
    """Yield the finished runs that were made to replay this one."""
    yield from (other for other in runs if other.is_finished and other.provenance.get("replay_of") == run.id)


def find_promotion_faults(run: Run, replays: Sequence[Replay]) -> list[str]:
    """Return why a resumed run may not become a version of a model: no replay of it came out the same."""
    origin = resumed_from(run)
    if not origin or any(replay.run_id == run.id and replay.is_clean for replay in replays):
        return []
    story = f"Run {run.id} went on from cell {origin.get('cell')} of run {origin.get('run')}, which had failed"
    if not replays:
        return [f"{story}; it was never replayed."]
    return [f"{story}; its replay {each.replay_id} is different: {'; '.join(each.reasons[:3])}" for each in replays]

"""The table of what is looked for: each kind by its name, with what it does to a run and the function that finds it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workbench.notebooks.notebook import MAY_FAIL
from workbench.readiness.hindrance import Effect, Hindrance
from workbench.readiness.kinds import bars, burdens, differences, stops
from workbench.readiness.kinds.trace import Find, Trace
from workbench.readiness.notebook_code import NotebookCode
from workbench.readiness.surroundings import Surroundings


@dataclass(frozen=True)
class Kind:
    """What a kind of hindrance does to a run, and how it is found."""

    effect: Effect
    find: Find


KINDS: Mapping[str, Kind] = {
    find.__name__: Kind(effect, find)
    for effect, members in {
        Effect.STOPS: stops.FINDS,
        Effect.DIFFERS: differences.FINDS,
        Effect.BURDENS: burdens.FINDS,
        Effect.BARS: bars.FINDS,
    }.items()
    for find in members
}


def find_hindrances(code: NotebookCode, around: Surroundings) -> Iterator[Hindrance]:
    """Yield what is in the way, kind by kind in the order of the table, within a kind from the first cell to the last."""
    for name, kind in KINDS.items():
        traces = dict.fromkeys(kind.find(code, around))  # what one line imports twice over is said once
        for trace in sorted(traces, key=_order):
            if kind.effect is not Effect.STOPS or not _may_fail(trace):
                yield _describe(name, kind.effect, trace)


def _order(trace: Trace) -> tuple[int, int]:
    return (trace.place.cell.number, trace.place.line) if trace.place else (0, 0)


def _may_fail(trace: Trace) -> bool:
    return trace.place is not None and MAY_FAIL in trace.place.cell.tags


def _describe(kind: str, effect: Effect, trace: Trace) -> Hindrance:
    if trace.place is None:
        return Hindrance(kind, effect, trace.what, trace.advice)
    cell, line = trace.place.cell, trace.place.line
    return Hindrance(kind, effect, trace.what, trace.advice, cell.number, line, cell.line(line))

"""What a view of a run that goes on shows: how far it is, its metrics so far, the last lines it printed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from workbench.runs.run import FINAL_STATES, Run, RunState
from workbench.runs.seen import Kind, Seen
from workbench.words.numbers import format_value

_MOST_LINES = 20
_LONGEST_LINE = 500
_MOST_METRICS = 50
_TONES = {RunState.FINISHED: "good", **dict.fromkeys((RunState.FAILED, RunState.KILLED, RunState.LOST), "bad")}


class Tail:
    """The last lines of what a run printed and showed."""

    def __init__(self) -> None:
        self._lines = [""]

    def add(self, seen: Iterable[Seen]) -> None:
        """Take what is new; a stream goes on where it ended, everything else on a line of its own."""
        for each in seen:
            if each.kind not in (Kind.CELL, Kind.METRIC):
                self._add(each.text, goes_on=each.kind in (Kind.STDOUT, Kind.STDERR))

    def _add(self, text: str, *, goes_on: bool) -> None:
        first, *rest = (text if goes_on else f"{text}\n").split("\n")
        if not goes_on and self._lines[-1]:
            self._lines.append("")
        # What a carriage return would write over is passed over.
        lines = [*self._lines[:-1], self._lines[-1] + first, *rest][-_MOST_LINES - 1 :]
        self._lines = [line.rpartition("\r")[2][:_LONGEST_LINE] for line in lines]

    @property
    def lines(self) -> list[str]:
        """The lines, the newest last."""
        return self._lines[:-1] if not self._lines[-1] else self._lines[-_MOST_LINES:]


@dataclass(frozen=True)
class FollowedRun:
    """A run as it was seen `at` a time (seconds since 1970): its cell (0: none yet) of its cells, metrics and last lines."""

    run: Run
    cell: int
    cells: int
    at: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    lines: tuple[str, ...] = ()


def follow_state(followed: FollowedRun) -> dict[str, Any]:
    """Return what the view and its twin show."""
    run, is_over = followed.run, followed.run.state in FINAL_STATES
    done = followed.cells if run.is_finished else max(followed.cell - 1, 0)
    return {
        "run": run.id,
        "headline": _say_headline(followed),
        "tone": _TONES.get(run.state, "plain"),
        "reason": run.error or "",
        "is_over": is_over,
        "done": done,
        "cells": followed.cells,
        "progress": f"{done} of {followed.cells} cells done" if followed.cells else "",
        "metrics": [
            {"name": name, "value": format_value(value)}
            for name, value in list(followed.metrics.items())[:_MOST_METRICS]
        ],
        "lines": list(followed.lines),
        "empty": "" if followed.lines or followed.metrics else "It has printed and logged nothing so far.",
        "command": f"workbench show {run.id}" if is_over else f"workbench stop {run.id}",
        "at": followed.at,
    }


def _say_headline(followed: FollowedRun) -> str:
    run = followed.run
    subject = f"Run {run.id} of {PurePath(run.notebook).stem}"
    if run.state is RunState.RUNNING:
        where = f": cell {followed.cell} of {followed.cells}" if followed.cell else ""
        return f"{subject} is running{where}"
    return f"{subject} waits" if run.state is RunState.QUEUED else f"{subject} is {run.state.lower()}"

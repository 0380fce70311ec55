"""Profiling: where the time of one run went, from the start of the command to its last word."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench.notebooks.notebook import cell_source

_OTHER, _KERNEL = "preparing", "kernel"
_MOST_CELLS = 3


@dataclass
class Profile:
    """The seconds of each part of a run; every moment belongs to the innermost part that was going on."""

    seconds: dict[str, float] = field(default_factory=dict)
    cells: tuple[tuple[str, float], ...] = ()
    _parts: list[str] = field(default_factory=lambda: [_OTHER])
    _since: float = field(init=False)

    def __post_init__(self) -> None:
        self._since = time.perf_counter()

    def enter(self, part: str) -> None:
        """Begin with a part of the one that goes on."""
        self._account()
        self._parts.append(part)

    def leave(self) -> None:
        """Go on with what went on before."""
        self._account()
        self._parts.pop()

    def _account(self) -> None:
        now, part = time.perf_counter(), self._parts[-1]
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now

    def note_execution(self, document: Mapping[str, Any], imports_s: float | None) -> None:
        """Say of the time that the kernel was waited for what it did: started, imported, ran cells, ended."""
        ran = [
            (cell, found)
            for cell in document["cells"]
            if (found := cell["metadata"].get("papermill", {})).get("duration")
        ]
        waited = self.seconds.pop(_KERNEL, 0.0)
        begun, first = (
            document["metadata"].get("papermill", {}).get("start_time"),
            ran[0][1]["start_time"] if ran else None,
        )
        started = max((_read(first) - _read(begun)).total_seconds(), 0.0) if begun and first else 0.0
        executed = sum(found["duration"] for _, found in ran)
        imported = min(imports_s or 0.0, executed)
        self.seconds |= {"kernel's start": started, "imports": imported, "cells": executed - imported}
        self.seconds["kernel's end, waiting"] = max(waited - started - executed, 0.0)
        slowest = sorted(ran, key=lambda each: each[1]["duration"], reverse=True)[:_MOST_CELLS]
        self.cells = tuple((_first_line(cell), found["duration"]) for cell, found in slowest)


_profile: ContextVar[Profile | None] = ContextVar("profile", default=None)


@contextmanager
def profiled() -> Iterator[Profile]:
    """Measure what is done meanwhile, by its parts; what the command took before counts as its start."""
    profile = Profile(seconds={"command's start": _seconds_since_start()})
    token = _profile.set(profile)
    try:
        yield profile
    finally:
        _profile.reset(token)
        profile.enter(_OTHER)


@contextmanager
def timed(part: str) -> Iterator[None]:
    """Count what is done meanwhile as a part of the run that is measured, if one is."""
    profile = _profile.get()
    if profile is None:
        yield
        return
    profile.enter(part)
    try:
        yield
    finally:
        profile.leave()


def is_profiled() -> bool:
    """True while a run is measured."""
    return _profile.get() is not None


def note_execution(document: Mapping[str, Any], imports_s: float | None) -> None:
    """Tell the run that is measured, if one is, what its kernel did."""
    if profile := _profile.get():
        profile.note_execution(document, imports_s)


def _seconds_since_start() -> float:
    """Return for how long this process has been there; 0 where nothing tells."""
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return max(time.clock_gettime(time.CLOCK_BOOTTIME) - int(fields[19]) / os.sysconf("SC_CLK_TCK"), 0.0)
    except (OSError, AttributeError):
        return 0.0


def _read(moment: str) -> datetime:
    return datetime.fromisoformat(moment)


def _first_line(cell: Mapping[str, Any]) -> str:
    return next((line.strip() for line in cell_source(cell).splitlines() if line.strip()), "")

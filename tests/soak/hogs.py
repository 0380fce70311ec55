"""Notebooks that use too much: each is ended by the limit it passes, which is named, and nothing of it is left (N4)."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.conftest import AUTHOR, NOTEBOOKS, find_processes
from tests.soak.proof import Proof, timed_proof
from workbench.config import Settings
from workbench.errors import RunFailed
from workbench.runs.run import Run
from workbench.workflow import Workbench


@dataclass(frozen=True)
class Hog:
    """A notebook `hogs_<what>`, how it goes about it, and the limit (a setting and its option) that is to end it."""

    what: str
    how: str
    option: str
    limits: Mapping[str, Any]


_MEMORY, _CELL, _RUN = {"memory": "700MB"}, {"cell_timeout_s": 2}, {"timeout_s": 3}
_OUTPUT, _DISK = {"output_size": "200kB"}, {"disk": "10MB"}
_SHOWN = ("flushes", "one_string", "html", "nothing_much", "clears", "updates", "in_a_thread", "in_an_exception")
_WRITTEN = ("small_files", "a_deleted_file", "temporary_files", "past_the_notebook", "ends_at_once")

HOGS = (
    *(Hog("memory", how, "memory", _MEMORY) for how in ("slowly", "in_a_child", "in_a_fork", "in_a_stranger")),
    *(Hog("time", how, "cell-timeout", _CELL) for how in ("sleeps", "stops_itself", "ignores_signals")),
    Hog("time", "stops_itself", "timeout", _RUN),
    *(Hog("output", how, "output-size", _OUTPUT) for how in _SHOWN),
    *(Hog("disk", how, "disk", _DISK) for how in _WRITTEN),
)
# By themselves the hogs end after 90 s: one that is ended in time took far less.
ENDED_WITHIN_S = 45.0


def run_hog(settings: Settings, hog: Hog) -> Run:
    """Run a hog to its end, and return the run as the store knows it."""
    bench = Workbench.open(replace(settings, **hog.limits))
    try:
        return bench.show(bench.run(NOTEBOOKS / f"hogs_{hog.what}.ipynb", {"how": hog.how}).id)
    except RunFailed as exc:
        return bench.show(exc.what.split()[1])
    finally:
        bench.store.close()


def find_faults(settings: Settings, hog: Hog) -> list[str]:
    """Run a hog, and return what is wrong with how it ended."""
    run = run_hog(settings, hog)
    folder = settings.runs_folder / run.id
    faults = {
        f"it is {run.state}": run.is_finished,
        f"the reason is {run.error!r}": f"--{hog.option} allows" not in str(run.error),
        f"it took {_duration_s(run):.0f} s": _duration_s(run) > ENDED_WITHIN_S,
        "processes are left": bool(find_processes(folder)),
        "its notebook was kept whole": hog.what == "output" and (folder / "notebook.ipynb").stat().st_size > 2_000_000,
    }
    return [f"{hog.what} {hog.how}: {fault}" for fault, holds in faults.items() if holds]


def _duration_s(run: Run) -> float:
    times = [datetime.fromisoformat(str(time)) for time in (run.started, run.ended)]
    return (times[1] - times[0]).total_seconds()


def prove(size: int) -> Proof:
    """Run `size` hogs, each kind in turn."""
    return timed_proof("N4: every hog is ended by the limit it passes, by name", lambda: _try_hogs(size))


def _try_hogs(size: int) -> tuple[int, Sequence[str], str]:
    folder = Path(tempfile.mkdtemp(prefix="workbench-hogs-"))
    try:
        settings = Settings(folder, author=AUTHOR)
        tried = [HOGS[number % len(HOGS)] for number in range(size)]
        faults = [fault for hog in tried for fault in find_faults(settings, hog)]
        return size, faults, f"{len(HOGS)} ways to take too much memory, time, output or disk"
    finally:
        shutil.rmtree(folder, ignore_errors=True)

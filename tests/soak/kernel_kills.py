"""Kernels killed in every phase of a run: none may count as finished, and nothing they left may look complete (N1)."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.conftest import AUTHOR, NOTEBOOKS, find_processes
from tests.soak.proof import SEED, Proof, timed_proof
from workbench.config import Settings
from workbench.errors import RunFailed
from workbench.runs.run import Run, RunState
from workbench.workflow import Workbench

NOTEBOOK = NOTEBOOKS / "says_where_it_is.ipynb"
STARTING = "before it answers"
PHASES = (STARTING, "start", "middle", "flood", "metric", "model", "last cell", "after the last cell")
_LONGEST_DELAY_S = 0.3
NOTICED_WITHIN_S = 10.0


def kill_in_phase(bench: Workbench, phase: str, delay_s: float, *, cold: bool) -> list[str]:
    """Kill the kernel of one run in a phase, and return what is wrong with how the run ended."""
    known = {run.id for run in bench.list_runs()}
    killer = _Killer(bench.settings.runs_folder, known, phase, delay_s)
    killer.start()
    with suppress(RunFailed):
        # Whoever comes too late to kill it before it answers still finds it in its first cell.
        bench.run(NOTEBOOK, {"phase": "start" if phase == STARTING else phase}, cold=cold)
    seen = time.monotonic()
    killer.over.set()
    killer.join()
    (run,) = (run for run in bench.list_runs() if run.id not in known)
    return [f"{phase}, {'cold' if cold else 'warm'}: {fault}" for fault in _find_faults(bench, run, killer, seen)]


def _find_faults(bench: Workbench, run: Run, killer: _Killer, seen: float) -> list[str]:
    folder = bench.settings.runs_folder / run.id
    faults = {
        "nothing was killed": killer.killed is None,
        f"the run is {run.state}: {run.error}": run.state is not RunState.FAILED,
        f"the reason is {run.error!r}": "died" not in (run.error or ""),
        "it was noticed late": killer.killed is not None and seen - killer.killed > NOTICED_WITHIN_S,
        "it has a completion record": (folder / "record.json").exists(),
        "its record is not empty": bool(run.record.get("files")),
        "its report is missing": not (folder / "report.html").exists(),
        "processes are left": bool(find_processes(folder)),
    }
    return [fault for fault, holds in faults.items() if holds]


class _Killer(threading.Thread):
    """Waits until a new run says that it is in the phase, and kills its kernel a moment later; `killed` is when.

    In place of a forked kernel that ends before it answers an ordinary one is started, for nothing was executed yet: it is
    killed as well.
    """

    def __init__(self, runs: Path, known: set[str], phase: str, delay_s: float) -> None:
        super().__init__(daemon=True)
        self._runs, self._known, self._phase, self._delay_s = runs, known, phase, delay_s
        self.killed: float | None = None
        self.over = threading.Event()

    def run(self) -> None:
        """Wait, and kill."""
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline and not self.over.wait(0.002):
            if (pid := self._find_kernel()) is not None:
                time.sleep(self._delay_s)
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                self.killed = time.monotonic()
                if self._phase != STARTING:
                    return

    def _find_kernel(self) -> int | None:
        folders = [folder for folder in self._runs.glob("*") if folder.name not in self._known]
        if self._phase == STARTING:
            return next((pid for folder in folders for pid in find_processes(folder)), None)
        texts = [here.read_text() for folder in folders if (here := folder / "here").is_file()]
        return next((int(text) for text in texts if text), None)


def prove(size: int) -> Proof:
    """Kill `size` kernels, in each phase and of both kinds in turn, each at a random moment of it."""
    claim = f"N1: a kernel killed in any of {len(PHASES)} phases leaves a failed run, within {NOTICED_WITHIN_S:.0f} s"
    return timed_proof(claim, lambda: _try_kills(size))


def _try_kills(size: int) -> tuple[int, Sequence[str], str]:
    folder = Path(tempfile.mkdtemp(prefix="workbench-kills-"))
    chance = random.Random(SEED)
    bench = Workbench.open(Settings(folder, author=AUTHOR))
    try:
        faults: list[str] = []
        for number in range(size):
            phase, cold = PHASES[number % len(PHASES)], number // len(PHASES) % 4 == 3
            delay_s = 0.0 if phase == STARTING else chance.uniform(0, _LONGEST_DELAY_S)
            faults += kill_in_phase(bench, phase, delay_s, cold=cold)
        return size, faults, "one in four kernels was a cold one"
    finally:
        bench.store.close()
        shutil.rmtree(folder, ignore_errors=True)

"""Whoever executes notebooks is killed: its runs are lost within two heartbeats, and nothing of them goes on (N2)."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import AUTHOR, NOTEBOOKS, find_processes, run_process, start_command
from tests.soak.proof import SEED, Proof, timed_proof
from workbench.config import Settings
from workbench.runs.run import RunState
from workbench.workflow import Workbench

GONE_WITHIN_S = 10.0
_STARTS_WITHIN_S = 120.0
_LONGEST_DELAY_S = 3.0


def kill_executor(project: Path, delay_s: float, *options: str) -> list[str]:
    """Kill a sweep some seconds after its kernels run, and return what is wrong with what is left."""
    bench = Workbench.open(Settings(project, author=AUTHOR))
    before = {run.id for run in bench.list_runs()}
    temporary = project / "tmp"
    temporary.mkdir(exist_ok=True)
    started_files = f"started={project / 'one'},{project / 'two'}"
    sweep = ("sweep", str(NOTEBOOKS / "waits.ipynb"), "-p", "waits=true", "-p", started_files, "--jobs", "2", *options)
    process = start_command(project, *sweep, TMPDIR=str(temporary), XDG_RUNTIME_DIR="")
    try:
        started = _wait_for(lambda: find_processes(project), _STARTS_WITHIN_S)
        time.sleep(delay_s)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        gone = _wait_for(lambda: not find_processes(project), GONE_WITHIN_S)
        runs = [run for run in bench.list_runs() if run.id not in before]
        _forget_folders(bench, temporary)
        faults = {
            "no kernel was started": not started,
            f"processes are left: {find_processes(project)}": not gone,
            f"runs are {[run.state for run in runs]}": not runs or any(run.state is not RunState.LOST for run in runs),
            f"folders are left: {[path.name for path in temporary.iterdir()]}": any(temporary.iterdir()),
            "MLflow says otherwise": bool(bench.store.list_unpublished_runs()) and not bench.publish_pending(),
        }
        return [fault for fault, holds in faults.items() if holds]
    finally:
        process.kill()
        process.communicate()
        bench.store.close()


def _forget_folders(bench: Workbench, temporary: Path) -> None:
    """Run something else in the same place: what the killed one left there is removed by whoever comes next."""
    if any(temporary.iterdir()):
        notebook = str(NOTEBOOKS / "finishes.ipynb")
        done = run_process(bench.settings.project, "run", notebook, TMPDIR=str(temporary), XDG_RUNTIME_DIR="")
        assert done.returncode == 0, done.stderr


def _wait_for(holds: object, within_s: float) -> bool:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        if holds():  # type: ignore[operator]
            return True
        time.sleep(0.05)
    return False


def prove(size: int) -> Proof:
    """Kill `size` sweeps, each at a random moment."""
    claim = (
        f"N2: a killed executor leaves its runs lost, no process after {GONE_WITHIN_S:.0f} s and no temporary folder"
    )
    return timed_proof(claim, lambda: _try_kills(size))


def _try_kills(size: int) -> tuple[int, Sequence[str], str]:
    folder = Path(tempfile.mkdtemp(prefix="wb-n2-", dir="/tmp"))
    chance = random.Random(SEED)
    try:
        (folder / "workbench.toml").write_text(f'author = "{AUTHOR}"\n', encoding="utf-8")
        faults: list[str] = []
        for number in range(size):
            options = ("--cold",) if number % 4 == 3 else ()
            found = kill_executor(folder, chance.uniform(0, _LONGEST_DELAY_S), *options)
            faults += [f"kill {number}{' (cold)' if options else ''}: {fault}" for fault in found]
        return size, faults, "two kernels ran each time; every fourth time cold ones"
    finally:
        shutil.rmtree(folder, ignore_errors=True)

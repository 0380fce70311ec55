"""Many runs at a time: none may be lost to a race for ports, files or the store."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.conftest import AUTHOR, NOTEBOOKS
from tests.soak.proof import Proof, timed_proof
from workbench.config import Settings
from workbench.workflow import Workbench

AT_A_TIME = 8


def prove(size: int) -> Proof:
    """Run `size` notebooks, eight at a time."""
    return timed_proof(f"0 of {size} runs are lost, {AT_A_TIME} at a time", lambda: _try_runs(size))


def _try_runs(size: int) -> tuple[int, Sequence[str], str]:
    folder = Path(tempfile.mkdtemp(prefix="workbench-parallel-"))
    try:
        bench = Workbench.open(Settings(folder, author=AUTHOR, jobs=AT_A_TIME))
        runs = bench.sweep(NOTEBOOKS / "raises_for_odd.ipynb", {"number": [2 * n for n in range(size)]})
        faults = [f"run {run.id} is {run.state}: {run.error}" for run in runs if not run.is_finished]
        if len(runs) != size or len({str(run.parameters) for run in runs}) != size:
            faults.append(f"{len(runs)} runs were made of {size}")
        bench.store.close()
        return size, faults, "each with its own parameters"
    finally:
        shutil.rmtree(folder, ignore_errors=True)

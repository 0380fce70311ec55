"""How fast notebooks run: beside papermill, beside an engine without kernels, and beside the floor no engine can pass."""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.line import Line, timed
from workbench.config import find_notebook, read_settings
from workbench.workflow import Workbench

ROOT = Path(__file__).resolve().parents[2]
TWO_LINES = Path(__file__).with_name("two_lines.ipynb")
RUNS, TURNS = 20, 3


def open_bench(folder: Path, name: str, jobs: int = 1) -> Workbench:
    """Open a workbench that writes below a folder of its own."""
    environment = {
        "WORKBENCH_HOME": str(folder / name),
        "WORKBENCH_JOBS": str(jobs),
        "WORKBENCH_AUTHOR": "bench@example",
    }
    return Workbench.open(read_settings(ROOT, environment))


def run_papermill(notebook: Path, folder: Path, parameters: dict[str, object]) -> None:
    """Run a notebook as papermill's documentation shows."""
    from papermill import execute_notebook

    output = folder / "papermill.ipynb"
    execute_notebook(str(notebook), str(output), parameters, progress_bar=False, cwd=str(notebook.parent))


def measure_breast_cancer(folder: Path) -> Iterator[Line]:
    """Twenty runs one at a time, with everything that makes them runs, and three ways that do less."""
    notebook = find_notebook("10_train_breast_cancer.ipynb")
    bench = open_bench(folder, "twenty")
    bench.sweep(notebook, {"seed": [0]})
    run_papermill(notebook, folder, {"seed": 0})
    ours, theirs = [], []
    for turn in range(TURNS):
        seeds = list(range(turn * RUNS, turn * RUNS + RUNS))
        ours.append(timed(lambda seeds=seeds: bench.sweep(notebook, {"seed": seeds})) / RUNS)
        theirs.append(timed(lambda seeds=seeds: [run_papermill(notebook, folder, {"seed": s}) for s in seeds]) / RUNS)
    what = f"one of {RUNS} breast-cancer runs, one at a time"
    yield Line(what, ours, "a loop over papermill.execute_notebook, nothing recorded", theirs)
    yield Line(what, ours, "ploomber-engine: no kernel, nothing recorded", _in_process("ploomber", notebook, folder))
    yield Line(
        what, ours, "the floor: its cells as a function in one warm process", _in_process("floor", notebook, folder)
    )


def measure_two_lines(folder: Path) -> Iterator[Line]:
    """What a run costs when its notebook does nothing: after the first, so that nothing is started or imported any more."""
    bench = open_bench(folder, "two-lines")
    bench.sweep(TWO_LINES, {"x": [0]})
    run_papermill(TWO_LINES, folder, {"x": 0})
    ours, theirs = [], []
    for number in range(3):
        values = list(range(number * 10, number * 10 + 10))
        ours.append(timed(lambda values=values: bench.sweep(TWO_LINES, {"x": values})) / len(values))
        theirs += [timed(lambda x=x: run_papermill(TWO_LINES, folder, {"x": x})) for x in values[:3]]
    alone = [timed(lambda x=x: bench.run(TWO_LINES, {"x": x})) for x in range(100, 107)]
    what = "a two-line notebook after the first, in a sweep"
    yield Line(what, ours, "papermill.execute_notebook, nothing recorded", theirs)
    yield Line(what, ours, "ploomber-engine: no kernel, nothing recorded", _in_process("ploomber", TWO_LINES, folder))
    yield Line(
        what, ours, "the floor: its cells as a function in one warm process", _in_process("floor", TWO_LINES, folder)
    )
    yield Line("a two-line notebook after the first, one `run` at a time", alone, "papermill.execute_notebook", theirs)


def measure_growth(folder: Path) -> Iterator[Line]:
    """What one run costs in a sweep of 1,000 beside one of 10 and one of 100, in the same growing store."""
    bench = open_bench(folder, "growth", jobs=2)
    bench.sweep(TWO_LINES, {"x": [0]})
    each = {count: _time_sweep(bench, count) for count in (10, 100, 1000)}
    for count in (10, 100):
        yield Line("cost of a run in a sweep of 1,000", each[1000], f"in a sweep of {count}", each[count])


def _time_sweep(bench: Workbench, count: int) -> list[float]:
    """Return the seconds a run takes, in each of up to three sweeps of this size."""
    repeats = 3 if count < 1000 else 1
    return [timed(lambda: bench.sweep(TWO_LINES, {"x": list(range(count))})) / count for _ in range(repeats)]


def _in_process(how: str, notebook: Path, folder: Path) -> list[float]:
    scratch = folder / f"{how}-{notebook.stem}"
    scratch.mkdir()
    command = [sys.executable, "-m", "tests.benchmarks.in_process", how, str(notebook), str(RUNS), str(scratch)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout.splitlines()[-1]))


def measure_memory(_: Path) -> Iterator[Line]:
    """What the second to eighth kernel add when all run at once, in proportional set size."""
    warm, cold = (_add_kernels(kind) for kind in ("warm", "cold"))
    yield Line(
        "memory of the 2nd to 8th warm kernel with pandas and scikit-learn", warm, "of a cold one", cold, unit="MB"
    )


_HEAVY = "import pandas, sklearn.linear_model, sklearn.ensemble, sklearn.pipeline; x = pandas.DataFrame({'a': range(9)}).describe()"


def _add_kernels(kind: str) -> list[float]:
    """Start eight kernels that import the same and return by how many MB each but the first raised the total."""
    from tests.benchmarks.kernels import start_kernels

    with start_kernels(kind, _HEAVY) as start_next:
        totals = [_total_pss(start_next()) for _ in range(8)]
    return [(after - before) / 1e6 for before, after in itertools.pairwise(totals)]


def _total_pss(pids: Sequence[int]) -> int:
    return sum(_read_pss(pid) for pid in set(pids))


def _read_pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def describe_machine() -> str:
    """Return what the figures depend on."""
    with Path("/proc/cpuinfo").open(encoding="utf-8") as lines:
        name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{name}, {os.cpu_count()} processors, {memory:.0f} GB"

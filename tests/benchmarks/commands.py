"""What a command takes: a single run beside papermill's, with what is kept of the one before and without, and reading many runs."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.benchmarks.engine import TWO_LINES, run_papermill
from tests.benchmarks.line import Line, timed
from workbench.executors.kernel_processes import find_descendants
from workbench.executors.preloads import find_preloads

ROOT = Path(__file__).resolve().parents[2]
CROSS_VALIDATES = Path(__file__).with_name("cross_validates.ipynb")
RUNS, MANY = 12, 10_000
_BIN = Path(sys.executable).parent
_GONE_S = 60
_IDLE_S = 15  # then what is kept for the next run only has gone


def measure_single_runs(folder: Path) -> Iterator[Line]:
    """One run as a command, its own processes kept for the next and not, beside papermill's command."""
    project = _make_project(folder)
    environment = _environment(folder)
    papermill = [str(_BIN / "papermill"), TWO_LINES.name, "out.ipynb"]
    run = [str(_BIN / "workbench"), "run", TWO_LINES.name]

    def call(command: Sequence[str]) -> Callable[[], object]:
        return lambda: _call(command, project, environment)

    fresh, papermills = [], []
    for _ in range(3):
        _stop_kept(project, environment)
        fresh.append(timed(call(run)))
        papermills.append(timed(call(papermill)))
    _wait_for(lambda: _is_forking_commands(project, environment))
    kept = []
    call(run)()
    for _ in range(5):
        kept.append(timed(call(run)))
        papermills.append(timed(call(papermill)))
    call([*papermill, "-k", "workbench-warm"])()
    warm = [timed(call([*papermill, "-k", "workbench-warm"])) for _ in range(3)]
    _stop_kept(project, environment)
    yield Line("`workbench run` of a two-line notebook, what is kept is there", kept, "papermill's command", papermills)
    yield Line("`workbench run` of a two-line notebook, nothing is kept", fresh, "papermill's command", papermills)
    yield Line("papermill's command with `-k workbench-warm`, after the first", warm, "with python3", papermills)


def measure_cross_validation(folder: Path) -> Iterator[Line]:
    """Runs of a notebook that imports pandas, scikit-learn and MLflow, one at a time, beside a loop over papermill."""
    from tests.benchmarks.engine import open_bench

    os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder / 'papermill.db'}"
    bench = open_bench(folder, "cross-validation")
    bench.sweep(CROSS_VALIDATES, {"seed": [0]})
    run_papermill(CROSS_VALIDATES, folder, {"seed": 0})
    ours = [timed(lambda: bench.sweep(CROSS_VALIDATES, {"seed": list(range(1, RUNS + 1))})) / RUNS]
    theirs = [
        timed(lambda seed=seed: run_papermill(CROSS_VALIDATES, folder, {"seed": seed})) for seed in range(1, RUNS + 1)
    ]
    del os.environ["MLFLOW_TRACKING_URI"]
    what = f"one of {RUNS} runs that import pandas, scikit-learn and MLflow, one at a time"
    yield Line(what, ours, "a loop over papermill.execute_notebook", theirs)


def measure_reading(folder: Path) -> Iterator[Line]:
    """Listing the newest of ten thousand runs, and help."""
    project, environment = _make_project(folder), {**_environment(folder), "WORKBENCH_KERNELS_KEPT_MIN": "0"}
    _fill(project, MANY)
    listing = [str(_BIN / "workbench"), "runs"]
    others = [sys.executable, "-c", _SEARCH.format(address=f"sqlite:///{folder / 'many.db'}", count=200)]
    _call(others, project, environment)
    ours = [timed(lambda: _call(listing, project, environment)) for _ in range(5)]
    theirs = [timed(lambda: _call(others, project, environment)) for _ in range(3)]
    yield Line(f"`workbench runs` of {MANY:,}, nothing is kept", ours, "MLflow's client: the newest 30 of 200", theirs)
    kept = _environment(folder)
    _call([listing[0], "run", TWO_LINES.name], project, kept)
    _wait_for(lambda: _is_forking_commands(project, kept))
    ours = [timed(lambda: _call(listing, project, kept)) for _ in range(5)]
    _stop_kept(project, kept)
    yield Line(f"`workbench runs` of {MANY:,}, what is kept is there", ours, "MLflow's client", theirs)
    helps = {
        name: [_cpu_of([str(_BIN / name), "--help"], project, environment) for _ in range(5)]
        for name in ("workbench", "papermill")
    }
    yield Line("processor time of `workbench --help`", helps["workbench"], "of `papermill --help`", helps["papermill"])


def measure_kept_memory(folder: Path) -> Iterator[Line]:
    """What a process that kernels are forked from weighs while nothing runs, beside a process that imported the same."""
    project, environment = _make_project(folder), _environment(folder)
    shutil.copy(CROSS_VALIDATES, project)
    _call([str(_BIN / "workbench"), "run", CROSS_VALIDATES.name], project, environment)
    time.sleep(_IDLE_S)
    kept = json.loads(_call([str(_BIN / "workbench"), "kernels", "status", "--json"], project, environment))
    parents = [each for each in kept if each["program"].endswith("kernel_parent")]
    before = [_cpu_seconds(each["pid"]) for each in parents]
    time.sleep(5)
    assert [_cpu_seconds(each["pid"]) for each in parents] == before, "what is kept works while nothing is asked of it"
    itself = [_read_memory(each["pid"], "Rss:") for each in parents]
    waiting = [sum(_read_memory(pid, "Private_") for pid, _ in find_descendants(each["pid"])) for each in parents]
    _stop_kept(project, environment)
    modules = find_preloads(json.loads(CROSS_VALIDATES.read_bytes()))
    code = (
        f"import importlib\nfor name in {modules!r}:\n try: importlib.import_module(name)\n except ImportError: pass\n"
    )
    weighed = f"{code}print(open('/proc/self/smaps_rollup').read())"
    alone = [_sum_memory(_call([sys.executable, "-c", weighed], project, environment), "Rss:")]
    what, beside = "memory of what kernels are forked from", "a process that imported the same"
    both = [own + private for own, private in zip(itself, waiting, strict=True)]
    yield Line(what, itself, beside, alone, unit="MB")
    yield Line(f"{what}, with the kernel that waits", both, beside, alone, unit="MB")


def _read_memory(pid: int, part: str) -> float:
    return _sum_memory(Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8"), part)


def _sum_memory(text: str, part: str) -> float:
    """Return the MB of a kind of memory; of what is shared not the share, which depends on who else runs."""
    return sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(part)) * 1024 / 1e6


_SEARCH = """
import mlflow
from mlflow import MlflowClient
client = MlflowClient("{address}")
if not client.search_runs(["0"], max_results=1):
    for _ in range({count}):
        client.create_run("0")
client.search_runs(["0"], max_results=30)
"""


def _make_project(folder: Path) -> Path:
    project = folder / "project"
    project.mkdir()
    (project / "workbench.toml").write_text('author = "bench@example"\n', encoding="utf-8")
    shutil.copy(TWO_LINES, project)
    return project


def _environment(folder: Path) -> dict[str, str]:
    own = {name: value for name, value in os.environ.items() if not name.startswith(("WORKBENCH_", "MLFLOW_"))}
    (folder / "run").mkdir(exist_ok=True)
    return {**own, "XDG_RUNTIME_DIR": str(folder / "run"), "PYTHONWARNINGS": "ignore"}


def _call(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _cpu_of(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _call(command, folder, environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stop_kept(project: Path, environment: Mapping[str, str]) -> None:
    command = [str(_BIN / "workbench"), "kernels", "stop", "--json"]
    pids = [each["pid"] for each in json.loads(_call(command, project, environment))]
    _wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def _is_forking_commands(project: Path, environment: Mapping[str, str]) -> bool:
    kept = json.loads(_call([str(_BIN / "workbench"), "kernels", "status", "--json"], project, environment))
    return any(each["program"].endswith("command_parent") and _is_idle(each["pid"]) for each in kept)


def _is_idle(pid: int) -> bool:
    before = _cpu_seconds(pid)
    time.sleep(0.5)
    return _cpu_seconds(pid) == before


def _wait_for(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _GONE_S
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)


def _fill(project: Path, count: int) -> None:
    """Write down runs as if they had been executed: finished, each with two metrics and three parameters."""
    from dataclasses import replace

    from workbench.config import read_settings
    from workbench.runs.run import Run, RunState
    from workbench.workflow import Workbench

    bench = Workbench.open(read_settings(project, {}))
    for number in range(count):
        run = Run(
            id=f"{number:012x}",
            notebook="two_lines.ipynb",
            notebook_digest="0" * 64,
            parameters={"x": number, "strength": number / 7, "family": "forest"},
            provenance={"git_commit": None},
            author="bench@example",
            created=f"2026-01-01T00:00:{number % 60:02d}+00:00",
        )
        bench.store.add_run(run)
        bench.store.move_run(replace(run, state=RunState.RUNNING))
        bench.store.move_run(
            replace(run, state=RunState.FINISHED, record={"metrics": {"roc_auc": 0.9, "log_loss": 0.1}, "files": {}})
        )
    bench.store.close()

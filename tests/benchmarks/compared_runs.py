"""What comparing ten thousand runs takes as a command, for the first time and again, beside measuring each of them."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.benchmarks.commands import (
    _BIN,
    TWO_LINES,
    _call,
    _environment,
    _is_forking_commands,
    _stop_kept,
    _wait_for,
)
from tests.benchmarks.line import Line
from tests.benchmarks.many_scored_runs import write_notebook, write_scored_runs
from workbench.config import read_settings
from workbench.workflow import Workbench

MANY, ROWS, ONE_BY_ONE = 10_000, 1_000, 100


def measure(folder: Path) -> Iterator[Line]:
    """The first time, again without and with what is kept, and how much memory; one by one as many as are said, as a share."""
    project = folder / "project"
    notebook = write_notebook(project, ROWS)
    shutil.copy(TWO_LINES, project)
    (project / "workbench.toml").write_text('author = "bench@example"\n', encoding="utf-8")
    bench = Workbench.open(read_settings(project, {"WORKBENCH_HOME": str(project / "runs")}))
    write_scored_runs(bench, bench.run(notebook, {}), MANY - 1)
    bench.store.close()
    alone, kept = {**_environment(folder), "WORKBENCH_KERNELS_KEPT_MIN": "0"}, _environment(folder)
    compare = [str(_BIN / "workbench"), "compare"]
    each = [_cpu_s(lambda: _measure_each(project, alone)) / ONE_BY_ONE * MANY]
    what, beside = (
        f"processor time of `workbench compare` of {MANY:,}",
        f"each of them measured (of {ONE_BY_ONE}, as a share)",
    )
    first = [_cpu_s(lambda: _forget_and_call(project, compare, alone)) for _ in range(3)]
    yield Line(f"{what}, the first time", first, beside, each)
    again = [_cpu_s(lambda: _call(compare, project, alone)) for _ in range(5)]
    yield Line(f"{what}, again, nothing is kept", again, beside, each)
    _call([compare[0], "run", TWO_LINES.name], project, kept)
    _wait_for(lambda: _is_forking_commands(project, kept))
    waited = [_wall_s(lambda: _call(compare, project, kept)) for _ in range(5)]
    _stop_kept(project, kept)
    yield Line("waiting for it again, what is kept is there", waited, "waiting for it the first time", first)
    memory = [_peak_mb(project, compare, alone, is_first=is_first) for is_first in (True, False)]
    yield Line("memory of it, the first time", memory[:1], "again", memory[1:], unit="MB")


def _forget_and_call(project: Path, command: list[str], environment: dict[str, str]) -> None:
    shutil.rmtree(project / "runs" / "tables", ignore_errors=True)
    _call(command, project, environment)


def _measure_each(project: Path, environment: dict[str, str]) -> None:
    shutil.rmtree(project / "runs" / "tables", ignore_errors=True)
    _call([str(_BIN / "workbench"), "compare", "--top", str(ONE_BY_ONE)], project, environment)


def _wall_s(act: Callable[[], object]) -> float:
    begun = time.monotonic()
    act()
    return time.monotonic() - begun


def _cpu_s(act: Callable[[], object]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    act()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


_PEAK = """import json, resource, subprocess, sys
subprocess.run(json.loads(sys.argv[1]), check=True, capture_output=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1000)"""


def _peak_mb(project: Path, command: list[str], environment: dict[str, str], *, is_first: bool) -> float:
    if is_first:
        shutil.rmtree(project / "runs" / "tables", ignore_errors=True)
    asked = [sys.executable, "-c", _PEAK, json.dumps(command)]
    return float(subprocess.run(asked, cwd=project, env=environment, check=True, capture_output=True, text=True).stdout)

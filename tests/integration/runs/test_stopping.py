"""One run is ended by whoever can write to the store, and the others of its sweep do not notice."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tests.conftest import AUTHOR, change_database, find_processes, run_command, start_command, wait_until
from tests.contract.stores import build_run
from workbench.config import Settings
from workbench.errors import RunFailed, Unavailable, UsageError
from workbench.runs.batch import Progress
from workbench.runs.run import Run, RunState
from workbench.workflow import Workbench

WAITING = """import time, workbench as wb
(wb.folder / 'half.txt').write_text('half')
print('half', flush=True)
while number == 0:
    time.sleep(0.02)"""
KILLED, FINISHED = RunState.KILLED, RunState.FINISHED


@pytest.fixture
def bench(project: Path) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(project, author=AUTHOR, jobs=1, cell_timeout_s=60))
    yield opened
    opened.store.close()


@pytest.fixture
def notebook(project: Path) -> Path:
    """Of number 0 it waits for ever."""
    parameters = nbformat.v4.new_code_cell("number = 0", metadata={"tags": ["parameters"]})
    made = nbformat.v4.new_notebook(cells=[parameters, nbformat.v4.new_code_cell(WAITING)])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, project / "waiting.ipynb")
    return project / "waiting.ipynb"


def by_number(bench: Workbench) -> dict[int, Run]:
    return {run.parameters["number"]: run for run in bench.list_runs()}


def test_a_run_is_stopped_one_that_waits_is_not_begun_and_the_rest_of_the_sweep_goes_on(
    bench: Workbench, notebook: Path
) -> None:
    asked: list[str] = []

    def stop_two(progress: Progress) -> None:
        runs = by_number(bench)
        if not asked and 1 in runs and (folder_of(runs[0]) / "report.html").exists():
            asked.extend(bench.request_stop(runs[number].id).id for number in (0, 1))

    def folder_of(run: Run) -> Path:
        return bench.settings.runs_folder / run.id

    stopped, waiting, last = bench.sweep(notebook, {"number": [0, 1, 2]}, on_progress=stop_two)
    assert [run.state for run in (stopped, waiting, last)] == [KILLED, KILLED, FINISHED]
    assert (stopped.error, waiting.error) == (f"Stopped by {AUTHOR}.", "Stopped before it began.")
    report = (folder_of(stopped) / "report.html").read_text(encoding="utf-8")
    assert [word in report for word in ("Killed", "half", f"Stopped by {AUTHOR}", 'http-equiv="refresh"')] == [
        True
    ] * 3 + [False]
    assert "half" in (folder_of(stopped) / "notebook.ipynb").read_text(encoding="utf-8")
    assert [each["path"] for each in stopped.record["kept_files"]] == ["half.txt"]
    assert "Kept files" in report
    assert (folder_of(waiting).exists(), find_processes(folder_of(stopped))) == (False, [])
    assert bench.store.list_unpublished_runs() == []


def test_another_process_stops_a_run_and_says_who_did(project: Path, bench: Workbench, notebook: Path) -> None:
    with start_command(project, "sweep", str(notebook), "-p", "number=0,2", "--jobs", "1", "--json") as sweep:
        wait_until(lambda: 0 in by_number(bench) and by_number(bench)[0].state is RunState.RUNNING)
        stopped = run_command(project, "stop", by_number(bench)[0].id, WORKBENCH_AUTHOR="boris@example.org")
        out, err = sweep.communicate(timeout=60)
    assert (stopped.returncode, stopped.stdout) == (
        0,
        f"Run {by_number(bench)[0].id} is ended. Stopped by boris@example.org.\n",
    )
    assert sweep.returncode == 1
    assert [run["state"] for run in json.loads(out)] == ["KILLED", "FINISHED"]
    assert "1 of 2 runs failed." in err
    with pytest.raises(RunFailed, match="was stopped"):
        bench.require_finished(by_number(bench)[0])


def test_a_run_that_ended_cannot_be_stopped_and_one_whose_process_is_gone_is_said_to_be_lost(bench: Workbench) -> None:
    run = build_run()
    bench.store.add_run(run)
    with pytest.raises(Unavailable, match="goes on"):
        bench.stop(run.id, wait_s=0)  # nobody listens
    assert bench.store.list_stop_requests() == {run.id: AUTHOR}
    kept = bench.settings.runs_folder / run.id / "files" / "half.txt"
    kept.parent.mkdir(parents=True)
    kept.write_text("half", encoding="utf-8")
    gone = f"{os.uname().nodename}/{os.getpid()}/1"
    change_database(bench.settings.store_address, "update attempts set owner = :owner", owner=gone)
    found = bench.stop(run.id)
    assert (found.state, found.error) == (RunState.LOST, "The process that ran it is gone.")
    assert [each["path"] for each in bench.show(run.id).record["kept_files"]] == ["half.txt"]
    done = run_command(bench.settings.project, "stop", run.id)
    assert (
        done.stdout
        == f"Run {run.id} was lost before. The process that ran it is gone. What it left running is ended.\n"
    )
    change_database(bench.settings.store_address, "update attempts set state = 'FINISHED'")
    with pytest.raises(UsageError, match="does not run"):
        bench.stop(run.id)

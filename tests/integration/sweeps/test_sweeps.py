"""Sweeps as real processes: what ends them from outside leaves no kernel, no half-done run, and what finished."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import (
    AUTHOR,
    NOTEBOOKS,
    examples,
    find_processes,
    is_running,
    run_command,
    start_command,
    wait_until,
)
from workbench.config import Settings
from workbench.errors import Unavailable, UsageError
from workbench.runs.batch import Progress
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.run import Run, RunState
from workbench.workflow import Workbench
from workbench.workflow.doctor import Symptom

WAITS = str(NOTEBOOKS / "waits.ipynb")


def open_bench(project: Path) -> Workbench:
    return Workbench.open(Settings(project, author=AUTHOR))


def status_in_mlflow(bench: Workbench, run: Run) -> str:
    return str(bench.tracker._client.get_run(run.tracked_as).info.status)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = open_bench(make_project(tmp_path_factory.mktemp("sweeps") / "project"))
    yield opened
    opened.store.close()


def test_a_sweep_runs_every_combination_and_returns_them_in_order(bench: Workbench) -> None:
    seen: list[Progress] = []
    runs = bench.sweep(NOTEBOOKS / "raises_for_odd.ipynb", {"number": [4, 1, 2]}, on_progress=seen.append)
    assert [run.parameters["number"] for run in runs] == [4, 1, 2]
    assert [run.state for run in runs] == [RunState.FINISHED, RunState.FAILED, RunState.FINISHED]
    assert [run.metrics.get("half") for run in runs] == [2, None, 1]
    assert len({run.sweep for run in runs}) == 1
    assert [status_in_mlflow(bench, run) for run in runs] == ["FINISHED", "FAILED", "FINISHED"]
    last = seen[-1]
    assert (last.total, last.finished, last.failed, last.cells) == (3, 2, 1, last.all_cells)


def test_a_run_that_somebody_counts_as_lost_while_it_waits_its_turn_is_not_begun_and_ends_no_other(
    bench: Workbench,
) -> None:
    # One at a time: of two that end at once, both places are taken before the next one waits.
    one = replace(bench, settings=replace(bench.settings, jobs=1))
    lost: list[str] = []

    def lose_the_waiting(_: Progress) -> None:
        for run in bench.store.list_runs():
            if run.state is RunState.QUEUED and run.parameters["number"] == 8:
                bench.store.move_run(replace(run, state=RunState.LOST, error="It was silent."))
                lost.append(run.id)

    runs = one.sweep(NOTEBOOKS / "raises_for_odd.ipynb", {"number": [2, 4, 6, 8]}, on_progress=lose_the_waiting)
    assert [run.state for run in runs] == [*[RunState.FINISHED] * 3, RunState.LOST]
    assert lost == [runs[3].id]
    assert not (bench.settings.runs_folder / lost[0]).exists()
    bench.publish_pending()
    assert status_in_mlflow(bench, runs[3]) == "FAILED"


def test_a_run_that_ended_before_something_else_stopped_its_sweep_keeps_how_it_ended(bench: Workbench) -> None:
    def fail_at_the_end(progress: Progress) -> None:
        if not progress.running:
            raise RuntimeError("The terminal is gone.")

    before = {run.id for run in bench.list_runs()}
    with pytest.raises(RuntimeError, match="The terminal is gone"):
        bench.sweep(NOTEBOOKS / "raises_for_odd.ipynb", {"number": [2]}, on_progress=fail_at_the_end)
    (run,) = (run for run in bench.list_runs() if run.id not in before)
    assert (run.state, run.metrics) == (RunState.FINISHED, {"half": 1})
    assert status_in_mlflow(bench, run) == "FINISHED"


def test_a_sweep_with_one_wrong_value_starts_nothing(bench: Workbench) -> None:
    before = len(bench.list_runs())
    with pytest.raises(UsageError, match="number"):
        bench.sweep(NOTEBOOKS / "raises_for_odd.ipynb", {"number": [2, "many"]})
    assert len(bench.list_runs()) == before


RUINED = {
    "gone": "is gone, or not the folder that was made for this run",
    "linked": "is gone, or not the folder that was made for this run",
    "pipe": "'pipe' is not a regular file",
    "dataset": "'datasets/rows.json' is not a regular file",
    "metric": "metric has no usable name: 'a#b'",
    "number": "metric has no usable value",
    "record": None,
    "nothing": None,
}


def test_a_notebook_that_ruins_its_folder_fails_alone_and_stops_no_other_run(bench: Workbench) -> None:
    runs = bench.sweep(NOTEBOOKS / "ruins_its_folder.ipynb", {"kind": list(RUINED)})
    for run, (kind, reason) in zip(runs, RUINED.items(), strict=True):
        assert run.parameters["kind"] == kind
        assert run.state is (RunState.FAILED if reason else RunState.FINISHED), run.error
        assert reason is None or reason in str(run.error)
        assert status_in_mlflow(bench, run) == run.state
    assert bench.store.list_unpublished_runs() == []
    assert bench.run(NOTEBOOKS / "finishes.ipynb", {}).is_finished


def test_a_run_that_mlflow_does_not_take_stops_no_other_and_the_doctor_names_it(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    take, refused = MlflowTracker.finish_run, set[str]()

    def take_all_but_one(tracker: MlflowTracker, run: Run, **files: Any) -> bool:
        refused.update([run.id] if not refused else [])
        if run.id in refused:
            raise ValueError("what MLflow says about this run")
        return take(tracker, run, **files)

    monkeypatch.setattr(MlflowTracker, "finish_run", take_all_but_one)
    runs = bench.sweep(NOTEBOOKS / "raises_for_odd.ipynb", {"number": [2, 4]})
    assert all(run.is_finished for run in runs)
    assert bench.run(NOTEBOOKS / "finishes.ipynb", {}).is_finished
    symptom = next(found for found in bench.examine() if found.part == "MLflow")
    assert not symptom.is_well
    assert f"1 it did not take: {refused.pop()} (what MLflow says about this run)" in symptom.found
    assert symptom.remedy
    monkeypatch.undo()
    assert bench.publish_pending() == 1


def test_a_run_that_cannot_be_written_down_ahead_ends_none_that_runs(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin, asked = MlflowTracker.start_run, list[str]()

    def begin_but_for_the_third_time(tracker: MlflowTracker, run: Run) -> str:
        asked.append(run.id)
        if len(asked) == 3:
            raise Unavailable("MLflow is away for a moment.")
        return begin(tracker, run)

    monkeypatch.setattr(MlflowTracker, "start_run", begin_but_for_the_third_time)
    runs = bench.sweep(NOTEBOOKS / "raises_for_odd.ipynb", {"number": [2, 4, 6]})
    assert [(run.parameters["number"], run.state) for run in runs] == [(n, RunState.FINISHED) for n in (2, 4, 6)]
    assert len(asked) == 4


def test_the_doctor_names_runs_that_the_store_has_forgotten(bench: Workbench) -> None:
    def look() -> Symptom:
        return next(found for found in bench.examine() if found.part == "runs")

    assert look().is_well
    forgotten = bench.settings.runs_folder / "deadbeef"
    forgotten.mkdir(parents=True)
    assert not look().is_well
    assert "1 in " in look().found and "the store does not know: deadbeef" in look().found
    forgotten.rmdir()
    assert look().is_well


class Sweeping:
    """A sweep of two runs, one at a time, whose second run waits for ever; stopped in the middle of that."""

    def __init__(self, project: Path, started: Path, *options: str) -> None:
        self.project, self.started = project, started
        arguments = ("-p", f"started={started}", "-p", "waits=false,true", "--jobs", "1", *options)
        self.process = start_command(project, "sweep", WAITS, *arguments)
        wait_until(self._second_runs)
        self.kernel = int(started.read_text())

    def _second_runs(self) -> bool:
        assert self.process.poll() is None, self.process.communicate()
        folders = list((self.project / "runs" / "by-id").glob("*"))
        return len(folders) == 2 and len(list((self.project / "runs").glob("by-id/*/metrics.jsonl"))) == 2

    def end(self, *signals: signal.Signals) -> subprocess.CompletedProcess[str]:
        for each in signals:
            self.process.send_signal(each)
        out, err = self.process.communicate(timeout=60)
        return subprocess.CompletedProcess("sweep", self.process.returncode, out, err)


@pytest.fixture
def sweeping(project: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Sweeping]:
    running = Sweeping(project, tmp_path / "started", *getattr(request, "param", ()))
    yield running
    running.process.kill()
    wait_until(lambda: not find_processes(project))


def read_runs(project: Path) -> dict[bool, dict[str, Any]]:
    """Return the runs as the command line lists them, by whether they were to wait."""
    listed = run_command(project, "runs", "--json")
    assert listed.returncode == 0, listed.stderr
    return {run["parameters"]["waits"]: run for run in json.loads(listed.stdout)}


def left_in_temporary_folder(pid: int) -> list[Path]:
    root = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    return list(root.glob(f"workbench-kernels-{pid}-*"))


ENDINGS = {"terminated": [signal.SIGTERM], "impatient": [signal.SIGINT, signal.SIGINT]}


@pytest.mark.parametrize("signals", examples(ENDINGS.values(), []), ids=ENDINGS)
def test_a_sweep_stopped_in_the_middle_keeps_what_finished_and_kills_the_rest(
    sweeping: Sweeping, signals: list[signal.Signals]
) -> None:
    project, done = sweeping.project, sweeping.end(*signals)
    assert done.returncode == 1
    assert "Stopped: 1 of 2 runs finished." in done.stderr
    assert "1 running were ended, 0 were not started" in done.stderr
    assert "Next: What finished is kept" in done.stderr
    assert "Traceback" not in done.stderr
    assert not is_running(sweeping.kernel)
    assert find_processes(project) == []
    assert left_in_temporary_folder(sweeping.process.pid) == []
    runs = read_runs(project)
    assert (runs[False]["state"], runs[True]["state"]) == ("FINISHED", "KILLED")
    bench = open_bench(project)
    assert [status_in_mlflow(bench, bench.show(runs[waits]["id"])) for waits in (False, True)] == ["FINISHED", "KILLED"]
    again = run_command(project, "sweep", WAITS, "-p", "waits=false")
    assert again.returncode == 0, again.stderr


@pytest.mark.soak
def test_a_run_that_waits_its_turn_when_its_sweep_is_stopped_is_killed_and_says_that_it_never_began(
    project: Path, tmp_path: Path
) -> None:
    started = tmp_path / "started"
    process = start_command(
        project, "sweep", WAITS, "-p", f"started={started}", "-p", "waits=true,false", "--jobs", "1"
    )
    bench = open_bench(project)
    wait_until(lambda: started.exists() and len(bench.store.list_runs()) == 2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert "Stopped: 0 of 2 runs finished." in told
    assert "1 running were ended, 1 were not started" in told
    runs = read_runs(project)
    assert [runs[waits]["state"] for waits in (True, False)] == ["KILLED", "KILLED"]
    assert [runs[waits]["error"] for waits in (True, False)] == ["Stopped from outside.", "Stopped before it began."]
    assert status_in_mlflow(bench, bench.show(runs[False]["id"])) == "KILLED"


def test_a_killed_sweep_is_lost_its_kernels_end_and_the_next_command_puts_it_right(sweeping: Sweeping) -> None:
    project = sweeping.project
    wait_until(lambda: list(project.glob("runs/by-id/*/record.json")))
    wait_until(lambda: any(run.is_finished for run in open_bench(project).store.list_runs()))
    done = sweeping.end(signal.SIGKILL)
    assert done.returncode == -signal.SIGKILL
    wait_until(lambda: not is_running(sweeping.kernel), within_s=10)
    runs = read_runs(project)
    assert (runs[False]["state"], runs[True]["state"]) == ("FINISHED", "LOST")
    assert runs[True]["error"] == "The process that ran it is gone."
    assert not (project / "runs" / "by-id" / runs[True]["id"] / "record.json").exists()
    again = run_command(project, "run", WAITS)
    assert again.returncode == 0, again.stderr
    assert left_in_temporary_folder(sweeping.process.pid) == []
    bench = open_bench(project)
    assert status_in_mlflow(bench, bench.show(runs[True]["id"])) == "FAILED"


@pytest.mark.soak
@pytest.mark.parametrize("sweeping", [["--cold"]], ids=["cold"], indirect=True)
def test_what_a_killed_sweep_left_running_is_ended_by_the_doctor_and_not_by_who_looks(sweeping: Sweeping) -> None:
    # An ordinary kernel that is stopped cannot notice that its parent is gone; a forked one the system ends.
    os.kill(sweeping.kernel, signal.SIGSTOP)
    sweeping.end(signal.SIGKILL)
    assert is_running(sweeping.kernel)
    assert read_runs(sweeping.project)[True]["state"] == "LOST"
    assert is_running(sweeping.kernel)  # who looks changes nothing
    assert run_command(sweeping.project, "doctor").stdout
    assert not is_running(sweeping.kernel)

"""Real schedulers and workers: a sweep on a Dask cluster ends as it would here, whatever becomes of a worker or of the sweep."""

from __future__ import annotations

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client

from tests.canaries import lay_canaries
from tests.conftest import (
    AUTHOR,
    NOTEBOOKS,
    examples,
    find_processes,
    is_running,
    own_environment,
    run_command,
    start_command,
    wait_until,
)
from workbench.config import Settings, kernel_environment
from workbench.errors import Unavailable, UsageError
from workbench.executors import dask_executor
from workbench.executors.dask_executor import DaskExecutor, _without_ours
from workbench.executors.dask_worker import DIED, STARTED, find_faults, read_versions
from workbench.executors.jobs import Cause, Job, Outcome, Phase
from workbench.runs.run import RunState
from workbench.workflow import Workbench

HELD, NUMBERS = 3, range(6)
FOREIGN = ("Traceback", "Warning", "distributed")
_GUARD_S = 180  # a loaded machine is no failure, a hang is


class Cluster:
    """A scheduler and its workers, each a process of its own with one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._file = folder, folder / "scheduler.json"
        self._scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(self._file))
        self._workers: list[subprocess.Popen[bytes]] = []
        wait_until(lambda: self._file.exists() and self._file.read_text().endswith("}"), within_s=_GUARD_S)
        self.address = str(json.loads(self._file.read_text())["address"])

    def provide(self, count: int) -> None:
        """Return when there are so many workers."""
        self._workers = [worker for worker in self._workers if worker.poll() is None]
        while len(self._workers) < count:
            options = ("--nthreads", "1", "--no-nanny", "--local-directory", str(self._folder))
            self._workers.append(self._start("worker", self.address, *options))
        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(count, timeout=_GUARD_S)

    def is_alive(self) -> bool:
        return all(worker.poll() is None for worker in self._workers)

    def kill(self, pid: int) -> None:
        """Kill one of the workers, and return when it is gone."""
        (worker,) = [worker for worker in self._workers if worker.pid == pid]
        worker.kill()
        worker.wait(_GUARD_S)

    def close(self) -> None:
        for process in (*self._workers, self._scheduler):
            process.terminate()
            # What a Dask process does with the request to end is Dask's; no test waits for it longer than this.
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()
            process.wait(_GUARD_S)

    def _start(self, role: str, *options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", f"distributed.cli.dask_{role}", "--host", "127.0.0.1", "--no-dashboard"]
        with (self._folder / f"{role}.log").open("ab") as log:
            return subprocess.Popen(
                [*command, *options], cwd=self._folder, env=own_environment(), stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip


@pytest.fixture(scope="module")
def started_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


@pytest.fixture
def cluster(started_cluster: Cluster) -> Cluster:
    started_cluster.provide(2)
    return started_cluster


def started_files(project: Path) -> list[Path]:
    return list((project / "runs").rglob(STARTED))


def find_held(project: Path) -> Path | None:
    """Return what says who runs the notebook that is held, once that notebook has begun."""
    for file in started_files(project):
        parameters = json.loads((file.parent / "parameters.json").read_bytes())
        if parameters["number"] == HELD and (file.parent / "metrics.jsonl").exists():
            return file
    return None


def lose_a_worker(
    cluster: Cluster, project: Path, hold: Path, numbers: Sequence[int], *, retries: int
) -> list[dict[str, Any]]:
    """Sweep, kill a worker while it surely runs a notebook, and return how the runs ended."""
    hold.touch()
    listed = ",".join(map(str, numbers))
    given = ("-p", f"number={listed}", "-p", f"held={HELD}", "-p", f"hold={hold}", "--retries", str(retries), "--json")
    where = ("--executor", "dask", "--scheduler", cluster.address)
    process = start_command(project, "sweep", str(NOTEBOOKS / "waits_while_held.ipynb"), *given, *where)
    try:
        wait_until(lambda: find_held(project) or process.poll() is not None, within_s=_GUARD_S)
        held = find_held(project)
        assert held is not None, process.communicate()
        host, pid = held.read_text().split()
        assert host == socket.gethostname()
        cluster.kill(int(pid))
        hold.unlink()
        out, err = process.communicate(timeout=_GUARD_S)
    finally:
        process.kill()
    assert [word for word in FOREIGN if word in err] == [], err
    wait_until(lambda: not find_processes(project))
    assert started_files(project) == []
    return sorted(json.loads(out), key=lambda run: run["parameters"]["number"])


def test_a_worker_killed_in_the_middle_of_a_sweep_costs_one_attempt_of_the_run_it_had(
    cluster: Cluster, project: Path, tmp_path: Path
) -> None:
    runs = lose_a_worker(cluster, project, tmp_path / "hold", NUMBERS, retries=2)
    assert [run["state"] for run in runs] == ["FINISHED"] * len(NUMBERS)
    assert [run["attempt"] for run in runs] == [2 if number == HELD else 1 for number in NUMBERS]
    assert [run["record"]["metrics"]["square"] for run in runs] == [number**2 for number in NUMBERS]
    records = project.glob("runs/by-id/*/record.json")
    assert sorted(path.parent.name for path in records) == sorted(run["id"] for run in runs)
    (aside,) = (project / "runs" / "attempts").iterdir()
    assert aside.name == f"{runs[HELD]['id']}-1"
    assert not (aside / "record.json").exists()


@pytest.mark.soak
def test_without_retries_exactly_the_run_of_the_killed_worker_fails_and_says_why(
    cluster: Cluster, project: Path, tmp_path: Path
) -> None:
    runs = lose_a_worker(cluster, project, tmp_path / "hold", [2, HELD, 4], retries=0)
    assert [run["error"] for run in runs] == [None, DIED, None]
    assert [run["state"] for run in runs] == ["FINISHED", "FAILED", "FINISHED"]


def test_a_sweep_on_a_cluster_ends_as_it_does_here(cluster: Cluster, project: Path) -> None:
    found = []
    for settings in (
        Settings(project, author=AUTHOR),
        Settings(project, author=AUTHOR, executor="dask", scheduler=cluster.address),
    ):
        bench = Workbench.open(settings)
        runs = bench.sweep(NOTEBOOKS / "raises_for_odd.ipynb", {"number": [4, 1, 2]})
        found.append([(run.parameters, run.state, run.metrics, run.error, run.attempt) for run in runs])
        bench.store.close()
    assert found[0] == found[1]
    assert [state for _, state, *_ in found[1]] == [RunState.FINISHED, RunState.FAILED, RunState.FINISHED]


class Waiting:
    """A sweep of two runs, one at a time, whose second run waits for ever; stopped in the middle of that."""

    def __init__(self, project: Path, *arguments: str) -> None:
        self._project = project
        values = ("-p", "waits=false,true")
        self.process = start_command(project, "sweep", str(NOTEBOOKS / "waits.ipynb"), *values, *arguments)
        wait_until(lambda: self._waits() or self.process.poll() is not None, within_s=_GUARD_S)
        assert self.process.poll() is None, self.process.communicate()
        self.kernels = find_processes(project)
        assert self.kernels

    def _waits(self) -> bool:
        logged = list(self._project.glob("runs/by-id/*/metrics.jsonl"))
        return len(logged) == 2 and self.states() == [RunState.FINISHED, RunState.RUNNING]

    def end(self) -> str:
        """Return what it said on its standard error once it and its kernels have ended."""
        _, err = self.process.communicate(timeout=_GUARD_S)
        wait_until(lambda: not any(map(is_running, self.kernels)))
        wait_until(lambda: not find_processes(self._project))
        return err

    def states(self) -> list[RunState]:
        """Return how the runs stand, that which waits last; a run whose process is gone is LOST."""
        bench = Workbench.open(Settings(self._project, author=AUTHOR))
        runs = bench.list_runs()
        bench.store.close()
        return [run.state for run in sorted(runs, key=lambda run: bool(run.parameters["waits"]))]


ENDINGS = [(signal.SIGINT, RunState.KILLED), (signal.SIGKILL, RunState.LOST)]


@pytest.mark.parametrize(("sent", "state"), examples(ENDINGS, []))
def test_a_sweep_that_is_ended_ends_its_kernels_on_the_workers_and_leaves_the_workers(
    cluster: Cluster, project: Path, sent: signal.Signals, state: RunState
) -> None:
    sweep = Waiting(project, "--executor", "dask", "--scheduler", cluster.address)
    sweep.process.send_signal(sent)
    err = sweep.end()
    assert [word for word in FOREIGN if word in err] == [], err
    assert sweep.states() == [RunState.FINISHED, state]
    assert cluster.is_alive()


@pytest.mark.soak
def test_one_run_is_stopped_on_its_worker_and_keeps_what_it_showed(cluster: Cluster, project: Path) -> None:
    sweep = Waiting(project, "--executor", "dask", "--scheduler", cluster.address)
    waiting = next(
        run["id"] for run in json.loads(run_command(project, "runs", "--json").stdout) if run["state"] == "RUNNING"
    )
    wait_until((project / "runs" / "by-id" / waiting / "report.html").exists)
    assert "is ended" in run_command(project, "stop", waiting).stdout
    assert "1 of 2 runs failed." in sweep.end()
    assert sweep.states() == [RunState.FINISHED, RunState.KILLED]
    assert cluster.is_alive()
    assert "Killed" in (project / "runs" / "by-id" / waiting / "report.html").read_text(encoding="utf-8")


@pytest.mark.soak
def test_without_a_scheduler_workers_are_started_here_and_ctrl_c_at_the_terminal_ends_them_without_a_word_of_theirs(
    project: Path,
) -> None:
    imported = lay_canaries(project)
    sweep = Waiting(project, "--executor", "dask", "--jobs", "1")
    workers = psutil.Process(sweep.process.pid).children(recursive=True)
    os.killpg(sweep.process.pid, signal.SIGINT)  # a terminal sends it to everybody
    err = sweep.end()
    assert "Stopped: 1 of 2 runs finished." in err
    assert [word for word in FOREIGN if word in err] == [], err
    assert sweep.states() == [RunState.FINISHED, RunState.KILLED]
    assert started_files(project) == []
    assert workers
    wait_until(lambda: not any(worker.is_running() for worker in workers))
    assert not imported.exists(), imported.read_text()


# The executor by itself


def test_what_workers_must_not_search_a_kernel_may(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = {"LANG": "C", "PYTHONSAFEPATH": "1"}
    assert _without_ours(environment) == {"LANG": "C"}
    monkeypatch.setattr(dask_executor, "_IS_OURS", False)
    assert _without_ours(environment) == environment


def make_job(folder: Path, notebook: str = "finishes.ipynb") -> Job:
    folder.mkdir(exist_ok=True)
    return Job(
        id="11112222-1",
        source=json.loads((NOTEBOOKS / notebook).read_bytes()),
        parameters={},
        folder=folder,
        live=folder / "notebook.ipynb",
        working_dir=folder,
        environment=kernel_environment(spool=folder, project=folder, tracking={}),
        mark=f"WORKBENCH_SPOOL={folder}",
    )


@pytest.fixture
def executor(cluster: Cluster) -> Iterator[DaskExecutor]:
    opened = DaskExecutor(cluster.address)
    yield opened
    opened.close()


def wait_for_outcome(executor: DaskExecutor, job: Job) -> Outcome:
    deadline = time.monotonic() + _GUARD_S
    while (status := executor.status(job.id)).phase is not Phase.ENDED:
        assert time.monotonic() < deadline
        executor.wait(1)
    assert status.outcome is not None
    return status.outcome


def test_a_job_that_a_worker_began_with_is_not_begun_with_by_another(executor: DaskExecutor, tmp_path: Path) -> None:
    job = make_job(tmp_path / "run")
    (job.folder / STARTED).write_text("elsewhere 1\n")
    executor.submit(job)
    outcome = wait_for_outcome(executor, job)
    assert (outcome.failure, outcome.cause) == (DIED, Cause.DIED)
    assert outcome.execution.executed_cells == 0
    assert list(job.folder.iterdir()) == []


def test_a_worker_that_does_not_see_the_folder_of_a_run_says_so(executor: DaskExecutor, tmp_path: Path) -> None:
    job = make_job(tmp_path / "run")
    job.folder.rmdir()
    executor.submit(job)
    outcome = wait_for_outcome(executor, job)
    assert "cannot use the folder of the run" in str(outcome.failure)
    assert not outcome.is_worth_retrying


def test_a_cancelled_job_has_ended_when_that_is_said(executor: DaskExecutor, tmp_path: Path) -> None:
    started = tmp_path / "started"
    job = make_job(tmp_path / "run", "waits.ipynb")
    source = json.dumps(job.source).replace("waits: bool = False", "waits: bool = True")
    source = source.replace('started: str = \\"\\"', f"started: str = '{started}'")
    job = Job(**{**vars(job), "source": json.loads(source)})
    executor.submit(job)
    wait_until((job.folder / "metrics.jsonl").exists, within_s=_GUARD_S)
    wait_until(lambda: executor.status(job.id).cell > 0)
    executor.cancel(job.id)
    outcome = wait_for_outcome(executor, job)
    assert (outcome.failure, outcome.cause) == ("Stopped from outside.", Cause.STOPPED)
    assert not is_running(int(started.read_text()))
    assert not (job.folder / STARTED).exists()


def test_there_are_as_many_slots_as_the_workers_have_threads(executor: DaskExecutor) -> None:
    assert executor.slots == 2


def test_closing_twice_is_closing_once(cluster: Cluster) -> None:
    executor = DaskExecutor(cluster.address)
    executor.close()
    executor.close()
    assert cluster.is_alive()


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:1", "nonsense"])
def test_a_scheduler_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setattr(dask_executor, "_CONNECT_TIMEOUT_S", 1)
    with pytest.raises(Unavailable, match=address) as caught:
        DaskExecutor(address)
    assert "dask scheduler" in caught.value.next_step
    assert [
        client.status for client in gc.get_objects() if isinstance(client, Client) and client.status != "closed"
    ] == []


def test_what_listens_and_says_nothing_is_named_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_executor, "_CONNECT_TIMEOUT_S", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(Unavailable) as caught:
        DaskExecutor(f"tcp://127.0.0.1:{silent.getsockname()[1]}")
    assert caught.value.reasons == ("It said nothing within 1 s.",)


def test_workers_of_another_kind_are_refused_and_every_one_is_named() -> None:
    workers: dict[str, Any] = {
        "tcp://a:1": read_versions(),
        "tcp://b:1": {**read_versions(), "Python": "3.9.1"},
        "tcp://c:1": ModuleNotFoundError("No module named 'workbench'"),
    }
    with pytest.raises(Unavailable) as caught:
        dask_executor._require_same_versions(workers)
    assert [reason.partition(": ")[0] for reason in caught.value.reasons] == ["tcp://b:1", "tcp://c:1"]
    assert "3.9.1" in caught.value.reasons[0]
    assert find_faults(read_versions()) == []


def test_an_executor_nobody_knows_is_named_with_those_there_are(project: Path) -> None:
    bench = Workbench.open(Settings(project, author=AUTHOR, executor="cloud"))
    with pytest.raises(UsageError, match="cloud") as caught:
        bench.sweep(NOTEBOOKS / "finishes.ipynb", {"rounds": [1]})
    assert "dask, local" in caught.value.reasons[0]
    bench.store.close()

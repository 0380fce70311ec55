"""Executes notebooks on the workers of a Dask cluster: one that is there already, or one made here for as long as it is needed.

A worker gets a job as plain values and runs it with a PapermillExecutor of its own. The folder of a run is read and written on
both sides, so it must lie on a file system that all of them share; and whoever reaches the scheduler can run code on the workers
and sees what is sent to them, so a scheduler that others reach belongs behind TLS (`tls://`, set up in Dask's own configuration).
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from workbench.errors import Unavailable
from workbench.executors.jobs import Cause, Job, Outcome, Phase, Status
from workbench.executors.kernel_processes import ConnectionFolder
from workbench.files.python_processes import SAFE_PATH

try:
    import dask
    from distributed import CancelledError, Client, LocalCluster, Security
    from distributed.comm import connect
    from distributed.scheduler import KilledWorker

    from workbench.executors import dask_worker
    from workbench.executors.dask_worker import (
        DIED,
        STARTED,
        STOPPED,
        NotebookWorker,
        execute_on_worker,
        fail_job,
        find_faults,
        read_versions,
    )
except ImportError as exc:
    raise Unavailable(
        "Notebooks cannot be executed with Dask.",
        why=f"It is not installed here: {exc}.",
        next_step="`pip install '.[dask]'` in the checkout of the workbench, here and where the workers run.",
    ) from exc

_NO_WORKER = "There was no worker left to run it."
_CONNECT_TIMEOUT_S = 10
_WORKERS_TIMEOUT_S = 30
_CLOSE_TIMEOUT_S = 30
_COUNT_EVERY_S = 2.0
_LONGEST_WITHOUT_WORKERS_S = 60.0
_ENTER_TIMEOUT_S = 1.0
# Nobody is to look into workers started here, and a kernel is to compute the same in them as without them.
_OWN_CLUSTER: Mapping[str, Any] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.nanny.pre-spawn-environ": {},
}
_QUEUED = Status(Phase.QUEUED)


class DaskExecutor:
    """Runs as many notebooks at a time as the workers of a Dask cluster have threads; workers may come and go.

    Connects to `scheduler` (`tcp://host:port`), or starts `jobs` worker processes on this machine. Raises Unavailable when the
    scheduler does not answer, has no worker, or has workers with another Python or workbench.
    """

    def __init__(self, scheduler: str = "", jobs: int = 1) -> None:
        self.slots = 1
        self._name = f"workbench-{secrets.token_hex(8)}"
        self._changed = threading.Event()
        self._dispatched: dict[str, _Dispatched] = {}
        self._next_count = self._last_worker = time.monotonic()
        with ExitStack() as opened:
            opened.enter_context(_silence())
            self._client = opened.enter_context(_connect(scheduler) if scheduler else _open_cluster(jobs))
            self._prepare_workers(scheduler)
            opened.callback(self._dismiss_workers)
            self._client.subscribe_topic(self._name, self._hear)
            self._count_slots()
            self._opened = opened.pop_all()

    def submit(self, job: Job) -> None:
        """Queue a job; raises Unavailable when the scheduler is gone."""
        if self._client.status != "running":
            raise _unreachable(self._client.scheduler_address, "It was there before.")
        key = f"{self._name}-{job.id}"
        job = replace(job, environment=_without_ours(job.environment))
        future = self._client.submit(execute_on_worker, job, self._name, key=key, pure=False, retries=0)
        sent = _Dispatched(job, future)
        sent.outcome = asyncio.run_coroutine_threadsafe(self._fetch(sent), self._client.loop.asyncio_loop)
        # Whole before it is known: who is interrupted in the middle of this goes through all that are.
        self._dispatched[job.id] = sent
        sent.outcome.add_done_callback(lambda _: self._changed.set())

    def status(self, job_id: str) -> Status:
        """Say where a job is; once it was said to have ended it is forgotten."""
        sent = self._dispatched[job_id]
        if not sent.outcome.done():
            return sent.status
        del self._dispatched[job_id]
        # Only now: while the scheduler still wanted a result, it might have had the job executed once more to get it.
        sent.future.release()
        sent.unclaim()
        return Status(Phase.ENDED, outcome=sent.outcome.result())

    def cancel(self, job_id: str) -> None:
        """End one job, whether it runs or waits."""
        if sent := self._dispatched.get(job_id):
            sent.give_up(STOPPED, Cause.STOPPED)

    def wait(self, timeout_s: float) -> None:
        """Return when a status may have changed, or after `timeout_s`."""
        self._changed.wait(timeout_s)
        self._changed.clear()
        if time.monotonic() >= self._next_count:
            self._count_slots()

    def close(self) -> None:
        """End whatever runs and leave the cluster, or end it if it was made here."""
        for sent in self._dispatched.values():
            sent.give_up(STOPPED, Cause.STOPPED)
        wait([sent.outcome for sent in self._dispatched.values()], _CLOSE_TIMEOUT_S)
        for sent in self._dispatched.values():
            sent.outcome.cancel()
            sent.unclaim()
        self._opened.close()

    async def _fetch(self, sent: _Dispatched) -> Outcome:
        """Return how a job ended, whatever became of its worker; runs in the loop of the client."""
        try:
            outcome: Outcome = await self._client.gather(sent.future, asynchronous=True)
        except (Exception, asyncio.CancelledError) as exc:
            if sent.given_up is None:
                return fail_job(sent.job, *_judge(exc))
            await sent.wait_until_left()
            return fail_job(sent.job, *sent.given_up)
        return outcome

    def _hear(self, event: tuple[float, Mapping[str, Any]]) -> None:
        """Take in what a worker says about a job; runs in the loop of the client."""
        message = event[1]
        if sent := self._dispatched.get(message["job"]):
            sent.note(message)
            self._changed.set()

    def _prepare_workers(self, scheduler: str) -> None:
        """Wait for a worker, and give every one an executor: those that are there, and those to come."""
        try:
            self._client.wait_for_workers(1, timeout=_WORKERS_TIMEOUT_S)
        except TimeoutError as exc:
            raise Unavailable(
                f"The Dask scheduler {scheduler} has no workers.",
                why=f"None came within {_WORKERS_TIMEOUT_S} s.",
                next_step=f"Start one: dask worker {scheduler} --nthreads 1",
            ) from exc
        _require_same_versions(self._client.run(read_versions, on_error="return"))
        self._client.register_plugin(NotebookWorker(self._name))

    def _dismiss_workers(self) -> None:
        """Take the executors away again, and whatever they still run."""
        self._client.unsubscribe_topic(self._name)
        with suppress(Exception):  # workers that are gone need no goodbye
            remove = self._client.scheduler.unregister_worker_plugin
            self._client.sync(remove, name=self._name, callback_timeout=_CLOSE_TIMEOUT_S)

    def _count_slots(self) -> None:
        """Ask how many threads the workers have by now; give up what nobody is left to run."""
        self._next_count = time.monotonic() + _COUNT_EVERY_S
        with suppress(Exception):  # the futures tell when the scheduler is gone
            if threads := sum(self._client.nthreads().values()):
                self.slots, self._last_worker = threads, time.monotonic()
        if time.monotonic() - self._last_worker > _LONGEST_WITHOUT_WORKERS_S:
            for sent in self._dispatched.values():
                sent.give_up(_NO_WORKER, Cause.DIED)


@dataclass
class _Dispatched:
    """One job that was sent to the scheduler, and what was heard of it."""

    job: Job
    future: Any
    outcome: Future[Outcome] = field(init=False)
    status: Status = _QUEUED
    given_up: tuple[str, Cause] | None = None
    _entered: asyncio.Event = field(default_factory=asyncio.Event)
    _left: asyncio.Event = field(default_factory=asyncio.Event)

    def give_up(self, failure: str, cause: Cause) -> None:
        """Want no result any more; its worker hears that and ends the notebook."""
        if self.given_up is None and not self.outcome.done():
            self.given_up = failure, cause
            self.future.cancel()

    def note(self, message: Mapping[str, Any]) -> None:
        """Note what a worker says."""
        self._entered.set()
        if message["left"]:
            self._left.set()
        else:
            self.status = Status(Phase.RUNNING, message["cell"], message["cells"])

    def unclaim(self) -> None:
        """Remove from the run's folder what kept others from executing the job too."""
        with suppress(OSError):
            (self.job.folder / STARTED).unlink()

    async def wait_until_left(self) -> None:
        """Return when its worker says that all is ended, at once when none has begun with it."""
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._entered.wait(), _ENTER_TIMEOUT_S)
            await asyncio.wait_for(self._left.wait(), _CLOSE_TIMEOUT_S)


# The cluster


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask from telling on the terminal what we tell in our own words, for as long as we use it."""
    names = [name for name in logging.root.manager.loggerDict if name.partition(".")[0] in ("distributed", "tornado")]
    before = {name: logging.getLogger(name).level for name in names}
    for name in names:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for name, level in before.items():
            logging.getLogger(name).setLevel(level)


class _Connection(Client):
    """A client that is closed when it cannot be made: the garbage collector would do it, and might wait for itself for ever."""

    def __init__(self, scheduler: str) -> None:
        try:
            super().__init__(scheduler, timeout=_CONNECT_TIMEOUT_S, set_as_default=False, name="workbench")
        except BaseException:
            self.close()
            raise


def _connect(scheduler: str) -> Client:
    try:
        _greet(scheduler)
        return _Connection(scheduler)
    except TimeoutError as exc:
        raise _unreachable(scheduler, f"It said nothing within {_CONNECT_TIMEOUT_S} s.") from exc
    except Exception as exc:  # what is wrong with an address is said in many ways
        raise _unreachable(scheduler, str(exc)) from exc


def _greet(scheduler: str) -> None:
    """Return once something has answered as Dask does: a client would wait for ever for the first word of whatever listens."""

    async def greet() -> None:
        secured = Security().get_connection_args("client")  # by Dask's own configuration, as a client's
        comm = await connect(scheduler, timeout=_CONNECT_TIMEOUT_S, **secured)
        await comm.close()

    # In a thread: where this is called, in JupyterLab for one, a loop may be running.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(asyncio.wait_for(greet(), _CONNECT_TIMEOUT_S))).result()


def _unreachable(scheduler: str, why: str) -> Unavailable:
    return Unavailable(
        f"The Dask scheduler {scheduler} does not answer.",
        why=why,
        next_step="Start it (dask scheduler) or correct --scheduler; without one, workers are started on this machine.",
    )


# What Dask starts inherits our own environment, and is to import nothing of the folder we are in; a kernel finds what lies beside
# its notebook all the same.
_IS_OURS = SAFE_PATH not in os.environ


def _without_ours(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not (_IS_OURS and name == SAFE_PATH)}


@contextmanager
def _open_cluster(jobs: int) -> Iterator[Client]:
    """Start workers on this machine that nobody else can reach, each a process with one thread."""
    folder = ConnectionFolder()
    os.environ[SAFE_PATH] = "1"
    try:
        with _start_cluster(jobs, folder.new_folder()) as cluster, Client(cluster, set_as_default=False) as client:
            yield client
    finally:
        folder.remove()
        if _IS_OURS:
            os.environ.pop(SAFE_PATH, None)


def _start_cluster(jobs: int, folder: Path) -> LocalCluster:
    with dask.config.set(_OWN_CLUSTER):
        return LocalCluster(
            n_workers=jobs,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            protocol="tls",
            security=Security.temporary(),
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            silence_logs=logging.CRITICAL,
            local_directory=str(folder),
            memory_limit=0,
            preload=dask_worker.__name__,
        )


def _require_same_versions(workers: Mapping[str, Any]) -> None:
    """Raise Unavailable naming every worker that would not execute what was asked for here."""
    reasons = [f"{address}: {fault}" for address, found in workers.items() for fault in find_faults(found)]
    if reasons:
        raise Unavailable(
            "The Dask workers do not fit.",
            why=sorted(reasons),
            next_step="Start them with the same Python and the same workbench as here.",
        )


def _judge(exc: BaseException) -> tuple[str, Cause]:
    """Return what an exception in place of an outcome says."""
    is_told = isinstance(exc, Exception) and not isinstance(exc, KilledWorker | CancelledError)
    return (f"Its worker could not run it: {exc!r}" if is_told else DIED), Cause.DIED


def open_executor(jobs: int, scheduler: str) -> DaskExecutor:
    """Return an executor of a Dask cluster: where `scheduler` says, else of workers started on this machine."""
    return DaskExecutor(scheduler, jobs)

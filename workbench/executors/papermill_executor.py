"""Executes notebooks with papermill, each in a kernel of its own over IPC, and says honestly how it ended."""

from __future__ import annotations

import copy
import logging
import secrets
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NBClientEngine, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook
from papermill.execute import remove_error_markers as without_error_markers

from workbench.domain.notebook import read_execution
from workbench.domain.run import Execution
from workbench.errors import UsageError
from workbench.executors.kernel_processes import (
    ConnectionFolder,
    Process,
    end_marked_processes,
    find_descendants,
    kill_tree,
)

_START_TIMEOUT_S = 60
OnCell = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """One notebook to execute in its own folder.

    `folder` receives the kernel's log; `working_dir` is where the notebook's relative paths start;
    `environment` is the whole environment of the kernel, and `mark` (NAME=VALUE) the one variable of it by which everything
    the notebook starts is found and ended with it; `on_cell` is told (cell, of how many) from another thread.
    """

    source: dict[str, Any]
    parameters: Mapping[str, Any]
    folder: Path
    working_dir: Path
    environment: Mapping[str, str]
    mark: str
    on_cell: OnCell = lambda _cell, _of: None


@dataclass(frozen=True)
class Outcome:
    """How an execution ended: the executed notebook, what it shows, and why it stopped when it did not finish."""

    document: dict[str, Any]
    execution: Execution
    failure: str | None


class PapermillExecutor:
    """Runs up to `jobs` notebooks at a time in threads of this process; the work itself is in the kernels."""

    def __init__(self, jobs: int = 1) -> None:
        self._pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="notebook")
        self._kernels = _LiveKernels()
        self._connections = ConnectionFolder()

    def submit(self, job: Job) -> Future[Outcome]:
        """Queue a job; its future never raises for what the notebook did."""
        return self._pool.submit(_execute, job, self._kernels, self._connections)

    def cancel(self) -> None:
        """Start nothing more, end every kernel that runs, and wait until all is quiet."""
        self._kernels.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._connections.remove()

    def close(self) -> None:
        """Wait for what was submitted and free the threads."""
        self._pool.shutdown(wait=True)
        self._connections.remove()


class _LiveKernels:
    """The process ids of kernels now running, so that they can be ended from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pids: set[int] = set()
        self.closed = False

    def add(self, pid: int) -> None:
        with self._lock:
            self._pids.add(pid)
            if self.closed:
                kill_tree(pid)

    def remove(self, pid: int) -> None:
        with self._lock:
            self._pids.discard(pid)

    def close(self) -> None:
        with self._lock:
            self.closed = True
            for pid in self._pids:
                kill_tree(pid)


class _Client(PapermillNotebookClient):
    """A papermill client that asks the live kernel for a completion mark after the last cell."""

    def papermill_execute_cells(self) -> None:
        context: _Context = self.nb_man.context
        pid = self.km.provisioner.process.pid
        context.kernels.add(pid)
        try:
            super().papermill_execute_cells()
            if not self.nb.metadata.papermill.get("exception"):
                self._confirm_completion(context)
        finally:
            # Only now: without the kernel nobody knows any more whose children they were.
            context.descendants |= find_descendants(pid)
            context.kernels.remove(pid)

    def _confirm_completion(self, context: _Context) -> None:
        code = f"__import__('pathlib').Path({str(context.completion)!r}).write_text({context.nonce!r})"
        with suppress(DeadKernelError):
            self.wait_for_reply(self.kc.execute(code, silent=True, store_history=False))


@dataclass
class _Context:
    """What one execution shares with its engine."""

    job: Job
    kernels: _LiveKernels
    connections: ConnectionFolder
    completion: Path
    nonce: str
    document: dict[str, Any] | None = None
    descendants: frozenset[Process] = frozenset()


class _Engine(NBClientEngine):
    """The papermill engine `workbench`: kernels over IPC, with an environment and folder of their own."""

    @classmethod
    def execute_managed_notebook(  # papermill's own signature
        cls, nb_man: Any, kernel_name: str, *, context: _Context, start_timeout: int, **_: Any
    ) -> None:
        nb_man.context = context
        context.document = nb_man.nb
        _report_cells(nb_man, context.job.on_cell)
        connection_file = str(context.connections.new_file())
        manager = AsyncKernelManager(kernel_name=kernel_name, transport="ipc", connection_file=connection_file)
        client = _Client(nb_man, km=manager, kernel_name=kernel_name, startup_timeout=start_timeout, timeout=None)
        client.owns_km = True
        with (context.job.folder / "kernel.log").open("wb") as log:
            client.execute(env=dict(context.job.environment), cwd=str(context.job.working_dir), stdout=log, stderr=log)


papermill_engines.register("workbench", _Engine)


def _report_cells(nb_man: Any, on_cell: OnCell) -> None:
    total = len(nb_man.nb.cells)
    start = nb_man.cell_start

    def cell_start(cell: Any, cell_index: int | None = None, **kwargs: Any) -> None:
        on_cell((cell_index or 0) + 1, total)
        start(cell, cell_index, **kwargs)

    nb_man.cell_start = cell_start


def find_kernel(source: Mapping[str, Any]) -> str:
    """Return the kernel a notebook asks for; raises UsageError when it is not installed."""
    wanted = source.get("metadata", {}).get("kernelspec", {}).get("name", "python3")
    installed = sorted(KernelSpecManager().find_kernel_specs())
    if wanted in installed:
        return str(wanted)
    raise UsageError(
        f"The notebook asks for kernel {wanted!r}, which is not installed.",
        why=f"Installed are: {', '.join(installed) or 'none'}.",
        next_step="Pick an installed kernel in JupyterLab and save the notebook.",
    )


def _execute(job: Job, kernels: _LiveKernels, connections: ConnectionFolder) -> Outcome:
    completion = connections.new_file().with_suffix(".completed")
    context = _Context(job, kernels, connections, completion, nonce=secrets.token_hex(16))
    try:
        failure = _run_papermill(context)
        completed = completion.is_file() and completion.read_bytes() == context.nonce.encode()
    finally:
        # nbclient leaves the event loop of this thread open.
        ensure_event_loop().close()
        end_marked_processes(job.mark, also=context.descendants)
    document = copy.deepcopy(job.source) if context.document is None else without_error_markers(context.document)
    execution = read_execution(document, completed=completed)
    return Outcome(document, execution, None if execution.is_clean and not failure else failure or _explain(execution))


def _run_papermill(context: _Context) -> str | None:
    """Execute the job and return why it stopped, None when the notebook itself tells."""
    for name in ("papermill", "traitlets"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        _execute_notebook(context)
    except PapermillExecutionError:
        return None
    except DeadKernelError:
        return "Stopped from outside." if context.kernels.closed else "The kernel died."
    except CellTimeoutError as exc:
        return f"A cell took too long: {exc}"
    except OSError as exc:
        if not isinstance(exc, FileNotFoundError):
            raise  # the disk's, not the notebook's
        return f"It could not be executed: {exc}"
    except Exception as exc:
        # Whatever a library says about one notebook must not end the others of a sweep.
        return "Stopped from outside." if context.kernels.closed else f"It could not be executed: {exc!r}"
    return None


def _execute_notebook(context: _Context) -> None:
    job = context.job
    # From memory to memory: papermill would format paths with the parameters and rewrite the output in place.
    execute_notebook(
        nbformat.from_dict(job.source),
        None,
        parameters=dict(job.parameters),
        engine_name="workbench",
        kernel_name=find_kernel(job.source),
        language="python",
        request_save_on_cell_execute=False,
        progress_bar=False,
        start_timeout=_START_TIMEOUT_S,
        context=context,
    )


def _explain(execution: Execution) -> str:
    if execution.error:
        return f"Cell {execution.failed_cell} raised {execution.error}"
    if execution.executed_cells < execution.code_cells:
        return f"Only {execution.executed_cells} of {execution.code_cells} code cells ran."
    return "The kernel ended before it confirmed the last cell."

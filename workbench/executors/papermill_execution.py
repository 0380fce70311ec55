"""One notebook on its way through papermill, from its start to an honest word on how it ended."""

from __future__ import annotations

from workbench.executors import papermill_alone  # noqa: F401 - before papermill is imported in its own way

# isort: split
import copy
import logging
import secrets
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, BinaryIO

import nbformat
from jupyter_core.utils import ensure_event_loop
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook
from papermill.execute import remove_error_markers as without_error_markers
from papermill.translators import PythonTranslator, papermill_translators

from workbench.executors.jobs import Cause, Job, Outcome, Phase, Status
from workbench.executors.kernel_log import open_log
from workbench.executors.kernel_processes import ConnectionFolder, end_marked_processes, kill_tree
from workbench.executors.limit_watch import LimitWatch, Watched
from workbench.executors.live_notebook import LiveNotebook
from workbench.executors.opened_files import OpenedFiles
from workbench.executors.papermill_kernels import find_kernel
from workbench.files.processes import Process
from workbench.notebooks.notebook import find_failed_line, read_declared, read_execution
from workbench.notebooks.parameters import Code, spell_values

_START_TIMEOUT_S = 60
# Python, but for values that JSON cannot hold.
_LANGUAGE = "workbench-python"


class _Translator(PythonTranslator):
    """Writes parameters as papermill does, and code as it is."""

    @classmethod
    def translate(cls, val: Any) -> str:
        return str(val) if isinstance(val, Code) else str(super().translate(val))


papermill_translators.register(_LANGUAGE, _Translator)


@dataclass
class PapermillExecution:
    """One job on its way through papermill, shared with its engine and client."""

    job: Job
    connections: ConnectionFolder
    watch: LimitWatch
    changed: threading.Event
    future: Future[Outcome] = field(init=False)
    status: Status = field(default_factory=lambda: Status(Phase.QUEUED))
    document: dict[str, Any] | None = None
    descendants: frozenset[Process] = frozenset()
    watched: Watched | None = None
    log: BinaryIO = field(init=False)
    opened_files: OpenedFiles = field(init=False)
    kernel: str = "cold"
    stopped: bool = False
    confirmed: bool = False
    nonce: str = field(default_factory=lambda: secrets.token_hex(16))
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _over: threading.Event = field(default_factory=threading.Event)
    _begun: bool = False
    _pid: int | None = None

    def __post_init__(self) -> None:
        self.completion = self.connections.new_file().with_suffix(".completed")
        self.scratch = self.connections.new_folder()
        self.imports_file = self.connections.new_file().with_suffix(".imports")
        self.live = LiveNotebook(self.job.live, self.job.secrets, lambda: self.document)

    def run(self) -> Outcome:
        """Execute the job and judge how it ended; whatever the notebook started is gone when this returns."""
        with self._lock:
            self._begun = True
        try:
            return self._run()
        finally:
            self._over.set()

    def wait_over(self, timeout_s: float) -> None:
        """Return when an execution that was begun is over; one that is stopped and begins later starts no kernel."""
        with self._lock:
            begun = self._begun
        if begun:
            self._over.wait(timeout_s)

    def _run(self) -> Outcome:
        self.opened_files = OpenedFiles(self.job.roots, self.job.home)
        with open_log(self.job.folder / "kernel.log", self.job.secrets) as self.log:
            try:
                with self.live.keeping(to_the_end=lambda: self.stopped):
                    failure, cause = (_STOPPED, Cause.STOPPED) if self.stopped else self._run_papermill()
                completed = self.confirmed and self._has_mark()
                imports_s = self._read_imports()
            finally:
                # nbclient leaves the event loop of this thread open.
                ensure_event_loop().close()
                end_marked_processes(self.job.mark, also=self.descendants)
                self.connections.remove_folder(self.scratch)
                opened = self.opened_files.close()
        document = copy.deepcopy(self.job.source) if self.document is None else without_error_markers(self.document)
        execution = read_execution(document, completed=completed)
        if execution.is_clean and not failure:
            return Outcome(document, execution, None, kernel=self.kernel, opened=opened, imports_s=imports_s)
        return Outcome(document, execution, failure or _explain(execution, document), cause, self.kernel, opened)

    def _read_imports(self) -> float | None:
        with suppress(OSError, ValueError):
            return float(self.imports_file.read_text(encoding="utf-8"))
        return None

    def _has_mark(self) -> bool:
        return self.completion.is_file() and self.completion.read_bytes() == self.nonce.encode()

    def stop(self) -> None:
        """End the kernel, or keep it from being started."""
        with self._lock:
            self.stopped = True
            if self._pid is not None:
                kill_tree(self._pid)

    def note_kernel(self, pid: int | None) -> None:
        """Note the kernel's process id while it lives."""
        with self._lock:
            self._pid = pid
            if self.stopped and pid is not None:
                kill_tree(pid)

    def note_cell(self, cell: int, cells: int) -> None:
        """Note that the notebook is at a cell."""
        self.status = Status(Phase.RUNNING, cell, cells)
        self.live.note()
        self.changed.set()
        self.opened_files.drain()

    @contextmanager
    def limit_cell(self, cell: int) -> Iterator[None]:
        """Hold what is executed to the limit of a cell (the first is 1)."""
        if self.watched is None:
            yield
            return
        self.watched.start_cell(cell)
        try:
            yield
        finally:
            self.watched.end_cell()

    def _run_papermill(self) -> tuple[str | None, Cause]:
        """Execute the job and return why it stopped; None when the notebook itself tells."""
        failure, cause = self._try_papermill()
        if self.stopped and not self.confirmed:
            return _STOPPED, Cause.STOPPED
        breach = self.watched.breach if self.watched else None
        return (str(breach), Cause.LIMIT) if breach else (failure, cause)

    def _try_papermill(self) -> tuple[str | None, Cause]:
        for name in ("papermill", "traitlets"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        failure, cause = None, Cause.NOTEBOOK
        try:
            self._execute_notebook()
        except PapermillExecutionError:
            pass
        except DeadKernelError:
            failure, cause = _DIED, Cause.DIED
        except CellTimeoutError as exc:
            failure = f"A cell took too long: {exc}"
        except OSError as exc:
            if not isinstance(exc, FileNotFoundError | TimeoutError):
                raise  # the disk's, not the notebook's
            failure = f"It could not be executed: {exc!r}"
        except Exception as exc:
            # Whatever a library says about one notebook must not end the others of a sweep.
            failure = f"It could not be executed: {exc!r}"
        return failure, cause

    def _execute_notebook(self) -> None:
        # From memory to memory: papermill would format paths with the parameters and rewrite the output in place.
        execute_notebook(
            nbformat.from_dict(self.job.source),
            None,
            parameters=spell_values(read_declared(self.job.id, self.job.source), self.job.parameters),
            engine_name="workbench",
            kernel_name=find_kernel(self.job.source),
            language=_LANGUAGE,
            request_save_on_cell_execute=False,
            progress_bar=False,
            start_timeout=_START_TIMEOUT_S,
            execution=self,
        )


_STOPPED = "Stopped from outside."
_DIED = "The kernel died."


def _explain(execution: Any, document: Mapping[str, Any]) -> str:
    if execution.failed_cell is not None:
        line = find_failed_line(document, execution.failed_cell)
        return f"Cell {execution.failed_cell} raised {execution.error}{f' ({line})' if line else ''}"
    if execution.executed_cells < execution.code_cells:
        return f"Only {execution.executed_cells} of {execution.code_cells} code cells ran."
    if not execution.in_order:
        return "The cells did not run in the order they stand in."
    return "The kernel did not confirm the last cell."

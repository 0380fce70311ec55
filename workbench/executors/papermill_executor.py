"""Executes notebooks with papermill, each in a kernel of its own over IPC, and says honestly how it ended."""

from __future__ import annotations

from workbench.executors import papermill_alone  # noqa: F401 - before papermill is imported in its own way

# isort: split
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from papermill.engines import NBClientEngine, papermill_engines

from workbench.executors.jobs import Job, Phase, Status
from workbench.executors.kernel_processes import ConnectionFolder
from workbench.executors.kernel_start import clean_environment
from workbench.executors.limit_watch import LimitWatch
from workbench.executors.papermill_client import KernelClient, make_manager
from workbench.executors.papermill_execution import PapermillExecution

_END_TIMEOUT_S = 30


class PapermillExecutor:
    """Runs up to `jobs` notebooks at a time in threads of this process; the work itself is in the kernels."""

    def __init__(self, jobs: int = 1) -> None:
        self.slots = jobs
        self._pool = ThreadPoolExecutor(max_workers=jobs, thread_name_prefix="notebook")
        self._connections = ConnectionFolder()
        self._watch = LimitWatch()
        self._changed = threading.Event()
        self._executions: dict[str, PapermillExecution] = {}

    def submit(self, job: Job) -> None:
        """Queue a job."""
        execution = PapermillExecution(job, self._connections, self._watch, self._changed)
        # Known before it can run: who is interrupted in the middle of this must still find it.
        self._executions[job.id] = execution
        execution.future = self._pool.submit(execution.run)
        execution.future.add_done_callback(lambda _: self._changed.set())

    def status(self, job_id: str) -> Status:
        """Say where a job is; raises what this machine did to it (a full disk), never what the notebook did."""
        execution = self._executions[job_id]
        if not execution.future.done():
            return execution.status
        del self._executions[job_id]
        return Status(Phase.ENDED, outcome=execution.future.result())

    def cancel(self, job_id: str) -> None:
        """End one job, whether it runs or waits."""
        if execution := self._executions.get(job_id):
            execution.stop()

    def wait(self, timeout_s: float) -> None:
        """Return when a status may have changed, or after `timeout_s`."""
        self._changed.wait(timeout_s)
        self._changed.clear()

    def close(self) -> None:
        """End whatever runs and wait until all is quiet."""
        for execution in list(self._executions.values()):
            execution.stop()
        self._pool.shutdown(wait=True)
        for execution in list(self._executions.values()):
            execution.wait_over(_END_TIMEOUT_S)  # in a thread, perhaps, that the pool was kept from noting
        self._connections.remove()


class _Engine(NBClientEngine):
    """The papermill engine `workbench`: kernels over IPC, warm where possible, watched, with an environment of their own."""

    @classmethod
    def execute_managed_notebook(  # papermill's own signature
        cls, nb_man: Any, kernel_name: str, *, execution: PapermillExecution, start_timeout: int, **_: Any
    ) -> None:
        job = execution.job
        execution.document = nb_man.nb
        if "parameters" in nb_man.nb.metadata.papermill:
            nb_man.nb.metadata.papermill["parameters"] = dict(job.parameters)  # as they were given, not their code
        client = KernelClient(
            nb_man,
            km=make_manager(job, kernel_name, execution.connections.new_file()),
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            execution=execution,
        )
        environment = {
            **clean_environment(job.environment, job.roots, execution.scratch),
            "TMPDIR": str(execution.scratch),
            "JOBLIB_TEMP_FOLDER": str(execution.scratch),
        }
        client.execute(env=environment, cwd=str(job.working_dir), stdout=execution.log, stderr=execution.log)


papermill_engines.register("workbench", _Engine)


def open_executor(jobs: int, _scheduler: str) -> PapermillExecutor:
    """Return an executor of this process."""
    return PapermillExecutor(jobs)

"""Running notebooks: each set of parameters becomes a run that is FINISHED only when its completion record is written."""

from __future__ import annotations

import os
import signal
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import spool
from workbench.config import Settings, kernel_environment
from workbench.domain.digest import canonical_json
from workbench.domain.notebook import Notebook
from workbench.domain.run import Run, RunState, new_run_id
from workbench.errors import Interrupted, Unavailable
from workbench.packaging.skops_loader import TRUSTED_TYPES
from workbench.store.sqlalchemy_store import Store, utc_now
from workbench.tracking.mlflow_tracker import MlflowTracker, describe_model
from workbench.tracking.provenance import read_provenance
from workbench.workflow.collecting import RunFolder, collect_run, remove_unfinished

if TYPE_CHECKING:
    from workbench.executors.papermill_executor import Outcome, PapermillExecutor


@dataclass(frozen=True)
class Progress:
    """Where a batch of runs stands; `cells` counts those executed, of all there are in it."""

    total: int
    finished: int
    failed: int
    cells: int
    all_cells: int


OnProgress = Callable[[Progress], None]


class Runner:
    """Executes batches of runs of one notebook; nothing is left RUNNING when it returns or is interrupted."""

    def __init__(self, settings: Settings, store: Store, tracker: MlflowTracker, executor: PapermillExecutor) -> None:
        self._settings = settings
        self._store = store
        self._tracker = tracker
        self._executor = executor

    def execute_all(
        self,
        path: Path,
        notebook: Notebook,
        parameter_sets: Sequence[Mapping[str, Any]],
        *,
        sweep: str | None,
        on_progress: OnProgress,
    ) -> list[Run]:
        """Execute one run for each parameter set, `settings.jobs` at a time, and return them in that order.

        Raises Interrupted on Ctrl-C, after the running kernels were ended and their runs marked KILLED.
        """
        self._tracker.require_answer()
        publish_pending(self._settings, self._store, self._tracker)
        provenance = read_provenance(path, self._settings.project)
        waiting = deque(self._new_run(notebook, values, provenance, sweep) for values in parameter_sets)
        batch = _Batch(path, notebook, on_progress, total=len(waiting))
        try:
            self._execute(waiting, batch)
        except BaseException as exc:
            self._stop(batch, exc)
            if isinstance(exc, KeyboardInterrupt):
                raise _interrupted(batch) from exc
            raise
        return batch.done

    def _execute(self, waiting: deque[Run], batch: _Batch) -> None:
        while waiting or batch.running:
            while waiting and len(batch.running) < self._settings.jobs:
                run = self._start(waiting.popleft(), batch)
                folder = RunFolder.make(self._settings.runs_folder / run.id)
                batch.running[self._submit(run, folder.path, batch)] = run, folder
            done, _ = wait(batch.running, return_when=FIRST_COMPLETED)
            for future in done:
                batch.add(self._finish(*batch.running.pop(future), future.result()))

    def _new_run(
        self, notebook: Notebook, values: Mapping[str, Any], provenance: Mapping[str, Any], sweep: str | None
    ) -> Run:
        return Run(
            id=new_run_id(),
            notebook=notebook.name,
            notebook_digest=notebook.digest,
            parameters=values,
            provenance={**provenance, "seeds": {k: v for k, v in values.items() if "seed" in k.lower()}},
            author=self._settings.acting_author,
            created=utc_now(),
            sweep=sweep,
        )

    def _start(self, run: Run, batch: _Batch) -> Run:
        self._store.add_run(run)
        batch.started.append(run)
        run = replace(run, tracked_as=self._tracker.start_run(run))
        self._store.set_tracked_as(run.id, str(run.tracked_as))
        self._store.move_run(run.id, RunState.RUNNING)
        return replace(run, state=RunState.RUNNING, started=utc_now())

    def _submit(self, run: Run, folder: Path, batch: _Batch) -> Future[Outcome]:
        from workbench.executors.papermill_executor import Job

        (folder / spool.PARAMETERS).write_bytes(canonical_json(run.parameters))
        (folder / "provenance.json").write_bytes(canonical_json(run.provenance))
        tracking = self._tracker.kernel_variables(str(run.tracked_as))
        job = Job(
            source=batch.notebook.document,
            parameters=run.parameters,
            folder=folder,
            working_dir=batch.path.parent,
            environment=kernel_environment(spool=folder, tracking=tracking),
            mark=_mark(folder),
            on_cell=lambda cell, _of: batch.count_cell(run.id, cell),
        )
        return self._executor.submit(job)

    def _finish(self, run: Run, folder: RunFolder, outcome: Outcome) -> Run:
        run = collect_run(replace(run, ended=utc_now()), outcome, folder)
        self._store.move_run(run.id, run.state, error=run.error, record=run.record)
        _publish(run, self._settings, self._store, self._tracker)
        return run

    def _stop(self, batch: _Batch, cause: BaseException) -> None:
        """End what runs and leave every started run in a final state."""
        error = "Stopped from outside." if isinstance(cause, KeyboardInterrupt) else f"Stopped: {cause}".splitlines()[0]
        with _undisturbed():
            self._executor.cancel()
            for run in batch.started:
                if self._store.find_run(run.id).state in (RunState.QUEUED, RunState.RUNNING):
                    self._store.move_run(run.id, RunState.KILLED, error=error)
        with suppress(Unavailable):
            publish_pending(self._settings, self._store, self._tracker)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let a second Ctrl-C wait until what the first one asked for is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def settle_lost_runs(settings: Settings, store: Store) -> list[str]:
    """Mark runs LOST whose process is gone, end what they left running, and return their ids."""
    lost = store.mark_lost_runs()
    if lost:
        from workbench.executors.kernel_processes import end_marked_processes

        for run_id in lost:
            end_marked_processes(_mark(settings.runs_folder / run_id))
            remove_unfinished(settings.runs_folder / run_id)
    return lost


def publish_pending(settings: Settings, store: Store, tracker: MlflowTracker) -> int:
    """Make MLflow agree about every run it was not told the end of (killed, lost, MLflow was away); return how many it took."""
    settle_lost_runs(settings, store)
    return sum([_publish(run, settings, store, tracker) for run in store.list_unpublished_runs()])


def _publish(run: Run, settings: Settings, store: Store, tracker: MlflowTracker) -> bool:
    """Tell MLflow how a run ended; False when it did not take that, and the run stays on the list of the unpublished."""
    folder = settings.runs_folder / run.id
    is_plain = _is_plain(folder)
    try:
        tracker.finish_run(
            run, files=folder if is_plain else None, mlmodel=_describe_model(folder) if is_plain else None
        )
    except Exception:  # whatever MLflow says about one run must stop neither the others nor the next
        return False
    store.mark_published(run.id)
    return True


def _is_plain(folder: Path) -> bool:
    """True for a folder of regular files and folders: MLflow would follow a link, wait at a pipe, trip over an odd name."""
    try:
        kinds = [(folder.name, folder.lstat().st_mode)]
        for _, folders, files, here in os.fwalk(folder):
            names = (*folders, *files)
            kinds += [(name, os.stat(name, dir_fd=here, follow_symlinks=False).st_mode) for name in names]
    except OSError:
        return False
    return all((stat.S_ISDIR(mode) or stat.S_ISREG(mode)) and name.isprintable() for name, mode in kinds)


def _mark(folder: Path) -> str:
    """Return the variable by which everything a run's notebook started is found."""
    return f"{spool.FOLDER_VARIABLE}={folder}"


class _Batch:
    """What is known about the runs of one call while they go on."""

    def __init__(self, path: Path, notebook: Notebook, on_progress: OnProgress, total: int) -> None:
        self.path, self.notebook = path, notebook
        self.running: dict[Future[Outcome], tuple[Run, RunFolder]] = {}
        self.started: list[Run] = []
        self._results: dict[str, Run] = {}
        self._cells: dict[str, int] = {}
        self._on_progress = on_progress
        self.total = total

    @property
    def done(self) -> list[Run]:
        """The runs that came to an end, in the order they were started."""
        return [self._results[run.id] for run in self.started if run.id in self._results]

    def add(self, run: Run) -> None:
        """Note that a run came to an end."""
        self._results[run.id] = run
        self._cells[run.id] = self._cells_each
        self._report()

    def count_cell(self, run_id: str, cell: int) -> None:
        """Note that a run is at a cell (called from the executor's threads)."""
        self._cells[run_id] = cell - 1
        self._report()

    @property
    def _cells_each(self) -> int:
        return len(self.notebook.document["cells"]) + 1

    def _report(self) -> None:
        states = [run.state for run in list(self._results.values())]
        finished = states.count(RunState.FINISHED)
        cells = sum(list(self._cells.values()))
        self._on_progress(Progress(self.total, finished, len(states) - finished, cells, self.total * self._cells_each))


def _interrupted(batch: _Batch) -> Interrupted:
    finished = sum(run.is_finished for run in batch.done)
    stopped = len(batch.started) - len(batch.done)
    return Interrupted(
        f"Stopped: {finished} of {batch.total} runs finished.",
        why=[f"{stopped} running were ended, {batch.total - len(batch.started)} were not started."],
        next_step="What finished is kept (`workbench runs`); run the same command again for the rest.",
    )


def _describe_model(folder: Path) -> str | None:
    if not (folder / spool.MODEL / "model.skops").is_file():
        return None
    from importlib.metadata import version
    from platform import python_version

    return describe_model(python=python_version(), sklearn=version("scikit-learn"), trusted_types=sorted(TRUSTED_TYPES))

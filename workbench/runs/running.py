"""Running notebooks: each set of parameters becomes a run that is FINISHED only when its completion record is written."""

from __future__ import annotations

import heapq
import os
import shutil
import signal
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from workbench.config import find_template, kernel_environment
from workbench.errors import Interrupted, NotFound, Unavailable, WorkbenchError
from workbench.executors.jobs import Cause, Executor, Job, Outcome, Phase
from workbench.notebooks.notebook import Notebook, written_cells
from workbench.records.clock import utc_now
from workbench.records.digest import canonical_json, strict_json
from workbench.runs.batch import Batch, Progress
from workbench.runs.blaming import Blamer
from workbench.runs.cell_count import CellCount
from workbench.runs.collecting import RunFolder, collect_run, read_abandoned
from workbench.runs.folder import JOURNAL, NOTEBOOK, PARAMETERS, PROVENANCE
from workbench.runs.heartbeat import HeldAttempts, keep_leases
from workbench.runs.nbconvert_report import prepare_report
from workbench.runs.profiling import is_profiled, note_execution, timed
from workbench.runs.project import Project
from workbench.runs.provenance import read_provenance
from workbench.runs.publishing import publish_pending, publish_run
from workbench.runs.reaping import clean_abandoned, mark_of
from workbench.runs.redacting import find_redactor
from workbench.runs.run import IllegalTransition, Run, RunState
from workbench.runs.showing import LiveReports
from workbench.secrets.redaction import Redactor

_WAIT_S = 1.0
_BACKOFF_S, _LONGEST_BACKOFF_S = 1.0, 60.0


class Runner:
    """Executes batches of runs of one notebook; nothing is left RUNNING when it returns or is interrupted."""

    def __init__(self, project: Project, executor: Executor) -> None:
        self._settings = project.settings
        self._store = project.store
        self._tracker = project.tracker
        self._executor = executor

    def execute(self, batch: Batch) -> list[Run]:
        """Execute a run for each parameter set the trials ask for, as many at a time as the executor has slots.

        Returns them in the order they were written down. Raises Interrupted on Ctrl-C, after the running kernels were ended and
        their runs marked KILLED.
        """
        self._tracker.require_answer()
        publish_pending(self._settings, self._store, self._tracker)
        batch = replace(batch, path=batch.path.resolve())
        blamer = Blamer(self._settings.project)
        course = _Course(batch, {**self._read_provenance(batch, blamer), **batch.origin}, blamer)
        with keep_leases(self._store) as held:  # until what is stopped is written down as well
            try:
                self._execute(course, held)
            except BaseException as exc:
                self._stop(course, exc)
                if isinstance(exc, KeyboardInterrupt):
                    raise _interrupted(course) from exc
                raise
        return course.done

    def _read_provenance(self, batch: Batch, blamer: Blamer) -> dict[str, Any]:
        return {
            **read_provenance(batch.path, self._settings.project),
            "authorship": strict_json(canonical_json(asdict(blamer.read_files([batch.path])))),
        }

    def _execute(self, course: _Course, held: HeldAttempts) -> None:
        while self._fill(course):
            self._prepare_next(course)
            with timed("kernel"):
                # It takes a while the first time, and the kernels work meanwhile.
                prepare_report(find_template("report"))
                self._executor.wait(min(_WAIT_S, course.next_retry_s()))
            for job_id in held.lost(course.running):
                self._executor.cancel(job_id)
            self._heed_stops(course, held.stops)
            self._collect_ended(course)
            if not course.batch.trials.is_adaptive:
                self._fill(course)  # the next kernels work while the ended runs are written down
            self._finish_ended(course)

    def _heed_stops(self, course: _Course, asked: Mapping[str, str]) -> None:
        """End what somebody wants ended, one that waits as well; the others go on."""
        for job_id, (run, *_) in course.running.items():
            if run.id in asked and run.id not in course.stopped:
                course.stopped[run.id] = asked[run.id]
                self._executor.cancel(job_id)
        if course.prepared and course.prepared.id in asked:
            waiting, course.prepared = course.prepared, None
            self._end_stopped(waiting, asked[waiting.id], course)

    def _end_stopped(self, run: Run, by: str, course: _Course) -> None:
        self._kill(run.id, f"Stopped by {by}.")
        run = self._store.find_run(run.id)
        publish_run(run, self._settings, self._store, self._tracker)
        course.end(run)

    def _fill(self, course: _Course) -> bool:
        """Start what there is room for; False when nothing runs, waits or is to come."""
        while len(course.running) < self._executor.slots and (run := self._next_run(course)) is not None:
            self._start(run, course)
        return bool(course.running or course.retries)

    def _next_run(self, course: _Course) -> Run | None:
        if course.retries and course.next_retry_s() <= 0:
            run = heapq.heappop(course.retries)[2]
            try:
                return replace(run, attempt=self._store.add_attempt(run.id))
            except IllegalTransition:
                course.end(run)  # somebody deleted it while it waited
        prepared, course.prepared = course.prepared, None
        return prepared or self._new_run(course)

    def _prepare_next(self, course: _Course) -> None:
        """Write the next run down while the kernels of others work, where it cannot depend on how they end."""
        if course.prepared is None and not course.batch.trials.is_adaptive:
            with suppress(WorkbenchError):  # tried again when it is its turn; whoever runs now must not suffer for it
                course.prepared = self._new_run(course)
                self._describe(course)

    def _new_run(self, course: _Course) -> Run | None:
        values = course.ask()
        if values is None:
            return None
        # Refused before anything is written down.
        has_secrets = bool(self._find_secrets(values, course.batch.notebook))
        seeds = {name: value for name, value in values.items() if "seed" in name.lower()}
        run = Run(
            id=self._store.draw_run_id(),
            notebook=course.batch.notebook.name,
            notebook_digest=course.batch.notebook.digest,
            parameters=values,
            provenance={**course.provenance, "seeds": seeds, "had_secrets": has_secrets},
            author=self._settings.acting_author,
            created=utc_now(),
            sweep=course.batch.sweep,
            annotations=course.batch.annotate(len(course.written)),
        )
        run = replace(run, tracked_as=self._tracker.start_run(run))
        course.note(run)
        self._store.add_run(run)
        course.asked = None
        course.undescribed.append(run)
        return run

    def _describe(self, course: _Course) -> None:
        while course.undescribed:
            self._tracker.log_parameters(course.undescribed.pop())

    def _start(self, run: Run, course: _Course) -> None:
        run = replace(run, state=RunState.RUNNING, started=utc_now())
        try:
            self._store.move_run(run)
        except IllegalTransition:
            # Somebody counted it as lost while it waited.
            course.end(self._store.find_run(run.id))
            return
        course.begun.add(run.id)
        folder = RunFolder.make(self._make_room(run))
        job = self._make_job(run, folder.path, course)
        course.running[job.id] = run, folder, Redactor(job.secrets)
        self._executor.submit(job)
        course.cells.enter(run.id, 0, time.monotonic())
        self._describe(course)  # while its kernel starts
        course.report()

    def _make_room(self, run: Run) -> Path:
        """Return where a run's folder goes; what an attempt before left there is kept aside."""
        folder = self._settings.runs_folder / run.id
        if run.attempt > 1 and folder.exists():
            aside = self._settings.attempts_folder / f"{run.id}-{run.attempt - 1}"
            aside.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(folder, aside)
        return folder

    def _make_job(self, run: Run, folder: Path, course: _Course) -> Job:
        (folder / PARAMETERS).write_bytes(canonical_json(run.parameters))
        (folder / PROVENANCE).write_bytes(canonical_json(run.provenance))
        tracking = self._tracker.kernel_variables(folder, str(run.tracked_as))
        environment = kernel_environment(spool=folder, project=self._settings.project, tracking=tracking)
        return Job(
            id=f"{run.id}-{run.attempt}",
            source=course.batch.notebook.document,
            parameters=run.parameters,
            folder=folder,
            live=folder / NOTEBOOK,
            working_dir=course.batch.path.parent,
            environment=environment,
            mark=mark_of(folder),
            limits=self._settings.limits,
            roots=(self._settings.project, course.batch.path.parent),
            home=self._settings.home_folder,
            journal=folder / JOURNAL,
            cold=course.batch.cold,
            kept_min=self._settings.kernels_kept_min,
            times_imports=is_profiled(),
            secrets=self._find_secrets(run.parameters, course.batch.notebook),
        )

    def _find_secrets(self, parameters: Mapping[str, Any], notebook: Notebook) -> tuple[str, ...]:
        names, project = self._settings.secret_variables, self._settings.project
        return find_redactor(parameters, notebook.parameters, os.environ, project=project, names=names).values

    def _collect_ended(self, course: _Course) -> None:
        for job_id, (run, folder, redactor) in list(course.running.items()):
            status = self._executor.status(job_id)
            if status.phase is Phase.ENDED and status.outcome is not None:
                course.ended.append((replace(run, ended=utc_now()), status.outcome, folder, redactor))
                del course.running[job_id]
                course.cells.leave(run.id)
            elif status.phase is Phase.RUNNING:
                course.cells.enter(run.id, status.cell, time.monotonic())
        course.reports.refresh(course.running.values())
        course.report()

    def _finish_ended(self, course: _Course) -> None:
        while course.ended:
            self._finish(*course.ended[0], course)
            course.ended.popleft()

    def _finish(self, run: Run, outcome: Outcome, folder: RunFolder, redactor: Redactor, course: _Course) -> None:
        if outcome.cause is Cause.STOPPED and run.id in course.stopped:
            self._end_stopped(run, course.stopped[run.id], course)
            return
        note_execution(outcome.document, outcome.imports_s)
        with timed("collecting"):
            run = collect_run(run, outcome, folder, redactor, course.blamer)
        try:
            self._store.move_run(run)
        except IllegalTransition:
            # Somebody counted this attempt as lost; what it did since is not the run's any more.
            course.end(self._store.find_run(run.id))
            return
        if outcome.is_worth_retrying and run.attempt <= self._settings.retries:
            course.retry(run)
            return
        publish_run(run, self._settings, self._store, self._tracker)
        course.end(run)

    def _stop(self, course: _Course, cause: BaseException) -> None:
        """End what runs and leave every run that was written down in a final state."""
        error = "Stopped from outside." if isinstance(cause, KeyboardInterrupt) else f"Stopped: {cause}".splitlines()[0]
        with _undisturbed():
            self._executor.close()
            with suppress(Exception):  # what cannot be written down now is killed like the others
                self._finish_ended(course)
            for run_id in course.written:
                with suppress(Unavailable):  # one that cannot be written down must not keep the others from it
                    self._kill(run_id, error)
        with suppress(Unavailable):
            publish_pending(self._settings, self._store, self._tracker)

    def _kill(self, run_id: str, error: str) -> None:
        with suppress(NotFound):  # stopped before it was written down at all
            run = self._store.find_run(run_id)
            if run.state in (RunState.QUEUED, RunState.RUNNING):
                why = error if run.started else "Stopped before it began."
                seen = read_abandoned(self._settings.runs_folder / run.id)
                killed = replace(run, state=RunState.KILLED, ended=utc_now(), error=why, record=seen)
                self._store.move_run(clean_abandoned(killed, self._settings))


class _Course:
    """What is known about the runs of a batch while they go on."""

    def __init__(self, batch: Batch, provenance: Mapping[str, Any], blamer: Blamer) -> None:
        self.batch, self.provenance, self.blamer = batch, provenance, blamer
        self.running: dict[str, tuple[Run, RunFolder, Redactor]] = {}
        self.ended: deque[tuple[Run, Outcome, RunFolder, Redactor]] = deque()
        self.retries: list[tuple[float, str, Run]] = []
        self.written: list[str] = []
        self.begun: set[str] = set()
        self.stopped: dict[str, str] = {}
        self.asked: Mapping[str, Any] | None = None
        self.prepared: Run | None = None
        self.undescribed: list[Run] = []
        self._ended: dict[str, Run] = {}
        self.reports = LiveReports()
        self.cells = CellCount(len(written_cells(batch.notebook.document)))
        self._finished = 0
        self._goal = batch.goal
        self._best: tuple[str, float] | None = None
        self._told: Progress | None = None

    @property
    def done(self) -> list[Run]:
        """The runs that came to an end, in the order they were written down."""
        return [self._ended[run_id] for run_id in self.written if run_id in self._ended]

    def ask(self) -> Mapping[str, Any] | None:
        """Return the next parameters: the same ones until a run was written down with them; None when there are no more."""
        if self.asked is None:
            self.asked = self.batch.trials.ask()
        return self.asked

    def note(self, run: Run) -> None:
        """Note that a run is about to be written down."""
        self.written.append(run.id)

    def end(self, run: Run) -> None:
        """Note that a run came to an end."""
        self._ended[run.id] = run
        self._finished += run.is_finished
        self.cells.end(run.id)
        self._goal = self._goal or self.batch.find_goal(run)
        self._best = self._goal.find_best(self._ended.values()) if self._goal else None
        self.batch.trials.tell(run)
        self.report()

    def retry(self, run: Run) -> None:
        """Note that a run is to be attempted again, later each time."""
        pause_s = min(_BACKOFF_S * 2 ** (run.attempt - 1), _LONGEST_BACKOFF_S)
        heapq.heappush(self.retries, (time.monotonic() + pause_s, run.id, replace(run, error=None, record={})))

    def next_retry_s(self) -> float:
        """How long until the next retry is due; for ever when there is none."""
        return max(self.retries[0][0] - time.monotonic(), 0.0) if self.retries else float("inf")

    def report(self) -> None:
        """Tell how far the batch is, when that changed."""
        progress = self._measure()
        if progress != self._told:
            self._told = progress
            self.batch.on_progress(progress)

    def _measure(self) -> Progress:
        total = self.batch.trials.total
        return Progress(
            total=total,
            finished=self._finished,
            failed=len(self._ended) - self._finished,
            running=len(self.running),
            cells=self.cells.done,
            all_cells=total * (self.cells.each + 1),
            best=self._best,
            current=self.cells.find_longest(time.monotonic()),
        )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Ignore a second Ctrl-C until what the first one asked for is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _interrupted(course: _Course) -> Interrupted:
    finished = sum(run.is_finished for run in course.done)
    stopped = len(course.begun - {run.id for run in course.done})
    return Interrupted(
        f"Stopped: {finished} of {course.batch.trials.total} runs finished.",
        why=[f"{stopped} running were ended, {course.batch.trials.total - len(course.begun)} were not started."],
        next_step="What finished is kept (`workbench runs`); run the same command again for the rest.",
    )

"""The verbs that make and read runs: run, follow, stop, list, show."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from workbench.errors import RunFailed
from workbench.files.disk import disk_answers
from workbench.notebooks.notebook import Notebook
from workbench.records.clock import utc_now
from workbench.runs.batch import Batch, OnProgress
from workbench.runs.finding.annotations import Annotations, Change, begin_annotations
from workbench.runs.finding.notebook_names import find_notebook
from workbench.runs.points import Point
from workbench.runs.project import Project, read_notebook
from workbench.runs.run import Run, RunState
from workbench.runs.trials import list_trials

if TYPE_CHECKING:
    from workbench.runs.finding.drafting import Draft
    from workbench.runs.finding.removal import Removal
    from workbench.runs.following import Follower
    from workbench.runs.table.columns import ColumnSource
    from workbench.runs.table.reading import RunTableReader


class RunVerbs(Project):
    """What can be done with a notebook and its runs."""

    def run(
        self,
        notebook: Path,
        parameters: Mapping[str, Any],
        *,
        cold: bool = False,
        origin: Mapping[str, Any] | None = None,
        notify: bool = False,
        name: str | None = None,
        note: str | None = None,
        tags: Mapping[str, str] = MappingProxyType({}),
        on_progress: OnProgress = lambda _: None,
    ) -> Run:
        """Run a notebook once; raises RunFailed when it does not finish (the run is kept either way).

        A `cold` run gets an ordinary kernel, not one forked from a process that has the notebook's imports loaded. Its
        provenance holds the `origin` too, such as the run that a resumption goes on with (see `plan_resumption`). With `notify`
        people are told how it ended, as the settings say. Name, note and tags are said of it, and can be said otherwise later.
        """
        started, said = time.monotonic(), self.begin_annotations(name, note, tags)
        source = self.read_notebook(notebook)
        batch = Batch(notebook, source, list_trials(source, [parameters]), origin=origin or {}, cold=cold)
        (run,) = self.execute(replace(batch, annotations=said, on_progress=on_progress))
        self.tell_end([run], time.monotonic() - started, asked=notify)
        return self.require_finished(run)

    def begin_annotations(self, name: str | None, note: str | None, tags: Mapping[str, str]) -> Annotations:
        """Return what is said of runs before they begin; raises UsageError for what cannot be said."""
        return begin_annotations(name, note, tags, by=self.settings.acting_author, at=utc_now())

    def annotate(
        self,
        run_ids: Sequence[str],
        *,
        name: str | None = None,
        note: str | None = None,
        tags: Mapping[str, str] = MappingProxyType({}),
        untag: Sequence[str] = (),
    ) -> list[Run]:
        """Say something of runs, here and in MLflow, and return them: what is None stays, an empty text removes.

        Raises UsageError for what cannot be said, and for one name of several runs; then nothing is changed.
        """
        from workbench.runs.finding.annotating import annotate_runs

        return annotate_runs(self, run_ids, Change(name, note, tags, untag))

    def archive(self, run_ids: Sequence[str], *, undo: bool = False) -> list[Run]:
        """Put runs aside, out of the lists and of comparisons by default, or back; nothing of them is lost."""
        from workbench.runs.finding.annotating import archive_runs

        return archive_runs(self, run_ids, undo=undo)

    def delete(self, run_ids: Sequence[str], *, dry_run: bool = False) -> Removal:
        """Delete runs with their files and their run in MLflow, or drafts, and return what went; `dry_run` only says what would.

        Of one that had seen a holdout what it is known by stays, and it still counts as a try. Raises Refused, and deletes
        none, where the ledger names one, MLflow has it as a registered model, or it goes on.
        """
        from workbench.runs.finding.removing import plan_removal, remove_runs

        removal = plan_removal(self, run_ids)
        if not dry_run:
            remove_runs(self, removal)
        return removal

    def require_finished(self, run: Run) -> Run:
        """Return a run that finished; raises RunFailed saying how another one ended."""
        if run.is_finished:
            return run
        report = f"{self.settings.runs_folder / run.id}/report.html"
        step = f"Read {report}; `workbench run --resume {run.id}` goes on once the notebook is corrected."
        if run.state is RunState.KILLED:
            raise RunFailed(
                f"Run {run.id} was stopped.", why=run.error or "", next_step=f"How far it came says {report}."
            )
        raise RunFailed(f"Run {run.id} of {run.notebook} failed.", why=run.error or "", next_step=step)

    def follow(self, run_id: str) -> Follower:
        """Return what reads again and again what a run shows and measures, whichever process runs it, until it ended."""
        from workbench.runs.following import Follower

        return Follower(self, run_id)

    def request_stop(self, run_id: str) -> Run:
        """Ask whoever runs a run to end it, this run alone, and return it as it is now."""
        from workbench.runs.stopping import request_stop

        return request_stop(self, run_id)

    def stop(self, run_id: str, *, wait_s: float = 60) -> Run:
        """End one run, of a sweep or not, and return it as it ended: KILLED; LOST when its process was gone."""
        from workbench.runs.stopping import stop_run

        return stop_run(self, run_id, wait_s=wait_s)

    def list_runs(
        self,
        *,
        notebook: str | None = None,
        where: str | None = None,
        limit: int | None = None,
        archived: bool = False,
    ) -> list[Run]:
        """Return runs, newest first; one whose process is gone is LOST, and those put aside are left out unless `archived`.

        `notebook` is its path, or its name where one alone is called so. `where` is a condition such as
        `roc_auc > 0.9 and family = 'forest'`; raises UsageError for one that cannot be used.
        """
        notebook = find_notebook(notebook, self.store.list_notebooks()) if notebook else None
        if where is None:
            return self.store.list_runs(notebook=notebook, limit=limit, archived=archived)
        from workbench.runs.finding.filtering import list_chosen_runs

        return list_chosen_runs(self, where, notebook=notebook, limit=limit, archived=archived)

    def open_table(self, mlflow: str | None = None, deciding: Sequence[str] = ()) -> RunTableReader:
        """Return what answers questions about very many runs: this project's, or those of an MLflow tracking store (its address).

        `deciding` are the metrics shown where none are asked for. Raises NotFound, UsageError or Unavailable for a store that
        cannot be opened.
        """
        from workbench.runs.table.reading import RunTableReader, open_mlflow

        def open_source() -> ColumnSource:
            return open_mlflow(mlflow, self.settings.artifacts_folder) if mlflow else self.store.columns

        return RunTableReader(open_source, self.settings.home_folder / "tables", deciding)

    def list_everything(
        self, *, notebook: str | None = None, where: str | None = None, limit: int | None = None
    ) -> tuple[list[Run], list[Draft]]:
        """Return runs, also those put aside, and the drafts of notebooks run by hand, newest first; raises the same."""
        from workbench.runs.finding.filtering import list_everything

        return list_everything(self, where, notebook=notebook, limit=limit)

    def export_runs(
        self, path: Path, *, notebook: str | None = None, where: str | None = None, archived: bool = False
    ) -> list[Run]:
        """Write runs to a .csv or .parquet file, one row each, and return them; see `list_runs` for which."""
        from workbench.runs.finding.exporting import export_runs

        runs = self.list_runs(notebook=notebook, where=where, archived=archived)
        export_runs(runs, path)
        return runs

    def list_notebooks(self) -> list[str]:
        """Return the paths of the notebooks that have runs."""
        return self.store.list_notebooks()

    def count_archived(self) -> int:
        """Return how many runs are put aside."""
        return self.store.annotations.count_archived()

    def count_drafts(self) -> int:
        """Return how many drafts are kept of notebooks that were run by hand."""
        from workbench.runs.finding.drafting import list_draft_folders

        return len(list_draft_folders(self.settings))

    def show(self, run_id: str) -> Run:
        """Return one run by its id or the beginning of it."""
        return self.store.find_run(run_id)

    def read_points(self, run_id: str) -> dict[str, list[Point]]:
        """Return the points of each metric of a run in the order of their steps, the one that is the run's value last."""
        from workbench.runs.metric_points import read_points

        run = self.store.find_run(run_id)
        return read_points(run, self.settings.runs_folder / run.id)

    def publish_pending(self) -> int:
        """Make MLflow agree about every run it was not told the end of; return how many there were."""
        from workbench.runs.publishing import publish_pending

        told = publish_pending(self.settings, self.store, self.tracker)
        return sum(refused is None for refused in told.values())

    def read_notebook(self, path: Path) -> Notebook:
        """Read a notebook from anywhere on disk."""
        return read_notebook(self, path)

    # For the verbs of other chapters

    def tell_end(self, runs: Sequence[Run], took_s: float, *, asked: bool) -> None:
        """Tell people how runs ended, where that is asked for or took as long as the settings say; never raises."""
        from workbench.runs.telling import tell_end

        after_s = self.settings.notify_after_s
        if runs and (asked or (after_s and took_s >= after_s)):
            tell_end(self.settings, runs, took_s=took_s)

    def before_runs(self, notebook: str, digest: str | None = None) -> None:
        """What is to be done before anything of a notebook is executed (`digest`: of new runs); a later chapter knows more."""

    def execute(self, batch: Batch) -> list[Run]:
        """Execute what the trials of a batch ask for, and return the runs as they ended in the order they were written down."""
        from workbench.executors import LOCAL
        from workbench.executors.kernel_start import prepare_kernel
        from workbench.executors.papermill_kernels import find_kernel
        from workbench.runs.executing import open_executor
        from workbench.runs.running import Runner

        find_kernel(batch.notebook.document)
        if self.settings.executor == LOCAL and not batch.cold:
            roots = (self.settings.project, batch.path.resolve().parent)
            prepare_kernel(batch.notebook.document, roots, self.settings.kernels_kept_min)
        is_replay = "replay_of" in batch.origin
        self.before_runs(batch.notebook.name, None if is_replay else batch.notebook.digest)
        executor = open_executor(self.settings)
        try:
            with disk_answers(self.settings.home_folder):
                _keep_out_of_git(self)
                return Runner(self, executor).execute(batch)
        finally:
            executor.close()


def _keep_out_of_git(project: Project) -> None:
    """Before the first run, say that what is kept at home (runs, releases, databases) is no source."""
    home, root = project.settings.home_folder, project.settings.project
    ignored = home / ".gitignore"
    if project.settings.runs_folder.exists() or ignored.exists() or root.is_relative_to(home):
        return
    home.mkdir(parents=True, exist_ok=True)
    ignored.write_text("*\n", encoding="utf-8")

"""The verbs that make and read runs: run, sweep, replay, list, show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.domain.notebook import Notebook
from workbench.domain.parameters import bind_parameters
from workbench.domain.points import Point
from workbench.domain.policy import Policy
from workbench.domain.replay import TOLERANCE, Replay
from workbench.domain.resumption import Resumption
from workbench.domain.run import Run
from workbench.domain.search import ListedTrials, Search, Space, SweepPlan
from workbench.domain.trials import Aim, Goal, Trials
from workbench.errors import RunFailed
from workbench.workflow.disk import disk_answers
from workbench.workflow.project import Project, find_run, read_notebook, settle

if TYPE_CHECKING:
    from workbench.workflow.running import OnProgress


class RunBench(Project):
    """The verbs that make and read runs; Workbench adds those of review and release."""

    def run(
        self,
        notebook: Path,
        parameters: Mapping[str, Any],
        *,
        cold: bool = False,
        resumption: Resumption | None = None,
        on_progress: OnProgress = lambda _: None,
    ) -> Run:
        """Run a notebook once; raises RunFailed when it does not finish (the run is kept either way).

        A `cold` run gets an ordinary kernel, not one forked from a process that has the notebook's imports loaded. With a
        `resumption` (see `plan_resumption`) it goes on with a run that failed, and its provenance says so.
        """
        extra = resumption.provenance if resumption else None
        run = self._execute(
            notebook, [parameters], sweep=None, on_progress=on_progress, cold=cold, provenance_extra=extra
        )[0]
        if not run.is_finished:
            folder = self.settings.runs_folder / run.id
            step = (
                f"Read {folder}/report.html; `workbench run --resume {run.id}` goes on once the notebook is corrected."
            )
            raise RunFailed(f"Run {run.id} of {run.notebook} failed.", why=run.error or "", next_step=step)
        return run

    def sweep(
        self,
        notebook: Path,
        space: Space,
        *,
        search: Search = "grid",
        trials: int | None = None,
        seed: int = 0,
        goal: str | None = None,
        direction: Aim | None = None,
        cold: bool = False,
        on_progress: OnProgress = lambda _: None,
    ) -> list[Run]:
        """Run a notebook once for every parameter set of a search (default: every combination); failed runs are returned too.

        `trials` is how many sets are drawn from the space, `goal` the metric that is looked for (default: the policy's). Raises
        UsageError before anything is started, and Interrupted on Ctrl-C: `resume_sweep` goes on.
        """
        from workbench.workflow import sweeping

        source = self.read_notebook(notebook)
        aim = sweeping.find_goal(source, lambda: self._read_policy(None), goal, direction)
        plan = sweeping.plan_sweep(source, space, search=search, trials=trials, seed=seed, goal=aim)
        sweeping.write_plan(plan, self.settings)
        return sweeping.run_sweep(self, plan, execute=self.execute_trials, cold=cold, on_progress=on_progress)

    def find_sweep(self, sweep: str | None = None, *, retry_failed: bool = False) -> SweepPlan:
        """Return the plan of a sweep by its id or the beginning of it; by default of the newest of which something is missing."""
        from workbench.workflow import sweeping

        if sweep:
            return sweeping.read_plan(sweep, self.settings)
        return sweeping.find_unfinished(self.settings, self.store, retry_failed=retry_failed)

    def resume_sweep(
        self,
        sweep: str | None = None,
        *,
        retry_failed: bool = False,
        cold: bool = False,
        on_progress: OnProgress = lambda _: None,
    ) -> list[Run]:
        """Run what is missing of a sweep, never again what finished, and return all its runs.

        Raises Refused when the notebook was changed since, Unavailable when another process is running the sweep.
        """
        from workbench.workflow.sweeping import run_sweep

        plan = self.find_sweep(sweep, retry_failed=retry_failed)
        return run_sweep(
            self, plan, execute=self.execute_trials, retry_failed=retry_failed, cold=cold, on_progress=on_progress
        )

    def _execute(
        self,
        path: Path,
        sets: Sequence[Mapping[str, Any]],
        *,
        sweep: str | None,
        on_progress: OnProgress,
        cold: bool = False,
        provenance_extra: Mapping[str, Any] | None = None,
    ) -> list[Run]:
        notebook = self.read_notebook(path)
        trials = ListedTrials(bind_parameters(notebook.parameters, values) for values in sets)
        return self.execute_trials(
            path, notebook, trials, sweep=sweep, on_progress=on_progress, cold=cold, provenance_extra=provenance_extra
        )

    def execute_trials(
        self,
        path: Path,
        notebook: Notebook,
        trials: Trials,
        *,
        sweep: str | None,
        on_progress: OnProgress,
        goal: Goal | None = None,
        cold: bool = False,
        provenance_extra: Mapping[str, Any] | None = None,
    ) -> list[Run]:
        """Execute what the trials ask for, and return the runs as they ended in the order they were written down."""
        from workbench.executors.papermill_executor import find_kernel
        from workbench.workflow.executing import open_executor
        from workbench.workflow.planning import record_plan
        from workbench.workflow.running import Runner

        find_kernel(notebook.document)
        record_plan(self, notebook.name)
        executor = open_executor(self.settings)
        runner = Runner(self.settings, self.store, self.tracker, executor, cold=cold)
        try:
            with disk_answers(self.settings.home_folder):
                self._keep_out_of_git()
                return runner.execute_all(
                    path.resolve(),
                    notebook,
                    trials,
                    sweep=sweep,
                    on_progress=on_progress,
                    goal=goal,
                    provenance_extra=provenance_extra,
                )
        finally:
            executor.close()

    def _keep_out_of_git(self) -> None:
        """Before the first run, say that what is kept at home (runs, releases, databases) is no source."""
        home, project = self.settings.home_folder, self.settings.project
        ignored = home / ".gitignore"
        if self.settings.runs_folder.exists() or ignored.exists() or project.is_relative_to(home):
            return
        home.mkdir(parents=True, exist_ok=True)
        ignored.write_text("*\n", encoding="utf-8")

    def replay(
        self,
        run_id: str,
        *,
        tolerance: float = TOLERANCE,
        cold: bool = False,
        on_progress: OnProgress = lambda _: None,
    ) -> Replay:
        """Execute a finished run again, as a new one, and compare what came out; `tolerance` is relative.

        Raises Refused, with every difference and before anything runs, when code or environment are no longer the same.
        """
        from workbench.workflow import replaying

        plan = replaying.plan_replay(self.show(run_id), self.settings)
        origin = {"replay_of": plan.run.id}
        (again,) = self._execute(
            plan.path, [plan.run.parameters], sweep=None, on_progress=on_progress, cold=cold, provenance_extra=origin
        )
        return replaying.compare_with(plan, again, self.settings, tolerance=tolerance)

    def plan_resumption(self, run_id: str, notebook: Path, parameters: Mapping[str, Any]) -> Resumption:
        """Return how `run` can go on with a failed run; raises Refused when what came before its failed cell changed."""
        from workbench.workflow import replaying

        return replaying.plan_resumption(self.show(run_id), self.read_notebook(notebook), parameters, self.settings)

    def read_notebook(self, path: Path) -> Notebook:
        """Read a notebook from anywhere on disk."""
        return read_notebook(self, path)

    def list_runs(self, *, notebook: str | None = None, limit: int | None = None) -> list[Run]:
        """Return runs, newest first; runs whose process is gone are marked LOST first."""
        settle(self)
        return self.store.list_runs(notebook=notebook, limit=limit)

    def show(self, run_id: str) -> Run:
        """Return one run by its id or the beginning of it."""
        return find_run(self, run_id)

    def read_points(self, run_id: str) -> dict[str, list[Point]]:
        """Return the points of each metric of a run in the order of their steps, the one that is the run's value last."""
        from workbench.workflow.metric_points import read_points

        run = self.store.find_run(run_id)
        return read_points(run, self.settings.runs_folder / run.id)

    def publish_pending(self) -> int:
        """Make MLflow agree about every run it was not told the end of; return how many there were."""
        from workbench.workflow.publishing import publish_pending

        told = publish_pending(self.settings, self.store, self.tracker)
        return sum(refused is None for refused in told.values())

    def _read_policy(self, name: str | None) -> Policy:
        from workbench.workflow.policies import find_policy, read_policy

        return read_policy(find_policy(name or self.settings.policy))

"""The verbs of sweeps: start one, find one, go on with one."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from workbench.policies.verbs import PolicyVerbs
from workbench.runs.batch import OnProgress
from workbench.runs.run import Run
from workbench.runs.trials import Aim, Goal
from workbench.runs.verbs import RunVerbs
from workbench.sweeps.search import Search, Space, SweepPlan


class SweepVerbs(PolicyVerbs, RunVerbs):
    """What can be done with many runs of one notebook."""

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
        notify: bool = False,
        name: str | None = None,
        note: str | None = None,
        tags: Mapping[str, str] = MappingProxyType({}),
        on_progress: OnProgress = lambda _: None,
    ) -> list[Run]:
        """Run a notebook once for every parameter set of a search (default: every combination); failed runs are returned too.

        `trials` is how many sets are drawn from the space, `goal` the metric that is looked for (default: the policy's). Raises
        UsageError before anything is started, and Interrupted on Ctrl-C: `resume_sweep` goes on. With `notify` people are told how
        it ended, as the settings say. Note and tags are said of every run, the name with the run's number.
        """
        from workbench.sweeps import sweeping

        started, said = time.monotonic(), self.begin_annotations(name, note, tags)
        source = self.read_notebook(notebook)
        aim = sweeping.find_goal(source, lambda: self.read_policy()[0], goal, direction, self.settings.project)
        plan = sweeping.plan_sweep(source, space, search=search, trials=trials, seed=seed, goal=aim)
        plan = replace(plan, said=said)
        sweeping.write_plan(plan, self.settings)
        runs = sweeping.run_sweep(
            self, plan, execute=self.execute, find_goal=self._find_goal_of, cold=cold, on_progress=on_progress
        )
        self.tell_end(runs, time.monotonic() - started, asked=notify)
        return runs

    def find_sweep(self, sweep: str | None = None, *, retry_failed: bool = False) -> SweepPlan:
        """Return the plan of a sweep by its id or the beginning of it; by default of the newest of which something is missing."""
        from workbench.sweeps import sweeping

        if sweep:
            return sweeping.read_plan(sweep, self.settings)
        return sweeping.find_unfinished(self.settings, self.store, retry_failed=retry_failed)

    def find_goal(self, plan: SweepPlan, runs: Iterable[Run]) -> Goal | None:
        """Return what a sweep is after: as it was planned, else the policy's metric for the task its runs were scored in."""
        return plan.goal or next(filter(None, map(self._find_goal_of, runs)), None)

    def _find_goal_of(self, run: Run) -> Goal | None:
        from workbench.sweeps.sweeping import find_goal_of

        return find_goal_of(run, lambda: self.read_policy()[0])

    def resume_sweep(
        self,
        sweep: str | None = None,
        *,
        retry_failed: bool = False,
        cold: bool = False,
        notify: bool = False,
        on_progress: OnProgress = lambda _: None,
    ) -> list[Run]:
        """Run what is missing of a sweep, never again what finished, and return all its runs.

        Raises Refused when the notebook was changed since, Unavailable when another process is running the sweep.
        """
        from workbench.sweeps.sweeping import run_sweep

        started, plan = time.monotonic(), self.find_sweep(sweep, retry_failed=retry_failed)
        runs = run_sweep(
            self,
            plan,
            execute=self.execute,
            find_goal=self._find_goal_of,
            retry_failed=retry_failed,
            cold=cold,
            on_progress=on_progress,
        )
        self.tell_end(runs, time.monotonic() - started, asked=notify)
        return runs

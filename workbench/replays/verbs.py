"""The verbs of replays: execute a run once more, go on with one that failed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workbench.replays.replay import TOLERANCE, Replay
from workbench.replays.resumption import Resumption
from workbench.runs.batch import Batch, OnProgress
from workbench.runs.trials import list_trials
from workbench.runs.verbs import RunVerbs


class ReplayVerbs(RunVerbs):
    """What can be done with a run that is there already."""

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
        from workbench.replays import replaying

        plan = replaying.plan_replay(self.show(run_id), self.settings)
        source = self.read_notebook(plan.path)
        trials, origin = list_trials(source, [plan.run.parameters]), {"replay_of": plan.run.id}
        (again,) = self.execute(Batch(plan.path, source, trials, origin=origin, cold=cold, on_progress=on_progress))
        return replaying.compare_with(plan, again, self.settings, tolerance=tolerance)

    def plan_resumption(self, run_id: str, notebook: Path, parameters: Mapping[str, Any]) -> Resumption:
        """Return how `run` can go on with a failed run; raises Refused when what came before its failed cell changed."""
        from workbench.replays import replaying

        return replaying.plan_resumption(self.show(run_id), self.read_notebook(notebook), parameters, self.settings)

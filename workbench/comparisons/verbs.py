"""The verb of comparisons."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.comparisons.comparison import Comparison
from workbench.policies.verbs import PolicyVerbs
from workbench.runs.run import Run
from workbench.runs.verbs import RunVerbs


class ComparisonVerbs(PolicyVerbs, RunVerbs):
    """What can be said of runs side by side."""

    def compare(
        self,
        run_ids: Sequence[str] = (),
        *,
        reference: str | None = None,
        notebook: str | None = None,
        policy: str | None = None,
    ) -> Comparison:
        """Compare runs (default: all finished ones on the holdout of the newest) with a run or a constant prediction.

        Runs named are compared or refused; by default those that cannot be are left out and counted.
        """
        from workbench.comparisons.comparing import compare_runs, require_scored
        from workbench.comparisons.looking import find_looks, find_other_splits
        from workbench.comparisons.tries import count_tries, find_other_rules
        from workbench.runs.keeping import read_recorded

        other = self.show(reference) if reference else None
        named = {run.id: run for run in map(self.show, run_ids)}
        candidates = named.values() or self._runs_on_newest_holdout(notebook)
        runs = [run for run in candidates if other is None or run.id != other.id]
        require_scored(runs)
        if other is not None:
            require_scored([other])
        rules, looks = self.read_policy(policy)[0], find_looks(self, runs[0])
        splits = find_other_splits(self, runs[0], looks)
        others = find_other_rules(rules.digest, self.store.inspect_ledger()[0], looks)
        return compare_runs(
            runs,
            against=other,
            policy=rules,
            tried=count_tries(looks, others, splits),
            other_rules=len(others),
            other_splits=splits.count_more(looks),
            read=lambda run: read_recorded(run, self.settings.runs_folder / run.id),
            leave_out=not named,
        )

    def _runs_on_newest_holdout(self, notebook: str | None) -> list[Run]:
        """Return the finished runs on the holdout of the newest; a replay is the same try once more."""
        from workbench.comparisons.holdouts import holdout_digest, runs_on_holdout_of

        finished = (run for run in self.list_runs(notebook=notebook) if run.is_finished and holdout_digest(run))
        runs = [run for run in finished if "replay_of" not in run.provenance]
        return runs_on_holdout_of(runs[0], runs) if runs else []

"""The verbs of comparisons: compare, draw_runs, diff."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from workbench.comparisons.arrangement import AS_RANKED, MOST_MEASURED, Arrangement
from workbench.comparisons.comparison import RunComparison
from workbench.policies.verbs import PolicyVerbs
from workbench.runs.run import Run
from workbench.runs.verbs import RunVerbs

if TYPE_CHECKING:
    from workbench.comparisons.difference.run_difference import RunDifference
    from workbench.comparisons.measuring import Choose
    from workbench.drawings.picture import Picture


class ComparisonVerbs(PolicyVerbs, RunVerbs):
    """What can be said of runs side by side."""

    def compare(
        self,
        run_ids: Sequence[str] = (),
        *,
        reference: str | None = None,
        notebook: str | None = None,
        where: str | None = None,
        policy: str | None = None,
        arrangement: Arrangement = AS_RANKED,
        most: int = MOST_MEASURED,
        metrics: Sequence[str] = (),
        all_but: Sequence[str] = (),
        within: str = "",
        choose: Choose | None = None,
    ) -> RunComparison:
        """Compare runs (default: all finished ones on the holdout of the newest) with a run or a constant prediction.

        Runs named are compared or refused; by default those that cannot be are left out, each with why, and those that are
        archived or of which a condition (`where`) is not true. Whatever is left out still counts as tries. All are ranked by the
        metric (the policy's, or the first of the `metrics`, beside which the others stand); intervals and verdicts have the best
        one and the first of them (`most`) as they are arranged, or those that are chosen (`choose`), the others None. With
        `all_but` runs that differ in these parameters alone are one row, judged together; `within` a slice (`size=small`) only
        its rows are scored.
        """
        from workbench.comparisons.comparing import require_scored
        from workbench.comparisons.gathering import Asked, Gathered
        from workbench.comparisons.separating import compare_apart

        other = self.show(reference) if reference is not None else None
        named = {run.id: run for run in map(self.show, run_ids)}
        gathered = Gathered(self, self.read_policy(policy)[0])
        asked = Asked(arrangement, most, metrics, all_but, within, choose)
        if named:
            runs = [run for run in named.values() if other is None or run.id != other.id]
            require_scored(runs)
            require_scored([other] if other else runs)
            return gathered.compare(runs, other, asked, must_pair=True)
        chosen = self._choose(gathered.runs, notebook, where)
        return compare_apart(gathered, chosen, other, asked, notebook=notebook, where=where)

    def draw_runs(
        self, run_ids: Sequence[str], *, policy: str | None = None, metrics: Sequence[str] = (), within: str = ""
    ) -> list[Picture]:
        """Return pictures of up to six runs of one holdout, side by side: curves, calibration, slices, metrics by step.

        Slices are scored by the policy's metric, or by each of the `metrics`; `within` a slice its rows alone are drawn.
        Raises UsageError for more of them, for none, and for runs on several holdouts.
        """
        from workbench.comparisons.picturing import draw_runs
        from workbench.policies.registering import find_metrics
        from workbench.runs.keeping import read_recorded_slices

        runs = list({run.id: run for run in map(self.show, run_ids)}.values())
        return draw_runs(
            runs,
            policy=self.read_policy(policy)[0],
            read=lambda run: read_recorded_slices(run, self.settings.runs_folder / run.id),
            read_points=lambda run: self.read_points(run.id),
            metrics=partial(find_metrics, self.settings.project, metrics) if metrics else None,
            within=within,
        )

    def diff(self, a: str, b: str, *, policy: str | None = None) -> RunDifference:
        """Return how run `b` differs from run `a`: data, scores, parameters, code and outputs, the most consequential first.

        What is missing on a side is said, and no error. Raises NotFound for what names no run, UsageError for one run twice.
        """
        from workbench.comparisons.difference.diffing import diff_runs

        rules = self.read_policy(policy)[0]
        return diff_runs(self, self.show(a), self.show(b), rules)

    def _choose(self, known: Sequence[Run], notebook: str | None, where: str | None) -> list[Run]:
        """Return the runs of a notebook of which a condition is true; those that were put aside only where it speaks of that."""
        from workbench.runs.table.question import Question

        if where is None:
            return [
                run for run in known if run.annotations.archived is None and (not notebook or run.notebook == notebook)
            ]
        chosen = {*self.open_table().ask(Question(where=where, notebook=notebook or "")).table.ids}
        return [run for run in known if run.id in chosen]

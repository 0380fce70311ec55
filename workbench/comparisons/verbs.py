"""The verbs of comparisons: compare, draw_runs, diff."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from workbench.comparisons.arrangement import AS_RANKED, MOST_MEASURED, Arrangement, arrange_runs
from workbench.comparisons.comparison import RunComparison
from workbench.errors import UsageError
from workbench.policies.verbs import PolicyVerbs
from workbench.runs.run import Run
from workbench.runs.verbs import RunVerbs

if TYPE_CHECKING:
    from workbench.comparisons.difference.run_difference import RunDifference
    from workbench.comparisons.elsewhere import OtherHoldout
    from workbench.comparisons.screening import Choose
    from workbench.drawings.picture import Picture

_MOST_ASKED_FOR_ROWS = 20


def _choose_shown(found: RunComparison, arrangement: Arrangement, most: int) -> list[str]:
    return list(dict.fromkeys(run.run_id for run in (found.best, *arrange_runs(found, arrangement)[:most])))


@contextmanager
def _tell_elsewhere(count: int, others: Sequence[OtherHoldout]) -> Iterator[None]:
    """Let who has nothing to compare on the newest holdout hear of the runs on others."""
    try:
        yield
    except UsageError as exc:
        if not others:
            raise
        from workbench.comparisons.elsewhere import describe_elsewhere

        why = [*exc.reasons, f"{describe_elsewhere(count, others)}."]
        raise UsageError(exc.what, why=why, next_step=f"{exc.next_step} Or see the others as said above.") from exc


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
        choose: Choose | None = None,
    ) -> RunComparison:
        """Compare runs (default: all finished ones on the holdout of the newest) with a run or a constant prediction.

        Runs named are compared or refused; by default those that cannot be are left out, each with why, and those that are
        archived or of which a condition (`where`) is not true. Whatever is left out still counts as tries. All are ranked by the
        metric (the policy's, or the first of the `metrics`, beside which the others stand); intervals and verdicts have the best
        one and the first of them (`most`) as they are arranged, or those that are chosen (`choose`), the others None.
        """
        from workbench.comparisons.comparing import require_scored
        from workbench.comparisons.elsewhere import list_other_holdouts
        from workbench.comparisons.looking import choose_looks, choose_splits, list_looks
        from workbench.comparisons.remembering import KeptResults
        from workbench.comparisons.screening import compare_alike
        from workbench.comparisons.tries import find_other_rules
        from workbench.policies.registering import find_metrics
        from workbench.runs.keeping import read_recorded
        from workbench.runs.looks import name_distinct
        from workbench.runs.table.recalling import recall_attempts
        from workbench.runs.written_files import find_overwritten

        other = self.show(reference) if reference is not None else None
        named = {run.id: run for run in map(self.show, run_ids)}
        recalled = recall_attempts(self)
        candidates, elsewhere = (
            (list(named.values()), ()) if named else self._runs_on_newest_holdout(recalled.runs, notebook, where)
        )
        others = list_other_holdouts([candidates[0], *elsewhere], notebook, where) if elsewhere else ()
        runs = [run for run in candidates if other is None or run.id != other.id]
        require_scored(runs)
        require_scored([other] if other else runs)
        rules, every = self.read_policy(policy)[0], list_looks(self, recalled.attempts)
        looks = choose_looks(runs[0], every)
        splits = choose_splits(self.settings, runs[0], looks, every)
        policies = find_other_rules(rules.digest, self.store.inspect_ledger()[0], looks)
        seen = (*name_distinct([*looks, *splits.anew]), *(f"policy {each}" for each in policies))
        names = {run.id: run.annotations.name for run in (*runs, *([other] if other else [])) if run.annotations.name}
        with _tell_elsewhere(len(elsewhere), others):
            compared = compare_alike(
                runs,
                against=other,
                policy=rules,
                tried=len(seen),
                other_rules=len(policies),
                other_splits=splits.count_more(looks),
                # What was recalled of a run does not say by which digests its holdout is known.
                read=lambda run: read_recorded(self.show(run.id), self.settings.runs_folder / run.id),
                row_ids=self._read_row_ids(runs),
                must_pair=bool(named),
                kept=KeptResults(self.settings.home_folder / "tables" / "results.db"),
                # A search finds runs by what people call them, too.
                choose=choose or (lambda found: _choose_shown(replace(found, names=names), arrangement, most)),
                metrics=partial(find_metrics, self.settings.project, metrics) if metrics else None,
            )
        return replace(
            compared,
            notebooks=tuple(sorted({run.notebook for run in runs})),
            seen=seen,
            elsewhere=len(elsewhere),
            others=others,
            overwritten=tuple(find_overwritten(runs)),
            names=names,
            reference_parameters=other.parameters if other else {},
        )

    def draw_runs(self, run_ids: Sequence[str], *, policy: str | None = None) -> list[Picture]:
        """Return pictures of up to six runs of one holdout, side by side: curves, calibration, slices, metrics by step.

        Raises UsageError for more of them, for none, and for runs on several holdouts.
        """
        from workbench.comparisons.picturing import draw_runs
        from workbench.runs.keeping import read_recorded_slices

        runs = list({run.id: run for run in map(self.show, run_ids)}.values())
        return draw_runs(
            runs,
            policy=self.read_policy(policy)[0],
            read=lambda run: read_recorded_slices(run, self.settings.runs_folder / run.id),
            read_points=lambda run: self.read_points(run.id),
        )

    def diff(self, a: str, b: str, *, policy: str | None = None) -> RunDifference:
        """Return how run `b` differs from run `a`: data, scores, parameters, code and outputs, the most consequential first.

        What is missing on a side is said, and no error. Raises NotFound for what names no run, UsageError for one run twice.
        """
        from workbench.comparisons.difference.diffing import diff_runs

        rules = self.read_policy(policy)[0]
        return diff_runs(self, self.show(a), self.show(b), rules)

    def _runs_on_newest_holdout(
        self, known: Sequence[Run], notebook: str | None, where: str | None
    ) -> tuple[list[Run], Sequence[Run]]:
        """Return the finished runs on the holdout of the newest, and those on others; a replay is the same try once more."""
        from workbench.comparisons.holdouts import holdout_digest, runs_on_holdout_of
        from workbench.comparisons.nothing_compared import refuse_all

        chosen = self._choose(known, notebook, where)
        finished = (run for run in chosen if run.is_finished and holdout_digest(run))
        runs = [run for run in finished if "replay_of" not in run.provenance]
        if not runs:
            others = {run.notebook for run in known} if notebook and not chosen and not where else ()
            raise refuse_all(chosen, notebook, others, where)
        alike = runs_on_holdout_of(runs[0], runs)
        return alike, [run for run in runs if holdout_digest(run) != holdout_digest(runs[0])]

    def _choose(self, known: Sequence[Run], notebook: str | None, where: str | None) -> list[Run]:
        """Return the runs of a notebook of which a condition is true; those that were put aside only where it speaks of that."""
        from workbench.runs.table.question import Question

        if where is None:
            return [
                run for run in known if run.annotations.archived is None and (not notebook or run.notebook == notebook)
            ]
        chosen = {*self.open_table().ask(Question(where=where, notebook=notebook or "")).table.ids}
        return [run for run in known if run.id in chosen]

    def _read_row_ids(self, runs: Sequence[Run]) -> tuple[str, ...] | None:
        """Return which rows the holdout of these runs has, as one of the newest that still keeps it says."""
        from workbench.runs.keeping import read_row_ids

        newest = self.store.list_runs_by_id([run.id for run in runs[:_MOST_ASKED_FOR_ROWS]])
        read = (read_row_ids(run, self.settings.runs_folder / run.id) for run in newest)
        return next((row_ids for row_ids in read if row_ids is not None), None)

"""Gathering: what all comparisons of a project have in common is read once: its attempts, every look, the policy, the plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from workbench.comparisons.arrangement import MOST_MEASURED, Arrangement, arrange_runs
from workbench.comparisons.comparison import RunComparison
from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.looking import choose_looks, choose_splits, list_looks
from workbench.comparisons.measuring import Choose
from workbench.comparisons.other_splits import OtherSplits
from workbench.comparisons.remembering import KeptResults
from workbench.comparisons.screening import compare_alike
from workbench.comparisons.tries import find_other_rules
from workbench.models.predictions import Predictions
from workbench.policies.policy import Policy
from workbench.policies.registering import find_metrics
from workbench.runs.keeping import read_recorded, read_recorded_slices, read_row_ids
from workbench.runs.looks import Look, name_distinct
from workbench.runs.project import Project
from workbench.runs.run import Run
from workbench.runs.table.recalling import recall_attempts
from workbench.runs.written_files import find_overwritten

if TYPE_CHECKING:
    from workbench.stats.metrics import Metric

_MOST_ASKED_FOR_ROWS = 20


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see of a comparison: how it is arranged, how many are measured, by which metrics (names).

    Runs that share all parameters but some (`all_but`) are one row; `within` names a slice as `size=small`. Instead of the first
    `most` those are measured that are chosen (`choose`).
    """

    arrangement: Arrangement
    most: int
    metrics: Sequence[str] = ()
    all_but: Sequence[str] = ()
    within: str = ""
    choose: Choose | None = None


class Gathered:
    """A project as it is now, of which runs are compared."""

    def __init__(self, project: Project, policy: Policy) -> None:
        self._project, self._policy = project, policy
        recalled = recall_attempts(project)
        self.runs: Sequence[Run] = recalled.runs
        self.kept = KeptResults(project.settings.home_folder / "tables" / "results.db")
        self._every = list_looks(project, recalled.attempts)
        self._plans = project.store.inspect_ledger()[0]
        # Found once: the rows of many other holdouts are read for them.
        self._looks: dict[str | None, list[Look]] = {}
        self._splits: dict[str, OtherSplits] = {}

    def find_looks(self, run: Run) -> list[Look]:
        """Return the looks at the holdout of a run, also those that had other columns of the same rows."""
        digest = holdout_digest(run)
        if digest not in self._looks:
            self._looks[digest] = choose_looks(run, self._every, self.kept)
        return self._looks[digest]

    def find_splits(self, run: Run, looks: Sequence[Look]) -> OtherSplits:
        """Return the looks at other splits of the same data."""
        if run.id not in self._splits:
            self._splits[run.id] = choose_splits(self._project.settings, run, looks, self._every)
        return self._splits[run.id]

    def read(self, run: Run) -> Predictions:
        """Read what a run predicted; what was recalled of it does not say by which digests its holdout is known."""
        return read_recorded(self._project.store.find_run(run.id), self._project.settings.runs_folder / run.id)

    def _read_slices(self, run: Run) -> Mapping[str, Sequence[str]]:
        """Read which slices a run named, with the value of each row."""
        folder = self._project.settings.runs_folder / run.id
        return read_recorded_slices(self._project.store.find_run(run.id), folder)[1]

    def find_metric(self, name: str) -> Metric:
        """Return a metric of the project by its name."""
        return find_metrics(self._project.settings.project, [name])[0]

    def compare(self, runs: Sequence[Run], against: Run | None, asked: Asked, *, must_pair: bool) -> RunComparison:
        """Compare runs on one holdout with a run (None: a constant prediction); see `compare_alike`."""
        looks = self.find_looks(runs[0])
        splits = self.find_splits(runs[0], looks)
        policies = find_other_rules(self._policy.digest, self._plans, looks)
        names = {run.id: run.annotations.name for run in (*runs, *filter(None, [against])) if run.annotations.name}
        seen = (*name_distinct([*looks, *splits.anew]), *(f"policy {each}" for each in policies))
        compared = compare_alike(
            runs,
            against=against,
            policy=self._policy,
            tried=len(seen),
            other_rules=len(policies),
            other_splits=splits.count_more(looks),
            read=self.read,
            row_ids=self._read_row_ids(runs),
            must_pair=must_pair,
            kept=self.kept,
            # A search finds runs by what people call them, too.
            choose=asked.choose or (lambda found: choose_shown(asked, replace(found, names=names))),
            metrics=partial(find_metrics, self._project.settings.project, asked.metrics) if asked.metrics else None,
            same=frozenset(look.digest for look in looks),
            all_but=asked.all_but,
            within=asked.within,
            read_slices=self._read_slices,
        )
        return replace(
            compared,
            notebooks=tuple(sorted({run.notebook for run in runs})),
            seen=seen,
            overwritten=tuple(find_overwritten(runs)),
            names=names,
            reference_parameters=against.parameters if against else {},
        )

    def _read_row_ids(self, runs: Sequence[Run]) -> tuple[str, ...] | None:
        """Return which rows the holdout of these runs has, as one of the newest that still keeps it says."""
        newest = self._project.store.list_runs_by_id([run.id for run in runs[:_MOST_ASKED_FOR_ROWS]])
        read = (read_row_ids(run, self._project.settings.runs_folder / run.id) for run in newest)
        return next((row_ids for row_ids in read if row_ids is not None), None)


def choose_shown(asked: Asked, found: RunComparison) -> list[str]:
    """Return which runs are measured: the best one, those that are shown, and as many as are sorted by what is measured."""
    shown = arrange_runs(found, asked.arrangement)[: asked.most]
    # What is sorted by an advantage has to have one.
    first = found.runs[: max(asked.most, MOST_MEASURED)] if asked.arrangement.is_by_advantage else ()
    return list(dict.fromkeys(run.run_id for run in (found.best, *first, *shown)))


def split_by_holdout(runs: Sequence[Run], same: frozenset[str | None]) -> tuple[list[Run], list[list[Run]]]:
    """Return the runs on one holdout, by all digests it is known under, and the others, each holdout's, the newest first."""
    groups: dict[str | None, list[Run]] = {}
    for run in runs:
        groups.setdefault(holdout_digest(run), []).append(run)
    here = [run for run in runs if holdout_digest(run) in same]
    return here, [group for digest, group in groups.items() if digest not in same]

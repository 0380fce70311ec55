"""Measuring: rows of a comparison are ranked by what is known of each; of those that are looked at the intervals are computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist, fmean
from typing import TYPE_CHECKING

from workbench.comparisons.candidates import CandidateRow, find_stored
from workbench.comparisons.comparing import (
    ALPHA,
    Reference,
    find_margin,
    measure_advantages,
    measure_value,
    rank_run,
)
from workbench.comparisons.comparison import MOST_TOGETHER, ComparedRun, RunComparison
from workbench.comparisons.cross_checks import CrossCheck, cross_check
from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.needed_rows import NeededRows, find_needed_rows
from workbench.comparisons.parts import HoldoutPart
from workbench.comparisons.remembering import KeptResults, spell_asked
from workbench.comparisons.verdict import Verdict, corrected_level, decide_verdict
from workbench.comparisons.worth_confirming import find_worth_confirming
from workbench.errors import UsageError
from workbench.models.predictions import HOW_TO_STORE, Predictions
from workbench.models.scorecard import Scorecard
from workbench.policies.policy import Policy
from workbench.runs.kept_run import Read
from workbench.runs.run import Run
from workbench.stats.units import Units

if TYPE_CHECKING:
    from workbench.stats.interval import Interval
    from workbench.stats.metrics import Metric

# Which of the compared rows are looked at, by id: their intervals are computed.
Choose = Callable[[RunComparison], Iterable[str]]
# Of so few tries each that is found better leaves more to the others (Holm).
MOST_STEPS = 5


@dataclass(frozen=True)
class HeldAgainst:
    """What runs are held against, under what its predictions are known, and those of all whose mean it is."""

    reference: Reference
    stored: str
    members: Sequence[Predictions]


@dataclass(frozen=True)
class Screened:
    """What is known before anything is measured: the scorecard of each run by its id, how it is read, what was computed before."""

    cards: Mapping[str, Scorecard]
    read: Read
    kept: KeptResults | None
    unpaired: list[str]


class Measured:
    """Rows of a comparison by one metric; `unpaired` of `scored` grows by those that cannot be read any more."""

    def __init__(
        self,
        scored: Screened,
        rows: Sequence[CandidateRow],
        part: HoldoutPart,
        against: HeldAgainst,
        metric: Metric,
        policy: Policy,
        common: RunComparison,
        units: Units | None,
    ) -> None:
        self._scored, self._part, self._against, self._metric = scored, part, against, metric
        self._units = None if units is None else part.take_units(units)
        self._tries = common.tried * common.metrics
        self._level = corrected_level(ALPHA, self._tries)
        self._rows = {row.id: row for row in rows}
        theirs = against.reference.predictions
        value = fmean(measure_value(each, metric) for each in against.members)
        margin = find_margin(metric, policy, theirs.task, value)
        self._common = replace(
            common, metric=metric.name, direction=metric.direction, margin=margin, reference_value=value
        )
        self._crowded = 0
        values = self._list_values()
        self._found = {
            row.id: ComparedRun(row.id, row.parameters, mean, None, None)
            for row in rows
            if (mean := _find_mean(values, row)) is not None
        }

    def compare(self) -> RunComparison:
        """Return the comparison as it is known now."""
        return replace(
            self._common,
            runs=tuple(sorted(self._found.values(), key=lambda run: rank_run(run, self._metric.sign))),
            left_out=len(self._scored.unpaired),
            unpaired=tuple(self._scored.unpaired),
            crowded=self._crowded,
        )

    def measure_chosen(self, choose: Choose) -> None:
        """Measure those that are looked at, and those that take the place of one that stands elsewhere then, or cannot be read."""
        while True:
            if not self._found:
                why = sorted(self._scored.unpaired)
                raise UsageError("No run on this holdout can be compared.", why=why, next_step=HOW_TO_STORE)
            if not self.measure_those(choose(self.compare())):
                return

    def measure_those(self, row_ids: Iterable[str]) -> bool:
        """Measure rows; False where all of them were."""
        wanted = [row_id for row_id in row_ids if row_id in self._found and self._found[row_id].verdict is None]
        self._measure(wanted, self._level)
        return bool(wanted)

    def conclude(self) -> RunComparison:
        """Return the comparison with what few tries leave to each other, what other tests say, and what is worth confirming."""
        self._step_down()
        found = self.compare()
        worth = find_worth_confirming(found.runs, self._tries)
        members = {row_id: tuple(run.id for run in self._rows[row_id].members) for row_id in found.members}
        check = self._cross_check(found.best)
        needed = {run.run_id: each for run in found.runs if (each := self._find_needed(run))}
        return replace(found, cross_check=check, worth_confirming=worth, members=members, needed=needed)

    def _find_needed(self, run: ComparedRun) -> NeededRows | None:
        if run.advantage is None or run.verdict is not Verdict.INCONCLUSIVE:
            return None
        return find_needed_rows(run.advantage, self._common.rows, self._common.units, self._common.margin)

    # Values

    def _list_values(self) -> dict[str, float]:
        """Return the value of each run; those that a metric of the project's own is not defined on are left out, with why."""
        runs = [run for row in self._rows.values() for run in row.members]
        if self._metric.code is None and self._part.places is None:
            return {run.id: self._scored.cards[run.id].values.get(self._metric.name, math.nan) for run in runs}
        asked = {run.id: spell_asked(str(find_stored(run)), "", self._spell_metric(run), 0) for run in runs}
        kept, fresh = self._scored.kept, dict[str, float]()
        known = kept.find_values(asked.values()) if kept else {}
        for run in runs:
            if asked[run.id] not in known and (predictions := self._read(run)):
                known[asked[run.id]] = fresh[asked[run.id]] = measure_value(predictions, self._metric)
        if kept:
            kept.keep_values(fresh)
        return {run_id: known[key] for run_id, key in asked.items() if key in known}

    def _spell_metric(self, run: Run) -> list[str | None]:
        own = str(holdout_digest(run)) if self._metric.code else None
        return [*self._metric.told, own, self._part.digest]

    def _read(self, run: Run) -> Predictions | None:
        """Return what a run predicted; None, and it is left out with why, where that cannot be read any more."""
        try:
            predictions = self._part.take(self._scored.read(run))
            predictions.read_by(self._metric)  # one's own may not be defined on it
        except UsageError as exc:
            said = say_of(run, exc)
            if said not in self._scored.unpaired:  # by another metric it may have been left out already
                self._scored.unpaired.append(said)
            return None
        return predictions

    # Intervals

    def _measure(self, row_ids: Sequence[str], level: float) -> None:
        others = len(self._against.members)
        few = [each for each in row_ids if max(len(self._rows[each].members), others) <= MOST_TOGETHER]
        for row_id in {*row_ids} - {*few}:
            self._crowded += 1
            self._settle(row_id, self._found[row_id].value, None)
        asked = {row_id: self._spell_asked(self._rows[row_id], level) for row_id in few}
        kept = self._scored.kept
        known = kept.find_intervals(asked.values()) if kept else {}
        for row_id, key in asked.items():
            if key in known:
                self._settle(row_id, self._found[row_id].value, known[key])
        counts = {row_id: len(self._rows[row_id].members) for row_id in asked}
        read = {row_id: self._read_row(row_id) for row_id, key in asked.items() if key not in known}
        ours = {row_id: members for row_id, members in read.items() if members}
        if not ours:
            return
        theirs = self._against.members
        found = measure_advantages([*ours.values()], theirs, self._metric, level=level, units=self._units)
        for (row_id, members), advantage in zip(ours.items(), found, strict=True):
            self._settle(row_id, fmean(measure_value(each, self._metric) for each in members), advantage)
        if kept:
            is_whole = {row_id: len(members) == counts[row_id] for row_id, members in ours.items()}
            kept.keep_intervals(
                {asked[row_id]: each for row_id, each in zip(ours, found, strict=True) if is_whole[row_id]}
            )

    def _read_row(self, row_id: str) -> list[Predictions]:
        """Return what the members of a row predicted, as far as they can be read; a row of which none can goes."""
        read = {run.id: self._read(run) for run in self._rows[row_id].members}
        found = [each for each in read.values() if each is not None]
        if not found:
            self._found.pop(row_id)
        else:  # of the others is said why they are left out
            row = self._rows[row_id]
            self._rows[row_id] = replace(row, members=tuple(run for run in row.members if read[run.id] is not None))
        return found

    def _spell_asked(self, row: CandidateRow, level: float) -> str:
        stored = " ".join(sorted(str(find_stored(run)) for run in row.members))
        drawn_by = "" if self._units is None else self._units.spell()
        return spell_asked(stored, self._against.stored, self._spell_metric(row.members[-1]), level, drawn_by)

    def _settle(self, row_id: str, value: float, advantage: Interval | None) -> None:
        verdict = decide_verdict(advantage, self._common.margin)
        self._found[row_id] = replace(self._found[row_id], value=value, advantage=advantage, verdict=verdict)

    def _step_down(self) -> None:
        """Judge few tries one after the other: where one is better, the bounds of the next are corrected for one try less.

        Holm 1979; it holds in whichever order, for of the true ones that are found first as many tries are left as there are.
        """
        if not 1 < self._tries <= MOST_STEPS or any(run.verdict is None for run in self._found.values()):
            return
        order = sorted((run for run in self._found.values() if run.advantage), key=_find_deviate, reverse=True)
        for step, run in enumerate(order):
            if step:  # the first was measured at that level
                self._measure([run.run_id], corrected_level(ALPHA, self._tries - step))
            if self._found.get(run.run_id, run).verdict is not Verdict.BETTER:
                left = [other.run_id for other in order[step + 1 :]] if step else []
                self._measure(left, corrected_level(ALPHA, self._tries - step))
                return

    # What else is said

    def _cross_check(self, best: ComparedRun) -> CrossCheck | None:
        members = self._rows[best.run_id].members
        if len(members) > 1 or len(self._against.members) > 1 or self._units is not None or best.advantage is None:
            return None
        try:
            ours = self._part.take(self._scored.read(members[0]))
        except UsageError:  # it was measured before its file went
            return None
        theirs = self._against.reference.predictions
        return cross_check(ours, theirs, self._metric.name, best.advantage, self._common.margin)


def say_of(run: Run, exc: UsageError) -> str:
    """Say what is wrong in one line that names the run."""
    return exc.in_one_line if run.id in exc.what else f"Run {run.id}: {exc.in_one_line}"


def _find_mean(values: Mapping[str, float], row: CandidateRow) -> float | None:
    known = [values[run.id] for run in row.members if run.id in values]
    return fmean(known) if known else None


def _find_deviate(run: ComparedRun) -> float:
    """Return how many standard errors an advantage is, by what half its interval stands for."""
    assert run.advantage is not None
    half = (run.advantage.high - run.advantage.low) / 2
    if not half > 0:
        return math.copysign(math.inf, run.advantage.estimate) if run.advantage.estimate else 0.0
    return run.advantage.estimate / half * NormalDist().inv_cdf(run.advantage.level)

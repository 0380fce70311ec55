"""Screening: thousands of runs are ranked by their metric alone, and of those that are looked at the intervals are computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from workbench.comparisons.comparing import (
    ALPHA,
    CONSTANT,
    Reference,
    constant_reference,
    find_difference,
    find_margin,
    find_strange_rows,
    measure_advantages,
    measure_value,
    rank_run,
    require_one_holdout,
    require_pair,
)
from workbench.comparisons.comparison import ComparedRun, RunComparison, name_run
from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.remembering import KeptResults, spell_asked
from workbench.comparisons.verdict import corrected_level, decide_verdict
from workbench.errors import UsageError
from workbench.models.predictions import HOW_TO_STORE, Predictions
from workbench.models.scorecard import Scorecard, measure_scorecard, parse_scorecard
from workbench.policies.policy import Policy
from workbench.runs.folder import PREDICTIONS
from workbench.runs.kept_run import Read
from workbench.runs.run import Run
from workbench.stats.task import Task
from workbench.stats.units import Units, rank_units

if TYPE_CHECKING:
    from workbench.stats.interval import Interval
    from workbench.stats.metrics import Metric

# Which of the compared runs are looked at, by id: their intervals are computed.
Choose = Callable[[RunComparison], Iterable[str]]
# By which metrics runs of a task are compared; none: by the policy's.
ChooseMetrics = Callable[[Task], Sequence["Metric"]]


def look_at_all(comparison: RunComparison) -> list[str]:
    """Choose every run."""
    return [run.run_id for run in comparison.runs]


@dataclass(frozen=True)
class Candidate:
    """A run that stored predictions, and what these come to."""

    run: Run
    card: Scorecard

    def pairs_with(self, other: Candidate) -> bool:
        """True where both can be compared row by row; classes that nobody named are taken for the other's."""
        mine, theirs = self.card, other.card
        return mine.pairing == theirs.pairing and (
            mine.classes == theirs.classes or not (mine.classes and theirs.classes)
        )


def compare_alike(
    runs: Sequence[Run],
    *,
    against: Run | None,
    policy: Policy,
    tried: int,
    read: Read,
    row_ids: Sequence[str] | None,
    other_rules: int = 0,
    other_splits: int = 0,
    must_pair: bool = False,
    kept: KeptResults | None = None,
    choose: Choose = look_at_all,
    metrics: ChooseMetrics | None = None,
    same: Collection[str] = (),
) -> RunComparison:
    """Compare those of the runs on one holdout that can be paired: on each of its rows (`row_ids`, None: nobody knows them).

    It is the largest group with one truth (among equal ones that of the oldest run), or the one that pairs with the run they are
    held against; the others are left out, each with why. All are ranked by the metric that their predictions were found to have
    when the run ended; `choose` says of which the predictions are read and the interval is computed, which `kept` remembers.
    By default the policy's metric for the task is it; of several `metrics` the first, and the others are `beside` it: who looks at
    several has as many chances, so each level is corrected for them, too. Raises UsageError where no run is left, and where they
    `must_pair` and one would be.
    """
    require_one_holdout([*runs, against] if against else runs, same)
    screen = _Screen(read, kept, row_ids)
    other = screen.find_candidate(against) if against else None
    chosen = screen.select_alike(runs, other)
    if screen.unpaired and must_pair:
        raise UsageError(
            "These runs cannot be compared row by row.", why=sorted(screen.unpaired), next_step=HOW_TO_STORE
        )
    first = screen.read_one_of(chosen)
    asked = list(metrics(first.task)) if metrics else []
    judged = asked or [policy.rule_of(first.task).metric]
    reference = _find_reference(other, first, read)
    require_pair(chosen[0].run.id, first, reference[0])
    units = screen.find_units([*chosen, *([other] if other else [])])
    common = RunComparison(
        metric="",
        direction="higher",
        margin=0,
        holdout_digest=str(holdout_digest(runs[0])),
        rows=len(first.rows),
        reference=reference[0].name,
        reference_value=math.nan,
        tried=tried,
        other_rules=other_rules,
        other_splits=other_splits,
        runs=(),
        units=None if units is None else units.count(),
        metrics=len(judged),
    )
    main, *beside = [_Measured(screen, chosen, reference, metric, policy, common, units) for metric in judged]
    main.measure_chosen(choose)
    shown = [run.run_id for run in main.compare().runs if run.verdict is not None]
    for each in beside:
        each.measure_those(shown)
    return replace(main.compare(), beside=tuple(each.compare() for each in beside))


def _find_reference(other: Candidate | None, first: Predictions, read: Read) -> tuple[Reference, str]:
    """Return what runs are held against, and what it is kept under."""
    if other is None:
        return constant_reference(first), CONSTANT
    return Reference(name_run(other.run.id), read(other.run)), str(_stored(other.run))


def _stored(run: Run) -> str | None:
    stored: str | None = run.record.get("files", {}).get(PREDICTIONS)
    return stored


class _Screen:
    """What is found of runs, one after the other; `unpaired` says of each that is left out why."""

    def __init__(self, read: Read, kept: KeptResults | None, row_ids: Sequence[str] | None) -> None:
        self.read, self.kept, self.unpaired = read, kept, list[str]()
        self._row_ids = row_ids
        self._known: dict[str, Scorecard] = {}
        self._computed: dict[str, Scorecard] = {}

    def find_candidate(self, run: Run) -> Candidate:
        """Return a run with its scorecard: of its record, or computed before, or now; raises UsageError where it has none."""
        stored = _stored(run)
        card = parse_scorecard(run.record.get("scores")) or self._known.get(stored or "")
        if stored is None or card is None:
            card = measure_scorecard(self.read(run))
            self._known[str(stored)] = self._computed[str(stored)] = card
        return Candidate(run, card)

    def select_alike(self, runs: Sequence[Run], reference: Candidate | None) -> list[Candidate]:
        """Return the runs that can be paired, the oldest first, and note of the others why each cannot."""
        unknown = [stored for run in runs if "scores" not in run.record and (stored := _stored(run))]
        self._known |= self.kept.find_scorecards(unknown) if self.kept and unknown else {}
        groups = self._drop_strange(_group(self._find_candidates(runs)))
        if self.kept:
            self.kept.keep_scorecards(self._computed)
        if not groups:
            raise UsageError(
                "No run on this holdout can be compared.", why=sorted(self.unpaired), next_step=HOW_TO_STORE
            )
        chosen = max(groups, key=lambda group: (bool(reference and group[0].pairs_with(reference)), len(group)))
        for group in groups:
            if group is not chosen:
                self._say_unlike(group, chosen)
        return chosen

    def _find_candidates(self, runs: Sequence[Run]) -> Iterable[Candidate]:
        for run in reversed(runs):
            try:
                yield self.find_candidate(run)
            except UsageError as exc:
                self.unpaired.append(exc.in_one_line)

    def _drop_strange(self, groups: list[list[Candidate]]) -> list[list[Candidate]]:
        """Return the groups that are on each of the holdout's rows: all runs of one are on the same."""
        return [group for group in groups if not self._is_strange(group)]

    def _is_strange(self, group: list[Candidate]) -> bool:
        try:
            predictions = self.read_one_of(group)
        except UsageError:
            return True
        strange = find_strange_rows(predictions, self._row_ids, (group[0].run.holdout or {})["rows"])
        if strange:
            self.unpaired += [
                f"Run {each.run.id} was not scored on just the holdout's rows. {strange}" for each in group
            ]
        return strange is not None

    def _say_unlike(self, group: list[Candidate], chosen: list[Candidate]) -> None:
        difference = find_difference(self.read_one_of(group), self.read_one_of(chosen))
        said = f"cannot be paired with run {chosen[0].run.id}. {difference}"
        self.unpaired += [f"Run {each.run.id} {said}" for each in group]

    def find_units(self, candidates: Sequence[Candidate]) -> Units | None:
        """Return by what the rows of all are drawn: of the units that runs named the most careful ones that can be read."""
        named = {each.card.units for each in candidates} - {""}
        for spelled in sorted(named, key=rank_units):
            for each in candidates:
                if each.card.units == spelled and (units := self._read_units(each)) is not None:
                    return units
        return None

    def _read_units(self, candidate: Candidate) -> Units | None:
        try:
            return self.read(candidate.run).units
        except UsageError:  # it is left out, with why, where its predictions are needed
            return None

    def read_one_of(self, group: list[Candidate]) -> Predictions:
        """Return the predictions of the first run of a group that can be read; those before it go, each with why."""
        while True:
            try:
                return self.read(group[0].run)
            except UsageError as exc:
                self.unpaired.append(exc.in_one_line)
                del group[0]
                if not group:
                    raise


def _group(candidates: Iterable[Candidate]) -> list[list[Candidate]]:
    groups: list[list[Candidate]] = []
    by_pairing: dict[str, list[list[Candidate]]] = {}
    for each in candidates:
        alike = by_pairing.setdefault(each.card.pairing, [])
        group = next((group for group in alike if group[0].pairs_with(each)), None)
        if group is None:
            groups.append(group := [])
            alike.append(group)
        group.append(each)
    return groups


class _Measured:
    """Candidates that are ranked by one metric; of those that were looked at the interval is known."""

    def __init__(
        self,
        screen: _Screen,
        chosen: Sequence[Candidate],
        reference: tuple[Reference, str],
        metric: Metric,
        policy: Policy,
        common: RunComparison,
        units: Units | None,
    ) -> None:
        self._screen, self._metric, self._units = screen, metric, units
        self._drawn_by = "" if units is None else units.spell()
        self._reference, self._kept_under = reference
        self._level = corrected_level(ALPHA, common.tried * common.metrics)
        self._runs = {each.run.id: each.run for each in chosen}
        value = measure_value(self._reference.predictions, metric)
        margin = find_margin(metric, policy, self._reference.predictions.task, value)
        self._common = replace(
            common, metric=metric.name, direction=metric.direction, margin=margin, reference_value=value
        )
        self._found: dict[str, ComparedRun] = {}
        self._found = {run_id: self._rank_only(run_id, value) for run_id, value in self._list_values(chosen).items()}

    def compare(self) -> RunComparison:
        """Return the comparison as it is known now."""
        return replace(
            self._common,
            runs=tuple(sorted(self._found.values(), key=lambda run: rank_run(run, self._metric.sign))),
            left_out=len(self._screen.unpaired),
            unpaired=tuple(self._screen.unpaired),
        )

    def measure_chosen(self, choose: Choose) -> None:
        """Measure those that are looked at, and those that take the place of one that stands elsewhere then, or cannot be read."""
        while True:
            if not self._found:
                why = sorted(self._screen.unpaired)
                raise UsageError("No run on this holdout can be compared.", why=why, next_step=HOW_TO_STORE)
            if not self.measure_those(choose(self.compare())):
                return

    def measure_those(self, run_ids: Iterable[str]) -> bool:
        """Measure runs; False where all of them were."""
        wanted = [run_id for run_id in run_ids if run_id in self._found and self._found[run_id].verdict is None]
        self._measure(wanted)
        return bool(wanted)

    def _rank_only(self, run_id: str, value: float) -> ComparedRun:
        return ComparedRun(run_id, self._runs[run_id].parameters, value, None, None)

    def _list_values(self, chosen: Sequence[Candidate]) -> dict[str, float]:
        if self._metric.code is not None:
            return self._measure_by_own()
        return {each.run.id: each.card.values.get(self._metric.name, math.nan) for each in chosen}

    def _measure(self, run_ids: Sequence[str]) -> None:
        asked = {run_id: self._spell_asked(run_id) for run_id in run_ids}
        kept = self._screen.kept
        known = kept.find_intervals(asked.values()) if kept else {}
        for run_id, key in asked.items():
            if key in known:
                self._settle(run_id, self._found[run_id].value, known[key])
        read = {run_id: self._read(run_id) for run_id, key in asked.items() if key not in known}
        ours = {run_id: each for run_id, each in read.items() if each is not None}
        if not ours:
            return
        theirs, level = self._reference.predictions, self._level
        found = measure_advantages([*ours.values()], theirs, self._metric, level=level, units=self._units)
        for (run_id, each), advantage in zip(ours.items(), found, strict=True):
            self._settle(run_id, measure_value(each, self._metric), advantage)
        if kept:
            kept.keep_intervals({asked[run_id]: each for run_id, each in zip(ours, found, strict=True)})

    def _spell_asked(self, run_id: str, *, is_value: bool = False) -> str:
        stored, metric = str(_stored(self._runs[run_id])), self._metric
        judged = [metric.name, metric.code, str(holdout_digest(self._runs[run_id])) if metric.code else None]
        if is_value:
            return spell_asked(stored, "", judged, 0)
        return spell_asked(stored, self._kept_under, judged, self._level, self._drawn_by)

    def _settle(self, run_id: str, value: float, advantage: Interval | None) -> None:
        verdict = decide_verdict(advantage, self._common.margin)
        self._found[run_id] = replace(self._found[run_id], value=value, advantage=advantage, verdict=verdict)

    def _read(self, run_id: str) -> Predictions | None:
        """Return what a run predicted; None, and it is left out with why, where that cannot be read any more."""
        try:
            predictions = self._screen.read(self._runs[run_id])
            predictions.read_by(self._metric)  # one's own may not be defined on it
        except UsageError as exc:
            self._screen.unpaired.append(exc.in_one_line if run_id in exc.what else f"Run {run_id}: {exc.in_one_line}")
            self._found.pop(run_id, None)
            return None
        return predictions

    def _measure_by_own(self) -> dict[str, float]:
        """Return the value of each run by a metric of the project's own, those that it is not defined on left out, with why."""
        asked = {run_id: self._spell_asked(run_id, is_value=True) for run_id in self._runs}
        known = self._screen.kept.find_values(asked.values()) if self._screen.kept else {}
        fresh: dict[str, float] = {}
        for run_id, key in asked.items():
            if key not in known and (predictions := self._read(run_id)):
                known[key] = fresh[key] = measure_value(predictions, self._metric)
        if self._screen.kept:
            self._screen.kept.keep_values(fresh)
        return {run_id: known[key] for run_id, key in asked.items() if key in known}

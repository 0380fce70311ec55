"""Screening: thousands of runs are ranked by their metric alone, and of those that are looked at the intervals are computed."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.comparisons.candidates import Candidate, find_stored, group_alike, split_rows
from workbench.comparisons.comparing import (
    CONSTANT,
    Reference,
    constant_reference,
    find_difference,
    find_strange_rows,
    require_one_holdout,
    require_pair,
)
from workbench.comparisons.comparison import RunComparison, name_run
from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.measuring import Choose, HeldAgainst, Measured, Screened, say_of
from workbench.comparisons.parts import WHOLE, HoldoutPart, ReadSlices, find_part, read_no_slices
from workbench.comparisons.remembering import KeptResults
from workbench.errors import UsageError
from workbench.models.predictions import HOW_TO_STORE, Predictions
from workbench.models.scorecard import Scorecard, measure_scorecard, parse_scorecard
from workbench.policies.policy import Policy
from workbench.runs.kept_run import Read
from workbench.runs.run import Run
from workbench.stats.task import Task
from workbench.stats.units import Units, rank_units

if TYPE_CHECKING:
    from workbench.stats.metrics import Metric

# By which metrics runs of a task are compared; none: by the policy's.
ChooseMetrics = Callable[[Task], Sequence["Metric"]]


def look_at_all(comparison: RunComparison) -> list[str]:
    """Choose every run."""
    return [run.run_id for run in comparison.runs]


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
    all_but: Collection[str] = (),
    within: str = "",
    read_slices: ReadSlices = read_no_slices,
) -> RunComparison:
    """Compare those of the runs on one holdout that can be paired: on each of its rows (`row_ids`, None: nobody knows them).

    It is the largest group with one truth (among equal ones that of the oldest run), or the one that pairs with the run they are
    held against; the others are left out, each with why. All are ranked by the metric that their predictions were found to have
    when the run ended; `choose` says of which the predictions are read and the interval is computed, which `kept` remembers.
    By default the policy's metric for the task is it; of several `metrics` the first, and the others are `beside` it: who looks at
    several has as many chances, so each level is corrected for them, too. Holdouts that are known for the `same` rows are one.
    With `all_but` runs that differ in these parameters alone are one row, judged by the mean of the metric; `within` a slice only
    its rows are scored. Raises UsageError where no run is left, and where they `must_pair` and one would be.
    """
    require_one_holdout([*runs, against] if against else runs, same)
    screen = Screen(read, kept, row_ids)
    other = screen.find_candidate(against) if against else None
    chosen = screen.select_alike(runs, other)
    if screen.unpaired and must_pair:
        raise UsageError(
            "These runs cannot be compared row by row.", why=sorted(screen.unpaired), next_step=HOW_TO_STORE
        )
    task = screen.read_one_of(chosen).task
    part = find_part([each.run for each in chosen], within, read_slices) if within else WHOLE
    asked = list(metrics(task)) if metrics else []
    judged = asked or [policy.rule_of(task).metric]
    first = screen.read_one_of(chosen, judged)
    units = screen.find_units([*chosen, *([other] if other else [])])
    rows, alike = split_rows([each.run for each in chosen], all_but, against)
    reference = _find_reference(alike, part.take(first), part, read)
    require_pair(chosen[0].run.id, part.take(first), reference.reference)
    if not rows:
        why = f"Apart from {', '.join(all_but)} all have the parameters of the reference."
        raise UsageError("There is nothing to compare.", why=why, next_step="Name another --reference, or none.")
    common = RunComparison(
        metric="",
        direction="higher",
        margin=0,
        holdout_digest=str(holdout_digest(runs[0])),
        rows=len(part.take(first).rows),
        reference=reference.reference.name,
        reference_value=math.nan,
        tried=tried,
        other_rules=other_rules,
        other_splits=other_splits,
        runs=(),
        units=None if units is None else part.take_units(units).count(),
        metrics=len(judged),
        within=part.name,
        all_but=tuple(all_but),
        members={row.id: tuple(run.id for run in row.members) for row in rows} if all_but else {},
    )
    screened = Screened({each.run.id: each.card for each in chosen}, read, kept, screen.unpaired)
    main, *beside = [Measured(screened, rows, part, reference, metric, policy, common, units) for metric in judged]
    main.measure_chosen(lambda found: choose(replace(found, beside=tuple(each.compare() for each in beside))))
    shown = [run.run_id for run in main.compare().runs if run.verdict is not None]
    for each in beside:
        each.measure_those(shown)
    return replace(main.conclude(), beside=tuple(each.conclude() for each in beside))


def _find_reference(alike: Sequence[Run], first: Predictions, part: HoldoutPart, read: Read) -> HeldAgainst:
    """Return what runs are held against: a run, the mean of several, or (none) a constant prediction of the very rows."""
    if not alike:
        constant = constant_reference(first)
        return HeldAgainst(constant, CONSTANT, (constant.predictions,))
    named = alike[0]
    found = [(named, part.take(read(named))), *_read_some(alike[1:], part, read)]
    mean = f"the mean of {len(found):,} runs such as {name_run(named.id)}"
    # Under what it is known are those that were read, and no others: what is remembered was computed of these.
    stored = " ".join(sorted(str(find_stored(run)) for run, _ in found))
    members = tuple(predictions for _, predictions in found)
    return HeldAgainst(Reference(name_run(named.id) if len(found) == 1 else mean, members[0]), stored, members)


def _read_some(runs: Sequence[Run], part: HoldoutPart, read: Read) -> Iterator[tuple[Run, Predictions]]:
    """Yield runs with what they predicted, as far as that can be read: who is held against was named, and not these."""
    for run in runs:
        with suppress(UsageError):
            yield run, part.take(read(run))


def _read_by(predictions: Predictions, metrics: Sequence[Metric]) -> Predictions:
    for metric in metrics:
        predictions.read_by(metric)
    return predictions


class Screen:
    """What is found of runs, one after the other; `unpaired` says of each that is left out why."""

    def __init__(self, read: Read, kept: KeptResults | None, row_ids: Sequence[str] | None) -> None:
        self.read, self.kept, self.unpaired = read, kept, list[str]()
        self._row_ids = row_ids
        self._known: dict[str, Scorecard] = {}
        self._computed: dict[str, Scorecard] = {}

    def find_candidate(self, run: Run) -> Candidate:
        """Return a run with its scorecard: of its record, or computed before, or now; raises UsageError where it has none."""
        stored = find_stored(run)
        card = parse_scorecard(run.record.get("scores")) or self._known.get(stored or "")
        if stored is None or card is None:
            card = measure_scorecard(self.read(run))
            self._known[str(stored)] = self._computed[str(stored)] = card
        return Candidate(run, card)

    def select_alike(self, runs: Sequence[Run], reference: Candidate | None) -> list[Candidate]:
        """Return the runs that can be paired, the oldest first, and note of the others why each cannot."""
        unknown = [stored for run in runs if "scores" not in run.record and (stored := find_stored(run))]
        self._known |= self.kept.find_scorecards(unknown) if self.kept and unknown else {}
        groups = self._drop_strange(group_alike(self._find_candidates(runs)))
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

    def read_one_of(self, group: list[Candidate], metrics: Sequence[Metric] = ()) -> Predictions:
        """Return the predictions of the first run of a group that can be read by these metrics; those before it go, each with why.

        One's own metric may ask for a column that older runs did not log.
        """
        while True:
            try:
                return _read_by(self.read(group[0].run), metrics)
            except UsageError as exc:
                self.unpaired.append(say_of(group[0].run, exc))
                del group[0]
                if not group:
                    raise

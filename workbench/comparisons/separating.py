"""Separating: runs on several holdouts are compared on each for itself, and on splits of the same data over all of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace

from workbench.comparisons.arrangement import AS_RANKED
from workbench.comparisons.comparing import constant_reference, measure_value, require_scored
from workbench.comparisons.comparison import RunComparison
from workbench.comparisons.elsewhere import OtherHoldout, describe_elsewhere, list_other_holdouts
from workbench.comparisons.families import Family, OnSplit, find_family, find_split_parameters, spell_set
from workbench.comparisons.gathering import Asked, Gathered, split_by_holdout
from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.nothing_compared import refuse_all
from workbench.errors import Refused, UsageError
from workbench.models.scorecard import parse_scorecard
from workbench.runs.run import Run

# Of so many other holdouts the runs are compared, too, and of each so many measured; of more splits no family is judged.
_MOST_OTHERS, _MOST_THERE, _MOST_SPLITS = 3, 5, 100


def compare_apart(
    gathered: Gathered,
    chosen: Sequence[Run],
    against: Run | None,
    asked: Asked,
    *,
    notebook: str | None,
    where: str | None,
) -> RunComparison:
    """Compare finished runs (the newest first) on the holdout of the reference, or of the newest, and those on others beside it.

    `notebook` and `where` are what they were chosen by. A replay is the same try once more, and left out. Raises Refused and
    UsageError where nothing can be compared.
    """
    finished = [run for run in chosen if run.is_finished and holdout_digest(run) and "replay_of" not in run.provenance]
    if not finished:
        known = {run.notebook for run in gathered.runs} if notebook and not chosen and not where else ()
        raise refuse_all(chosen, notebook, known, where)
    first = against if against is not None and holdout_digest(against) else finished[0]
    same = frozenset[str | None](look.digest for look in gathered.find_looks(first)) | {holdout_digest(first)}
    here, groups = split_by_holdout(finished, same)
    runs = [run for run in here if against is None or run.id != against.id]
    require_scored(runs)
    require_scored([against] if against else runs)
    elsewhere = [run for group in groups for run in group]
    others = list_other_holdouts([here[0], *elsewhere], notebook, where) if elsewhere else ()
    with _tell_elsewhere(len(elsewhere), others):
        found = gathered.compare(runs, against, asked, must_pair=False)
    there = _compare_others(gathered, groups, asked) if against is None else ()
    # What records say of runs is of all rows: within a slice no family is judged.
    family = _find_family(gathered, finished, found, first, against) if groups and not asked.within else None
    return replace(found, elsewhere=len(elsewhere), others=others, holdouts=there, family=family)


@contextmanager
def _tell_elsewhere(count: int, others: Sequence[OtherHoldout]) -> Iterator[None]:
    """Let who has nothing to compare on the newest holdout hear of the runs on others."""
    try:
        yield
    except UsageError as exc:
        if not others:
            raise
        why = [*exc.reasons, f"{describe_elsewhere(count, others)}."]
        raise UsageError(exc.what, why=why, next_step=f"{exc.next_step} Or see the others as said above.") from exc


def _compare_others(gathered: Gathered, groups: Sequence[Sequence[Run]], asked: Asked) -> tuple[RunComparison, ...]:
    """Return the comparisons of runs on other holdouts, the latest first, as far as there are any that can be compared."""
    there: list[RunComparison] = []
    less = replace(asked, arrangement=AS_RANKED, most=min(asked.most, _MOST_THERE))
    for group in groups:
        if len(there) == _MOST_OTHERS:
            break
        if any(run.record.get("predicted") for run in group):
            with suppress(UsageError, Refused):  # how many they are is said, and by which command they are compared
                there.append(gathered.compare(group, None, less, must_pair=False))
    return tuple(there)


def _find_family(
    gathered: Gathered, finished: Sequence[Run], found: RunComparison, first: Run, against: Run | None
) -> Family | None:
    """Return the family that runs on splits of the same data are; None where they are none."""
    splits = gathered.find_splits(first, gathered.find_looks(first))
    alike = {found.holdout_digest, *(look.digest for look in splits.anew)}
    on_splits = [each for run in finished if holdout_digest(run) in alike and (each := _place(run, found.metric))]
    if len({each.holdout for each in on_splits}) > _MOST_SPLITS or not (by := find_split_parameters(on_splits)):
        return None
    baseline = _score_reference(gathered, on_splits, found.metric, against, by)
    placed = {each.run_id for each in on_splits}
    counted = [rows for run in finished if run.id in placed and (rows := _count_rows(run))]
    if not counted:
        return None
    own = next((spell_set(run, by) for run in on_splits if against is not None and run.run_id == against.id), None)
    return find_family(
        [run for run in on_splits if spell_set(run, by) != own],
        baseline,
        reference=found.reference,
        metric=found.metric,
        direction=found.direction,
        margin=found.margin,
        # The more rows are tested beside those trained on, the less splits tell.
        rows=max(counted, key=lambda rows: rows[0] / rows[1]),
    )


def _place(run: Run, metric: str) -> OnSplit | None:
    card = parse_scorecard(run.record.get("scores"))
    value = card.values.get(metric) if card else None
    told = f"{run.notebook} {run.notebook_digest}"
    return None if value is None else OnSplit(run.id, run.parameters, str(holdout_digest(run)), value, told)


def _score_reference(
    gathered: Gathered, runs: Sequence[OnSplit], metric: str, against: Run | None, by: Sequence[str]
) -> dict[str, float]:
    """Return the value on each split of the set of parameters that the reference has, or of a constant prediction."""
    if against is not None:
        own = next((spell_set(run, by) for run in runs if run.run_id == against.id), None)
        return {run.holdout: run.value for run in reversed(runs) if spell_set(run, by) == own}
    values: dict[str, float] = {}
    known = {run.id: run for run in gathered.runs}
    for run in runs:
        if run.holdout not in values:
            with suppress(UsageError):
                constant = constant_reference(gathered.read(known[run.run_id])).predictions
                values[run.holdout] = measure_value(constant, gathered.find_metric(metric))
    return values


def _count_rows(run: Run) -> tuple[float, float] | None:
    """Return how many rows the holdout of a run has, and how many it was trained on; None where it logged none of these."""
    trained = sum(table["rows"] for table in run.record.get("datasets", ()) if table["role"] == "train")
    return (run.holdout["rows"], trained) if run.holdout and trained else None

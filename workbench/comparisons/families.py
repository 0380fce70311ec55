"""Families: parameter sets that were scored on several splits of the same data, held against each other over all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from workbench.comparisons.verdict import Verdict, corrected_level, decide_verdict
from workbench.records.digest import canonical_json
from workbench.stats.interval import Interval
from workbench.stats.nadeau_bengio import nadeau_bengio
from workbench.stats.task import Direction

_ALPHA = 0.05
FEWEST_SPLITS = 2
WHY_WEAK = "weak: splits of the same data share rows, and how much that narrows the spread can only be guessed"


@dataclass(frozen=True)
class OnSplit:
    """A run on one of several splits: its parameters, the digest of its holdout, its value, the notebook as it was."""

    run_id: str
    parameters: Mapping[str, Any]
    holdout: str
    value: float
    notebook: str = ""


@dataclass(frozen=True)
class FamilyRow:
    """One set of parameters over the splits it was scored on: the mean value, and its advantage where that can be judged."""

    parameters: Mapping[str, Any]
    runs: tuple[str, ...]
    value: float
    advantage: Interval | None
    verdict: Verdict


@dataclass(frozen=True)
class Family:
    """Sets of parameters over splits of the same data, which `by` decides, the best mean first; the evidence is weak.

    Advantages are over the `reference` on each split, judged by the corrected resampled t test (Nadeau and Bengio 2003).
    """

    metric: str
    direction: Direction
    reference: str
    by: tuple[str, ...]
    splits: int
    rows: tuple[FamilyRow, ...]


def find_split_parameters(runs: Sequence[OnSplit]) -> tuple[str, ...]:
    """Return the parameter that decides the split: each value is of one holdout, and each holdout of one value.

    None where several move with it: nobody can tell what of a difference is the split's.
    """
    names = dict.fromkeys(name for run in runs for name in run.parameters)
    found = tuple(name for name in names if _decides_split(name, runs))
    return found if len(found) == 1 else ()


def _decides_split(name: str, runs: Sequence[OnSplit]) -> bool:
    pairs = {(_spell(run.parameters.get(name)), run.holdout) for run in runs}
    return len(pairs) == len({value for value, _ in pairs}) == len({holdout for _, holdout in pairs}) > 1


def spell_set(run: OnSplit, by: Sequence[str]) -> bytes:
    """Return what tells one set from another: what its notebook held, and the parameters that do not decide the split."""
    shared = {name: value for name, value in run.parameters.items() if name not in by}
    return _spell([run.notebook, shared])


def _spell(value: Any) -> bytes:
    try:
        return canonical_json(value)
    except ValueError:
        return repr(value).encode()


def find_family(
    runs: Sequence[OnSplit],
    baseline: Mapping[str, float],
    *,
    reference: str,
    metric: str,
    direction: Direction,
    margin: float,
    rows: tuple[float, float],
) -> Family | None:
    """Return the family of runs (the newest first) on several splits; None where no parameter decides the split.

    `baseline` has the value of the `reference` on each holdout; `rows` are those of a holdout and those it was trained on.
    Of several runs of one set on one split the newest counts; sets on one split alone are left out.
    """
    by = find_split_parameters(runs)
    if not by:
        return None
    sets: dict[bytes, dict[str, OnSplit]] = {}
    for run in runs:
        if math.isfinite(run.value) and math.isfinite(baseline.get(run.holdout, math.nan)):
            sets.setdefault(spell_set(run, by), {}).setdefault(run.holdout, run)
    several = [each for each in sets.values() if len(each) >= FEWEST_SPLITS]
    if not several:
        return None
    sign, level = 1 if direction == "higher" else -1, corrected_level(_ALPHA, len(several))
    found = [_judge([*each.values()], baseline, by, sign, margin, rows, level) for each in several]
    splits = len({holdout for each in several for holdout in each})
    return Family(metric, direction, reference, by, splits, tuple(sorted(found, key=lambda row: -sign * row.value)))


def _judge(
    runs: Sequence[OnSplit],
    baseline: Mapping[str, float],
    by: Sequence[str],
    sign: int,
    margin: float,
    rows: tuple[float, float],
    level: float,
) -> FamilyRow:
    differences = [sign * (run.value - baseline[run.holdout]) for run in runs]
    test = nadeau_bengio(differences, test_rows=rows[0], train_rows=rows[1], level=level)
    advantage = test.interval if test else None
    shared = {name: value for name, value in runs[0].parameters.items() if name not in by}
    return FamilyRow(
        parameters=shared,
        runs=tuple(run.run_id for run in runs),
        value=fmean(run.value for run in runs),
        advantage=advantage,
        verdict=decide_verdict(advantage, margin),
    )


def describe_family(family: Family) -> str:
    """Say what the family is, and how runs are made that need none."""
    by = " and ".join(family.by)
    return (
        f"These holdouts are {family.splits:,} splits of the same data, by {by}. Over them, against {family.reference}, by the "
        f"corrected resampled t test for the {len(family.rows):,} sets of parameters ({WHY_WEAK}). To know more split with a "
        f"fixed number (`random_state=20`) and not with {by}: then all runs are judged on the same rows."
    )

"""Diffing: two runs are read, their scores held against each other as a comparison does, and how they differ is found."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.comparisons.comparing import Reference, Scored, compare_scored
from workbench.comparisons.comparing import find_difference as find_pairing_fault
from workbench.comparisons.comparison import Comparison, name_run
from workbench.comparisons.difference.matched_holdouts import find_shared
from workbench.comparisons.difference.pair import Pair, Side, describe_state
from workbench.comparisons.difference.reading import read_sides
from workbench.comparisons.difference.run_difference import RunDifference, find_difference
from workbench.comparisons.difference.shared_rows import SharedRows
from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.looking import find_looks, find_other_splits
from workbench.comparisons.tries import count_tries, find_other_rules
from workbench.errors import UsageError, WorkbenchError
from workbench.policies.policy import Policy
from workbench.runs.folder import PREDICTIONS
from workbench.runs.looks import Look
from workbench.runs.project import Project
from workbench.runs.run import Run


def diff_runs(project: Project, a: Run, b: Run, policy: Policy) -> RunDifference:
    """Return how run `b` differs from run `a`; raises UsageError for a run and itself."""
    if a.id == b.id:
        raise UsageError(
            f"Run {a.id} cannot be held against itself.",
            why="Both names mean the same run.",
            next_step="Name two runs: `workbench diff RUN RUN`; `workbench runs` lists them.",
        )
    folder = project.settings.runs_folder
    sides = read_sides((a, folder / a.id), (b, folder / b.id))
    looks = find_looks(project, b) if holdout_digest(b) else []
    digests = {holdout_digest(b), *(look.digest for look in looks)} - {None}
    shared = find_shared(sides, is_one=holdout_digest(a) in digests)
    comparison, unpaired = _compare(project, sides, policy, looks, shared)
    return find_difference(Pair(*sides, comparison, unpaired, shared))


def _compare(
    project: Project, sides: tuple[Side, Side], policy: Policy, looks: Sequence[Look], shared: SharedRows
) -> tuple[Comparison | None, str]:
    """Return the comparison of their scores, or why there is none."""
    if why := _find_obstacle(sides, shared):
        return None, why
    one, other = sides
    assert one.predictions is not None and other.predictions is not None
    try:
        rule = policy.rule_of(other.predictions.task)
        tried, other_rules, other_splits = _count_tries(project, other.run, policy, looks)
        scored = Scored(other.run.id, other.run.parameters, other.predictions)
        reference = Reference(name_run(one.run.id), one.predictions)
        compared = compare_scored(
            [scored],
            holdout_digest=str(holdout_digest(other.run)),
            reference=reference,
            rule=rule,
            tried=tried,
            other_rules=other_rules,
            other_splits=other_splits,
        )
    except WorkbenchError as exc:
        return None, exc.in_one_line
    return compared, ""


def _find_obstacle(sides: Sequence[Side], shared: SharedRows) -> str:
    """Say why two runs cannot be held against each other by their scores; empty where they can."""
    for side in sides:
        if not side.run.is_finished:
            return f"{describe_state(side).capitalize()}; only finished runs are compared."
        if side.predictions is None:
            return side.faults.get(PREDICTIONS, f"Run {side.name} stored no predictions.")
    if lacking := [side.name for side in sides if holdout_digest(side.run) is None]:
        return f"Run {' and run '.join(lacking)} declared no holdout."
    if not shared.is_one:
        return shared.says
    one, other = (side.predictions for side in sides)
    assert one is not None and other is not None
    return find_pairing_fault(other, one) or ""


def _count_tries(project: Project, run: Run, policy: Policy, looks: Sequence[Look]) -> tuple[int, int, int]:
    """Return the tries on the holdout of a run as `workbench compare` counts them, and how many are policies and other splits."""
    splits = find_other_splits(project, run, looks)
    rules = find_other_rules(policy.digest, project.store.inspect_ledger()[0], looks)
    return count_tries(looks, rules, splits), len(rules), splits.count_more(looks)

"""Would promoting this model make what is served worse?"""

from __future__ import annotations

from workbench.checks._advantage import (
    find_mismatch,
    find_untold_overlap,
    judge_nominee,
    no_interval,
    say_no_interval,
    say_overlap,
    say_what_decides,
)
from workbench.comparisons.comparison import Comparison
from workbench.comparisons.verdict import Verdict
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy

_GOOD = (Verdict.BETTER, Verdict.NOT_WORSE)
_LIMIT = "BETTER or NOT WORSE than the champion"


def not_worse_than_champion(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when the paired interval says BETTER or NOT WORSE, or when nothing is served yet; WORSE fails, all else is unknown.

    Unknown, too, where the champion does so badly on these rows that they rather mean something else than its own did, and where
    WORSE may only say that it was trained on them: that flatters it, so that BETTER and NOT WORSE hold all the same.
    """
    if evidence.champion_version is None and evidence.champion is None:
        return _find(Status.PASS, "no champion", "There is no champion yet, so nothing can become worse.")
    if evidence.champion_version is None or evidence.champion is None:
        reason = evidence.champion_unscored or (
            "The served champion was not scored on this holdout. Nominate the run again: then its frozen model is."
        )
        return _find(Status.UNKNOWN, _say_not_compared(evidence), reason)
    mismatch = find_mismatch(evidence.champion, evidence, policy)
    if mismatch:
        reason = f"The comparison with the champion cannot be used. {mismatch} Nominate the run again."
        return _find(Status.UNKNOWN, f"not comparable with version {evidence.champion_version}: {mismatch}", reason)
    return _judge(evidence.champion, evidence, policy)


def _say_not_compared(evidence: Evidence) -> str:
    """Say with which version there is no comparison and why, as a waiver of that binds it."""
    why = evidence.champion_unscored or "nobody asked it"
    return f"not compared with version {evidence.champion_version}: {why}"


def _find(status: Status, value: str, reason: str) -> Finding:
    return Finding("not_worse_than_champion", status, value, _LIMIT, reason)


def _judge(comparison: Comparison, evidence: Evidence, policy: Policy) -> Finding:
    verdict, value = judge_nominee(comparison, evidence, policy)
    champion = f"champion version {evidence.champion_version}"
    value = f"{value}, against version {evidence.champion_version}{_say_overlap(evidence)}{_say_shift(evidence)}"
    told = f" {say_overlap(evidence)}".rstrip()
    if verdict is Verdict.WORSE and (untold := find_untold_overlap(evidence)):
        return _find(Status.UNKNOWN, value, f"The model is worse than {champion}, which may know these rows. {untold}")
    if verdict is Verdict.WORSE:
        reason = f"The model is worse than {champion}.{told} Keep the champion, or improve the model."
        return _find(Status.FAIL, value, reason)
    if strange := _find_strange(evidence, champion):
        return _find(Status.UNKNOWN, value, strange)
    if no_interval(comparison, evidence):
        reason = f"{say_no_interval(comparison)}{told} The policy asks for an interval against the champion."
        return _find(Status.UNKNOWN, value, reason)
    if verdict in _GOOD:
        reason = f"The model is at least as good as {champion}, within the policy's margin.{told}"
        return _find(Status.PASS, value, reason)
    needed = say_what_decides(comparison, evidence, policy)
    return _find(Status.UNKNOWN, value, f"The data do not show whether the model is worse than {champion}. {needed}")


def _say_overlap(evidence: Evidence) -> str:
    """Say on how many of the rows it was trained, as a waiver of that binds it."""
    overlap = evidence.champion_overlap
    if overlap is None or overlap.shared_rows == 0:
        return ""
    if overlap.shared_rows is None:
        return " (trained on nobody knows which of them)"
    return f" (trained on {overlap.shared_rows:,} of all {overlap.rows:,})"


def _say_shift(evidence: Evidence) -> str:
    return f", which has {evidence.champion_shift.told}" if evidence.champion_shift else ""


def _find_strange(evidence: Evidence, champion: str) -> str | None:
    """Return why the champion's answers to these rows rather are answers to another question; None where they are not."""
    shift = evidence.champion_shift
    if shift is None or not (shift.is_strange or not shift.is_known):
        return None
    if not shift.is_known:
        told = (
            f"Whether columns and target mean here what they meant for {champion} cannot be told: it has {shift.told}."
        )
        return (
            f"{told} Log a holdout with rows of each class, whose scores the metric takes, and run the notebook again."
        )
    return (
        f"The columns or the target seem to mean something else here: {champion} has {shift.told}, which chance does not explain. "
        "Hold units, coding and label of each column against those of its notebook, log them as there and run again. If the world "
        "moved, somebody who may waive says so with a reason; where the policy waives nothing, nominate it under a name of its own."
    )

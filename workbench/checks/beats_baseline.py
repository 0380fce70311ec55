"""Is a model needed, or would something simpler do as well?"""

from __future__ import annotations

from workbench.checks._advantage import find_mismatch, judge_nominee, no_interval, say_no_interval
from workbench.comparisons.verdict import Verdict
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy

_LIMIT = "BETTER than the baseline"


def beats_baseline(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when the paired interval says that the model is better than its baseline: a constant answer, or a named run."""
    if evidence.baseline is None:
        reason = "There is no comparison with a baseline. Log the holdout predictions and nominate the run again."
        return Finding("beats_baseline", Status.UNKNOWN, "not compared", _LIMIT, reason)
    mismatch = find_mismatch(evidence.baseline, evidence, policy)
    if mismatch:
        reason = f"The comparison with the baseline cannot be used. {mismatch} Nominate the run again."
        return Finding("beats_baseline", Status.UNKNOWN, "not comparable", _LIMIT, reason)
    verdict, value = judge_nominee(evidence.baseline, evidence, policy)
    reference = evidence.baseline.reference
    if no_interval(evidence.baseline, evidence):
        reason = f"{say_no_interval(evidence.baseline)} The policy asks for an interval against {reference}."
        return Finding("beats_baseline", Status.UNKNOWN, value, _LIMIT, reason)
    if verdict is Verdict.BETTER:
        reason = f"The model beats {reference} by more than chance explains."
        return Finding("beats_baseline", Status.PASS, value, _LIMIT, reason)
    reason = f"The data do not show that the model beats {reference}. Improve it, or use a larger holdout."
    return Finding("beats_baseline", Status.FAIL, value, _LIMIT, reason)

"""Does a single feature know the answer, or merely number the rows?"""

from __future__ import annotations

from workbench.checks._limits import fact_unknown, read_limits
from workbench.evidence.evidence import Evidence, Finding, Severity, Status
from workbench.evidence.measures.leakage import LeakageFact
from workbench.policies.policy import Policy

LIMITS = ("largest_strength",)
_LEAVE_OUT = "Leave it out of the features and run again."
_LEAVE_OUT_OR_WAIVE = (
    "Leave it out of the features and run again; where it is honestly that strong and is known before the outcome is, a waiver "
    "by a second person says why."
)


def no_leaking_feature(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when no feature alone is stronger than `largest_strength` on the holdout and none is an id."""
    limits = read_limits(policy, "no_leaking_feature", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    largest = limits["largest_strength"]
    limit = f"no feature above {largest:g} by itself, none that names the rows"
    leakage = evidence.leakage
    if leakage is None or not leakage.strongest or leakage.judged < 1:
        return fact_unknown(
            "no_leaking_feature",
            limit,
            "No single feature can be judged: there are too few holdout rows, no feature rows, or only texts of which each stands "
            "in fewer than five rows.",
        )
    can_be_waived = policy.severity_of("no_leaking_feature") is Severity.WAIVABLE
    return _judge(leakage, largest, limit, _LEAVE_OUT_OR_WAIVE if can_be_waived else _LEAVE_OUT)


def _judge(leakage: LeakageFact, largest: float, limit: str, advice: str) -> Finding:
    first = leakage.strongest[0]
    value = f"{first.name}: {leakage.measure} {first.strength:.4g}"
    # Written so that NaN is above every limit.
    leaking = [item.name for item in leakage.strongest if not 0 <= item.strength <= largest]
    problems = [
        f"{', '.join(leaking)} alone tells the outcome, as if it had been known before." if leaking else "",
        f"Every row has another value of {', '.join(leakage.id_like)}: it names rows." if leakage.id_like else "",
    ]
    if any(problems):
        reason = f"{' '.join(filter(None, problems))} {advice}"
        return Finding("no_leaking_feature", Status.FAIL, value, limit, reason)
    unjudged = leakage.features - leakage.judged
    note = f" {unjudged} of {leakage.features} features could not be judged by themselves." if unjudged else ""
    reason = f"No single feature gives the outcome away.{note}"
    return Finding("no_leaking_feature", Status.PASS, value, limit, reason)

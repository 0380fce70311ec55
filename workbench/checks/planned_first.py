"""Was it fixed how the run would be judged before anybody saw how it did?"""

from __future__ import annotations

from workbench.checks._limits import deciding_rule, score_unknown
from workbench.evidence.evidence import Evidence, Finding, PlanFact, Status
from workbench.evidence.measures.score import ScoreFact
from workbench.policies.policy import MetricRule, Policy

_LIMIT = "metric, margin and slices in the ledger before the first score"
_AGAIN = "Run the notebook again under this policy, then nominate that run."


def planned_first(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when the ledger named the policy's metric, direction, margin and slices before any run was scored on these rows.

    Rows that had been scored on before must be named by the plan itself.
    """
    plan = evidence.plan
    if plan is None or evidence.holdout is None:
        reason = f"The ledger holds no plan for this notebook from before the run started. {_AGAIN}"
        return Finding("planned_first", Status.UNKNOWN, "no plan", _LIMIT, reason)
    rule, score = deciding_rule(evidence.score, policy), evidence.score
    if rule is None or score is None:
        return score_unknown("planned_first", score, policy)
    value = f"entry {plan.sequence}, {plan.time[:19].replace('T', ' ')}"
    if differing := _find_differences(plan, score, rule, policy):
        reason = f"The plan of before the run is not what the policy decides by: {differing}. {_AGAIN}"
        return Finding("planned_first", Status.FAIL, value, _LIMIT, reason)
    if plan.holdout_digest != evidence.holdout.digest and plan.time >= plan.first_scored:
        reason = f"These holdout rows had been scored on before the plan, and it does not name them. {_AGAIN}"
        return Finding("planned_first", Status.FAIL, value, _LIMIT, reason)
    reason = (
        f"Entry {plan.sequence} of the ledger named metric, margin and slices before a score on these rows was known."
    )
    return Finding("planned_first", Status.PASS, value, _LIMIT, reason)


def _find_differences(plan: PlanFact, score: ScoreFact, rule: MetricRule, policy: Policy) -> str:
    pairs = {
        "metric": (plan.metric, rule.name),
        "direction": (plan.direction, score.direction),
        "margin": (plan.margin, rule.margin),
        "slices": (plan.slices, policy.slices),
    }
    return ", ".join(f"{name} {planned}, now {now}" for name, (planned, now) in pairs.items() if planned != now)

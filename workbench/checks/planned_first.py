"""Was it fixed how the run would be judged before anybody saw how it did?"""

from __future__ import annotations

from workbench.checks._limits import deciding_rule, score_unknown
from workbench.evidence.evidence import Evidence, Finding, PlanFact, Status
from workbench.evidence.measures.score import ScoreFact
from workbench.policies.policy import MetricRule, Policy
from workbench.records.digest import short

_LIMIT = "the policy in the ledger before the first score on these rows"
_FRESH = (
    "Take a fresh holdout and run the notebook on it, or nominate under a policy that stood there before, if one did."
)


def planned_first(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when the ledger named this very policy before any run was scored on these rows.

    With the policy's digest stand metric, direction, margin, slices and limits; for which notebook it was named does not matter.
    """
    plan = evidence.plan
    if plan is None or evidence.holdout is None:
        reason = (
            "The ledger holds no plan from before the run started. Take a fresh holdout and run the notebook on it."
        )
        return Finding("planned_first", Status.UNKNOWN, "no plan", _LIMIT, reason)
    rule, score = deciding_rule(evidence.score, policy), evidence.score
    if rule is None or score is None:
        return score_unknown("planned_first", score, policy)
    value = f"entry {plan.sequence}, {_spell(plan.time)}"
    if differing := _find_differences(plan, score, rule, policy):
        reason = f"The plan of before the run is not what the policy decides by: {differing}. {_FRESH}"
        return Finding("planned_first", Status.FAIL, value, _LIMIT, reason)
    if plan.time >= plan.first_scored:
        how = "at hand in a draft" if plan.first_scored == plan.drafted else "scored on"
        reason = (
            f"These holdout rows had been {how} since {_spell(plan.first_scored)}, and the policy is in the ledger only since "
            f"{_spell(plan.time)}: whoever wrote it could know how they do. {_FRESH}"
        )
        return Finding("planned_first", Status.FAIL, value, _LIMIT, reason)
    reason = (
        f"Entry {plan.sequence} of the ledger named it before a run or draft of this project had these rows at hand."
    )
    return Finding("planned_first", Status.PASS, value, _LIMIT, reason)


def _spell(time: str) -> str:
    return time[:19].replace("T", " ")


def _name_code(code: str | None) -> str:
    return short(code) if code else "the workbench's"


def _find_differences(plan: PlanFact, score: ScoreFact, rule: MetricRule, policy: Policy) -> str:
    pairs = {
        "metric": (plan.metric, rule.name),
        "code of the metric": (_name_code(plan.code), _name_code(score.code)),
        "direction": (plan.direction, score.direction),
        "margin": (plan.margin, rule.margin),
        "slices": (plan.slices, policy.slices),
        "policy": (short(plan.policy_digest), short(policy.digest)),
    }
    return ", ".join(f"{name} {planned}, now {now}" for name, (planned, now) in pairs.items() if planned != now)

"""What a policy allows, read so that a missing or unusable limit is seen as such and never as a pass."""

from __future__ import annotations

from workbench.evidence.evidence import Finding, Status
from workbench.evidence.measures.score import ScoreFact
from workbench.policies.policy import MetricRule, Policy


def read_limits(policy: Policy, check: str, *keys: str) -> dict[str, float] | Finding:
    """Return the limits of a check by key, or the finding that says which of them the policy does not set."""
    limits = {key: policy.limit_of(check, key) for key in keys}
    missing = [key for key, value in limits.items() if value is None]
    if missing:
        named = ", ".join(f"checks.{check}.{key}" for key in missing)
        return Finding(
            check,
            Status.UNKNOWN,
            "not judged",
            f"{', '.join(missing)} not set",
            f"The policy gives no usable number for {', '.join(missing)}. Set {named} in it to a number of 0 or more.",
        )
    return {key: value for key, value in limits.items() if value is not None}


def fact_unknown(check: str, limit: str, what: str) -> Finding:
    """Return the finding of a check whose fact was not computed, as in evidence of an older format."""
    return Finding(check, Status.UNKNOWN, "not measured", limit, f"{what} Nominate the run again to have it measured.")


def deciding_rule(score: ScoreFact | None, policy: Policy) -> MetricRule | None:
    """Return the rule that judges this score, or None when the policy has none for its task and metric."""
    rules = [rule for task, rule in policy.metrics.items() if score and (task, rule.name) == (score.task, score.metric)]
    return rules[0] if rules else None


def score_unknown(check: str, score: ScoreFact | None, policy: Policy) -> Finding:
    """Return the finding of a check that has no score under the policy's metric to judge."""
    expected = " or ".join(f"{rule.name} for {task}" for task, rule in sorted(policy.metrics.items()))
    if score is None:
        value, why = "no score", "The run stored no holdout predictions, so there is no score to judge."
    else:
        value, why = f"{score.metric} for {score.task}", "The score is not in the metric the policy decides by."
    advice = f"Log the holdout predictions with wb.log_predictions and nominate a run judged by {expected}."
    return Finding(check, Status.UNKNOWN, value, expected, f"{why} {advice}")

"""Is the model good enough to be used at all?"""

from __future__ import annotations

from workbench.checks._limits import deciding_rule, score_unknown
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy


def metric_limit(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when the deciding metric is on the good side of the policy's limit, or on it."""
    score, rule = evidence.score, deciding_rule(evidence.score, policy)
    if score is None or rule is None or score.direction not in ("higher", "lower"):
        return score_unknown("metric_limit", score, policy)
    higher = score.direction == "higher"
    value, limit = f"{score.value:.4g}", f"{'at least' if higher else 'at most'} {rule.limit:g}"
    # Written so that NaN is on the wrong side of every limit.
    good = score.value >= rule.limit if higher else score.value <= rule.limit
    if good:
        reason = f"{score.metric} on the holdout is {value}; the policy asks for {limit}."
        return Finding("metric_limit", Status.PASS, value, limit, reason)
    reason = (
        f"{score.metric} on the holdout is {value}, the policy asks for {limit}. Improve the model, then nominate it."
    )
    return Finding("metric_limit", Status.FAIL, value, limit, reason)

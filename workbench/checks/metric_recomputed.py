"""Is the metric the notebook logged the one its stored predictions give?"""

from __future__ import annotations

import math

from workbench.checks._limits import deciding_rule, read_limits, score_unknown
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy

LIMITS = ("largest_difference",)


def metric_recomputed(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when the logged and the recomputed metric differ by at most `largest_difference`."""
    limits = read_limits(policy, "metric_recomputed", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    score, largest = evidence.score, limits["largest_difference"]
    if score is None or deciding_rule(score, policy) is None:
        return score_unknown("metric_recomputed", score, policy)
    limit = f"difference at most {largest:g}"
    if score.logged is None:
        reason = f"The notebook did not log {score.metric}. Log it with wb.log_metrics under this name and run again."
        return Finding("metric_recomputed", Status.UNKNOWN, "not logged", limit, reason)
    difference = abs(score.logged - score.value)
    value = f"logged {score.logged:.6g}, recomputed {score.value:.6g}"
    if math.isfinite(difference) and difference <= largest:
        reason = f"The logged {score.metric} is what the stored predictions give."
        return Finding("metric_recomputed", Status.PASS, value, limit, reason)
    reason = (
        f"The notebook logged another {score.metric} than its predictions give ({value}). "
        "Compute the metric from the same rows and scores that wb.log_predictions stores."
    )
    return Finding("metric_recomputed", Status.FAIL, value, limit, reason)

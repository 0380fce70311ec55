"""Are the answers numbers, and the same however many rows are asked at once?"""

from __future__ import annotations

from workbench.checks._limits import fact_unknown, read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy

LIMITS = ("largest_difference",)


def numerically_sound(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when every holdout row gets a number, by itself the same as among others but for `largest_difference`."""
    limits = read_limits(policy, "numerically_sound", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    largest = limits["largest_difference"]
    limit = f"numbers only, alone and among others within {largest:g}"
    fact = evidence.numerics
    if fact is None or fact.rows < 1 or fact.asked_singly < 1:
        return fact_unknown("numerically_sound", limit, "The model was not asked row by row.")
    if fact.not_finite != 0 or fact.largest_batch_difference is None:
        value = f"{fact.not_finite:,} of {fact.rows:,} answers are no numbers"
        reason = "The model gives answers that are no numbers. Check its inputs and its training, then run again."
        return Finding("numerically_sound", Status.FAIL, value, limit, reason)
    value = f"{fact.rows:,} rows, {fact.asked_singly} singly, difference {fact.largest_batch_difference:.2g}"
    # Written so that NaN is above every limit.
    if 0 <= fact.largest_batch_difference <= largest:
        reason = "Every answer is a number, and a row gets the same one whoever asks beside it."
        return Finding("numerically_sound", Status.PASS, value, limit, reason)
    reason = "A row gets another answer by itself than among others. Remove what depends on the batch, then run again."
    return Finding("numerically_sound", Status.FAIL, value, limit, reason)

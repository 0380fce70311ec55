"""Does the model answer in time, and in the memory there is?"""

from __future__ import annotations

from workbench.checks._limits import fact_unknown, read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy

FEWEST_CALLS = 200

LIMITS = ("most_p99_ms", "most_load_s", "most_megabytes")


def fast_enough(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when loading, the slowest hundredth of single requests and the memory keep their limits, measured at nomination."""
    limits = read_limits(policy, "fast_enough", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    p99, load, memory = limits["most_p99_ms"], limits["most_load_s"], limits["most_megabytes"]
    limit = f"p99 at most {p99:g} ms, loaded in {load:g} s, {memory:g} MB"
    cost = evidence.cost
    if cost is None or cost.calls < 1:
        return fact_unknown("fast_enough", limit, "Nobody measured how long the model takes.")
    value = (
        f"p50 {cost.p50_ms:.3g}, p95 {cost.p95_ms:.3g}, p99 {cost.p99_ms:.3g} ms, loaded in {cost.load_s:.2g} s, "
        f"{cost.peak_megabytes:.0f} MB, model {cost.model_bytes:,} bytes"
    )
    # Written so that NaN is above every limit.
    slow = [
        *([] if 0 <= cost.p99_ms <= p99 else [f"one request in a hundred takes {cost.p99_ms:.3g} ms"]),
        *([] if 0 <= cost.load_s <= load else [f"loading takes {cost.load_s:.3g} s"]),
        *([] if 0 <= cost.peak_megabytes <= memory else [f"it takes {cost.peak_megabytes:.0f} MB"]),
    ]
    if slow:
        reason = f"Too slow or too large: {'; '.join(slow)}. Use a smaller model, or one that compiles, and run again."
        return Finding("fast_enough", Status.FAIL, value, limit, reason)
    if cost.calls < FEWEST_CALLS:
        reason = f"Only {cost.calls} requests were measured. Nominate the run again on a machine with less to do."
        return Finding("fast_enough", Status.UNKNOWN, value, limit, reason)
    return Finding("fast_enough", Status.PASS, value, limit, "What will be served answers within the limits.")

"""Was the holdout looked at so often that the best score on it is luck?"""

from __future__ import annotations

from workbench.checks._limits import fact_unknown, read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.measures.tries import TriesFact
from workbench.policies.policy import Policy

LIMITS = ("warn_tries", "most_tries")


def holdout_wear(evidence: Evidence, policy: Policy) -> Finding:
    """Pass while at most `most_tries` runs that predict differently were scored on the holdout; from `warn_tries` it says so."""
    limits = read_limits(policy, "holdout_wear", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    limit = f"at most {limits['most_tries']:g} tries"
    tries = evidence.tries
    if tries is None or tries.distinct < 1:
        return fact_unknown("holdout_wear", limit, "Nobody counted how many runs were scored on this holdout.")
    value = _describe(tries)
    if tries.distinct > limits["most_tries"]:
        reason = (
            f"{tries.distinct} different runs were scored on this holdout, so the best of them is partly luck. "
            "Take a fresh holdout and run the chosen parameters on it."
        )
        return Finding("holdout_wear", Status.FAIL, value, limit, reason)
    if tries.distinct >= limits["warn_tries"]:
        reason = f"The holdout wears out: {tries.distinct} different runs were scored on it. Plan for a fresh one."
    else:
        reason = "The holdout was looked at seldom enough for its scores to be believed."
    return Finding("holdout_wear", Status.PASS, value, limit, reason)


def _describe(tries: TriesFact) -> str:
    counted = f"{tries.distinct} {'try' if tries.distinct == 1 else 'tries'} in {tries.runs} {'run' if tries.runs == 1 else 'runs'}"
    if tries.best is None or tries.median is None:
        return counted
    gap = abs(tries.best - tries.median)
    return f"{counted}, best {tries.metric} {tries.best:.4g}, median {tries.median:.4g}, gap {gap:.2g}"

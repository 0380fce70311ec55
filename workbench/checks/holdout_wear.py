"""Was the holdout looked at so often that the best score on it is luck?"""

from __future__ import annotations

from workbench.checks._limits import fact_unknown, read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.measures.tries import describe_other_rules, describe_other_splits, describe_tries
from workbench.policies.policy import Policy

LIMITS = ("warn_tries", "most_tries")
_OF_NEW_ROWS = ", of rows that none of these runs had,"
_UNCOUNTED = "What was done in another home, or without logging the holdout, nobody can count."


def holdout_wear(evidence: Evidence, policy: Policy) -> Finding:
    """Pass while the holdout was seen at most `most_tries` times with different results; from `warn_tries` it says so.

    Seen is whatever had it at hand: runs that finished, failed, were killed or lost, each attempt, drafts, and other rules. What
    split the same data anew had most of its rows at hand, and counts as well: to look for a lucky split is to try.
    """
    limits = read_limits(policy, "holdout_wear", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    limit = f"at most {limits['most_tries']:g} tries"
    tries = evidence.tries
    if tries is None or tries.distinct < 1:
        return fact_unknown("holdout_wear", limit, "Nobody counted how many runs were scored on this holdout.")
    said = [describe_other_splits(tries), describe_other_rules(tries), _UNCOUNTED]
    value, known = describe_tries(tries), " ".join(filter(None, said))
    if tries.distinct > limits["most_tries"]:
        reason = (
            f"This holdout was seen {tries.distinct} times with different results, so the best of them is partly luck. "
            f"Take a fresh holdout{_OF_NEW_ROWS if tries.other_splits else ''} and run the chosen parameters on it. {known}"
        )
        return Finding("holdout_wear", Status.FAIL, value, limit, reason)
    if tries.distinct >= limits["warn_tries"]:
        reason = f"The holdout wears out: it was seen {tries.distinct} times. Plan for a fresh one. {known}"
    else:
        reason = f"The holdout was looked at seldom enough for its scores to be believed. {known}"
    return Finding("holdout_wear", Status.PASS, value, limit, reason)

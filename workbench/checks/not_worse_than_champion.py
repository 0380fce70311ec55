"""Would promoting this model make what is served worse?"""

from __future__ import annotations

from workbench.checks._advantage import NO_INTERVAL, find_mismatch, judge_nominee, no_interval, say_what_decides
from workbench.comparisons.comparison import Comparison, Verdict
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy

_GOOD = (Verdict.BETTER, Verdict.NOT_WORSE)


def not_worse_than_champion(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when the paired interval says BETTER or NOT WORSE, or when nothing is served yet; WORSE fails, all else is unknown."""
    limit = "BETTER or NOT WORSE than the champion"
    if evidence.champion_version is None and evidence.champion is None:
        reason = "There is no champion yet, so nothing can become worse."
        return Finding("not_worse_than_champion", Status.PASS, "no champion", limit, reason)
    if evidence.champion_version is None or evidence.champion is None:
        reason = evidence.champion_unscored or (
            "The served champion was not scored on this holdout. Nominate the run again: then its frozen model is."
        )
        return Finding("not_worse_than_champion", Status.UNKNOWN, "not compared", limit, reason)
    mismatch = find_mismatch(evidence.champion, evidence, policy)
    if mismatch:
        reason = f"The comparison with the champion cannot be used. {mismatch} Nominate the run again."
        return Finding("not_worse_than_champion", Status.UNKNOWN, "not comparable", limit, reason)
    return _judge(evidence.champion, evidence, policy, limit)


def _judge(comparison: Comparison, evidence: Evidence, policy: Policy, limit: str) -> Finding:
    verdict, value = judge_nominee(comparison, evidence, policy)
    if no_interval(comparison, evidence):
        reason = f"{NO_INTERVAL} The policy asks for an interval against the champion."
        return Finding("not_worse_than_champion", Status.UNKNOWN, value, limit, reason)
    champion = f"champion version {evidence.champion_version}"
    if verdict in _GOOD:
        reason = f"The model is at least as good as {champion}, within the policy's margin."
        return Finding("not_worse_than_champion", Status.PASS, value, limit, reason)
    if verdict is Verdict.WORSE:
        reason = f"The model is worse than {champion}. Keep the champion, or improve the model."
        return Finding("not_worse_than_champion", Status.FAIL, value, limit, reason)
    needed = say_what_decides(comparison, evidence, policy)
    reason = f"The data do not show whether the model is worse than {champion}. {needed}"
    return Finding("not_worse_than_champion", Status.UNKNOWN, value, limit, reason)

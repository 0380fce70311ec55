"""Does the run come out the same when it is executed again?"""

from __future__ import annotations

from workbench.checks._limits import read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy
from workbench.replays.replay import ReplayFact

# Another model file or output may still answer alike; other inputs or no end at all may not.
_MUST_BE_SAME = frozenset({"run", "notebook", "parameter", "data"})

LIMITS = ("largest_difference",)


def replay_agrees(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when a replay finished on the same data and its holdout scores differ by at most `largest_difference`."""
    limits = read_limits(policy, "replay_agrees", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    largest = limits["largest_difference"]
    limit = f"a replay, scores within {largest:g}"
    replay = evidence.replay
    if replay is None or replay.run_id is None or replay.verdict is None:
        why = " ".join(replay.reasons) if replay and replay.reasons else "The run was not replayed."
        reason = f"{why.rstrip('.')}. Run the notebook again as it is now, then nominate that run."
        return Finding("replay_agrees", Status.UNKNOWN, "not replayed", limit, reason)
    return _judge(replay, largest, limit)


def _judge(replay: ReplayFact, largest: float, limit: str) -> Finding:
    gap, broken = replay.largest_difference, sorted(_MUST_BE_SAME & set(replay.different))
    value = replay.verdict or ""
    if gap is not None:
        value += f", scores differ by {gap:.2g}"
    if broken or (gap is None and "predictions" in replay.different) or (gap is not None and not 0 <= gap <= largest):
        why = " ".join(replay.reasons[:3]) or "Its scores are other ones."
        reason = f"Replay {replay.run_id} did not come out the same: {why.rstrip('.')}. Fix the seeds, then run again."
        return Finding("replay_agrees", Status.FAIL, value, limit, reason)
    if gap is None:
        reason = (
            f"Replay {replay.run_id} has no holdout scores to compare. Log them with wb.log_predictions, run again."
        )
        return Finding("replay_agrees", Status.UNKNOWN, value, limit, reason)
    others = [kind for kind in replay.different if kind != "predictions"]
    note = f" Different all the same: {', '.join(others)}." if others else ""
    reason = f"Executed again as run {replay.run_id}, the notebook gives the same answers on every holdout row.{note}"
    return Finding("replay_agrees", Status.PASS, value, limit, reason)

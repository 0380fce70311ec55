"""Does the run come out the same when it is executed again?"""

from __future__ import annotations

from collections.abc import Sequence

from workbench.checks._limits import read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy
from workbench.replays.replay_fact import ReplayFact

# Another model file or output may still answer alike; other inputs, other code or no end at all may not.
_MUST_BE_SAME = {
    "run": "it did not finish",
    "notebook": "another notebook",
    "parameter": "other parameters",
    "data": "other data",
    "code": "other local code",
}

_SEVERAL = {"output": "outputs", "model": "model files", "metric": "metrics", "history": "points of metrics"}
_FEW = 3

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
    gap, broken = replay.largest_difference, sorted(set(_MUST_BE_SAME) & set(replay.different))
    if broken or (gap is None and "predictions" in replay.different) or (gap is not None and not 0 <= gap <= largest):
        why = "; ".join(reason.rstrip(".") for reason in replay.reasons[:_FEW]) or "its scores are other ones"
        mend = "Nominate a run of the code that is there now" if "code" in broken else "Fix the seeds, then run again"
        reason = f"Replay {replay.run_id} did not come out the same: {why}. {mend}."
        return Finding("replay_agrees", Status.FAIL, _say_failed(replay, broken), limit, reason)
    if gap is None:
        reason = (
            f"Replay {replay.run_id} has no holdout scores to compare. Log them with wb.log_predictions, run again."
        )
        return Finding("replay_agrees", Status.UNKNOWN, "no scores to compare", limit, reason)
    others = ", ".join(_SEVERAL.get(kind, kind) for kind in replay.different if kind != "predictions")
    value = _say_scores(gap) + (f"; {others} differ (not asked)" if others else "")
    reason = f"Executed again as run {replay.run_id}, the notebook gives the same answers on every holdout row."
    return Finding("replay_agrees", Status.PASS, value, limit, reason + _say_what_else(replay))


def _say_failed(replay: ReplayFact, broken: Sequence[str]) -> str:
    scores = [] if "run" in broken else [_say_scores(replay.largest_difference)]
    return "; ".join([*(_say_broken(replay, kind) for kind in broken), *scores])


def _say_broken(replay: ReplayFact, kind: str) -> str:
    """Say what is another one; of code, which files: the notebook does not name them."""
    files = [reason[len("code ") :].partition(": ")[0] for reason in replay.reasons if reason.startswith("code ")]
    more = f" and {len(files) - _FEW} more" if len(files) > _FEW else ""
    named = f": {', '.join(files[:_FEW])}{more}" if kind == "code" and files else ""
    return f"{_MUST_BE_SAME[kind]}{named}"


def _say_scores(gap: float | None) -> str:
    if gap is None:
        return "other rows or truths"
    return "scores identical" if gap == 0 else f"scores differ by {gap:.2g}"


def _say_what_else(replay: ReplayFact) -> str:
    """Name what differs beside the scores: the check passes, and its reader is to know."""
    beside = [reason.rstrip(".") for reason in replay.reasons if not reason.startswith("predictions: ")]
    if not beside:
        return ""
    count = "1 thing differs" if len(beside) == 1 else f"{len(beside)} things differ"
    more = [f"and {len(beside) - _FEW} more"] if len(beside) > _FEW else []
    return f" Beside them {count}: {'; '.join([*beside[:_FEW], *more])}."

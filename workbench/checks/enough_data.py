"""Is the holdout large enough for what is concluded from it?"""

from __future__ import annotations

from collections.abc import Mapping

from workbench.checks._advantage import find_mismatch, find_nominee, judge_nominee, say_no_interval, say_what_decides
from workbench.checks._limits import deciding_rule, fact_unknown, read_limits
from workbench.comparisons.comparison import Comparison
from workbench.comparisons.drawn_rows import describe_rows
from workbench.comparisons.verdict import Verdict
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.measures.sample import SampleFact
from workbench.policies.policy import Policy
from workbench.stats.task import has_classes

LIMITS = ("fewest_rows", "fewest_of_a_class")


def enough_data(evidence: Evidence, policy: Policy) -> Finding:
    """Pass on enough rows, of each class too, when the interval is narrower than the margin allows or the verdict is BETTER.

    The interval is that against the champion, or against the baseline while there is none. Too few rows fail; where there are
    enough and the interval is too wide all the same, nobody can tell.
    """
    limits = read_limits(policy, "enough_data", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    limit = f"{limits['fewest_rows']:g} rows, {limits['fewest_of_a_class']:g} of each class, half the interval below the margin"
    sample = evidence.sample
    if sample is None or evidence.score is None or (has_classes(evidence.score.task) and sample.rarer_class is None):
        return fact_unknown("enough_data", limit, "Nobody counted the rows that were scored.")
    few = _find_few(sample, limits)
    if few:
        reason = f"Not enough data: {few}. Use a larger holdout and run again."
        return Finding("enough_data", Status.FAIL, f"{sample.rows:,} rows", limit, reason)
    return _judge_width(evidence, policy, limit)


def _find_few(sample: SampleFact, limits: Mapping[str, float]) -> str:
    if not sample.rows >= limits["fewest_rows"]:
        return f"the holdout has {sample.rows:,} rows, the policy asks for {limits['fewest_rows']:g}"
    if sample.rarer_class is not None and not sample.rarer_class >= limits["fewest_of_a_class"]:
        return f"the rarest class has {sample.rarer_class:,} rows, the policy asks for {limits['fewest_of_a_class']:g}"
    return ""


def _judge_width(evidence: Evidence, policy: Policy, limit: str) -> Finding:
    comparison = evidence.baseline if evidence.champion_version is None else evidence.champion
    missing = evidence.champion_unscored or "There is no comparison. Nominate the run again."
    mismatch = find_mismatch(comparison, evidence, policy) if comparison else None
    if comparison is None or mismatch:
        said = f"{mismatch} Nominate the run again." if mismatch else missing
        reason = f"How wide the interval is cannot be told. {said}"
        return Finding("enough_data", Status.UNKNOWN, _say_no_interval(evidence, said), limit, reason)
    return _judge_interval(comparison, evidence, policy, limit)


def _say_no_interval(evidence: Evidence, why: str) -> str:
    """Say of which comparison there is no interval and why, as a waiver of that binds it."""
    version = evidence.champion_version
    return f"no interval against {'the baseline' if version is None else f'version {version}'}: {why}"


def _judge_interval(comparison: Comparison, evidence: Evidence, policy: Policy, limit: str) -> Finding:
    nominee, rule = find_nominee(comparison, evidence), deciding_rule(evidence.score, policy)
    if nominee is None or nominee.advantage is None or rule is None:
        value, reason = _say_no_interval(evidence, "none can be computed"), say_no_interval(comparison)
        return Finding("enough_data", Status.UNKNOWN, value, limit, reason)
    verdict, _ = judge_nominee(comparison, evidence, policy)
    half = (nominee.advantage.high - nominee.advantage.low) / 2
    rows = describe_rows(comparison.rows, comparison.units)
    value = f"{rows}, half the interval {half:.3g}, margin {rule.margin:g}, {verdict}"
    value += "" if evidence.champion_version is None else f", against version {evidence.champion_version}"
    if verdict is Verdict.BETTER or 0 <= half < rule.margin:
        reason = "The holdout is large enough for the verdict that is drawn from it."
        return Finding("enough_data", Status.PASS, value, limit, reason)
    reason = (
        f"Not enough data to tell: half the interval ({half:.3g}) is not below the margin ({rule.margin:g}), so a difference "
        f"that matters could hide in it. {say_what_decides(comparison, evidence, policy)}"
    )
    return Finding("enough_data", Status.UNKNOWN, value, limit, reason)

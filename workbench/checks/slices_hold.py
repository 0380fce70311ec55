"""Does the model hold on each part of the data that matters?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from workbench.checks._advantage import find_untold_overlap, say_overlap
from workbench.checks._limits import deciding_rule, fact_unknown, read_limits
from workbench.comparisons.slices import SlicesFact, SliceValue
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy

LIMITS = ("fewest_rows", "fewest_of_a_class", "largest_drop", "false_discovery_rate")


def slices_hold(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when on every value of the policy's slices the model is not worse than the reference: the champion, or the baseline.

    Worse is what stays below `false_discovery_rate` after the adjustment for all slices, or loses more than `largest_drop`; a
    slice of too few rows is unknown, and so is everything where no slice is named. Worse than a champion that may have been trained
    on these rows is unknown.
    """
    limits = read_limits(policy, "slices_hold", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    limit = f"no drop above {limits['largest_drop']:g}, none beyond chance at {limits['false_discovery_rate']:g}"
    named: Sequence[str] = policy.slices
    if not named:
        reason = (
            "The policy asks that each slice holds and names none. Name them under slices:, or leave the check out."
        )
        return Finding("slices_hold", Status.UNKNOWN, "no slice named", limit, reason)
    slices, rule = evidence.slices, deciding_rule(evidence.score, policy)
    if slices is None or rule is None or slices.metric != rule.name:
        what = "The slices were not compared with what is served, in the metric the policy decides by."
        return fact_unknown("slices_hold", limit, what)
    finding = _judge(slices, named, limits, limit)
    if evidence.champion_version is None:
        return finding
    if finding.status is Status.FAIL and (untold := find_untold_overlap(evidence)):
        return replace(finding, status=Status.UNKNOWN, reason=f"{finding.reason} {untold}")
    return replace(finding, reason=f"{finding.reason} {say_overlap(evidence)}".rstrip())


def _judge(slices: SlicesFact, named: Sequence[str], limits: Mapping[str, float], limit: str) -> Finding:
    counted = [each for each in slices.values if each.slice in named]
    absent = [name for name in named if not any(each.slice == name for each in counted)]
    few = [_name(each) for each in counted if not _is_large(each, limits)]
    worse = [_name(each) for each in counted if _is_large(each, limits) and _is_worse(each, limits)]
    value = f"{len(counted)} values, {len(worse)} worse, {len(few)} too small"
    if worse:
        reason = f"The model is worse than {slices.reference} on {', '.join(worse)}. Improve it there, then run again."
        return Finding("slices_hold", Status.FAIL, value, limit, reason)
    problems = [
        f"Not logged, or with too many values: {', '.join(absent)}." if absent else "",
        f"Too few rows, of a class at least, on {', '.join(few)}." if few else "",
    ]
    if any(problems):
        advice = "Log the slices with wb.log_predictions(slices=...) on a larger holdout and run again."
        reason = " ".join([*filter(None, problems), advice])
        return Finding("slices_hold", Status.UNKNOWN, value, limit, reason)
    reason = f"On every slice the policy names, the model is no worse than {slices.reference}."
    return Finding("slices_hold", Status.PASS, value, limit, reason)


def _name(each: SliceValue) -> str:
    return f"{each.slice} {each.value}"


def _is_large(each: SliceValue, limits: Mapping[str, float]) -> bool:
    if each.advantage is None or each.adjusted is None or not each.rows >= limits["fewest_rows"]:
        return False
    return each.rarer_class is None or each.rarer_class >= limits["fewest_of_a_class"]


def _is_worse(each: SliceValue, limits: Mapping[str, float]) -> bool:
    # Written so that NaN is worse than anything.
    holds = each.advantage is not None and each.advantage >= -limits["largest_drop"]
    by_chance = each.adjusted is not None and each.adjusted > limits["false_discovery_rate"]
    return not (holds and by_chance)

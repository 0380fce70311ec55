"""Do the scores mean what they say?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from workbench.checks._limits import fact_unknown, read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.measures.calibration import FEWEST_OF_A_CLASS, CalibrationFact
from workbench.evidence.measures.classes import ClassesFact, ClassFact
from workbench.policies.policy import Policy
from workbench.stats.task import describe_response

LIMITS = ("fewest_rows", "largest_ece", "smallest_slope", "largest_slope", "largest_bias")
_TWO_SIDED_95 = 1.96


def calibrated(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when probabilities are off by at most `largest_ece` beyond chance and the slope is not shown to lie outside its limits.

    Of several classes each must pass against the rest. In regression it is the mean residual that may be off, by `largest_bias`
    standard deviations of the truth. The slope of a small holdout is too uncertain to be held against limits by itself: it fails
    when its 95 % interval lies outside of them.
    """
    limits = read_limits(policy, "calibrated", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    is_regression = evidence.score is not None and evidence.score.task == "regression"
    off = (
        f"bias at most {limits['largest_bias']:g}"
        if is_regression
        else f"ECE at most {limits['largest_ece']:g} above chance"
    )
    limit = f"slope {limits['smallest_slope']:g} to {limits['largest_slope']:g} within its error, {off}"
    fact = evidence.calibration
    if evidence.classes is not None and evidence.classes.response in ("decision_function", "predict"):
        scores = describe_response(evidence.classes.response)
        advice = "Wrap the model in CalibratedClassifierCV and run again."
        reason = f"Scores are {scores}, so there is nothing to hold against frequencies. {advice}"
        return Finding("calibrated", Status.UNKNOWN, "no probabilities", limit, reason)
    if evidence.score is not None and evidence.score.task == "multiclass":
        return _judge_classes(evidence.classes, limits, limit)
    if fact is None or evidence.score is None or not fact.rows >= limits["fewest_rows"]:
        return _too_few("Too few rows were scored", limits, limit)
    return _judge_fact(fact, is_regression, limits, limit)


def _judge_fact(fact: CalibrationFact, is_regression: bool, limits: Mapping[str, float], limit: str) -> Finding:
    error, allowed = _find_error(fact, is_regression, limits)
    if error is None or fact.slope is None or fact.slope_error is None:
        reason = (
            "No line fits the truth on the scores: they do not vary, or separate the classes. Use a larger holdout."
        )
        return Finding("calibrated", Status.UNKNOWN, "no slope", limit, reason)
    return _judge(fact, error, allowed, limits, limit)


def _judge_classes(classes: ClassesFact | None, limits: Mapping[str, float], limit: str) -> Finding:
    """Return the finding of the worst class: one that fails, else one nobody can judge, else the one that is off the most."""
    found = [(each, _judge_class(each, limits, limit)) for each in (classes.classes if classes else ())]
    if not found:
        return fact_unknown("calibrated", limit, "Nobody looked at the classes one by one.")
    order = (Status.FAIL, Status.UNKNOWN, Status.PASS)
    worst, finding = min(found, key=lambda pair: (order.index(pair[1].status), -_excess(pair[0])))
    others = sum(each.status is finding.status for _, each in found) - 1
    more = f" and {others} more" if others and finding.status is not Status.PASS else ""
    value = f"class {worst.name}{more}, the worst of {len(found)}: {finding.value}"
    return replace(finding, value=value)


def _judge_class(each: ClassFact, limits: Mapping[str, float], limit: str) -> Finding:
    fact = each.calibration
    if fact is None or not fact.rows >= limits["fewest_rows"]:
        return _too_few(f"Too few rows are of class {each.name}", limits, limit)
    return _judge_fact(fact, False, limits, limit)


def _too_few(what: str, limits: Mapping[str, float], limit: str) -> Finding:
    reason = (
        f"{what}, or scores are no probabilities, to say whether they mean what they say. Log probabilities, on a holdout of at "
        f"least {limits['fewest_rows']:g} rows (and {FEWEST_OF_A_CLASS} of each class, where there are any), and run again."
    )
    return Finding("calibrated", Status.UNKNOWN, "not measured", limit, reason)


def _excess(each: ClassFact) -> float:
    fact = each.calibration
    return 0.0 if fact is None or fact.ece is None or fact.ece_by_chance is None else fact.ece - fact.ece_by_chance


def _find_error(fact: CalibrationFact, is_regression: bool, limits: Mapping[str, float]) -> tuple[float | None, float]:
    """Return by how much scores are off on average, beyond what chance explains, and how much is allowed."""
    if is_regression:
        if fact.bias is None or fact.bias_error is None:
            return None, 0.0
        return abs(fact.bias) - _TWO_SIDED_95 * fact.bias_error, limits["largest_bias"]
    if fact.ece is None or fact.ece_by_chance is None:
        return None, 0.0
    return fact.ece - fact.ece_by_chance, limits["largest_ece"]


def _judge(fact: CalibrationFact, error: float, allowed: float, limits: Mapping[str, float], limit: str) -> Finding:
    slope, half = fact.slope or 0.0, _TWO_SIDED_95 * (fact.slope_error or 0.0)
    low, high = slope - half, slope + half
    value = f"{_describe_error(fact)}, slope {slope:.3g} ({low:.3g} to {high:.3g})"
    # Written so that NaN is outside of every limit.
    if not error <= allowed:
        reason = (
            f"Scores are off by {error:.3g} on average, beyond what {fact.rows:,} rows explain. Recalibrate the model."
        )
        return Finding("calibrated", Status.FAIL, value, limit, f"{reason} Then run again.")
    if not (high >= limits["smallest_slope"] and low <= limits["largest_slope"]):
        kind = "too extreme" if slope < 1 else "too timid"
        reason = (
            f"Scores are {kind}: the slope of the truth on them is {slope:.3g}. Recalibrate the model and run again."
        )
        return Finding("calibrated", Status.FAIL, value, limit, reason)
    is_inside = limits["smallest_slope"] <= slope <= limits["largest_slope"]
    note = "" if is_inside else f" The slope is outside its limits, but on {fact.rows:,} rows chance explains that."
    return Finding("calibrated", Status.PASS, value, limit, f"Scores mean what they say, within the limits.{note}")


def _describe_error(fact: CalibrationFact) -> str:
    if fact.ece is not None and fact.ece_by_chance is not None:
        return f"ECE {fact.ece:.3g} in {fact.bins} bins, {fact.ece_by_chance:.3g} by chance"
    return f"bias {fact.bias or 0.0:+.3g} of a standard deviation"

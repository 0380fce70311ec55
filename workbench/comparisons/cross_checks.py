"""Cross-checks: what another test says of the interval that decides; one that contradicts it is an alarm, none decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.comparisons.verdict import Verdict, decide_verdict
from workbench.stats.interval import Interval

if TYPE_CHECKING:
    from workbench.models.predictions import Predictions

_USUAL = 0.05


@dataclass(frozen=True)
class CrossCheck:
    """What another test says: its name, its p value (two-sided, of no difference), and whether it contradicts the verdict."""

    test: str
    p_value: float
    contradicts: bool


def cross_check(
    ours: Predictions, theirs: Predictions, metric: str, advantage: Interval | None, margin: float
) -> CrossCheck | None:
    """Ask DeLong's test of the area under the ROC curve and McNemar's of accuracy; None for others, and for too few rows.

    DeLong's contradicts where its bounds, at the same level, lie wholly on another side; McNemar's where it is sure (p < 0.05) that
    the one is right more often which the verdict calls worse. Neither knows rows that belong together.
    """
    if advantage is None or ours.task != "classification":
        return None
    verdict = decide_verdict(advantage, margin)
    if metric == "roc_auc":
        return _ask_delong(ours, theirs, advantage)
    return _ask_mcnemar(ours, theirs, verdict) if metric == "accuracy" else None


def _ask_delong(ours: Predictions, theirs: Predictions, advantage: Interval) -> CrossCheck | None:
    from workbench.stats.delong import delong

    found = delong(ours.truth, ours.score, theirs.score, level=advantage.level)
    if found is None:
        return None
    lies_elsewhere = found.interval.high < advantage.low or found.interval.low > advantage.high
    return CrossCheck("DeLong", found.p_value, lies_elsewhere)


def _ask_mcnemar(ours: Predictions, theirs: Predictions, verdict: Verdict) -> CrossCheck:
    from workbench.stats.mcnemar import mcnemar

    found = mcnemar(ours.places() == ours.truth, theirs.places() == theirs.truth)
    is_sure, is_better = found.p_value < _USUAL, found.only_score > found.only_reference
    opposite = Verdict.WORSE if is_better else Verdict.BETTER
    return CrossCheck("McNemar", found.p_value, is_sure and verdict is opposite)


def describe_cross_check(check: CrossCheck) -> str:
    """Say it in one line."""
    p_value = "p < 0.0001" if check.p_value < 1e-4 else f"p = {check.p_value:.2g}"
    says = "contradicts this; look at the rows before you rely on either" if check.contradicts else "agrees"
    return f"Cross-check of the best: {check.test}'s test {says} ({p_value})."

"""How a comparison of the nominee with one reference is read: only on the nominee's own holdout, metric and margin."""

from __future__ import annotations

from workbench.checks._limits import deciding_rule
from workbench.comparisons.comparison import ComparedRun, Comparison
from workbench.comparisons.drawn_rows import describe_rows, say_too_few
from workbench.comparisons.needed_rows import describe_needed_rows, find_needed_rows
from workbench.comparisons.overlap import KEEP_THE_SPLIT, OverlapFact
from workbench.comparisons.verdict import Verdict, decide_verdict
from workbench.evidence.evidence import Evidence
from workbench.policies.policy import Policy

_NO_INTERVAL = (
    "No interval could be computed: there are too few holdout rows of a class, or the model ranks every row perfectly and "
    "resampling shows no spread. Use a larger holdout."
)


def say_no_interval(comparison: Comparison) -> str:
    """Say why the data carry none, and what to do."""
    few = say_too_few(comparison.units)
    return f"No interval could be computed: {few}. Hold out more of them." if few else _NO_INTERVAL


def no_interval(comparison: Comparison, evidence: Evidence) -> bool:
    """True when the data could not carry an interval, so that nothing is known either way."""
    nominee = find_nominee(comparison, evidence)
    return nominee is None or nominee.advantage is None


def find_mismatch(comparison: Comparison, evidence: Evidence, policy: Policy) -> str | None:
    """Return why a comparison says nothing about this nominee, or None when it does."""
    rule = deciding_rule(evidence.score, policy)
    if rule is None or evidence.score is None:
        return "There is no score in the metric the policy decides by."
    if (comparison.metric, comparison.direction) != (rule.name, evidence.score.direction):
        return (
            f"It was made on {comparison.metric} ({comparison.direction} is better), the policy decides by {rule.name}."
        )
    if evidence.holdout is None or comparison.holdout_digest != evidence.holdout.digest:
        return "It was made on other rows than this run's holdout."
    if find_nominee(comparison, evidence) is None:
        return f"Run {evidence.identity.run_id} does not stand in it."
    return _find_other_rows(comparison, evidence, policy) if comparison is evidence.champion else None


def _find_other_rows(comparison: Comparison, evidence: Evidence, policy: Policy) -> str | None:
    """Return that a champion was not compared on every scored row, but for those it is known to have been trained on."""
    scored = _count_scored(evidence)
    overlap = evidence.champion_overlap or OverlapFact(scored, None)
    compared = overlap.count_compared(policy.most_shared_rows)
    if (overlap.rows, compared) == (scored, comparison.rows):
        return None
    return f"It was made on {comparison.rows:,} of {scored:,} rows, and {compared:,} are to be compared."


def _count_scored(evidence: Evidence) -> int:
    if evidence.sample is not None:
        return evidence.sample.rows
    return evidence.holdout.rows if evidence.holdout else 0


def find_untold_overlap(evidence: Evidence) -> str | None:
    """Return why nobody can tell whether the champion knows the rows it is compared on, which flatters it; None where they can."""
    overlap = evidence.champion_overlap
    if overlap is None:
        return "Nobody asked whether the champion was trained on these rows. Nominate the run again: then it is."
    if overlap.shared_rows is not None:
        return None
    return f"Nobody can tell whether the champion was trained on these rows. {overlap.untold}"


def say_overlap(evidence: Evidence) -> str:
    """Say whether the champion was trained on the rows it was asked about; nothing where it was not."""
    overlap, comparison = evidence.champion_overlap, evidence.champion
    return overlap.tell(comparison.rows) if overlap and comparison else ""


def find_nominee(comparison: Comparison, evidence: Evidence) -> ComparedRun | None:
    """Return the nominee's side of a comparison, or None when it does not stand in it."""
    return next((run for run in comparison.runs if run.run_id == evidence.identity.run_id), None)


def judge_nominee(comparison: Comparison, evidence: Evidence, policy: Policy) -> tuple[Verdict, str]:
    """Return the verdict under the policy's own margin, and the interval in words."""
    nominee, rule = find_nominee(comparison, evidence), deciding_rule(evidence.score, policy)
    if nominee is None or nominee.advantage is None or rule is None:
        return Verdict.INCONCLUSIVE, "no interval"
    interval = nominee.advantage
    verdict, rows = decide_verdict(interval, rule.margin), describe_rows(comparison.rows, comparison.units)
    return verdict, f"{verdict}: {interval.low:+.3g} to {interval.high:+.3g} on {rows}"


def say_what_decides(comparison: Comparison, evidence: Evidence, policy: Policy) -> str:
    """Return what would decide by the policy's own margin: the difference these rows can tell, and how many rows would."""
    nominee, rule = find_nominee(comparison, evidence), deciding_rule(evidence.score, policy)
    needed = ""
    if nominee and nominee.advantage and rule:
        found = find_needed_rows(nominee.advantage, comparison.rows, comparison.units, rule.margin)
        needed = describe_needed_rows(found, rule.margin) if found else ""
    told = say_overlap(evidence) if comparison is evidence.champion else ""
    step = KEEP_THE_SPLIT if told and comparison.rows < _count_scored(evidence) else "Use a larger holdout."
    return " ".join(filter(None, [needed, told, step]))

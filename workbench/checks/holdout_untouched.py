"""Was the model judged on rows it had not seen, and on all of them?"""

from __future__ import annotations

from workbench.checks._limits import read_limits
from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.evidence.measures.holdout import HoldoutFact
from workbench.policies.policy import Policy

LIMITS = ("most_shared_rows",)
_LOGGED_ONLY = "; what was logged was compared, what it was fitted on is not known"
_UNTOLD = "whose rows were scored is not known"
_TELL = (
    "Nobody can tell whether the rows that were scored are those of the holdout. Log as the holdout the table with all columns "
    "that the model takes, and name the column with the truth as it is logged: "
    '`wb.log_dataset(holdout, role="holdout", target="...")`; give `wb.log_predictions` and `wb.log_model` its rows in one order; '
    "then run again."
)


def holdout_untouched(evidence: Evidence, policy: Policy) -> Finding:
    """Pass when at most `most_shared_rows` holdout rows stand in a training table, and exactly its own rows were scored.

    Rows that are alike once numbers are rounded to 1/10,000 of their range, without case and blanks, count as much as equal ones.
    """
    limits = read_limits(policy, "holdout_untouched", *LIMITS)
    if isinstance(limits, Finding):
        return limits
    most = limits["most_shared_rows"]
    limit = f"at most {most:g} shared rows, each row predicted once"
    missing = _find_missing(evidence)
    if missing or evidence.holdout is None:
        reason = f"{missing} Log it with wb.log_dataset, so that the rows can be compared."
        return Finding("holdout_untouched", Status.UNKNOWN, "not comparable", limit, reason)
    finding, sample = _judge(evidence.holdout, most, limit), evidence.sample
    if sample is not None and sample.other_truth == "swapped":
        reason = (
            f"What was logged as the score is in every row the {_name_target(evidence.holdout)}, and what was logged as the "
            "truth is not: the two are swapped. `wb.log_predictions` takes the row ids, the truth, then the score; run again."
        )
        return Finding("holdout_untouched", Status.FAIL, "truth and score are swapped", limit, reason)
    if sample is not None and sample.strangers:
        reason = (
            f"{sample.strangers:,} of {sample.rows:,} rows that were scored are not the rows that were logged as the holdout under "
            "their names. Score the holdout as it was logged, with its own features, truth and groups; where these were recoded, "
            "log the table as the model takes it. Then run again."
        )
        return Finding("holdout_untouched", Status.FAIL, f"{sample.strangers:,} other rows", limit, reason)
    if finding.status is Status.PASS and (sample is None or sample.strangers is None):
        is_other = sample is not None and sample.other_truth == "other"
        why = f"In no row is the truth that was scored the {_name_target(evidence.holdout)}. " if is_other else ""
        return Finding("holdout_untouched", Status.UNKNOWN, _UNTOLD, limit, f"{why}{_TELL}")
    return finding


def _name_target(holdout: HoldoutFact) -> str:
    return f"holdout's column {holdout.target!r}" if holdout.target is not None else "holdout's target"


def _find_missing(evidence: Evidence) -> str:
    if evidence.holdout is None or evidence.holdout.rows < 1:
        return "The run declared no holdout with rows."
    return "" if any(item.role == "train" for item in evidence.datasets) else "The run declared no training table."


def _say_shared(shared: int, alike: int) -> str:
    """Say how many holdout rows training had as they are, and how many more had a row there that is nearly the same."""
    same = f"{shared:,} holdout row{' also stands' if shared == 1 else 's also stand'} in the training data."
    nearly = alike - shared
    if nearly <= 0:
        return same
    says = (
        f"{nearly:,} {'has' if nearly == 1 else 'have'} a row in the training data that is nearly the same: numbers differ by less "
        "than about 1/10,000 of their range, texts only in case or blanks."
    )
    return f"{same} Of the others {says}" if shared > 0 else f"Of the holdout rows {says}"


def _judge(holdout: HoldoutFact, most: float, limit: str) -> Finding:
    shared, alike = holdout.shared_rows, holdout.alike_rows
    if shared is None or alike is None:
        reason = (
            "A training table was logged with other columns or types than the holdout, so nobody can see whether they share "
            "rows. Log both with the same columns, the label included, and run again."
        )
        return Finding("holdout_untouched", Status.UNKNOWN, "not comparable", limit, reason)
    value = f"{shared:,} of {holdout.rows:,} rows shared with the training tables, {alike:,} alike"
    if shared < 0 or max(shared, alike) > most:
        advice = "The score flatters the model: remove such rows from the training data and run again."
        reason = f"{_say_shared(shared, alike)} {advice}"
        return Finding("holdout_untouched", Status.FAIL, value, limit, reason)
    if not holdout.covered:
        reason = (
            "The predictions are not on exactly the holdout's rows, each once. "
            "Call wb.log_predictions with every row id of the holdout and run again."
        )
        return Finding("holdout_untouched", Status.FAIL, f"{value}, not covered", limit, reason)
    reason = (
        "Every holdout row was scored, each with its own truth and features, and the training tables that were logged hold no more "
        "of them than allowed. What the model was fitted on is not known: only what was logged was compared."
    )
    return Finding("holdout_untouched", Status.PASS, f"{value}{_LOGGED_ONLY}", limit, reason)

"""Is it known exactly which data the model learnt from and was judged on?"""

from __future__ import annotations

from workbench.evidence.evidence import Evidence, Finding, Status
from workbench.policies.policy import Policy
from workbench.runs.tables import DatasetFact

ROLES = ("train", "holdout")
_LIMIT = "a train and a holdout table, each with digest and rows"


def data_known(evidence: Evidence, policy: Policy) -> Finding:  # noqa: ARG001 - every check has this shape
    """Pass when a train and a holdout table are declared and every declared table has a digest and rows."""
    value = ", ".join(f"{item.role} {item.rows:,} rows" for item in evidence.datasets) or "no table"
    absent = [role for role in ROLES if not any(item.role == role for item in evidence.datasets)]
    if absent:
        reason = f"The run declared no {' and no '.join(absent)} table. Declare each with wb.log_dataset and run again."
        return Finding("data_known", Status.UNKNOWN, value, _LIMIT, reason)
    unknown = sorted(item.name for item in evidence.datasets if not item.digest)
    if unknown:
        reason = f"{', '.join(unknown)} has no digest, so its content is not known. Log it again with wb.log_dataset."
        return Finding("data_known", Status.UNKNOWN, value, _LIMIT, reason)
    empty = sorted(item.name for item in evidence.datasets if _is_empty(item))
    if empty:
        reason = f"{', '.join(empty)} is empty. Check how the notebook loads and splits its data."
        return Finding("data_known", Status.FAIL, value, _LIMIT, reason)
    return Finding("data_known", Status.PASS, value, _LIMIT, "Every table the run used is named by its content.")


def _is_empty(dataset: DatasetFact) -> bool:
    return dataset.rows < 1 or dataset.columns < 1

"""Findings and the checklist as the review shows them: what needs a person first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from workbench.evidence.evidence import Finding, Severity, Status
from workbench.reviews.checklist import ChecklistRow, ItemStatus, count_statuses
from workbench.reviews.review import Review
from workbench.words.findings import can_be_waived, prose, sort_findings, waive_command
from workbench.words.numbers import MISSING, sentence_case, words

# So many passed checks are read in passing; more are folded.
_MOST_PASSED = 6
_SEVERITY: Mapping[Severity, str] = {
    Severity.BLOCKING: "Must pass",
    Severity.WAIVABLE: "Must pass or be waived",
    Severity.ADVISORY: "Advice only",
}
_WEIGHT: Mapping[str, str] = {
    Severity.BLOCKING: "Required",
    Severity.WAIVABLE: "Required or waived",
    Severity.ADVISORY: "Advice",
}
_LOOKS: Mapping[ItemStatus, tuple[str, str]] = {
    ItemStatus.FAIL: ("✕", "bad"),
    ItemStatus.UNKNOWN: ("?", "open"),
    ItemStatus.OPEN: ("○", "open"),
    ItemStatus.WAIVED: ("~", "open"),
    ItemStatus.PASS: ("✓", "good"),
    ItemStatus.ANSWERED: ("✓", "good"),
    ItemStatus.NOT_ASKED: ("", "plain"),
    ItemStatus.NOT_NEEDED: ("", "plain"),
}


def findings_state(review: Review) -> list[dict[str, Any]]:
    """Return every finding; one that may be waived says by whom, and how."""
    return [_finding(finding, review) for finding in sort_findings(review.findings)]


def count_unfolded(findings: Sequence[Finding]) -> int:
    """Return how many findings stand in the open: all, or those that did not simply pass when many did."""
    passed = sum(finding.status is Status.PASS for finding in findings)
    return len(findings) - passed if passed > _MOST_PASSED else len(findings)


def _status(status: ItemStatus) -> dict[str, str]:
    shape, tone = _LOOKS[status]
    return {"word": status.value, "shape": shape, "tone": tone}


def _finding(finding: Finding, review: Review) -> dict[str, Any]:
    return {
        "check": finding.check,
        "label": sentence_case(words(finding.check)),
        "status": _status(ItemStatus.WAIVED if finding.waiver else ItemStatus[finding.status.name]),
        "severity": _SEVERITY[finding.severity],
        "value": finding.value or MISSING,
        "limit": finding.limit or MISSING,
        "reason": prose(finding.reason),
        "waiver": prose(_waiver_text(finding, review)),
    }


def _waiver_text(finding: Finding, review: Review) -> str:
    if finding.waiver:
        return f"{'Failed' if finding.status is Status.FAIL else 'Unknown'}; waived by {finding.waiver}."
    if can_be_waived(finding, review):
        command = waive_command(review, finding.check)
        return f"{_roles(review.waiver_roles)} may waive it until a date, with a reason; an author may not: `{command}`"
    return ""


def _roles(roles: Sequence[str]) -> str:
    return " or ".join(f"The {role}" if number == 0 else f"the {role}" for number, role in enumerate(roles))


def checklist_state(rows: Sequence[ChecklistRow]) -> dict[str, Any] | None:
    """Return the checklist by sections, None when there is none."""
    if not rows:
        return None
    counts = [f"{count} {status.lower()}" for status, count in count_statuses(rows).items()]
    return {
        "summary": f"Checklist: {len(rows)} questions; {', '.join(counts)}",
        "sections": [
            {"title": title, "rows": [_item(row) for row in members]}
            for title, members in groupby(rows, key=lambda row: row.section)
        ],
    }


def _item(row: ChecklistRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "question": row.question,
        "status": _status(row.status),
        "severity": _WEIGHT[row.severity] if row.severity else MISSING,
        "by": ", ".join(sentence_case(words(name)) for name in row.by) or MISSING,
        "references": ", ".join(row.references),
    }

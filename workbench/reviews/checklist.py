"""The checklist of a model review: what answers each question under a policy: a check, a person, the gate, or nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from workbench.errors import UsageError
from workbench.evidence.evidence import Finding, Status
from workbench.records.yaml_documents import read_yaml

FORMAT = 1
_LISTS = ("checks", "asks", "gate", "references")


class ItemStatus(StrEnum):
    """Where an item stands; the worst of what answers it counts."""

    FAIL = "Fail"
    UNKNOWN = "Unknown"
    OPEN = "Open"
    WAIVED = "Waived"
    PASS = "Pass"
    ANSWERED = "Answered"
    NOT_ASKED = "Not asked"
    NOT_NEEDED = "Not for this tier"


@dataclass(frozen=True)
class ChecklistItem:
    """One question of the review: what answers it, from which risk tier on with which severity, and where it comes from."""

    id: str
    section: str
    question: str
    severity: Mapping[int, str]
    checks: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    gate: tuple[str, ...] = ()
    references: tuple[str, ...] = ()

    def severity_at(self, tier: int) -> str | None:
        """Return what it means at a tier when it is not settled, None where it does not apply."""
        applying = [lowest for lowest in self.severity if lowest >= tier]
        return self.severity[min(applying)] if applying else None


@dataclass(frozen=True)
class ChecklistRow:
    """One item as it stands for a nominee; `by` names the checks and questions of the policy that answer it."""

    id: str
    section: str
    question: str
    status: ItemStatus
    severity: str
    by: tuple[str, ...]
    references: tuple[str, ...]


@lru_cache(maxsize=4)
def parse_checklist(content: bytes) -> tuple[ChecklistItem, ...]:
    """Read the items in order; raises UsageError for a file that is none."""
    try:
        document = read_yaml(content).value
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, this version reads {FORMAT}")
        return tuple(_build_item(name, fields) for name, fields in document["items"].items())
    except UsageError as exc:
        raise UsageError("The checklist cannot be read.", why=exc.reasons) from exc
    except (AttributeError, KeyError, TypeError, ValueError) as exc:
        raise UsageError("The checklist cannot be read.", why=f"{type(exc).__name__}: {exc}") from exc


def _build_item(name: str, fields: Mapping[str, Any]) -> ChecklistItem:
    parts: dict[str, Any] = {key: tuple(value) if key in _LISTS else value for key, value in fields.items()}
    return ChecklistItem(name, **parts)


def judge_checklist(
    items: Iterable[ChecklistItem],
    *,
    tier: int,
    findings: Iterable[Finding],
    answered: Mapping[str, bool],
    gate: Mapping[str, bool],
) -> tuple[ChecklistRow, ...]:
    """Return how each item stands under a policy.

    `answered` are the policy's questions, `gate` what the gate itself sees to, each with whether it is settled.
    """
    statuses = {finding.check: _status_of(finding) for finding in findings}
    statuses |= {name: ItemStatus.ANSWERED if done else ItemStatus.OPEN for name, done in answered.items()}
    settled = {name: ItemStatus.PASS if done else ItemStatus.OPEN for name, done in gate.items()}
    return tuple(_judge(item, tier, statuses, settled) for item in items)


def _status_of(finding: Finding) -> ItemStatus:
    if finding.waiver:
        return ItemStatus.WAIVED
    return {Status.PASS: ItemStatus.PASS, Status.FAIL: ItemStatus.FAIL}.get(finding.status, ItemStatus.UNKNOWN)


def _judge(
    item: ChecklistItem, tier: int, statuses: Mapping[str, ItemStatus], settled: Mapping[str, ItemStatus]
) -> ChecklistRow:
    by = tuple(name for name in (*item.checks, *item.asks) if name in statuses)
    found = [*(statuses[name] for name in by), *(settled[name] for name in item.gate if name in settled)]
    severity = item.severity_at(tier)
    # What a policy asks although its tier would not have to is judged all the same.
    nothing = ItemStatus.NOT_ASKED if severity else ItemStatus.NOT_NEEDED
    status = min(found, key=list(ItemStatus).index, default=nothing)
    return ChecklistRow(item.id, item.section, item.question, status, severity or "", by, item.references)


def count_statuses(rows: Iterable[ChecklistRow]) -> dict[ItemStatus, int]:
    """Return how many items stand how, in the order of the statuses, without those that none has."""
    given = [row.status for row in rows]
    return {status: given.count(status) for status in ItemStatus if status in given}

"""What people ask for in a review: the same records from the command line, the view and Python; a key signs each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ApprovalRequest:
    """To approve a nominee as it is now, in a role."""

    role: str


@dataclass(frozen=True)
class ObjectionRequest:
    """To object in words, or to say what settled one's own objection of the number `clears` (0: none)."""

    text: str
    clears: int = 0


@dataclass(frozen=True)
class WaiverRequest:
    """To except a finding that did not pass from blocking, until a date or time (ISO 8601, UTC when it names no zone)."""

    check: str
    reason: str
    role: str
    until: str

"""Severity: what it means under a policy that a check did not pass."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """What a finding that did not pass means: it blocks, it blocks unless it is waived, or it is only said."""

    BLOCKING = "blocking"
    WAIVABLE = "waivable"
    ADVISORY = "advisory"

"""Severity: what it means under a policy that a check did not pass."""

from __future__ import annotations

from enum import StrEnum


class Severity(StrEnum):
    """What a finding that did not pass means: it blocks, it blocks unless it is waived, or it is only said.

    A policy may also let a check be waived where nobody can tell, and block where it fails; a finding is one or the other.
    """

    BLOCKING = "blocking"
    WAIVABLE = "waivable"
    WAIVABLE_IF_UNKNOWN = "waivable_if_unknown"
    ADVISORY = "advisory"

"""The clock: moments as everything here writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def utc_now() -> str:
    """Return the time now, ISO 8601 in UTC with microseconds."""
    return datetime.now(UTC).isoformat()

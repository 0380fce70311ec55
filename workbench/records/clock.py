"""The clock: moments as everything here writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def utc_now() -> str:
    """Return the time now, ISO 8601 in UTC with microseconds."""
    return datetime.now(UTC).isoformat()


def last_day(expires: str) -> str:
    """Return the last day of what ends at a time (ISO 8601): one that ends with a day holds on that day and not on the next."""
    return (datetime.fromisoformat(expires) - timedelta(microseconds=1)).date().isoformat()

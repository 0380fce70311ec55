"""The clock: moments as everything here writes them, and how far two clocks may be apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

# Clocks that the network sets agree within a second or two; where a time lies further before another, one was turned back.
TOLERANCE = timedelta(seconds=10)
# What lies further ahead of a machine's clock than this is no matter of two clocks any more.
MOST_AHEAD = timedelta(minutes=5)


def utc_now() -> str:
    """Return the time now, ISO 8601 in UTC with microseconds."""
    return datetime.now(UTC).isoformat()


def last_day(expires: str) -> str:
    """Return the last day of what ends at a time (ISO 8601): one that ends with a day holds on that day and not on the next."""
    return (datetime.fromisoformat(expires) - timedelta(microseconds=1)).date().isoformat()


def read_moment(text: str) -> datetime:
    """Return a time (ISO 8601 with its zone) in UTC; raises ValueError for a text that is none."""
    moment = datetime.fromisoformat(text)
    if moment.utcoffset() is None:
        raise ValueError(f"{text} names no time zone")
    try:
        return moment.astimezone(UTC)
    except OverflowError as exc:
        raise ValueError(f"{text} is no time in UTC") from exc


def find_moment(text: str) -> datetime | None:
    """Return a time (ISO 8601 with its zone) in UTC, None for a text that is none."""
    try:
        return read_moment(text)
    except ValueError:
        return None


def is_since(time: str, start: str) -> bool:
    """True when a time is no earlier than another (ISO 8601), but for what two clocks may be apart; False when nobody can tell."""
    moment, begun = find_moment(time), find_moment(start)
    return moment is not None and begun is not None and begun - moment <= TOLERANCE


def count_seconds(started: str | None, ended: str | None) -> float | None:
    """Return how many seconds lie between two times as records have them; None where one of them is not there."""
    if started is None or ended is None:
        return None
    return (datetime.fromisoformat(ended) - datetime.fromisoformat(started)).total_seconds()

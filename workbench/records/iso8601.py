"""Dates and durations of a request: ISO 8601 as text, counted in the unit of the column the model was fitted on, exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, cast

Unit = Literal["s", "ms", "us", "ns"]
_PER_SECOND: dict[str, int] = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_FRACTIONS = {
    "s": "in whole seconds",
    "ms": "to the millisecond",
    "us": "to the microsecond",
    "ns": "to the nanosecond",
}
_DTYPE = re.compile(r"(datetime64|timedelta64)\[(s|ms|us|ns)(?:, ([^\]]+))?\]")
_PLAIN = r"(\d{4}-\d\d-\d\d)(?:(T\d\d:\d\d)(?:(:\d\d)(\.\d{1,9})?)?)?"
_ZONED = r"(\d{4}-\d\d-\d\d)(T\d\d:\d\d)(?:(:\d\d)(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d)"
_LASTING = (
    r"(-)?P(?=\d|T\d)(?:(\d{1,9})W)?(?:(\d{1,9})D)?"
    r"(?:T(?=\d)(?:(\d{1,12})H)?(?:(\d{1,12})M)?(?:(\d{1,12})(\.\d{1,9})?S)?)?"
)
# numpy's smallest count stands for a missing one.
_MOST = 2**63 - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TimeType:
    """What pandas calls a column of dates or durations: the unit it counts in, and of dates the zone, None without one."""

    is_duration: bool
    unit: Unit
    zone: str | None = None

    @property
    def pattern(self) -> str:
        """The regular expression its texts match from end to end."""
        return _LASTING if self.is_duration else _PLAIN if self.zone is None else _ZONED

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        if self.is_duration:
            text = 'a duration in ISO 8601 of weeks, days, hours, minutes and seconds, such as "P1DT2H30M"'
        elif self.zone is None:
            text = 'a date in ISO 8601 without an offset, such as "2026-03-01T12:30:00"'
        else:
            text = 'a date in ISO 8601 with its offset, such as "2026-03-01T12:30:00+01:00"'
        return f"{text}, {_FRACTIONS[self.unit]}"


def find_time_type(dtype: str) -> TimeType | None:
    """Return what a dtype of dates or durations says, such as `datetime64[us, Europe/Berlin]`; None for any other."""
    found = _DTYPE.fullmatch(dtype)
    if found is None or (found[1] == "timedelta64" and found[3]):
        return None
    return TimeType(found[1] == "timedelta64", cast("Unit", found[2]), found[3])


def count_time(text: str, kind: TimeType) -> int | None:
    """Return a text as a count of the column's units: since 1970 (in UTC where there is a zone), or how long it lasts.

    None for what is no such text: another format, no such day, an offset where the column has no zone or none where it has one,
    a fraction finer than the unit, a count beyond 64 bits.
    """
    nanoseconds = _count_duration(text) if kind.is_duration else _count_date(text, kind.pattern)
    if nanoseconds is None:
        return None
    count, rest = divmod(nanoseconds, 10**9 // _PER_SECOND[kind.unit])
    return count if rest == 0 and abs(count) <= _MOST else None


def _count_date(text: str, pattern: str) -> int | None:
    found = re.fullmatch(pattern, text, re.ASCII)
    if found is None:
        return None
    day, time, seconds, fraction, *offset = found.groups()
    try:
        # Python's own reader knows each month's days.
        moment = datetime.fromisoformat(f"{day}{time or 'T00:00'}{seconds or ':00'}{offset[0] if offset else 'Z'}")
    except ValueError:
        return None
    return (moment - _EPOCH) // timedelta(seconds=1) * 10**9 + _read_fraction(fraction)


def _count_duration(text: str) -> int | None:
    found = re.fullmatch(_LASTING, text, re.ASCII)
    if found is None:
        return None
    weeks, days, hours, minutes, seconds = (int(found[at] or 0) for at in range(2, 7))
    whole = ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + seconds
    count = whole * 10**9 + _read_fraction(found[7])
    return -count if found[1] else count


def _read_fraction(spelled: str | None) -> int:
    return int((spelled or ".0")[1:].ljust(9, "0"))


def spell_time(count: int, kind: TimeType) -> str:
    """Return a count of a column's units as text: a date in UTC where there is a zone, `P1DT2H3M4.5S` for a duration."""
    return _spell_duration(count, kind) if kind.is_duration else _spell_date(count, kind)


def _spell_date(count: int, kind: TimeType) -> str:
    seconds, rest = divmod(count, _PER_SECOND[kind.unit])
    moment = _EPOCH.replace(tzinfo=None) + timedelta(seconds=seconds)
    return f"{moment.isoformat()}{_spell_fraction(rest, kind.unit)}{'Z' if kind.zone is not None else ''}"


def _spell_duration(count: int, kind: TimeType) -> str:
    seconds, rest = divmod(abs(count), _PER_SECOND[kind.unit])
    days, seconds = divmod(seconds, 24 * 3600)
    hours, minutes, fraction = seconds // 3600, seconds // 60 % 60, _spell_fraction(rest, kind.unit)
    time = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    time += f"{seconds % 60}{fraction}S" if seconds % 60 or fraction else ""
    spelled = (f"{days}D" if days else "") + (f"T{time}" if time else "")
    return f"{'-' if count < 0 else ''}P{spelled or 'T0S'}"


def _spell_fraction(count: int, unit: Unit) -> str:
    digits = f"{count:0{len(str(_PER_SECOND[unit])) - 1}d}".rstrip("0") if count else ""
    return f".{digits}" if digits else ""

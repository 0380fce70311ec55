"""Dates and durations of requests are read exactly, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.records.iso8601 import TimeType, count_time, find_time_type, spell_time

DATE, ZONED, DURATION = (
    TimeType(False, "us"),
    TimeType(False, "us", "Europe/Berlin"),
    TimeType(True, "ns"),
)
FIRST, LAST = -62_135_596_800 * 10**6, 253_402_300_799 * 10**6


@given(st.integers(FIRST, LAST), st.sampled_from([DATE, ZONED]))
def test_a_date_that_was_spelled_is_read_as_it_was(count, kind):
    spelled = spell_time(count, kind)
    assert count_time(spelled, kind) == count
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=count)
    assert datetime.fromisoformat(spelled).replace(tzinfo=UTC) == moment


@given(st.integers(-(2**63) + 1, 2**63 - 1), st.sampled_from(["s", "ms", "us", "ns"]))
def test_a_duration_that_was_spelled_is_read_as_it_was(count, unit):
    kind = TimeType(True, unit)
    # What no date and no life lasts is not spelled either: days have nine digits.
    if abs(count) < 10**14 * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit] // 2:
        assert count_time(spell_time(count, kind), kind) == count


@pytest.mark.parametrize(
    ("text", "kind", "seconds"),
    [
        ("2026-03-01", DATE, 1_772_323_200),
        ("2026-03-01T12:30", DATE, 1_772_368_200),
        ("2026-03-01T12:30:00+01:00", ZONED, 1_772_364_600),
        ("2026-03-01T11:30:00Z", ZONED, 1_772_364_600),
        ("2024-02-29", DATE, 1_709_164_800),
        ("0001-01-01", DATE, -62_135_596_800),
        ("1969-12-31T23:59:59.5", DATE, -0.5),
        ("P1W", DURATION, 604_800),
        ("P1DT2H30M", DURATION, 95_400),
        ("-PT0.25S", DURATION, -0.25),
        ("PT90M", DURATION, 5_400),
    ],
)
def test_what_people_write_is_read(text, kind, seconds):
    per_second = 10**9 if kind.is_duration else 10**6
    assert count_time(text, kind) == seconds * per_second


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("2026-02-29", DATE),
        ("2026-13-01", DATE),
        ("2026-03-01T24:00:00", DATE),
        ("2026-03-01T12:30:60", DATE),
        ("2026-03-01 12:30:00", DATE),
        ("2026-03-01T12:30:00Z", DATE),
        ("2026-03-01T12:30:00", ZONED),
        ("2026-03-01", ZONED),
        ("2026-03-01T12:30:00+25:00", ZONED),
        ("2026-03-01T12:30:00.0000001", DATE),
        ("2026-W01-1", DATE),
        ("20260301", DATE),
        ("٢٠٢٦-03-01", DATE),
        ("2026-03-01\n", DATE),
        ("", DATE),
        ("P", DURATION),
        ("PT", DURATION),
        ("P1Y", DURATION),
        ("P1M", DURATION),
        ("P-1D", DURATION),
        ("P1.5D", DURATION),
        ("P999999999D", DURATION),
        ("1 day", DURATION),
    ],
)
def test_what_is_no_such_text_is_not_read(text, kind):
    assert count_time(text, kind) is None


def test_what_is_finer_than_the_column_is_not_cut_off():
    assert count_time("2026-03-01T00:00:00.5", TimeType(False, "s")) is None
    assert count_time("2026-03-01T00:00:00.500", TimeType(False, "ms")) == 1_772_323_200_500


@pytest.mark.parametrize("dtype", ["", "float64", "datetime64[D]", "datetime64", "timedelta64[ns, UTC]", "object"])
def test_other_dtypes_are_none_of_dates_or_durations(dtype):
    assert find_time_type(dtype) is None

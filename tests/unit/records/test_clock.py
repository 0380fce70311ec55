"""A moment is a time with its zone; two clocks may be apart by seconds, and what is no moment came after nothing."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.records.clock import TOLERANCE, find_moment, is_since, read_moment, utc_now

HOURS = st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))


def test_the_time_now_is_a_moment():
    text = utc_now()
    assert read_moment(text).isoformat() == text


@pytest.mark.parametrize(
    "text", ["", "noon", "2026-11-20", "2026-11-20T10:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:00:00-14:00"]
)
def test_what_is_no_time_or_names_no_zone_is_no_moment_and_came_after_nothing(text):
    assert find_moment(text) is None
    with pytest.raises(ValueError, match=re.escape(text) or "Invalid"):
        read_moment(text)
    assert not is_since(text, "2026-11-20T10:00:00Z")
    assert not is_since("2026-11-20T10:00:00Z", text)


@given(st.integers(0, 10**9), HOURS, st.timedeltas(-timedelta(days=9), timedelta(days=9)))
def test_a_time_is_since_another_unless_it_lies_before_it_by_more_than_clocks_may_be_apart(second, zone, later):
    start = datetime.fromtimestamp(second, zone)
    moment = start.astimezone(UTC) + later
    assert is_since(moment.isoformat(), start.isoformat()) is (later >= -TOLERANCE)

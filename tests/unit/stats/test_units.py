"""Rows of one group or time are told by what their column holds, in the order of time, whatever the type."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from workbench.records.row_digests import encode_value
from workbench.stats.units import DrawnUnits, Units, UnreadableTimes, count_draws, label_rows, rank_units


def label(kind, values):
    return label_rows(kind, [encode_value(value) for value in pd.Series(values).tolist()]).labels.tolist()


@pytest.mark.parametrize(
    "times",
    [
        [3, 1.5, 2],
        ["2026-11", "2026-02", "2026-10"],
        pd.to_datetime(["2026-01-01 10:00", "2025-01-01 11:00", "2025-06-01 00:00"]),
        pd.to_datetime(["2026-10-25 01:30", "2026-10-25 00:30", "2026-10-25 01:00"], utc=True).tz_convert("Europe/Berlin"),
        pd.PeriodIndex(["2026Q3", "2025Q4", "2026Q1"], freq="Q"),
        pd.PeriodIndex(["2026-11-01", "2026-02-01", "2026-10-01"], freq="W"),
        ["2026-01-01T00:00:00Z", "2026-01-01T00:30:00+01:00", "2026-01-01T00:00:00+00:15"],
    ],
    ids=["numbers", "months", "moments", "the hour that comes twice", "quarters", "weeks", "zones"],
)  # fmt: skip
def test_times_are_in_their_order(times):
    assert label("time", times) == [2, 0, 1]


@pytest.mark.parametrize(
    ("times", "says"),
    [
        (["Jan", "Feb"], '"Jan" is neither a number nor a date that begins with its year'),
        (["2026-9", "2026-10"], '"2026-9" is neither'),
        (["31.12.2026", "01.01.2027"], "31.12.2026"),
        ([1, "2026"], "1 is neither"),
        (["2026-01-01 00:00:00+01:00", "2026-01-01 00:00:00"], "some have a time zone and others none"),
        (["2026-02-31 00:00:00+01:00"], "is no date"),
    ],
)
def test_what_nobody_can_put_in_order_is_said(times, says):
    with pytest.raises(UnreadableTimes, match=says):
        label("time", times)


def test_groups_are_equal_values_whatever_their_type_and_missing_order():
    assert label("group", ["b", "a", "b", "c"]) == [1, 0, 1, 2]
    assert label("group", [10, 9, 10]) == label("group", [10.0, 9.0, 10.0])


def test_units_are_told_apart_by_kind_and_by_which_row_is_of_which_and_counted_without_their_labels():
    groups, times = (Units(kind, np.arange(300) // 3) for kind in ("group", "time"))
    assert count_draws(groups.spell()) == groups.count() == DrawnUnits("group", 100, 1)
    assert times.count() == DrawnUnits("time", 100, 10)
    assert len({groups.spell(), times.spell(), Units("group", np.arange(300) // 3 % 99).spell()}) == 3
    assert min([groups.spell(), times.spell()], key=rank_units) == times.spell()
    assert groups.take(np.array([0, 1, 5])).count().count == 2
    with pytest.raises(ValueError, match="no kind"):
        count_draws("size 3 abc")

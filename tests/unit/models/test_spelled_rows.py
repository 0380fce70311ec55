"""Rows as they were spelled for their digests are read as a caller sends them, whatever their columns are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.errors import Refused
from workbench.models.contract import Contract, find_row_problems
from workbench.models.frames import describe_columns, to_rows
from workbench.models.spelled_rows import read_spelled, require_rows
from workbench.runs.tabulating import _spell_table

TABLE = pd.DataFrame(
    {
        "float": [0.1, 2.0, np.nan],
        "single": np.array([0.1, 2.0, 1e30], dtype="float32"),
        "whole": [1, -2, 2**53 - 1],
        "nullable": pd.array([1, None, 3], dtype="Int64"),
        "flag": [True, False, True],
        "maybe": pd.array([True, None, False], dtype="boolean"),
        "text": ["a", 'quo"te\n', None],
        "number_text": ["1", "true", "null"],
        "kind": pd.Categorical(["x", "y", None]),
        "size": pd.Categorical([1, 2, 1]),
        "is_big": pd.Categorical([True, False, True]),
        "day": pd.to_datetime(["2026-03-01 00:00:00.000000", "2026-03-01 12:30:00.000001", None]),
        "fine": pd.to_datetime(["2026-03-01 00:00:00.123456789", "1999-12-31", "2026-01-01"], format="ISO8601").as_unit("ns"),
        "zoned": pd.to_datetime(["2026-03-01 12:00", "2026-07-01 12:00", "2026-10-25 02:30"]).tz_localize(
            "Europe/Berlin", ambiguous=[True, True, False]
        ),
        "lasting": pd.to_timedelta(["1 days 02:03:04.5", "-1 days +23:59:59.999999", None]),
        "long": [2**60, -(2**60), 7],
    }
)  # fmt: skip


def contract_of(table, **named):
    return Contract("regression", describe_columns(table, as_text=["long"]), **named)


def spelled(table):
    return dict(_spell_table(table, table.isna().to_numpy()))


def test_every_kind_of_column_is_read_as_a_caller_sends_it():
    contract = contract_of(TABLE)
    rows = read_spelled(spelled(TABLE), contract)
    assert find_row_problems(contract, rows) == []
    sent = to_rows(TABLE, contract)
    for name in contract.names:
        told, expected = [row[name] for row in rows], [row[name] for row in sent]
        if name == "zoned":  # the same moment by another clock
            told, expected = ([pd.Timestamp(each) for each in moments] for moments in (told, expected))
        assert told == expected, name
        alike = [type(a) is type(b) or {type(a), type(b)} == {int, float} for a, b in zip(told, expected, strict=True)]
        assert all(alike), name


def test_columns_the_model_does_not_take_are_left_out_and_their_order_is_the_contracts():
    contract = contract_of(TABLE)
    few = replace(contract, columns=(contract.columns[3], contract.columns[0]))
    assert list(read_spelled(spelled(TABLE), few)[0]) == ["nullable", "float"]


def test_a_column_that_is_missing_is_named():
    with pytest.raises(Refused, match="no column flag, text, which the model takes"):
        read_spelled(spelled(TABLE.drop(columns=["text", "flag"])), contract_of(TABLE))


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("whole", ["1", "2", "3"], "column 'whole': expected a whole number"),
        ("whole", [1, None, 3], "got null"),
        ("text", [1, 2, 3], "column 'text': expected a string"),
        ("flag", [2, 0, 1], "column 'flag': expected true or false, got a number"),
        ("float", [0.1, np.inf, 1.0], "got a number that is not finite"),
        ("day", ["soon", "2026-03-01", None], "Row 0, column 'day': expected a date in ISO 8601 without an offset"),
        ("lasting", ["1 fortnight", None, None], "expected a duration in ISO 8601"),
        ("fine", pd.to_datetime(["2026-03-01"] * 3).tz_localize("UTC"), "without an offset"),
    ],
)
def test_what_does_not_keep_the_contract_is_refused_as_the_endpoint_would(column, values, said):
    contract, other = contract_of(TABLE), TABLE.assign(**{column: values})
    with pytest.raises(Refused) as refused:
        require_rows(read_spelled(spelled(other), contract), contract)
    assert said in refused.value.reasons[0]

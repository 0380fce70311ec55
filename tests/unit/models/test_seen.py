"""A value that lies outside of what the data held is named, where the contract says so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from tests.unit.serving.test_application import MODEL, Client, post
from workbench.errors import UsageError
from workbench.models.contract import Answers, Column, Contract, parse_contract, require_valid
from workbench.models.seen import make_unseen_finder
from workbench.serving.answering import build_application
from workbench.serving.openapi import row_schema

COLUMNS = (
    Column("age", "integer", dtype="int64", lowest=18, highest=89, nullable=True),
    Column("site", "string", dtype="str", values=("left", "right")),
    Column("plan", "string", dtype="category", categories=("free", "pro")),
    Column(
        "since", "datetime", dtype="datetime64[us, UTC]", lowest="2026-01-01T00:00:00Z", highest="2026-03-01T00:00:00Z"
    ),
    Column("account", "integer_text", dtype="int64", lowest="-5", highest="9007199254740993"),
    Column("note", "string", dtype="str"),
    Column("share", "number", dtype="float32", lowest=float(np.float32(0.1)), highest=float(np.float32(0.7))),
    Column("tier", "string", dtype="category", categories=("a", "b", "c"), values=("a", "b")),
)
ROW = {
    "age": 18,
    "site": "left",
    "plan": "pro",
    "since": "2026-01-01T01:00:00+01:00",
    "account": "9007199254740993",
    "note": "anything",
    "share": 0.1,
    "tier": "a",
}


@pytest.mark.parametrize(
    ("column", "value", "is_seen"),
    [
        ("age", 89, True),
        ("age", 90, False),
        ("age", None, True),
        ("site", "middle", False),
        ("plan", "team", False),
        ("since", "2026-01-01T00:59:59+01:00", False),
        ("since", "2026-02-28T23:00:00-01:00", True),
        ("account", "9007199254740994", False),
        ("account", "-5", True),
        ("note", "never", True),
        ("share", 0.7, True),
        ("share", 0.7000001, False),
        ("tier", "c", False),
    ],
)
def test_what_lies_outside_is_named(column, value, is_seen):
    find = make_unseen_finder(Contract("regression", COLUMNS))
    assert find([ROW, {**ROW, column: value}]) == [[], [] if is_seen else [column]]


def answering(contract: Contract) -> Client:
    def predict(rows: Any) -> Answers:
        return Answers([0.5] * len(rows))

    return Client(build_application(predict, contract, MODEL))


@pytest.mark.parametrize("flags_unseen", [True, False])
def test_an_answer_names_it_where_the_contract_says_so(flags_unseen):
    client = answering(Contract("regression", COLUMNS[1:2], flags_unseen=flags_unseen))
    answer = post(client, b'{"rows": [{"site": "left"}, {"site": "middle"}]}').json()
    assert answer.get("unseen") == ([[], ["site"]] if flags_unseen else None)
    document = client.get("/openapi.json").json()
    Draft202012Validator({**document, "$ref": "#/components/schemas/Answer"}).validate(answer)


def test_what_was_seen_is_in_the_contract_and_in_the_openapi_document():
    contract = require_valid(Contract("regression", COLUMNS))
    assert parse_contract(contract.to_bytes()) == contract
    described = {name: each.get("description", "") for name, each in row_schema(contract)["properties"].items()}
    assert described["age"] == "Seen from 18 to 89."
    assert described["site"] == "Seen: left, right."
    assert described["note"] == ""
    assert "with its offset" in described["since"]


@pytest.mark.parametrize(
    "column",
    [
        Column("a", "number", lowest=0.5),
        Column("a", "number", lowest=0.5, highest=float("inf")),
        Column("a", "datetime", dtype="timedelta64[us]"),
        Column("a", "duration", dtype="float64"),
        Column("a", "datetime", dtype="datetime64[us]", lowest="2026-02-30", highest="2026-03-01"),
        Column("a", "integer_text", dtype="uint64", lowest="-1", highest="4"),
    ],
)
def test_a_column_that_says_what_cannot_be_is_refused(column):
    with pytest.raises(UsageError):
        require_valid(Contract("regression", (column,)))


@pytest.mark.parametrize(
    ("dtype", "value", "is_kept"),
    [
        ("int64", "9223372036854775807", True),
        ("int64", "9223372036854775808", False),
        ("uint64", "18446744073709551615", True),
        ("uint64", "-1", False),
        ("int64", 5, False),
        ("int64", "05", False),
        ("int64", "1.0", False),
        ("int64", "-0", False),
    ],
)
def test_a_whole_number_carried_as_text_is_digits_of_at_most_64_bits(dtype, value, is_kept):
    from workbench.models.contract import find_row_problems

    contract = Contract("regression", (Column("account", "integer_text", dtype=dtype),))
    assert (find_row_problems(contract, [{"account": value}]) == []) is is_kept


@pytest.mark.parametrize(("dtype", "takes"), [("int64", True), ("uint64", False)])
def test_the_openapi_document_takes_a_sign_where_the_endpoint_does(dtype, takes):
    schema = row_schema(Contract("regression", (Column("account", "integer_text", dtype=dtype),)))
    assert Draft202012Validator(schema).is_valid({"account": "-1"}) is takes

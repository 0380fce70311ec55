"""Rows are read in one pass as the strict reader reads them, and what is refused is refused with the same words."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from workbench.models.contract import LARGEST_INTEGER, MOST_ROWS, Column, Contract
from workbench.serving.problems import RequestError
from workbench.serving.row_decoder import find_largest_body, make_decoder, read_strictly

NUMBERS = Contract("regression", (Column("x", "number"), Column("n", "integer", True), Column("flag", "boolean")))
TEXTS = Contract(
    "regression",
    (
        Column("a:b", "number", True),
        Column("text", "string", True, longest=5),
        Column("day", "datetime", dtype="datetime64[ns]"),
        Column("id", "integer_text", dtype="int64"),
    ),
)
READ = {contract: make_decoder(contract) for contract in (NUMBERS, TEXTS)}
VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(),
    st.integers(-(2**70), 2**70),
    st.text(max_size=7),
    st.sampled_from(
        ["2026-01-01T00:00:00", "2026-01-01", "9007199254740993", "a:b", "é\u2028", 3.4e38, 1e39, 1.0, -0.0]
    ),
)
NAMES = st.sampled_from(["x", "n", "flag", "a:b", "text", "day", "id", "rows", "other"])


def tell(read: Any, body: bytes) -> Any:
    """Return what was read, spelled so that 1 and 1.0 are one, or how it was refused."""
    try:
        rows = read(body)
    except RequestError as error:
        return error.status, error.detail, tuple(error.problems)
    return [{name: float(v) if type(v) in (int, float) else v for name, v in row.items()} for row in rows]


def assert_alike(contract: Contract, body: bytes) -> None:
    assert tell(READ[contract], body) == tell(lambda body: read_strictly(contract, body), body)


@st.composite
def documents(draw: Any) -> bytes:
    """Draw a body that is nearly right: known names and wrong ones, a key twice, escapes, blanks."""
    contract = draw(st.sampled_from(list(READ)))
    names = draw(
        st.sampled_from(
            [list(contract.names)] * 3 + [[draw(NAMES), *contract.names[1:]], [*contract.names, draw(NAMES)]]
        )
    )
    rows = []
    for _ in range(draw(st.integers(1, 3))):
        pairs = [(name, draw(VALUES)) for name in names]
        rows.append(
            "{"
            + ",".join(
                _spell(draw, name) + draw(st.sampled_from([":", " : "])) + _spell(draw, value) for name, value in pairs
            )
            + "}"
        )
    return ('{"rows":[' + ",".join(rows) + "]}" + draw(st.sampled_from(["", "", " ", "x"]))).encode()


def _spell(draw: Any, value: Any) -> str:
    text = json.dumps(value, ensure_ascii=draw(st.booleans()))
    return text.replace(":", "\\u003a") if draw(st.integers(0, 9)) == 0 else text


@given(documents())
def test_nearly_right_bodies_are_read_alike(body: bytes) -> None:
    for contract in READ:
        assert_alike(contract, body)


@given(st.binary(max_size=60))
@example(b'{"rows":[{"x":1,"n":1,"flag":true}]}')
def test_any_bytes_are_read_alike(body: bytes) -> None:
    for contract in READ:
        assert_alike(contract, body)


@given(st.floats(-3.4e38, 3.4e38), st.integers(-LARGEST_INTEGER, LARGEST_INTEGER))
def test_a_number_is_the_one_that_was_sent(x: float, n: int) -> None:
    body = json.dumps({"rows": [{"x": x, "n": n, "flag": False}]}).encode()
    (row,) = READ[NUMBERS](body)
    assert (row["x"], row["n"], row["flag"]) == (x, n, False)


TWICE = [
    b'{"rows":[{"x":1,"x":2,"n":1,"flag":true}]}',
    b'{"rows":[{"x":1,"n":1,"flag":true}],"rows":[{"x":1,"n":1,"flag":true}]}',
    b'{"rows":[{"a\\u003ab":1,"text":"a","text":"b","day":"2026-01-01","id":"1"}]}',
    b'{"rows":[{"a:b":1,"text":"\\u003a","id":"1","day":"2026-01-01","id":"1"}]}',
]


@pytest.mark.parametrize("body", TWICE)
def test_a_key_that_stands_twice_is_refused_however_its_colons_are_spelled(body: bytes) -> None:
    for contract, read in READ.items():
        assert_alike(contract, body)
        with pytest.raises(RequestError, match="duplicate key"):
            read(body)


def test_the_largest_body_holds_the_most_rows_and_has_ends() -> None:
    wide = Contract("regression", tuple(Column(f"a name of some length {n}", "number") for n in range(30)))
    row = dict.fromkeys(wide.names, -1.2345678901234568e-300)
    body = json.dumps({"rows": [row] * MOST_ROWS}, indent=1).encode()
    assert len(body) <= find_largest_body(wide) < 4 * len(body)
    assert len(make_decoder(wide)(body)) == MOST_ROWS
    assert find_largest_body(NUMBERS) >= 64 * 1024
    assert (
        find_largest_body(Contract("regression", tuple(Column(f"t{n}", "string") for n in range(50)))) == 16 * 1024**2
    )

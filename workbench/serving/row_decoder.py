"""A contract compiled to a decoder of request bodies: sound rows in one pass, and what is wrong with others in a second one.

The first pass reads typed JSON with ranges and keeps of each object what the contract names. It can neither see a key that stands
twice nor one that is unknown, so the colons of the body are counted: each key brings one, and so do names and texts that hold some.
Where there are others, or anything is not as it should be, the strict reader decides, which says all that is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypedDict

import msgspec
from msgspec import Meta

from workbench.models.contract import (
    LARGEST_INTEGER,
    LARGEST_NUMBER,
    MOST_ROWS,
    Column,
    Contract,
    accepts,
    find_row_problems,
)
from workbench.records.digest import strict_json
from workbench.serving.problems import RequestError

Rows = list[dict[str, Any]]
# A number with its sign, digits and exponent, beside colon, comma and blanks; a text may take four bytes a character, its name six.
_NUMBER_BYTES, _CHARACTER_BYTES, _NAME_BYTES, _BESIDE_BYTES = 32, 4, 6, 8
_LEAST_BODY, _MOST_BODY = 64 * 1024, 16 * 1024**2


def find_largest_body(contract: Contract) -> int:
    """Return how many bytes the most rows that are answered at once may take, 64 KiB at least and 16 MiB at most."""
    row = sum(_NAME_BYTES * len(column.name) + _BESIDE_BYTES + _measure_value(column) for column in contract.columns)
    return min(max(MOST_ROWS * row, _LEAST_BODY), _MOST_BODY)


def _measure_value(column: Column) -> int:
    return _CHARACTER_BYTES * column.longest if column.type == "string" else _NUMBER_BYTES


def make_decoder(contract: Contract) -> Callable[[bytes], Rows]:
    """Return what reads the rows of a body; it raises RequestError, 400 for what is not strict JSON and 422 with every problem."""
    decode = msgspec.json.Decoder(_make_body(contract)).decode
    width = len(contract.columns) + sum(name.count(":") for name in contract.names)
    texts = [column for column in contract.columns if column.type not in _TYPES]
    judged = [column for column in texts if column.type != "string" or column.time is not None]
    # An escape can spell a colon, or what is no text.
    has_escapes = bool(texts) or any(":" in name for name in contract.names)

    def read(body: bytes) -> Rows:
        try:
            rows: Rows = decode(body)["rows"]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return read_strictly(contract, body)
        colons = 1 + len(rows) * width + sum((row[column.name] or "").count(":") for column in texts for row in rows)
        if body.count(b":") != colons or (has_escapes and b"\\" in body):
            return read_strictly(contract, body)
        if judged and not all(accepts(column, row[column.name]) for row in rows for column in judged):
            return read_strictly(contract, body)
        return rows

    return read


def read_strictly(contract: Contract, body: bytes) -> Rows:
    """Return the same rows as the standard library reads them; slow, and the only one who says what is wrong."""
    document = _parse(body)
    if not isinstance(document, dict) or set(document) != {"rows"}:
        raise RequestError(422, 'The body must be an object with exactly one member, "rows".')
    if problems := find_row_problems(contract, document["rows"]):
        raise RequestError(422, "The rows do not keep the contract.", problems)
    rows: Rows = document["rows"]
    return rows


def _parse(body: bytes) -> Any:
    # Raw null characters are not JSON, but bytes with them would be taken for UTF-16 or UTF-32.
    if b"\0" in body:
        raise RequestError(400, "The body is not JSON in UTF-8.")
    try:
        return strict_json(body)
    except UnicodeDecodeError as exc:
        raise RequestError(400, "The body is not JSON in UTF-8.") from exc
    except ValueError as exc:
        raise RequestError(400, f"The body is not strict JSON: {str(exc)[:200]}.") from exc


# Types

_TYPES: dict[str, Any] = {
    "number": Annotated[float, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)],
    "integer": Annotated[int, Meta(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)],
    "boolean": bool,
}


def _make_body(contract: Contract) -> Any:
    row: Any = _make_object("row", {column.name: _type_of(column) for column in contract.columns})
    several: Any = list[row]
    return _make_object("body", {"rows": Annotated[several, Meta(min_length=1, max_length=MOST_ROWS)]})


def _make_object(name: str, members: Mapping[str, Any]) -> Any:
    return TypedDict(name, members)  # type: ignore[operator]  # its names are known once a contract is


def _type_of(column: Column) -> Any:
    kind = _TYPES.get(column.type) or Annotated[str, Meta(max_length=column.longest)]
    return kind | None if column.nullable else kind

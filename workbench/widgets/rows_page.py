"""All rows of a table as a page that stands alone: compressed beside the one script that may run, which searches and sorts them."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import isfinite
from typing import Any

from workbench.drawings.markup import Markup, element, join
from workbench.widgets.snapshot import CONTENT_POLICY, read_module

# Numbers are kept to so many digits: of ten thousand with seventeen a page would hold little else. They fit 32 bits.
_DIGITS = 9
# What stands in place of a power of ten where a value has none.
_NONE, _INFINITE, _MINUS_INFINITE = 32_767, 32_766, 32_765


@dataclass(frozen=True)
class Rows:
    """Columns as `runs_state` has them, with the ids of the rows where they are runs."""

    columns: Sequence[Mapping[str, Any]]
    ids: Sequence[str]
    count: int
    what: str = "run"
    note: str = "Numbers are kept to nine digits."


def show_rows(rows: Rows, instead: Markup | None = None) -> Markup:
    """Return what the script of a page fills; without it a line says where all rows are, or `instead` of them some are shown."""
    without = (
        f"All {rows.count:,} {rows.what}s are searched and sorted here where the browser lets the page run its script."
    )
    return element("section", instead, element("p", without, class_="wb-quiet"), id="wb-all")


def rows_script(rows: Rows) -> Markup:
    """Return the rows and the script that shows them."""
    data = base64.b64encode(zlib.compress(_pack(rows), 9)).decode()
    # Neither holds a value as it is: the block is letters and digits, the script is ours.
    return join(
        Markup(f'<script type="text/plain" id="wb-rows">{data}</script>'), Markup(f"<script>{_script()}</script>")
    )


def rows_policy() -> str:
    """Return what a page with rows may do: what others may, and run this very script."""
    digest = base64.b64encode(sha256(_script().encode()).digest()).decode()
    return f"{CONTENT_POLICY}; script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def _script() -> str:
    return read_module("run_grid", "rows_page")


def _pack(rows: Rows) -> bytes:
    """Return how long a head is, the head as JSON, and the numbers of its columns one after the other."""
    columns, blocks = [], []
    for column in rows.columns:
        said, block = _pack_column(column)
        columns.append(said)
        blocks.append(block)
    known = {"what": rows.what, "note": rows.note, "rows": rows.count, "ids": list(rows.ids), "columns": columns}
    head = json.dumps(known, separators=(",", ":")).encode()
    return struct.pack("<I", len(head)) + head + b"".join(blocks)


def _pack_column(column: Mapping[str, Any]) -> tuple[dict[str, Any], bytes]:
    """Return what is said of a column, and its block of numbers; whole ones that are too long for it are texts."""
    import numpy as np

    said = {key: column[key] for key in ("label", "of", "kind")}
    if column["kind"] == "text":
        codes = np.frombuffer(column["codes"], dtype="<i4").tolist()
        return {**said, "texts": column["texts"], "values": "\n".join(map(str, codes))}, b""
    values = np.frombuffer(column["values"], dtype="<f8").tolist()
    said["decimals"] = column.get("decimals")
    if any(abs(value) >= 10**_DIGITS and value.is_integer() for value in values if isfinite(value)):
        return {**said, "values": "\n".join("" if value != value else repr(value) for value in values)}, b""
    return said, _pack_numbers(values, column.get("digits", _DIGITS))


def _pack_numbers(values: Sequence[float], digits: int) -> bytes:
    """Return whole numbers and their powers of ten, each byte of them beside that of the next: so they shrink most."""
    import numpy as np

    split = [_split(value, digits) for value in values]
    whole, powers = np.array([each for each, _ in split], "<i4"), np.array([each for _, each in split], "<i2")
    planes = (numbers.view("u1").reshape(len(values), -1).T.tobytes() for numbers in (whole, powers))
    return b"".join(planes)


def _split(value: float, digits: int) -> tuple[int, int]:
    """Return a value as a whole number and the power of ten it is to be multiplied by."""
    if value != value:
        return 0, _NONE
    if not value:
        return 0, 0
    if not isfinite(value):
        return 0, _INFINITE if value > 0 else _MINUS_INFINITE
    number, _, power = f"{value:.{digits - 1}e}".partition("e")
    shown = number.replace(".", "").rstrip("0")
    return int(shown), int(power) - len(shown.lstrip("-")) + 1

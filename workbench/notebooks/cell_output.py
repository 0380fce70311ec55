"""What the cells of an executed notebook showed, without what is another one at every execution."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.notebooks.notebook import written_cells
from workbench.records.digest import sha256_hex

_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
# Said anywhere: where an object lies in memory, which process a kernel was, how long something took.
_VOLATILE = (
    (re.compile(r"\b0x[0-9a-f]{6,16}\b", re.IGNORECASE), "0x…"),
    (re.compile(r"\bipykernel_\d+/\d+\.py"), "ipykernel"),
    (re.compile(r"^(CPU times: |Wall time: ).*$", re.MULTILINE), r"\1…"),
)
# In pages and drawings only, where they name parts of the page; a text that shows one means it.
_NAMES_OF_PARTS = (
    (re.compile(_UUID), "…"),
    (re.compile(r"\bT_[0-9a-f]{5}"), "T_…"),
    (re.compile(r"<dc:date>[^<]*</dc:date>"), ""),
    (re.compile(r"\b[A-Za-z]?[0-9a-f]{10}\b"), "…"),
)
_PAGES = ("text/html", "image/svg+xml", "application/javascript")
_WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Shown:
    """One thing a cell showed: its text, or the digest of its bytes when `is_text` is false."""

    content: str
    is_text: bool = True


def read_outputs(document: Mapping[str, Any], *, own_names: Sequence[str] = ()) -> dict[str, Shown]:
    """Return what each cell showed, by a name people can find it by: `cell 3 stdout`, `cell 4 output 1 image/png`.

    Cells are numbered from 1 as the author sees them. What a stream held is put together, in however many pieces it came.
    `own_names` are the names of this execution (the id of its run), which no other one has.
    """
    found: dict[str, Shown] = {}
    for number, cell in enumerate(written_cells(document), 1):
        for name, shown in _read_cell(cell):
            key = f"cell {number} {name}"
            earlier = found[key].content if key in found else ""
            found[key] = Shown(earlier + shown.content, shown.is_text)
    return {name: _without_volatile(name, shown, own_names) for name, shown in found.items()}


def _read_cell(cell: Mapping[str, Any]) -> Iterator[tuple[str, Shown]]:
    number = 0
    for output in cell.get("outputs", []):
        if output.get("output_type") == "stream":
            yield str(output.get("name")), Shown(_join(output.get("text", "")))
            continue
        number += 1
        if output.get("output_type") == "error":
            yield f"output {number} error", Shown(f"{output.get('ename')}: {output.get('evalue')}")
        for kind, data in sorted(output.get("data", {}).items()):
            yield f"output {number} {kind}", _read_data(kind, data)


def _read_data(kind: str, data: Any) -> Shown:
    if not _is_text(data):
        kept = {key: value for key, value in data.items() if key != "model_id"} if kind == _WIDGET else data
        return Shown(json.dumps(kept, sort_keys=True))
    text = _join(data)
    if kind.startswith("text/") or kind in _PAGES:
        return Shown(text)
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return Shown(text)
    return Shown(sha256_hex(content), is_text=False)


def _is_text(data: Any) -> bool:
    return isinstance(data, str) or (isinstance(data, list) and all(isinstance(line, str) for line in data))


def _join(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _without_volatile(name: str, shown: Shown, own_names: Sequence[str]) -> Shown:
    if not shown.is_text:
        return shown
    text = shown.content
    for own in own_names:
        text = text.replace(own, "…")
    for pattern, instead in (*_VOLATILE, *(_NAMES_OF_PARTS if name.endswith(_PAGES) else ())):
        text = pattern.sub(instead, text)
    return Shown(text)

"""What the cells of an executed notebook showed, without what is another one at every execution."""

from __future__ import annotations

import base64
import binascii
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.notebooks.normalisation import PAGES, normalise
from workbench.notebooks.notebook import written_cells
from workbench.records.digest import sha256_hex


@dataclass(frozen=True)
class Shown:
    """One thing a cell showed: its text, or the digest of its bytes when `is_text` is false.

    `normalised` says how often each thing was taken out of the text that every execution has its own of.
    """

    content: str
    is_text: bool = True
    normalised: Mapping[str, int] = field(default_factory=dict, compare=False)


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
    return {name: _normalise(name, shown, own_names) for name, shown in found.items()}


def count_normalised(outputs: Iterable[Shown]) -> Counter[str]:
    """Return how often each thing was taken out of these outputs."""
    counts: Counter[str] = Counter()
    for shown in outputs:
        counts.update(shown.normalised)
    return counts


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
        return Shown(json.dumps(data, sort_keys=True))
    text = _join(data)
    if kind.startswith("text/") or kind in PAGES:
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


def _normalise(name: str, shown: Shown, own_names: Sequence[str]) -> Shown:
    if not shown.is_text:
        return shown
    text, counts = normalise(name, shown.content, own_names)
    return Shown(text, normalised=counts)

"""Disclosures: the text a run keeps, searched for what nobody should show."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.evidence.disclosure import find_personal, find_secrets
from workbench.notebooks.cell_output import read_outputs
from workbench.notebooks.notebook import cell_source, find_notebook_fault, written_cells
from workbench.runs.folder import DATASETS, NOTEBOOK


@dataclass(frozen=True)
class Disclosure:
    """A kind of thing nobody should show, where it stands and how often; never the thing itself."""

    kind: str
    file: str
    place: str
    count: int


@dataclass(frozen=True)
class DisclosureFact:
    """What was found in the text that a run keeps: `files` that were read, and every finding in them.

    `unread` names what nobody could read although it is none of the formats a run writes: no text, or too large.
    """

    files: int
    found: tuple[Disclosure, ...]
    unread: tuple[str, ...] = ()


_EMBEDDED = re.compile(r"(?:data:[\w/+.;=-]{1,80};base64,|\"image/[a-z]+\": \")[A-Za-z0-9+/=\\n]*")


# What a run itself keeps that is no text, by how such a file begins: the rows, the model and its compiled form, pictures.
_BINARY = {
    ".parquet": b"PAR1",
    ".skops": b"PK\x03\x04",
    ".onnx": b"\x08",
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
    ".gif": b"GIF8",
}

_LARGEST_BYTES = 50_000_000


def measure_disclosures(
    files: Mapping[str, bytes], *, known: Collection[str], larger: Collection[str] = ()
) -> DisclosureFact:
    """Search every text of a run, whatever it is called; `known` are the addresses of people whose names stand in its provenance.

    `larger` names the files of it that were not read.
    What cells and logs show is searched for personal data too. The tables' digests are searched for nothing: they are hex.
    """
    searched = {path: content for path, content in sorted(files.items()) if not _is_of_rows(path)}
    decoded = {path: _read_text(content) for path, content in searched.items()}
    texts = {path: text for path, text in decoded.items() if text is not None}
    unread = [path for path in searched if path not in texts and not _is_known_binary(path, searched[path])]
    unread += sorted(larger)
    found = [each for path, text in texts.items() for each in _search_file(path, text, known)]
    return DisclosureFact(
        len(texts), tuple(sorted(found, key=lambda each: (each.file, each.place, each.kind))), tuple(unread)
    )


def _is_of_rows(path: str) -> bool:
    return path.startswith(f"{DATASETS}/") and path.endswith(".json")


def _read_text(content: bytes) -> str | None:
    """Return a file as text; None when it is none, or too large to be searched."""
    if len(content) > _LARGEST_BYTES:
        return None
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return None
    # Where every second byte is a zero it is UTF-16, and no secret in it would be found.
    return None if "\0" in text else text


def _is_known_binary(path: str, content: bytes) -> bool:
    return any(path.endswith(suffix) and content.startswith(begin) for suffix, begin in _BINARY.items())


def _search_file(path: str, text: str, known: Collection[str]) -> Iterator[Disclosure]:
    document = _parse_notebook(text) if path == NOTEBOOK else None
    if document is not None:
        for place, part, is_shown in _read_notebook(document):
            yield from _search(path, place, part, known if is_shown else None)
        return
    yield from _search(path, "", _EMBEDDED.sub("", text), known if path.endswith(".log") else None)


def _search(path: str, place: str, text: str, known: Collection[str] | None) -> Iterator[Disclosure]:
    found = find_secrets(text) | (find_personal(text, known=known) if known is not None else {})
    yield from (Disclosure(kind, path, place, count) for kind, count in found.items())


def _parse_notebook(text: str) -> dict[str, Any] | None:
    """Return an executed notebook; None for what is none any more, which is searched like any text."""
    try:
        document: dict[str, Any] = json.loads(text)
        return None if find_notebook_fault(document) else document
    except (ValueError, RecursionError):
        return None


def _read_notebook(document: dict[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Yield each part of an executed notebook: where it stands, what it says, and whether it was shown rather than written."""
    for number, cell in enumerate(written_cells(document), 1):
        yield f"cell {number} source", cell_source(cell), False
    for number, cell in enumerate(document["cells"], 1):
        if cell["cell_type"] != "code":
            yield f"{cell['cell_type']} at {number}", cell_source(cell), False
    for place, shown in read_outputs(document).items():
        if shown.is_text:
            yield place, _EMBEDDED.sub("", shown.content), True
    yield "metadata", json.dumps(document.get("metadata", {})), False

"""The ledger as lines of text that anybody can verify without the workbench: the text whose sha256 is the digest, and the digest.

A line is `{"digest":"<64 hex>","entry":<text>}`; the sha256 of <text>, to the byte, is the digest, and its `previous` is the
digest of the line before (of the first: 64 zeros). `workbench/ledger_verifier.py` verifies it with nothing but Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from workbench.ledger.ledger import Checkpoint, Entry, Event, find_chain_faults, find_checkpoint_fault
from workbench.ledger.timeline import Timeline
from workbench.records.digest import canonical_json, strict_json

_TEXTS = ("time", "event", "actor", "subject", "previous")
_FIELDS = frozenset({"sequence", "body", *_TEXTS})


def write_export(entries: Iterable[Entry]) -> bytes:
    """Return entries of a whole chain as lines; the same entries are the same bytes."""
    return b"".join(canonical_json(_document(entry)) + b"\n" for entry in entries)


def _document(entry: Entry) -> dict[str, Any]:
    fields = dict(vars(entry))
    return {"digest": fields.pop("digest"), "entry": fields}


def find_export_faults(content: bytes, checkpoint: Checkpoint | None = None, now: str | None = None) -> list[str]:
    """Return what is wrong with an export, and in what it does not hold a checkpoint; empty when nothing is.

    With `now` (ISO 8601, what a clock says), entries far ahead of it are wrong too.
    """
    entries, faults = read_export(content)
    if faults:
        return faults
    fault = find_checkpoint_fault(entries, checkpoint) if checkpoint else None
    return [*find_chain_faults(entries), *Timeline(entries).find_faults(now), *([fault] if fault else [])]


def read_export(content: bytes) -> tuple[list[Entry], list[str]]:
    """Return the entries of an export, and what is wrong with lines that nobody exported; nothing is said of the chain yet."""
    *lines, rest = content.split(b"\n")
    faults = ["The last line does not end: the file was cut off."] if rest else []
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entries.append(_read_line(line))
        except (TypeError, ValueError) as exc:
            faults.append(f"Line {number} cannot be read: {exc}.")
    return entries, faults


def _read_line(line: bytes) -> Entry:
    document = strict_json(line)
    if not isinstance(document, dict) or set(document) != {"digest", "entry"}:
        raise ValueError("it is not a digest and an entry")
    entry = document["entry"]
    _require_kinds(document["digest"], entry)
    if canonical_json(document) != line:
        raise ValueError("it is not in canonical form")
    return Entry(**{**entry, "event": Event(entry["event"])}, digest=document["digest"])


def _require_kinds(digest: Any, entry: Any) -> None:
    if not isinstance(entry, Mapping) or set(entry) != _FIELDS:
        raise ValueError("its entry has other fields than expected")
    wrong = [name for name in _TEXTS if not isinstance(entry[name], str)]
    wrong += ["digest"] if not isinstance(digest, str) else []
    wrong += ["sequence"] if type(entry["sequence"]) is not int else []
    wrong += ["body"] if not isinstance(entry["body"], dict) else []
    wrong += ["event"] if entry["event"] not in set(Event) - {Event.UNREADABLE} else []
    if wrong:
        raise ValueError(f"no decision has such a {' or '.join(sorted(set(wrong)))}")

"""The archive around a skops model: flat, bounded, nothing in it that its schema does not name, and read in bounded time."""

from __future__ import annotations

import io
import json
import re
import stat
from collections.abc import Iterator, Sequence
from typing import Any
from zipfile import ZipFile, ZipInfo

LARGEST_UNPACKED = 1024**3
LARGEST_SCHEMA = 256 * 1024**2
MOST_VISITS = 20_000_000
SCHEMA = "schema.json"
TABLES = ".npz"  # sparse matrices: archives in the archive
# Older files name in other words what is held against the reviewed list; nothing here was ever written in them.
OLDEST_PROTOCOL = 2
_ENCRYPTED = 1
_TEXTS = re.compile(r'"((?:[^"\\]|\\.)*)"')


def find_archive_faults(archive: ZipFile) -> list[str]:
    """Return what is wrong with an archive that skops cannot have written, sorted; nothing in it is constructed.

    Raises ValueError, RecursionError or zipfile's errors when its schema cannot be read.
    """
    faults = [*_find_member_faults(archive.infolist())]
    if not faults and SCHEMA in archive.namelist():
        text = archive.read(SCHEMA).decode()
        said = {SCHEMA, *_TEXTS.findall(text)}
        unknown = [name for name in archive.namelist() if name not in said]
        faults += [f"It has a member {name!r} that its schema does not name." for name in unknown]
        faults += [*_find_schema_faults(json.loads(text)), *_find_table_faults(archive)]
    return sorted(faults)


def _find_member_faults(members: Sequence[ZipInfo]) -> Iterator[str]:
    names = [member.filename for member in members]
    yield from (f"It has a member {name!r}." for name in names if not _is_flat(name))
    if len({*names}) != len(names):
        yield "Two members have the same name."
    for member in members:
        kind = stat.S_IFMT(member.external_attr >> 16)
        if member.flag_bits & _ENCRYPTED or kind not in (0, stat.S_IFREG):
            yield f"Its member {member.filename!r} is encrypted or no plain file."
        if member.filename == SCHEMA and member.file_size > LARGEST_SCHEMA:
            yield f"Its schema would be {member.file_size:,} bytes; the limit is {LARGEST_SCHEMA:,}."
    unpacked = sum(member.file_size for member in members)
    if unpacked > LARGEST_UNPACKED:
        yield f"Unpacked it would be {unpacked:,} bytes; the limit is {LARGEST_UNPACKED:,}."


def _find_schema_faults(document: Any) -> Iterator[str]:
    visits = count_visits(document, {})
    if visits > MOST_VISITS:
        yield f"Reading it would take {visits:,} steps; the limit is {MOST_VISITS:,}."
    protocol = document.get("protocol")
    if type(protocol) is not int or protocol < OLDEST_PROTOCOL:
        yield f"It is written in skops' protocol {protocol!r}; those from {OLDEST_PROTOCOL} on are read."


def _find_table_faults(archive: ZipFile) -> Iterator[str]:
    tables = [name for name in archive.namelist() if name.endswith(TABLES)]
    inner = [info for name in tables for info in ZipFile(io.BytesIO(archive.read(name))).infolist()]
    unpacked = sum(info.file_size for info in inner)
    if unpacked > LARGEST_UNPACKED:
        yield f"Unpacked its tables would be {unpacked:,} bytes; the limit is {LARGEST_UNPACKED:,}."


def _is_flat(name: str) -> bool:
    return name.isprintable() and not {"/", "\\"} & set(name) and name not in ("", ".", "..")


def count_visits(part: Any, known: dict[Any, int]) -> int:
    """Return how many parts skops looks at below a part of a schema: one that is shared is looked at for each that shares it."""
    if isinstance(part, list):
        return sum(count_visits(item, known) for item in part)
    if not isinstance(part, dict):
        return 1
    number = part.get("__id__") if isinstance(part.get("__loader__"), str) else None
    if isinstance(number, int):
        if number in known:
            return known[number]
        known[number] = 1  # while it is counted: one that leads back is not followed again
    visits = 1 + sum(count_visits(item, known) for item in part.values())
    if isinstance(number, int):
        known[number] = visits
    return visits

"""Digests of rows: a row has one wherever it stands, in whatever order and number type."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import Any

from workbench.records.digest import canonical_json, sha256_hex

_INFINITE = {"inf": "Infinity", "-inf": "-Infinity"}
_encode = json.JSONEncoder(default=str).encode


def digest_table(types: Sequence[Sequence[str]], row_ids: Sequence[str], row_digests: Sequence[str]) -> str:
    """Return what names a table: the same rows with the same names and columns are one table, in whatever order they stand."""
    return sha256_hex(canonical_json([sorted(types), sorted(zip(row_ids, row_digests, strict=True))]))


def digest_unnamed(types: Sequence[Sequence[str]], row_digests: Sequence[str]) -> str:
    """Return what named a table when the names of its rows were no part of it."""
    return sha256_hex(canonical_json([sorted(types), sorted(row_digests)]))


def digest_row(spelled: Sequence[Any]) -> bytes:
    """Return the digest of a row: its values by `spell`, in the order of their columns' names."""
    return _digest_text(_encode(spelled))


def digest_encoded(values: Iterable[str]) -> bytes:
    """Return the same of values by `encode_value`."""
    return _digest_text(f"[{', '.join(values)}]")


def _digest_text(text: str) -> bytes:
    return blake2b(text.encode(), digest_size=16).digest()


def encode_value(value: Any) -> str:
    """Return a value by `spell`, as JSON."""
    return encode_float(value) if type(value) is float else _encode(spell(value))


def encode_float(value: float) -> str:
    """Do the same for the one kind of which there are most, five times as fast."""
    text = repr(int(value)) if value.is_integer() else repr(value)
    return _INFINITE.get(text, text)


def spell(value: Any) -> Any:
    """Return a value in the one spelling of all that equal it: 1, 1.0 and True are one number."""
    if isinstance(value, float):
        return int(value) if value.is_integer() else value
    return int(value) if isinstance(value, bool) else value

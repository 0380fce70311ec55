"""Canonical bytes and their sha256: the one way a thing is named by its content."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, is_dataclass
from typing import Any


def sha256_hex(content: bytes) -> str:
    """Return the sha256 of `content` as 64 hex characters."""
    return hashlib.sha256(content).hexdigest()


def canonical_json(value: Any) -> bytes:
    """Return the one JSON spelling of a value: sorted keys, no spaces, UTF-8, no NaN.

    Raises ValueError for NaN or infinity: a fact that is not a number must be absent, not disguised.
    """
    plain = asdict(value) if is_dataclass(value) and not isinstance(value, type) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def strict_json(content: bytes) -> Any:
    """Parse JSON; raises ValueError for what two readers may read differently: duplicate keys, NaN, endless nesting."""
    try:
        return json.loads(content, object_pairs_hook=_unique_keys, parse_constant=_no_constant)
    except RecursionError as exc:
        raise ValueError("nested too deeply") from exc


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError(f"duplicate key in {sorted(keys)}")
    return dict(pairs)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not allowed")


def short(digest: str) -> str:
    """Return the first 12 characters, for people."""
    return digest[:12]

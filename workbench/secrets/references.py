"""Secrets: they are declared as references, and their values are never written down.

A reference says where a secret is kept: `env:NAME`, `file:PATH` or `keyring:SERVICE/USER`. Only references stand in cells,
parameters and records.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

# How a notebook declares one: `token: wb.Secret = "env:API_TOKEN"`.
Secret: TypeAlias = str
SECRET = "secret"
FORMS_OF_REFERENCE = "env:NAME, file:PATH or keyring:SERVICE/USER"
# Anything shorter stands in every text by chance, and could not be kept out of one.
SHORTEST_SECRET = 4
SHORTEST_GUESSED = 8

_REFERENCE = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*|file:\S.*|keyring:[^/].*/[^/]+")
_SENSITIVE = re.compile(r"(TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|KEY|CREDENTIALS?)S?$", re.IGNORECASE)
_LOGIN = re.compile(r"[A-Za-z][\w+.-]*://[^\s/:@]*:([^\s/@]+)@")
_SHORTEST_LINE = 16


@dataclass(frozen=True)
class Reference:
    """Where a secret is kept: the name of the source, and the place in it."""

    source: str
    place: str

    def __str__(self) -> str:
        return f"{self.source}:{self.place}"


def parse_reference(text: Any) -> Reference | None:
    """Read a reference; None for what is none (it may be a secret itself: do not repeat it)."""
    if not isinstance(text, str) or not text.isprintable() or not _REFERENCE.fullmatch(text):
        return None
    source, _, place = text.partition(":")
    return Reference(source, place)


def is_sensitive_name(name: str) -> bool:
    """True for the name of a variable or key that says its value is a secret: ...TOKEN, ...PASSWORD, ...KEY and so on."""
    return _SENSITIVE.search(name) is not None


def guess_secrets(environment: Mapping[str, str], names: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the variables that hold a secret: those with a telling name or in `names`, and the passwords inside addresses.

    Values of fewer than 8 characters are left out: they are switches and numbers more often than secrets.
    """
    telling = {name: value for name, value in environment.items() if name in names or is_sensitive_name(name)}
    logins = {name: found[1] for name, value in environment.items() if (found := _LOGIN.search(value))}
    return {name: value for name, value in {**logins, **telling}.items() if len(value) >= SHORTEST_GUESSED}


def find_parts(value: str) -> frozenset[str]:
    """Return the parts of a secret that are secret by themselves: a key's lines, an address's password, what JSON calls secret."""
    lines = [line.strip() for line in value.splitlines() if not line.startswith("-----")]
    several = lines if len(lines) > 1 else []
    long_lines = {line for line in several if len(line) >= _SHORTEST_LINE}
    found = {*_LOGIN.findall(value), *_find_sensitive(_read_json(value))}
    return frozenset(long_lines | {part for part in found if len(part) >= SHORTEST_SECRET} - {value})


def _read_json(value: str) -> Any:
    if value.lstrip()[:1] not in ("{", "["):
        return None
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return None


def _find_sensitive(document: Any) -> Iterator[str]:
    items = (
        document.items() if isinstance(document, dict) else enumerate(document if isinstance(document, list) else [])
    )
    for key, value in items:
        if isinstance(value, str) and is_sensitive_name(str(key)):
            yield value
        elif isinstance(value, dict | list):
            yield from _find_sensitive(value)

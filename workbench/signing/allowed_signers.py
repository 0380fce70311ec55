"""The allowed-signers file: who may sign as what. It is read as narrowly as it is written: one line, one person, one key.

`ssh-keygen` would also take patterns, lists and certificate authorities, with which one key is many people; a file with any
of these counts as no file, because two signatures under it are not two people.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import Refused

PRINCIPAL = re.compile(r"[\w.@+-]+", re.ASCII)
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_LINE = re.compile(
    r"(?P<principal>\S+)[ \t]+"
    rf'(?:(?P<options>(?:[^\s"]|{_QUOTED.pattern})+)[ \t]+)??'
    r"(?P<kind>(?:ssh|ecdsa|sk)-[\w@.-]+)[ \t]+(?P<key>[A-Za-z0-9+/=]+)(?:[ \t].*)?"
)


@dataclass(frozen=True)
class _Grant:
    number: int
    principal: str
    key: bytes


def read_allowed_signers(path: Path) -> bytes:
    """Return the file's bytes; raises Refused, naming the lines, when a key in it could stand for more than one person."""
    content = path.read_bytes()
    faults = find_signers_faults(content)
    if faults:
        raise Refused(
            f"{path} does not say who is who.",
            why=faults,
            next_step='Write one line for each person and key: PRINCIPAL namespaces="…" KEY-TYPE KEY.',
        )
    return content


def find_signers_faults(content: bytes) -> list[str]:
    """Return why an allowed-signers file does not tell people apart, line by line; empty when it does."""
    faults: list[str] = []
    grants: list[_Grant] = []
    for number, line in enumerate(content.decode(errors="replace").split("\n"), 1):
        text = line.lstrip(" \t").rstrip(" \t\r")
        if text and not text.startswith("#"):
            read = _read_line(number, text)
            grants += [read] if isinstance(read, _Grant) else []
            faults += [read] if isinstance(read, str) else []
    return faults + list(_shared_keys(grants))


def find_principal(content: bytes, public_key: str) -> str | None:
    """Return whose key a public key line (`ssh-ed25519 AAAA...`) is by an allowed-signers file, None when it is nobody's."""
    for number, line in enumerate(content.decode(errors="replace").splitlines(), 1):
        read = _read_line(number, line.strip()) if line.strip() and not line.lstrip().startswith("#") else None
        if isinstance(read, _Grant) and base64.b64encode(read.key).decode() == public_key.split()[1]:
            return read.principal
    return None


def _read_line(number: int, text: str) -> _Grant | str:
    """Return what a line grants, or what is wrong with it."""
    found = _LINE.fullmatch(text)
    principal = text.split(maxsplit=1)[0]
    if not PRINCIPAL.fullmatch(principal):
        return f"Line {number}: {principal!r} is not one principal (a pattern, a list or a negation)."
    if found is None or not text.replace("\t", " ").isprintable():
        return f"Line {number}: it is not a principal, its options and a public key."
    options = _QUOTED.sub("", found["options"] or "").lower().split(",")
    if "cert-authority" in options or "-cert-" in found["kind"]:
        return f"Line {number}: {principal} is granted by certificate, which can name anybody."
    try:
        return _Grant(number, principal, base64.b64decode(found["key"], validate=True))
    except binascii.Error:
        return f"Line {number}: the key of {principal} cannot be read."


def _shared_keys(grants: list[_Grant]) -> Iterator[str]:
    first: dict[bytes, _Grant] = {}
    for grant in grants:
        known = first.setdefault(grant.key, grant)
        if known.principal != grant.principal:
            yield f"Lines {known.number} and {grant.number}: {known.principal} and {grant.principal} share one key."

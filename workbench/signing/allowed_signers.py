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
from fnmatch import fnmatchcase
from pathlib import Path

from workbench.errors import Refused
from workbench.records.people import PRINCIPAL, person_of

_NAMESPACES = re.compile(r'(?:^|,)namespaces="([^"]*)"', re.IGNORECASE)
_QUOTED = re.compile(r'"(?:\\.|[^"\\])*"')
_LINE = re.compile(
    r"(?P<principal>\S+)[ \t]+"
    rf'(?:(?P<options>(?:[^\s"]|{_QUOTED.pattern})+)[ \t]+)??'
    r"(?P<kind>(?:ssh|ecdsa|sk)-[\w@.-]+)[ \t]+(?P<key>[A-Za-z0-9+/=]+)(?:[ \t].*)?"
)


@dataclass(frozen=True)
class Signatory:
    """Who may sign by a line of the file, and in which namespaces; None for all, as a line without any says."""

    principal: str
    namespaces: tuple[str, ...] | None


@dataclass(frozen=True)
class _Grant:
    number: int
    principal: str
    key: tuple[bytes, ...]
    namespaces: str | None


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
    read = list(_read_lines(content))
    faults = [each for each in read if isinstance(each, str)]
    return faults + list(_shared_keys([each for each in read if isinstance(each, _Grant)]))


def list_signers(content: bytes, namespace: str) -> list[str]:
    """Return who may sign in a namespace by an allowed-signers file, whenever that is; a line that names none grants all."""
    grants = [each for each in _read_lines(content) if isinstance(each, _Grant)]
    return [each.principal for each in grants if each.namespaces is None or _matches(namespace, each.namespaces)]


def list_signatories(content: bytes) -> list[Signatory]:
    """Return who may sign in which namespaces, line by line."""
    grants = [each for each in _read_lines(content) if isinstance(each, _Grant)]
    return [
        Signatory(each.principal, None if each.namespaces is None else tuple(each.namespaces.split(",")))
        for each in grants
    ]


def _matches(namespace: str, patterns: str) -> bool:
    """True for a name that a list of patterns means, as ssh-keygen reads it: `*`, `?`, and `!` before those it does not mean."""
    given = [pattern.replace("[", "[[]") for pattern in patterns.split(",")]
    denied = any(fnmatchcase(namespace, each[1:]) for each in given if each.startswith("!"))
    return not denied and any(fnmatchcase(namespace, each) for each in given)


def find_principal(content: bytes, public_key: str) -> str | None:
    """Return whose key a public key line (`ssh-ed25519 AAAA...`) is by an allowed-signers file, None when it is nobody's."""
    try:
        key = _read_key(public_key.split()[1])
    except ValueError:
        return None
    return next(
        (grant.principal for grant in _read_lines(content) if isinstance(grant, _Grant) and grant.key == key), None
    )


def _read_lines(content: bytes) -> Iterator[_Grant | str]:
    for number, line in enumerate(content.decode(errors="replace").split("\n"), 1):
        text = line.lstrip(" \t").rstrip(" \t\r")
        if text and not text.startswith("#"):
            yield _read_line(number, text)


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
        granted = _NAMESPACES.search(found["options"] or "")
        return _Grant(number, principal, _read_key(found["key"]), granted and granted[1])
    except binascii.Error:
        return f"Line {number}: the key of {principal} cannot be read."


def _read_key(text: str) -> tuple[bytes, ...]:
    """Return a public key as what it is made of, however it is spelled: the same numbers are the same key.

    Its type is left out, which has several names for RSA, and zeros before a number, of which ssh-keygen reads any count.
    """
    blob, parts = base64.b64decode(text, validate=True), list[bytes]()
    while blob:
        end = 4 + int.from_bytes(blob[:4], "big")
        parts, blob = [*parts, blob[4:end].lstrip(b"\0")], blob[end:]
    return tuple(parts[1:])


def _shared_keys(grants: list[_Grant]) -> Iterator[str]:
    first: dict[tuple[bytes, ...], _Grant] = {}
    for grant in grants:
        known = first.setdefault(grant.key, grant)
        if person_of(known.principal) != person_of(grant.principal):
            yield f"Lines {known.number} and {grant.number}: {known.principal} and {grant.principal} share one key."

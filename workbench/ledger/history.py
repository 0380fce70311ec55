"""What the ledger says happened: which versions were nominated, and which an endpoint served, in order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Literal

from workbench.errors import NotFound, Refused, UsageError
from workbench.ledger.ledger import Entry, Event
from workbench.records.names import NAME

Standing = Literal["nominee", "served", "replaced"]
_MOVES = (Event.PROMOTED, Event.ROLLED_BACK)
# What a version is made of, as its nomination says it: an objection to one is one to all of the same run or bundle.
MADE_OF = ("run", "manifest")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")


def parse_subject(subject: str) -> tuple[str, int]:
    """Split `model/version`; raises UsageError for anything else."""
    name, _, version = subject.partition("/")
    if not NAME.fullmatch(name) or not _VERSION.fullmatch(version):
        raise UsageError(f"{subject!r} is not a nominee.", next_step="Write it as model/version, e.g. breast-cancer/2.")
    return name, int(version)


def require_model_name(name: str) -> str:
    """Return a name that can be a model's, an endpoint's and a folder's; raises UsageError otherwise."""
    if not NAME.fullmatch(name):
        raise UsageError(f"{name!r} cannot name a model.", why="Use up to 63 lower-case letters, digits, - and _.")
    return name


def last_version(entries: Sequence[Entry], model: str) -> int:
    """Return the highest version of a model that was ever nominated, 0 when there is none."""
    nominated = (parse_subject(entry.subject) for entry in entries if entry.event is Event.NOMINATED)
    return max((version for name, version in nominated if name == model), default=0)


def find_nominations(entries: Iterable[Entry]) -> dict[str, Entry]:
    """Return the entry by which each version was nominated, by `model/version`."""
    nominated: dict[str, Entry] = {}
    for entry in entries:
        if entry.event is Event.NOMINATED:
            nominated.setdefault(entry.subject, entry)
    return nominated


def find_made_alike(entries: Iterable[Entry], subject: str) -> frozenset[str]:
    """Return the versions, of whichever model, that were made of the same run or of the same bundle, itself among them."""
    nominated = find_nominations(entries)
    body = nominated[subject].body if subject in nominated else {}
    made = {what: body[what] for what in MADE_OF if body.get(what)}
    alike = (each for each, other in nominated.items() if any(other.body.get(what) == made[what] for what in made))
    return frozenset({subject, *alike})


def require_new(entries: Sequence[Entry], subject: str) -> None:
    """Raise Refused when somebody nominated under the same name meanwhile."""
    model, version = parse_subject(subject)
    if last_version(entries, model) >= version:
        raise Refused(
            f"{subject} was nominated meanwhile.",
            why=f"The ledger knows {model} up to version {last_version(entries, model)}.",
            next_step="Nominate the run again.",
        )


def model_of(entries: Sequence[Entry], endpoint: str) -> str:
    """Return the model an endpoint serves."""
    return next(e.subject.partition("/")[0] for e in reversed(entries) if e.body.get("endpoint") == endpoint)


def served_version(entries: Sequence[Entry], endpoint: str) -> int | None:
    """Return the version an endpoint serves by the ledger, None before its first promotion."""
    versions = _served_versions(entries, endpoint)
    return versions[-1] if versions else None


def find_endpoints(entries: Sequence[Entry]) -> list[str]:
    """Return the names of all endpoints that serve something by the ledger, sorted."""
    return sorted({entry.body["endpoint"] for entry in entries if entry.event in _MOVES})


def previous_version(entries: Sequence[Entry], endpoint: str) -> int | None:
    """Return the version an endpoint served before the present one was first put there: going back never goes forward."""
    versions = _served_versions(entries, endpoint)
    before = versions[: versions.index(versions[-1])] if versions else []
    return before[-1] if before else None


def _served_versions(entries: Sequence[Entry], endpoint: str) -> list[int]:
    return [entry.body["version"] for entry in _moves(entries, endpoint)]


def find_last_move(entries: Sequence[Entry], endpoint: str) -> Entry | None:
    """Return the entry that put the served version behind an endpoint, None before its first promotion."""
    moves = _moves(entries, endpoint)
    return moves[-1] if moves else None


def _moves(entries: Sequence[Entry], endpoint: str) -> list[Entry]:
    return [entry for entry in entries if entry.event in _MOVES and entry.body["endpoint"] == endpoint]


def find_standing(entries: Sequence[Entry], subject: str, endpoint: str) -> Standing:
    """Return what became of a nominee: still a nominee, what its endpoint serves, or a release that was replaced."""
    served = served_version(entries, endpoint)
    if served is not None and subject == f"{model_of(entries, endpoint)}/{served}":
        return "served"
    return "replaced" if find_promotion(entries, subject) else "nominee"


def find_promotion(entries: Sequence[Entry], subject: str) -> Entry | None:
    """Return the entry that made a nominee a release, None when nobody promoted it: after it no byte of it changes."""
    return next((entry for entry in entries if entry.subject == subject and entry.event is Event.PROMOTED), None)


def require_served(entries: Sequence[Entry], endpoint: str) -> str:
    """Return what an endpoint serves, as `model/version`; raises NotFound when it serves nothing."""
    version = served_version(entries, endpoint)
    if version is None:
        known = find_endpoints(entries)
        raise NotFound(
            f"Endpoint {endpoint} serves nothing yet.",
            why=f"There are: {', '.join(known)}." if known else (),
            next_step="Name one of these." if known else "Promote an approved nominee first.",
        )
    return f"{model_of(entries, endpoint)}/{version}"

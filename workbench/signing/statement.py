"""Statements that people sign: the in-toto Statement layout (v1) around a predicate of ours, in canonical bytes.

What is stored and verified are the exact bytes; a statement that this version would have spelled differently is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from workbench.errors import UsageError
from workbench.records.clock import TOLERANCE, find_moment, read_moment
from workbench.records.digest import canonical_json, strict_json

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
RECORDED_WITHIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Signed:
    """A statement's stored bytes and the signature over them."""

    statement: bytes
    signature: bytes


@dataclass(frozen=True)
class Signer:
    """Who is to have signed: the principal, in which SSHSIG namespace, and when by the statement (ISO 8601 UTC)."""

    principal: str
    namespace: str
    issued: str


# Returns what is wrong with a signature, or None when it holds.
Verifier = Callable[[Signed, Signer], str | None]


@dataclass(frozen=True)
class Shape:
    """What a predicate holds, by name: texts, whole numbers, and times with a time zone; nothing else, and none empty.

    `later` are those of the texts that statements of before do not hold.
    """

    texts: tuple[str, ...]
    numbers: tuple[str, ...]
    times: tuple[str, ...]
    later: tuple[str, ...] = ()

    def require(self, subjects: Mapping[str, str], predicate: Mapping[str, Any]) -> None:
        """Raise ValueError for a field that a signature could cover but that nothing could judge."""
        if {*predicate, *self.later} != {*self.texts, *self.numbers, *self.times}:
            raise ValueError("the predicate has other keys than expected")
        said = {name: predicate[name] for name in (*self.texts, *self.times) if name in predicate}
        for name, value in {**said, **{f"the digest of {name}": digest for name, digest in subjects.items()}}.items():
            if not isinstance(value, str) or not value or not value.isprintable():
                raise ValueError(f"{name} must be a printable text")
        for name in self.numbers:
            if type(predicate[name]) is not int or predicate[name] < 0:
                raise ValueError(f"{name} must be a whole number")
        for name in self.times:
            read_moment(predicate[name])


class Statable(Protocol):
    """A record that is signed: it is spelled by `to_bytes` in one way only, and says who is to have signed it."""

    def to_bytes(self) -> bytes:
        """Return the exact bytes to sign."""

    @property
    def signer(self) -> Signer:
        """Who is to have signed it."""


Stated = TypeVar("Stated", bound=Statable)


def write_statement(predicate_type: str, record: Any) -> bytes:
    """Return the exact bytes to sign: the record's `subjects` (names to sha256), and its other fields as the predicate."""
    fields = dict(vars(record))
    named = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(fields.pop("subjects").items())]
    return canonical_json(
        {"_type": STATEMENT_TYPE, "subject": named, "predicateType": predicate_type, "predicate": fields}
    )


def read_statement(content: bytes, kind: Callable[..., Stated], shape: Shape, what: str) -> Stated:
    """Read a record from the exact bytes that were signed; raises UsageError for anything this version would not have written.

    `what` names it in the error ("An approval").
    """
    try:
        document = strict_json(content)
        subjects = {item["name"]: item["digest"]["sha256"] for item in document["subject"]}
        shape.require(subjects, document["predicate"])
        record = kind(subjects=subjects, **document["predicate"])
        canonical = record.to_bytes()
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise UsageError(f"{what}'s statement cannot be read.", why=f"{type(exc).__name__}: {exc}") from exc
    if canonical != content:
        raise UsageError(f"{what}'s statement cannot be read.", why="Its bytes are not in canonical form.")
    return record


def find_record_fault(issued: str, recorded: str) -> str | None:
    """Return what is wrong when a statement was not issued just before it was recorded (ISO 8601), None when it was.

    A signature is judged by the keys that were valid when its statement was issued. Whoever signs chooses that time; when
    it is recorded they do not choose. Between the two a clock may be set back by as much as two clocks may be apart.
    """
    said, kept = find_moment(issued), find_moment(recorded)
    if said is not None and kept is not None and -TOLERANCE <= kept - said <= RECORDED_WITHIN:
        return None
    minutes = RECORDED_WITHIN // timedelta(minutes=1)
    return f"it says it was issued at {issued}, and was recorded at {recorded}, not within {minutes} minutes"

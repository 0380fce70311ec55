"""An approval: a signature by a principal in a role over a statement that binds exact bytes.

The statement follows the in-toto Statement layout (v1); its predicate is ours. Each role signs in an SSHSIG namespace of its
own, so the allowed-signers file decides who may sign as what, and `ssh-keygen -Y verify` alone can check it.
"""

from __future__ import annotations

import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from workbench.domain.digest import canonical_json, strict_json
from workbench.errors import UsageError

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:workbench:approval:1"
ROLE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
RECORDED_WITHIN = timedelta(minutes=5)
_PREDICATE_KEYS = frozenset({"principal", "role", "model", "version", "endpoint", "previous", "issued", "expires"})


@dataclass(frozen=True)
class Statement:
    """What is signed: the files by digest, and for which model, endpoint, role and time (ISO 8601 UTC).

    `subjects` maps file names of the release to their sha256; `previous` is the version served when it was signed (0: none).
    """

    subjects: Mapping[str, str]
    principal: str
    role: str
    model: str
    version: int
    endpoint: str
    previous: int
    issued: str
    expires: str

    def to_bytes(self) -> bytes:
        """Return the exact bytes to sign."""
        predicate = {key: value for key, value in vars(self).items() if key != "subjects"}
        subjects = [{"name": name, "digest": {"sha256": digest}} for name, digest in sorted(self.subjects.items())]
        return canonical_json(
            {"_type": STATEMENT_TYPE, "subject": subjects, "predicateType": PREDICATE_TYPE, "predicate": predicate}
        )


@dataclass(frozen=True)
class Approval:
    """A statement's stored bytes and the signature over them."""

    statement: bytes
    signature: bytes


@dataclass(frozen=True)
class VerifiedApproval:
    """An approval with what verifying it said; `fault` is None when the signature holds."""

    statement: Statement
    fault: str | None


def signing_namespace(role: str) -> str:
    """Return the SSHSIG namespace a role signs in; it must be granted to the key in the allowed-signers file."""
    return f"workbench.approval.{role}"


def require_role(role: str) -> str:
    """Return the role when it can be part of a namespace; raises UsageError otherwise."""
    if not ROLE.fullmatch(role):
        raise UsageError(f"{role!r} cannot be a role.", why="A role is lower-case letters, digits, - and _.")
    return role


def parse_statement(content: bytes) -> Statement:
    """Read a statement from its exact bytes; raises UsageError for anything this version would not have written."""
    try:
        document = strict_json(content)
        statement = _build_statement(document)
        canonical = statement.to_bytes()
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise UsageError("An approval's statement cannot be read.", why=f"{type(exc).__name__}: {exc}") from exc
    if canonical != content:
        raise UsageError("An approval's statement cannot be read.", why="Its bytes are not in canonical form.")
    return statement


def _build_statement(document: dict[str, Any]) -> Statement:
    predicate = document["predicate"]
    if set(predicate) != _PREDICATE_KEYS:
        raise ValueError("the predicate has other keys than expected")
    subjects = {item["name"]: item["digest"]["sha256"] for item in document["subject"]}
    statement = Statement(subjects=subjects, **predicate)
    _require_kinds(statement)
    return statement


def _require_kinds(statement: Statement) -> None:
    """Raise ValueError for a field that a signature could cover but that nothing could judge."""
    numbers = {"version": statement.version, "previous": statement.previous}
    texts = {key: value for key, value in vars(statement).items() if key not in {"subjects", *numbers}}
    texts |= {f"the digest of {name}": digest for name, digest in statement.subjects.items()}
    for name, value in texts.items():
        if not isinstance(value, str) or not value or not value.isprintable():
            raise ValueError(f"{name} must be a printable text")
    for name, number in numbers.items():
        if type(number) is not int or number < 0:
            raise ValueError(f"{name} must be a whole number")
    for time in (statement.issued, statement.expires):
        if datetime.fromisoformat(time).utcoffset() is None:
            raise ValueError(f"{time} names no time zone")


def find_approval_faults(
    approval: VerifiedApproval,
    *,
    subjects: Mapping[str, str],
    authors: Sequence[str],
    roles: Container[str],
    endpoint: str,
    now: str,
    valid_days: int | None = None,
) -> list[str]:
    """Return why an approval does not count for these exact bytes at this time; empty when it does."""
    statement = approval.statement
    who = f"{statement.principal} ({statement.role})"
    faults = [f"The signature of {who} does not hold: {approval.fault}"] if approval.fault else []
    changed = sorted(
        name for name in {*subjects, *statement.subjects} if subjects.get(name) != statement.subjects.get(name)
    )
    if changed:
        faults.append(f"The approval of {who} is stale: {', '.join(changed)} changed since it was signed.")
    if statement.endpoint != endpoint:
        faults.append(f"The approval of {who} is for endpoint {statement.endpoint}, not {endpoint}.")
    if statement.role not in roles:
        faults.append(f"The approval of {who} is in a role that the policy does not ask for.")
    if statement.principal in authors:
        faults.append(f"{statement.principal} is an author of the run and cannot approve it.")
    return faults + _find_time_faults(statement, who, now=now, valid_days=valid_days)


def _find_time_faults(statement: Statement, who: str, *, now: str, valid_days: int | None) -> list[str]:
    issued, expires, moment = (datetime.fromisoformat(time) for time in (statement.issued, statement.expires, now))
    faults = []
    if not issued <= moment < expires:
        faults.append(f"The approval of {who} holds from {statement.issued} to {statement.expires}; it is {now}.")
    if valid_days is not None and expires - issued > timedelta(days=valid_days):
        faults.append(f"The approval of {who} was given for longer than the {valid_days} days of the policy.")
    return faults


def find_record_fault(statement: Statement, recorded: str) -> str | None:
    """Return what is wrong when a statement was not issued just before it was recorded (ISO 8601), None when it was.

    A signature is judged by the keys that were valid when its statement was issued. Whoever signs chooses that time; when
    it is recorded they do not choose.
    """
    passed = datetime.fromisoformat(recorded) - datetime.fromisoformat(statement.issued)
    if timedelta(0) <= passed <= RECORDED_WITHIN:
        return None
    minutes = RECORDED_WITHIN // timedelta(minutes=1)
    return f"it says it was issued at {statement.issued}, and was recorded at {recorded}, not within {minutes} minutes"


def find_missing_roles(valid: Sequence[Statement], *, roles: Mapping[str, int], principals: int) -> list[str]:
    """Return what the valid approvals still lack, counting people by principal."""
    missing = []
    for role, needed in sorted(roles.items()):
        people = {statement.principal for statement in valid if statement.role == role}
        if len(people) < needed:
            missing.append(f"Role {role}: {len(people)} of {needed} approvals.")
    people = {statement.principal for statement in valid if statement.role in roles}
    if len(people) < principals:
        missing.append(f"Approvals come from {len(people)} of {principals} distinct people.")
    return missing

"""An approval: a signature by a principal in a role over a statement that binds exact bytes.

The statement follows the in-toto Statement layout (v1); its predicate is ours. Each role signs in an SSHSIG namespace of its
own, so the allowed-signers file decides who may sign as what, and `ssh-keygen -Y verify` alone can check it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench.domain.ledger import Checkpoint
from workbench.domain.statement import Shape, Signer, read_statement, write_statement
from workbench.errors import UsageError

PREDICATE_TYPE = "urn:workbench:approval:2"
ROLE = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_SHAPE = Shape(
    texts=("principal", "role", "model", "endpoint", "head"),
    numbers=("version", "previous", "sequence"),
    times=("issued", "expires"),
)


@dataclass(frozen=True)
class Statement:
    """What is signed: the files by digest, and for which model, endpoint, role and time (ISO 8601 UTC).

    `subjects` maps file names of the release to their sha256; `previous` is the version served when it was signed (0: none).
    `sequence` and `head` are the ledger's last entry then: whoever signs vouches for the history up to it.
    """

    subjects: Mapping[str, str]
    principal: str
    role: str
    model: str
    version: int
    endpoint: str
    previous: int
    sequence: int
    head: str
    issued: str
    expires: str

    def to_bytes(self) -> bytes:
        """Return the exact bytes to sign."""
        return write_statement(PREDICATE_TYPE, self)

    @property
    def signer(self) -> Signer:
        """Who is to have signed it."""
        return Signer(self.principal, signing_namespace(self.role), self.issued)

    @property
    def checkpoint(self) -> Checkpoint:
        """What it vouches for: the ledger as it was when it was signed."""
        return Checkpoint(self.sequence, self.head)


@dataclass(frozen=True)
class VerifiedApproval:
    """An approval with what verifying it said; `fault` is None when the signature holds."""

    statement: Statement
    fault: str | None


@dataclass(frozen=True)
class Target:
    """What is approved: which version of which model, in place of which one (0: of none)."""

    model: str
    version: int
    previous: int


def signing_namespace(role: str) -> str:
    """Return the SSHSIG namespace a role approves in; it must be granted to the key in the allowed-signers file."""
    return f"workbench.approval.{role}"


def waiver_namespace(role: str) -> str:
    """Return the SSHSIG namespace a role waives in: one purpose's signature is none for another."""
    return f"workbench.waiver.{role}"


OBJECTION_NAMESPACE = "workbench.objection"


def role_namespaces(role: str) -> tuple[str, ...]:
    """Return every namespace that who holds a role signs in."""
    return signing_namespace(role), waiver_namespace(role), OBJECTION_NAMESPACE


def require_role(role: str) -> str:
    """Return the role when it can be part of a namespace; raises UsageError otherwise."""
    if not ROLE.fullmatch(role):
        raise UsageError(f"{role!r} cannot be a role.", why="A role is lower-case letters, digits, - and _.")
    return role


def parse_statement(content: bytes) -> Statement:
    """Read a statement from its exact bytes; raises UsageError for anything this version would not have written."""
    return read_statement(content, Statement, _SHAPE, "An approval")


def is_author(principal: str, authors: Sequence[str]) -> bool:
    """True when a principal is among the authors, however the name is written: capitals, width, or a tag behind a plus."""
    return _name(principal) in {_name(author) for author in authors}


def _name(person: str) -> str:
    user, at, host = unicodedata.normalize("NFKC", person).casefold().strip().partition("@")
    return f"{user.partition('+')[0]}{at}{host}"


def find_approval_faults(
    approval: VerifiedApproval,
    *,
    subjects: Mapping[str, str],
    authors: Sequence[str],
    roles: Container[str],
    endpoint: str,
    now: str,
    valid_days: int,
    target: Target,
) -> list[str]:
    """Return why an approval does not count for these exact bytes at this time; empty when it does.

    `target` is what is approved, by name and number: a statement that says another is not about these bytes, whatever it binds.
    """
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
    faults += _find_target_faults(statement, who, target)
    if statement.role not in roles:
        faults.append(f"The approval of {who} is in a role that the policy does not ask for.")
    if is_author(statement.principal, authors):
        faults.append(f"{statement.principal} is an author of the run and cannot approve it.")
    return faults + _find_time_faults(statement, who, now=now, valid_days=valid_days)


def _find_target_faults(statement: Statement, who: str, target: Target) -> list[str]:
    faults = []
    if (statement.model, statement.version) != (target.model, target.version):
        named = f"{statement.model}/{statement.version}"
        faults.append(f"The approval of {who} is for {named}, not {target.model}/{target.version}.")
    if statement.previous != target.previous:
        before, now = (f"version {each}" if each else "nothing" for each in (statement.previous, target.previous))
        faults.append(f"The approval of {who} was given while {before} was served; the evidence compares with {now}.")
    return faults


def _find_time_faults(statement: Statement, who: str, *, now: str, valid_days: int) -> list[str]:
    issued, expires, moment = (datetime.fromisoformat(time) for time in (statement.issued, statement.expires, now))
    faults = []
    if not issued <= moment < expires:
        faults.append(f"The approval of {who} holds from {statement.issued} to {statement.expires}; it is {now}.")
    if expires - issued > timedelta(days=valid_days):
        faults.append(f"The approval of {who} was given for longer than the {valid_days} days of the policy.")
    return faults


def find_missing_roles(valid: Sequence[Statement], *, roles: Mapping[str, int], principals: int) -> list[str]:
    """Return what the valid approvals still lack, counting people by principal."""
    missing = []
    for role, needed in sorted(roles.items()):
        people = {statement.principal.casefold() for statement in valid if statement.role == role}
        if len(people) < needed:
            missing.append(f"Role {role}: {len(people)} of {needed} approvals.")
    people = {statement.principal.casefold() for statement in valid if statement.role in roles}
    if len(people) < principals:
        missing.append(f"Approvals come from {len(people)} of {principals} distinct people.")
    return missing

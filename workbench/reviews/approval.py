"""An approval: a signature by a principal in a role over a statement that binds exact bytes.

The statement follows the in-toto Statement layout (v1); its predicate is ours. Each role signs in an SSHSIG namespace of its
own, so the allowed-signers file decides who may sign as what, and `ssh-keygen -Y verify` alone can check it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from workbench.ledger.events import EVENTS
from workbench.ledger.ledger import Checkpoint, Entry
from workbench.records.clock import is_since
from workbench.records.people import is_author, name_people
from workbench.signing.namespaces import signing_namespace
from workbench.signing.statement import Shape, Signer, read_statement, write_statement

PREDICATE_TYPE = "urn:workbench:approval:2"
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


@dataclass(frozen=True)
class Terms:
    """What an approval must meet to count: the exact bytes by digest (`subjects`), for which endpoint and target, and when.

    `authors` are those whose work it is, `roles` how many of each the policy asks for, `principals` how many people, `valid_days`
    for how long one may be given; `now` is ISO 8601 in UTC, and so are the `moments` of what is approved. `target` is named
    besides: a statement that says another is not about these bytes, whatever it binds. `said` are the ledger's entries about the
    nominee, which tell what made an approval stale.
    """

    subjects: Mapping[str, str]
    authors: Sequence[str]
    endpoint: str
    target: Target
    roles: Mapping[str, int]
    principals: int
    valid_days: int
    now: str
    moments: Sequence[str]
    said: Sequence[Entry] = ()


def parse_statement(content: bytes) -> Statement:
    """Read a statement from its exact bytes; raises UsageError for anything this version would not have written."""
    return read_statement(content, Statement, _SHAPE, "An approval")


def find_approval_faults(approval: VerifiedApproval, terms: Terms) -> list[str]:
    """Return why an approval does not count for what the terms say; empty when it does."""
    statement = approval.statement
    who = f"{statement.principal} ({statement.role})"
    faults = [f"The signature of {who} does not hold: {approval.fault}"] if approval.fault else []
    if stale := _find_change(statement, terms):
        faults.append(f"The approval of {who} is stale: {stale}.")
    if statement.endpoint != terms.endpoint:
        faults.append(f"The approval of {who} is for endpoint {statement.endpoint}, not {terms.endpoint}.")
    faults += _find_target_faults(statement, who, terms.target)
    if statement.role not in terms.roles:
        faults.append(f"The approval of {who} is in a role that the policy does not ask for.")
    if is_author(statement.principal, terms.authors):
        faults.append(f"{statement.principal} is an author of the run and cannot approve it.")
    faults += _find_early(statement, who, terms.moments)
    return faults + _find_time_faults(statement, who, now=terms.now, valid_days=terms.valid_days)


def _find_change(statement: Statement, terms: Terms) -> str | None:
    """Return what is not as it was when it was signed, and what somebody said that may have changed it; None: nothing."""
    now, then = terms.subjects, statement.subjects
    changed = sorted(name for name in {*now, *then} if now.get(name) != then.get(name))
    if not changed:
        return None
    files = f"{', '.join(changed)} changed since it was signed"
    later = [each for each in terms.said if each.event in EVENTS and each.sequence > statement.sequence]
    deeds = [stale(each) for each in later if (stale := EVENTS[each.event].stale) is not None]
    return f"{files}: {', '.join(dict.fromkeys(deeds))}" if deeds else files


def _find_target_faults(statement: Statement, who: str, target: Target) -> list[str]:
    faults = []
    if (statement.model, statement.version) != (target.model, target.version):
        named = f"{statement.model}/{statement.version}"
        faults.append(f"The approval of {who} is for {named}, not {target.model}/{target.version}.")
    if statement.previous != target.previous:
        before, now = (f"version {each}" if each else "nothing" for each in (statement.previous, target.previous))
        faults.append(f"The approval of {who} was given while {before} was served; the evidence compares with {now}.")
    return faults


def _find_early(statement: Statement, who: str, moments: Sequence[str]) -> list[str]:
    """Return that a statement is older than what it approves: somebody's clock was set back."""
    early = [moment for moment in moments if not is_since(statement.issued, moment)]
    said = f"says it was issued at {statement.issued}, and the evidence is of"
    return [f"The approval of {who} {said} {max(early)}."] if early else []


def _find_time_faults(statement: Statement, who: str, *, now: str, valid_days: int) -> list[str]:
    issued, expires, moment = (datetime.fromisoformat(time) for time in (statement.issued, statement.expires, now))
    faults = []
    if not issued <= moment < expires:
        faults.append(f"The approval of {who} holds from {statement.issued} to {statement.expires}; it is {now}.")
    if expires - issued > timedelta(days=valid_days):
        faults.append(f"The approval of {who} was given for longer than the {valid_days} days of the policy.")
    return faults


def find_missing_roles(valid: Sequence[Statement], terms: Terms) -> list[str]:
    """Return what the valid approvals still lack, counting people."""
    missing = []
    for role, needed in sorted(terms.roles.items()):
        people = name_people(statement.principal for statement in valid if statement.role == role)
        if len(people) < needed:
            missing.append(f"Role {role}: {len(people)} of {needed} approvals.")
    people = name_people(statement.principal for statement in valid if statement.role in terms.roles)
    if len(people) < terms.principals:
        missing.append(f"Approvals come from {len(people)} of {terms.principals} distinct people.")
    return missing

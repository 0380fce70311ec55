"""A waiver: a signed, reasoned, expiring exception to one finding that did not pass, by somebody else than the authors.

It covers the finding as it was when it was signed. When the finding says something else, the exception was for another fact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from workbench.evidence.evidence import Finding, Severity, Status, WaiverFact
from workbench.policies.policy import Policy
from workbench.records.clock import is_since, last_day
from workbench.records.people import is_author
from workbench.records.visible_text import find_text_fault
from workbench.reviews.decision import Decision, decide
from workbench.signing.namespaces import waiver_namespace
from workbench.signing.statement import Shape, Signer, read_statement, write_statement

PREDICATE_TYPE = "urn:workbench:waiver:1"
_SHAPE = Shape(
    texts=("principal", "role", "model", "check", "finding", "reason"),
    numbers=("version",),
    times=("issued", "expires"),
)
FEWEST_CHARACTERS = 20


@dataclass(frozen=True)
class Waiver:
    """What is signed: for which model version and check, the finding it covers in words, why, and until when (ISO 8601 UTC).

    `subjects` maps the release's manifest and policy to their sha256.
    """

    subjects: Mapping[str, str]
    principal: str
    role: str
    model: str
    version: int
    check: str
    finding: str
    reason: str
    issued: str
    expires: str

    def to_bytes(self) -> bytes:
        """Return the exact bytes to sign."""
        return write_statement(PREDICATE_TYPE, self)

    @property
    def signer(self) -> Signer:
        """Who is to have signed it."""
        return Signer(self.principal, waiver_namespace(self.role), self.issued)

    def to_fact(self, digest: str) -> WaiverFact:
        """Return what evidence says of it; `digest` is the sha256 of its exact bytes."""
        return WaiverFact(
            self.check, self.finding, self.principal, self.role, self.reason, self.issued, self.expires, digest
        )


def parse_waiver(content: bytes) -> Waiver:
    """Read a waiver from its exact bytes; raises UsageError for anything this version would not have written."""
    return read_statement(content, Waiver, _SHAPE, "A waiver")


def spell_finding(finding: Finding) -> str:
    """Return the words by which a waiver names the finding it covers."""
    return f"{finding.status}: {finding.value}"


def decide_waiver(
    finding: Finding | None,
    *,
    principal: str,
    role: str,
    now: str,
    expires: str,
    authors: Sequence[str],
    policy: Policy,
    subject: str,
) -> Decision:
    """Decide whether a principal may waive a finding (None: the policy has no such check) from now until it expires."""
    reasons = []
    if is_author(principal, authors):
        reasons.append(f"{principal} is an author of the run; a waiver is given by a second person.")
    if role not in policy.waivers.roles:
        allowed = ", ".join(policy.waivers.roles) or "nobody"
        reasons.append(f"Policy {policy.name} lets {allowed} waive, not {role}.")
    lasts = datetime.fromisoformat(expires) - datetime.fromisoformat(now)
    if not timedelta(0) < lasts:
        reasons.append(f"{_spell_end(expires)} lies in the past; it is {now}.")
    elif lasts > timedelta(days=policy.waivers.most_days):
        most = policy.waivers.most_days
        reasons.append(f"A waiver ends within {most} days under policy {policy.name}, not with {_spell_end(expires)}.")
    if finding is None:
        reasons.append(f"Policy {policy.name} has no such check.")
    elif finding.severity is not Severity.WAIVABLE:
        reasons.append(f"Under policy {policy.name} it is {finding.severity}, not waivable.")
    elif finding.status is Status.PASS:
        reasons.append("It passed; there is nothing to waive.")
    return decide("waive", subject, reasons)


def _spell_end(expires: str) -> str:
    """Return an end as it was asked for: a day where it is the end of one, else the time."""
    return last_day(expires) if "T00:00:00+" in expires else expires


def find_waiver_faults(
    waiver: Waiver,
    *,
    finding: Finding | None,
    fault: str | None,
    subject: str,
    subjects: Mapping[str, str],
    authors: Sequence[str],
    policy: Policy,
    ended: str | None,
    now: str,
) -> list[str]:
    """Return why a waiver does not count for this finding under this policy at this time; empty when it does."""
    faults = find_standing_faults(
        waiver, fault=fault, subject=subject, subjects=subjects, authors=authors, policy=policy, ended=ended, now=now
    )
    what = f"The waiver of {waiver.check} by {waiver.principal}"
    if finding is None or finding.severity is not Severity.WAIVABLE:
        faults.append(f"{what} does not count: policy {policy.name} does not let this check be waived.")
    elif finding.status is not Status.PASS and spell_finding(finding) != waiver.finding:
        faults.append(f"{what} was given for “{waiver.finding}”; the finding is now “{spell_finding(finding)}”.")
    return faults


def find_standing_faults(
    waiver: Waiver,
    *,
    fault: str | None,
    subject: str,
    subjects: Mapping[str, str],
    authors: Sequence[str],
    policy: Policy,
    ended: str | None,
    now: str,
) -> list[str]:
    """Return why a waiver does not count, whatever its finding says: at the review and wherever its release is audited.

    `fault` is what is wrong with its signature, `subject` is the nominee, `subjects` are the digests of its manifest and policy,
    `ended` is when its run ended.
    """
    what = f"The waiver of {waiver.check} by {waiver.principal}"
    faults = [f"{what} is not signed well: {fault}"] if fault else []
    if f"{waiver.model}/{waiver.version}" != subject:
        faults.append(f"{what} does not count: it was given for {waiver.model}/{waiver.version}, not for {subject}.")
    if dict(waiver.subjects) != dict(subjects):
        faults.append(f"{what} is stale: it was given for other files or another policy.")
    if wordless := find_text_fault(waiver.reason, FEWEST_CHARACTERS):
        faults.append(f"{what} does not count: its reason is none. {wordless}")
    if is_author(waiver.principal, authors):
        faults.append(f"{what} does not count: it is given by a second person, never by an author of the run.")
    if waiver.role not in policy.waivers.roles:
        allowed = ", ".join(policy.waivers.roles) or "nobody"
        faults.append(f"{what} does not count: policy {policy.name} lets {allowed} waive, not {waiver.role}.")
    if not is_since(waiver.issued, ended or ""):
        faults.append(
            f"{what} says it was issued at {waiver.issued}, and the run ended at {ended or 'an unknown time'}."
        )
    return faults + _find_time_faults(waiver, what, policy, now)


def _find_time_faults(waiver: Waiver, what: str, policy: Policy, now: str) -> list[str]:
    issued, expires, moment = (datetime.fromisoformat(time) for time in (waiver.issued, waiver.expires, now))
    faults = []
    if not issued <= moment:
        faults.append(f"{what} begins at {waiver.issued}; it is {now}.")
    if moment >= expires:
        faults.append(f"{what} expired at {waiver.expires}; it is {now}.")
    if expires - issued > timedelta(days=policy.waivers.most_days):
        faults.append(f"{what} was given for longer than the {policy.waivers.most_days} days of the policy.")
    return faults


def is_needed(waiver: Waiver, finding: Finding | None) -> bool:
    """True when this finding did not pass, may be waived, and says what the waiver was given for; no clock is asked.

    So one that expired is still needed, and what people sign does not change while they only wait.
    """
    if finding is None or finding.status is Status.PASS or finding.severity is not Severity.WAIVABLE:
        return False
    return spell_finding(finding) == waiver.finding


def apply_waivers(findings: Iterable[Finding], valid: Iterable[Waiver]) -> tuple[Finding, ...]:
    """Return the findings, those that did not pass and are covered by a valid waiver marked with who waived them until when."""
    covering = {waiver.check: f"{waiver.principal}, until {last_day(waiver.expires)}" for waiver in valid}
    return tuple(
        replace(finding, waiver=covering[finding.check])
        if finding.status is not Status.PASS and finding.check in covering
        else finding
        for finding in findings
    )

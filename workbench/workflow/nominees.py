"""Nominees as of now: what was frozen at nomination, and what the ledger says about them since.

A nominee's folder holds what was fixed at nomination: the bundle that would be served, the facts that were computed and the
policy. Answers, approvals and the champion come from the ledger, so the evidence is always that of now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from workbench import spool
from workbench.checks import CHECKS, run_checks
from workbench.config import Settings, expand_path, find_template
from workbench.domain.approval import (
    Approval,
    Statement,
    VerifiedApproval,
    find_approval_faults,
    find_record_fault,
    parse_statement,
)
from workbench.domain.comparison import Comparison
from workbench.domain.decision import decide, find_blocking, judge_approvals
from workbench.domain.digest import sha256_hex
from workbench.domain.evidence import Evidence, parse_evidence
from workbench.domain.ledger import Entry, Event
from workbench.domain.policy import Known, Policy, parse_policy
from workbench.domain.release import CARD, EVIDENCE, MANIFEST, POLICY
from workbench.domain.review import GivenApproval, Question, Review
from workbench.errors import NotFound, Refused, UsageError
from workbench.packaging.release_folder import read_tree
from workbench.reporting.model_card import render_model_card
from workbench.signing.allowed_signers import find_principal
from workbench.signing.ssh_signatures import find_signature_fault, read_public_key
from workbench.stats import METRICS
from workbench.store.sqlalchemy_store import utc_now
from workbench.workflow.comparing import Reference, Scored, compare_scored, find_difference, read_predictions

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_VERSION = re.compile(r"[1-9][0-9]{0,8}")
KNOWN = Known(frozenset(CHECKS), {name: metric.task for name, metric in METRICS.items()})
FACTS, FROZEN_POLICY = "facts.json", "policy.yaml"


def read_policy(content: bytes) -> Policy:
    """Read a policy with the checks and metrics this version knows."""
    return parse_policy(content, known=KNOWN)


def find_policy(name: str) -> bytes:
    """Return the bytes of a policy: a file, or one of templates/policies by name."""
    path = expand_path(name)
    if not path.is_file() and NAME.fullmatch(name):
        path = find_template("policies", f"{name}.yaml")
    if not path.is_file():
        raise NotFound(f"There is no policy {name}.", next_step="Name a file, or one of templates/policies.")
    return path.read_bytes()


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


# What the ledger says


@dataclass(frozen=True)
class Nominee:
    """A nominee as of now: its frozen parts and everything the ledger holds about it."""

    folder: Path
    nominated: Entry
    evidence: Evidence
    policy: Policy
    policy_bytes: bytes
    approvals: tuple[VerifiedApproval, ...]
    stored: tuple[Approval, ...]
    answered: Mapping[str, Entry]

    @property
    def subject(self) -> str:
        """Its name, as `model/version`."""
        return self.nominated.subject

    @property
    def card(self) -> bytes:
        """The model card of now."""
        template = find_template("model_card.md").read_text(encoding="utf-8")
        return render_model_card(self.evidence, self.policy.questions, template).encode()

    def read_bundle(self) -> dict[str, bytes]:
        """Read the frozen files that would be served."""
        return read_tree(self.folder / "bundle")

    def subjects(self) -> dict[str, str]:
        """Return the digests an approval of now must bind."""
        return {
            MANIFEST: self.evidence.identity.bundle_digest,
            EVIDENCE: self.evidence.digest,
            POLICY: sha256_hex(self.policy_bytes),
            CARD: sha256_hex(self.card),
        }


def load_nominee(subject: str, *, settings: Settings, entries: Sequence[Entry]) -> Nominee:
    """Load a nominee as these entries of the ledger leave it, refusing frozen parts that are not the ones they name."""
    model, version = parse_subject(subject)
    own = [entry for entry in entries if entry.subject == f"{model}/{version}"]
    nominated = next((entry for entry in own if entry.event is Event.NOMINATED), None)
    if nominated is None:
        known = sorted({entry.subject for entry in entries if entry.event is Event.NOMINATED})
        raise NotFound(f"There is no nominee {subject}.", why=f"There are: {', '.join(known) or 'none'}.")
    folder = settings.models_folder / model / str(version)
    frozen = _read_frozen(folder, nominated)
    facts, policy_bytes = parse_evidence(frozen[FACTS]), frozen[FROZEN_POLICY]
    policy = read_policy(policy_bytes)
    answered = {entry.body["question"]: entry for entry in own if entry.event is Event.ANSWERED}
    champion = _find_champion(entries, facts)
    evidence = replace(
        facts,
        answers={name: entry.body["answer"] for name, entry in answered.items()},
        champion_version=champion,
        champion=_compare_with_champion(facts, policy, champion, settings, entries) if champion else None,
    )
    approved = [entry for entry in own if entry.event is Event.APPROVED]
    stored = tuple(_stored_approval(entry) for entry in approved)
    verified = tuple(_verify(entry, settings) for entry in approved)
    return Nominee(folder, nominated, evidence, policy, policy_bytes, verified, stored, answered)


def _find_champion(entries: Sequence[Entry], facts: Evidence) -> int | None:
    """Return the version to compare with: the served one, or for it itself the one before."""
    served = served_version(entries, facts.identity.endpoint)
    return previous_version(entries, facts.identity.endpoint) if served == facts.identity.version else served


def _compare_with_champion(
    facts: Evidence, policy: Policy, version: int, settings: Settings, entries: Sequence[Entry]
) -> Comparison | None:
    """Compare with a served version, on what was frozen of both; None when they were not scored alike."""
    model = facts.identity.model
    subject = f"{model}/{version}"
    nominated = next(entry for entry in entries if entry.event is Event.NOMINATED and entry.subject == subject)
    folder = settings.models_folder / model
    champion = parse_evidence(_read_frozen(folder / str(version), nominated)[FACTS])
    if facts.baseline is None or facts.holdout is None or champion.holdout is None:
        return None
    if champion.holdout.digest != facts.holdout.digest:
        return None
    served, own = (read_predictions(folder / str(each)) for each in (version, facts.identity.version))
    if find_difference(own, served):
        return None
    compared = compare_scored(
        [Scored(facts.identity.run_id, facts.identity.parameters, own)],
        holdout_digest=facts.holdout.digest,
        reference=Reference(f"the champion, version {version}", served),
        rule=policy.metrics[served.task],
        tried=facts.baseline.tried,
    )
    return compared if compared.is_defined else None


def _read_frozen(folder: Path, nominated: Entry) -> dict[str, bytes]:
    """Read what was fixed at nomination; raises Refused when it is not what the ledger says it was."""
    names = (FACTS, FROZEN_POLICY, spool.PREDICTIONS)
    try:
        frozen = {name: (folder / name).read_bytes() for name in names}
    except OSError as exc:
        raise Refused(
            f"The files of {nominated.subject} cannot be read.", why=str(exc), next_step="Nominate the run again."
        ) from exc
    changed = [
        f"{name} was changed since the nomination."
        for name in names
        if sha256_hex(frozen[name]) != nominated.body.get(name)
    ]
    if changed:
        raise Refused(
            f"{nominated.subject} is not what was nominated.", why=changed, next_step="Nominate the run again."
        )
    return frozen


def _stored_approval(entry: Entry) -> Approval:
    return Approval(entry.body["statement"].encode(), entry.body["signature"].encode())


def _verify(entry: Entry, settings: Settings) -> VerifiedApproval:
    approval = _stored_approval(entry)
    statement = parse_statement(approval.statement)
    return VerifiedApproval(statement, find_fault(approval, statement, settings, recorded=entry.time))


def find_fault(approval: Approval, statement: Statement, settings: Settings, *, recorded: str) -> str | None:
    """Return what is wrong with an approval that was recorded at a time: its signature, or the time it claims."""
    fault = find_signature_fault(approval, statement, allowed_signers=settings.signers_file)
    return fault or find_record_fault(statement, recorded)


def last_version(entries: Sequence[Entry], model: str) -> int:
    """Return the highest version of a model that was ever nominated, 0 when there is none."""
    nominated = (parse_subject(entry.subject) for entry in entries if entry.event is Event.NOMINATED)
    return max((version for name, version in nominated if name == model), default=0)


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


def previous_version(entries: Sequence[Entry], endpoint: str) -> int | None:
    """Return the version an endpoint served before the present one was first put there: going back never goes forward."""
    versions = _served_versions(entries, endpoint)
    before = versions[: versions.index(versions[-1])] if versions else []
    return before[-1] if before else None


def _served_versions(entries: Sequence[Entry], endpoint: str) -> list[int]:
    moves = (Event.PROMOTED, Event.ROLLED_BACK)
    return [entry.body["version"] for entry in entries if entry.event in moves and entry.body["endpoint"] == endpoint]


def review_nominee(nominee: Nominee, *, now: str | None = None) -> Review:
    """Return everything a reviewer decides on, with the decision whether it could be promoted now."""
    now = now or utc_now()
    evidence, policy, subjects = nominee.evidence, nominee.policy, nominee.subjects()
    findings = run_checks(evidence, policy)
    authors, endpoint = evidence.identity.authors, evidence.identity.endpoint
    _, lacking = judge_approvals(
        nominee.approvals, subjects=subjects, authors=authors, endpoint=endpoint, policy=policy, now=now
    )
    return Review(
        evidence=evidence,
        evidence_digest=evidence.digest,
        policy_name=policy.name,
        policy_digest=policy.digest,
        findings=findings,
        questions=tuple(_question(name, text, nominee.answered.get(name)) for name, text in policy.questions.items()),
        roles=policy.roles,
        principals=policy.principals,
        approvals=tuple(_given(item, nominee, subjects, now) for item in nominee.approvals),
        decision=decide("promote", nominee.subject, [*find_blocking(findings), *lacking]),
        reviewed_at=now,
    )


def find_signer(key: Path, settings: Settings) -> str:
    """Return whose key this is by the allowed-signers file; the acting author when it is nobody's or there is no such file."""
    public_key = read_public_key(expand_path(key))
    if public_key is None or not settings.signers_file.is_file():
        return settings.acting_author
    return find_principal(settings.signers_file.read_bytes(), public_key) or settings.acting_author


def state_approval(nominee: Nominee, *, principal: str, role: str) -> Statement:
    """Return the statement somebody signs to approve a nominee as it is now."""
    now = utc_now()
    identity = nominee.evidence.identity
    return Statement(
        subjects=nominee.subjects(),
        principal=principal,
        role=role,
        model=identity.model,
        version=identity.version,
        endpoint=identity.endpoint,
        previous=nominee.evidence.champion_version or 0,
        issued=now,
        expires=(datetime.fromisoformat(now) + timedelta(days=nominee.policy.valid_days)).isoformat(),
    )


def _question(name: str, text: str, answered: Entry | None) -> Question:
    if answered is None:
        return Question(name, text)
    return Question(name, text, answered.body["answer"], answered.actor, answered.time)


def _given(approval: VerifiedApproval, nominee: Nominee, subjects: Mapping[str, str], now: str) -> GivenApproval:
    identity, statement = nominee.evidence.identity, approval.statement
    faults = find_approval_faults(
        approval,
        subjects=subjects,
        authors=identity.authors,
        roles=nominee.policy.roles,
        endpoint=identity.endpoint,
        now=now,
        valid_days=nominee.policy.valid_days,
    )
    return GivenApproval(statement.principal, statement.role, statement.issued, statement.expires, tuple(faults))

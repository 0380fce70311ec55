"""What people say of a nominee: each is judged, signed where it must be, and written to the ledger before it counts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from workbench.checks.model_card_complete import find_answer_fault
from workbench.config import Settings, expand_path
from workbench.errors import Refused, UsageError
from workbench.evidence.evidence import Finding
from workbench.ledger.events import SignedKind
from workbench.ledger.history import find_promotion
from workbench.ledger.ledger import Entry, Event
from workbench.policies.policy import Policy
from workbench.policies.roles import require_role
from workbench.records.visible_text import find_text_fault
from workbench.reviews.approval import Statement
from workbench.reviews.bundle import MANIFEST
from workbench.reviews.decision import Decision, decide, decide_approval
from workbench.reviews.judging import judge_findings, require_allowed
from workbench.reviews.nominees import Nominee, load_nominee
from workbench.reviews.objection import SHORTEST_OBJECTION, Objection
from workbench.reviews.request import ApprovalRequest, ObjectionRequest, WaiverRequest
from workbench.reviews.said import find_fault
from workbench.reviews.signed_records import READERS
from workbench.reviews.waiver import FEWEST_CHARACTERS, Waiver, decide_waiver, spell_finding
from workbench.runs.project import Project
from workbench.signing.allowed_signers import find_principal
from workbench.signing.key import Key
from workbench.signing.ssh_signatures import grant, read_public_key, read_signing_key, sign_bytes
from workbench.signing.statement import Signed, Statable

_NOT_YOURS = "Ask somebody else who holds the role to review it."
# Persian and the scripts of India are written with them.
_JOINERS = "\u200c\u200d"
_BEARABLE = "Say why the risk is bearable until then."


def _load_undecided(project: Project, subject: str) -> Nominee:
    """Return a nominee that something can still be said of; raises Refused otherwise, and when nothing can be recorded."""
    project.store.ledger.require_privilege()
    nominee = load_nominee(subject, settings=project.settings, entries=project.store.read_ledger())
    _require_undecided(nominee.said.entries, subject)
    return nominee


def _require_undecided(entries: Sequence[Entry], subject: str) -> None:
    """Raise Refused when a nominee was promoted: what is said of it then would change nothing."""
    if promoted := find_promotion(entries, subject):
        raise Refused(
            f"Refused: what is said of {subject} now would have no effect.",
            why=f"It was promoted at {promoted.time}.",
            next_step=f"`workbench rollback {promoted.body['endpoint']}` takes it back.",
        )


def answer_all(project: Project, subject: str, answers: Mapping[str, str]) -> None:
    """Write down answers only a person can give, by their questions; none of them where one cannot be kept."""
    nominee = _load_undecided(project, subject)
    _require_answers(answers, nominee.policy)
    for question, text in answers.items():
        project.store.append_entry(
            Event.ANSWERED,
            actor=project.settings.acting_author,
            subject=subject,
            body={"question": question, "answer": text.strip()},
            require=lambda entries: _require_undecided(entries, subject),
        )


def _require_answers(answers: Mapping[str, str], policy: Policy) -> None:
    """Raise UsageError naming the question of each answer that cannot be kept, and why."""
    found = {question: _find_answer_fault(question, text, policy) for question, text in answers.items()}
    faults = [f"{question:.100}: {fault}" for question, fault in found.items() if fault]
    if faults:
        raise UsageError(
            "The answer was not kept." if len(answers) == 1 else f"None of the {len(answers)} answers was kept.",
            why=faults,
            next_step="Answer what is asked in a sentence"
            + (", and give all of them again." if len(answers) > 1 else "."),
        )


def _find_answer_fault(question: str, text: str, policy: Policy) -> str | None:
    if question not in policy.questions:
        return f"The policy does not ask this; it asks {', '.join(policy.questions)}."
    if fault := find_answer_fault(text, policy):
        return f"{fault} It asks: {policy.questions[question]}"
    return _find_hidden(text, but=_JOINERS)


def approve(project: Project, subject: str, request: ApprovalRequest, key: Key) -> None:
    """Sign a nominee as it is now, in a role; raises Refused (and records that) when the principal may not.

    The principal is whoever the allowed-signers file says the key belongs to; with a key it does not know, the acting author.
    """
    nominee = _load_undecided(project, subject)
    principal = find_signer(key, project)
    authors = nominee.evidence.identity.authors
    decision = decide_approval(
        principal=principal, role=require_role(request.role), authors=authors, policy=nominee.policy, subject=subject
    )
    _require_allowed(project, decision, key, _NOT_YOURS)
    statement = state_approval(nominee, principal=principal, role=request.role, now=project.store.ledger.clock())
    signed = _sign(project, "approval", statement, key, action="approve", subject=subject)
    _record(project, Event.APPROVED, subject, signed, actor=principal, body={"role": request.role})


def object_to(project: Project, subject: str, request: ObjectionRequest, key: Key) -> None:
    """Object to a nominee, or take back one's own objection, signed either way."""
    nominee, clears = _load_undecided(project, subject), request.clears
    principal = find_signer(key, project)
    if clears:
        require_allowed(
            project, decide("clear", subject, _clearing_faults(nominee, clears, principal)), "Who objected clears it."
        )
    advice = 'Say what must change, with --text "…".'
    said = _read_words(request.text, SHORTEST_OBJECTION, what="An objection needs words.", next_step=advice)
    identity = nominee.evidence.identity
    subjects = {MANIFEST: identity.bundle_digest}
    objection = Objection(
        subjects,
        principal,
        identity.model,
        identity.version,
        clears,
        said,
        project.store.ledger.clock(),
        identity.run_id,
    )
    action = "clear" if clears else "object to"
    signed = _sign(project, "objection", objection, key, action=action, subject=subject)
    event, body = (Event.CLEARED, {"objection": clears}) if clears else (Event.OBJECTED, {})
    _record(project, event, subject, signed, actor=principal, body={**body, "text": said})


def _clearing_faults(nominee: Nominee, number: int, principal: str) -> list[str]:
    found = next((item for item in nominee.evidence.objections if item.number == number), None)
    if found is None or found.cleared:
        still_open = [str(item.number) for item in nominee.evidence.objections if not item.cleared]
        return [f"There is no open objection {number}; open are: {', '.join(still_open) or 'none'}."]
    return [] if found.principal == principal else [f"{principal} did not raise it; {found.principal} did."]


def waive(project: Project, subject: str, request: WaiverRequest, key: Key) -> None:
    """Make a signed exception to one finding that did not pass, until a date; raises Refused when that is not allowed."""
    nominee, now = _load_undecided(project, subject), project.store.ledger.clock()
    finding = next((each for each in judge_findings(nominee, now)[0] if each.check == request.check), None)
    waiver = Waiver(
        subjects=nominee.waived_subjects(),
        principal=find_signer(key, project),
        role=require_role(request.role),
        model=nominee.evidence.identity.model,
        version=nominee.evidence.identity.version,
        check=request.check,
        finding=spell_finding(finding) if finding else "",
        reason=_read_words(request.reason, FEWEST_CHARACTERS, what="A waiver needs a reason.", next_step=_BEARABLE),
        issued=now,
        expires=read_end(request.until),
    )
    _require_waivable(project, nominee, waiver, finding, key)
    signed = _sign(project, "waiver", waiver, key, action="waive", subject=subject)
    body = {"check": waiver.check, "role": waiver.role, "expires": waiver.expires}
    _record(project, Event.WAIVED, subject, signed, actor=waiver.principal, body=body)


def _require_waivable(project: Project, nominee: Nominee, waiver: Waiver, finding: Finding | None, key: Key) -> None:
    decision = decide_waiver(
        finding,
        principal=waiver.principal,
        role=waiver.role,
        now=waiver.issued,
        expires=waiver.expires,
        authors=nominee.evidence.identity.authors,
        policy=nominee.policy,
        subject=f"{waiver.check:.100} of {nominee.subject}",
    )
    next_step = f"`workbench review {nominee.subject}` says of each finding that may be waived by whom."
    _require_allowed(project, decision, key, next_step)


def _read_words(text: str, fewest: int, *, what: str, next_step: str) -> str:
    """Return what somebody is about to sign, on one line; raises UsageError for no words, too many, or what nobody sees in them."""
    if fault := find_text_fault(text, fewest):
        raise UsageError(what, why=fault, next_step=next_step)
    _require_seen(text)
    return " ".join(text.split())


def _require_seen(text: str) -> None:
    """Raise UsageError for what nobody sees in words that people sign."""
    if hidden := _find_hidden(text):
        raise UsageError("That text cannot be signed.", why=hidden, next_step="Write it without.")


def _find_hidden(text: str, *, but: str = "") -> str | None:
    """Return what nobody sees in words that people sign; spaces and line ends of whatever kind are fine."""
    odd = {letter for letter in text if not (letter.isprintable() or letter.isspace() or letter in but)}
    hidden = sorted(f"U+{ord(letter):04X}" for letter in odd)
    return f"It holds {', '.join(hidden)}, and people sign what they see." if hidden else None


def read_end(until: str) -> str:
    """Return when something ends (ISO 8601 UTC) that lasts until a day, its end, or until a time; raises UsageError for neither."""
    try:
        moment = datetime.fromisoformat(until)
        if re.fullmatch(r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}", until):
            moment += timedelta(days=1)
        return (moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)).isoformat()
    except (ValueError, OverflowError) as exc:
        raise UsageError(f"{until!r} is no date.", next_step="Write it as 2026-12-31, or with a time.") from exc


def _later(moment: str, days: int) -> str:
    return (datetime.fromisoformat(moment) + timedelta(days=days)).isoformat()


def state_approval(nominee: Nominee, *, principal: str, role: str, now: str) -> Statement:
    """Return the statement somebody signs to approve a nominee as it is `now` (ISO 8601 UTC)."""
    identity = nominee.evidence.identity
    return Statement(
        subjects=nominee.subjects(),
        principal=principal,
        role=role,
        model=identity.model,
        version=identity.version,
        endpoint=identity.endpoint,
        previous=nominee.evidence.champion_version or 0,
        sequence=nominee.head.sequence,
        head=nominee.head.digest,
        issued=now,
        expires=_later(now, nominee.policy.valid_days),
    )


def find_signer(key: Key, project: Project) -> str:
    """Return whose key this is by the allowed-signers file; the acting author when it is nobody's or there is no such file."""
    return find_keyholder(key.path, project.settings) or project.settings.acting_author


def _require_allowed(project: Project, decision: Decision, key: Key, next_step: str) -> None:
    """Do as `require_allowed`; of a key that is nobody's, no more is said than that: whose reasons they are is not known."""
    signers, asked = project.settings.signers_file, decision
    if not decision.is_allowed and find_keyholder(key.path, project.settings) is None:
        asked = decide(
            decision.action, decision.subject, [f"{signers} does not name this key: nobody knows whose it is."]
        )
        next_step = (
            f"`workbench signer add NAME --key {key.path} --role ROLE` says whose; or name the key that is listed."
        )
    require_allowed(project, asked, next_step)


def find_keyholder(key: Path, settings: Settings) -> str | None:
    """Return who holds a key by the allowed-signers file, None when nobody is known to; raises UsageError when there is no key."""
    path = expand_path(key)
    public_key = read_public_key(path)
    if public_key is None and not path.is_file():
        raise UsageError(f"There is no key at {key}.", next_step="Name its file, or make one: `ssh-keygen -t ed25519`.")
    if public_key is None or not settings.signers_file.is_file():
        return None
    return find_principal(settings.signers_file.read_bytes(), public_key)


def _sign(project: Project, kind: SignedKind, statement: Statable, key: Key, *, action: str, subject: str) -> Signed:
    """Sign a statement and see that the signature would be taken; raises Refused with the line that is missing."""
    signer, content = statement.signer, statement.to_bytes()
    READERS[kind](content)  # what nobody could read again must not stand in the ledger
    signature = sign_bytes(content, replace(key, path=expand_path(key.path)), signer.namespace)
    signed = Signed(content, signature)
    fault = find_fault(signed, signer, project.settings, recorded=project.store.ledger.clock())
    signers = project.settings.signers_file
    reasons = (
        [f"{signers} does not let this key sign {signer.namespace} for {signer.principal}: {fault}"] if fault else []
    )
    line = grant(signer.principal, [signer.namespace], read_signing_key(signed.signature))
    require_allowed(
        project,
        decide(action, subject, reasons),
        f"Whoever keeps {signers} decides whether to add this line to it:\n{line}",
    )
    return signed


def _record(
    project: Project, event: Event, subject: str, signed: Signed, *, actor: str, body: Mapping[str, Any]
) -> None:
    kept = {"statement": signed.statement.decode(), "signature": signed.signature.decode()}
    project.store.append_entry(
        event,
        actor=actor,
        subject=subject,
        body={**kept, **body},
        require=lambda entries: _require_undecided(entries, subject),
    )

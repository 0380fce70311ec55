"""What people say of a nominee, as the review shows it: waivers, objections, answers, approvals, and the requests still open."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from workbench.evidence.evidence import Finding, ObjectionFact
from workbench.records.digest import short
from workbench.records.people import person_of
from workbench.reviews.review import GivenApproval, GivenWaiver, Question, Review, find_next_command
from workbench.words.findings import can_be_waived, sort_findings, waive_command
from workbench.words.numbers import read_time, sentence_case, words

_COUNTS = {"word": "Counts", "shape": "✓", "tone": "good"}
_VOID = {"word": "Does not count", "shape": "✕", "tone": "bad"}
_KEY = "~/.ssh/id_ed25519"
# How long a waiver holds unless another day is chosen.
_WAIVED_DAYS = 30


def moment(time: str | None) -> dict[str, str]:
    """Return a time for machines and for people; both empty when there is none."""
    return {"iso": time or "", "time": read_time(time) if time else ""}


# Said


def waiver_state(waiver: GivenWaiver) -> dict[str, Any]:
    """Return a waiver with whether it counts."""
    return {
        "label": sentence_case(words(waiver.check)),
        "who": f"{waiver.principal}, {waiver.role}",
        "reason": waiver.reason,
        "given": {"text": "", **moment(waiver.issued)},
        "expires": {"text": "", **moment(waiver.expires)},
        "status": _VOID if waiver.faults else _COUNTS,
        "faults": list(waiver.faults),
    }


def objections_state(objections: Sequence[ObjectionFact], raised_on: Mapping[int, str]) -> list[dict[str, Any]]:
    """Return the objections, open ones on top; `raised_on` names the other version one was raised on."""
    ranked = sorted(objections, key=lambda item: (item.cleared is not None, item.number))
    return [_objection(item, raised_on.get(item.number)) for item in ranked]


def _objection(item: ObjectionFact, raised_on: str | None) -> dict[str, Any]:
    is_open = item.cleared is None
    return {
        "number": item.number,
        "status": {"word": "Open", "shape": "✕", "tone": "bad"}
        if is_open
        else {"word": "Cleared", "shape": "✓", "tone": "good"},
        "who": item.principal,
        "raised": {
            "text": f", objection {item.number}{f' to {raised_on}' if raised_on else ''}, ",
            **moment(item.raised),
        },
        "text": item.text,
        "cleared": {"text": "Cleared ", **moment(item.cleared)},
        "resolution": item.resolution or "",
        "note": f"Only {item.principal} can clear it." if is_open else "",
    }


def question_state(question: Question) -> dict[str, Any]:
    """Return a question with its answer."""
    return {
        "name": question.name,
        "label": sentence_case(words(question.name)),
        "text": question.text,
        "answer": question.answer or "",
        "answered": {
            "text": f"{question.whose}, " if question.answer else "Not answered yet",
            **moment(question.answered_at if question.answer else None),
        },
    }


def role_state(role: str, review: Review) -> dict[str, Any]:
    """Return how many have signed in a role, and who."""
    complete = role not in review.missing_roles
    return {
        "role": role,
        "status": {
            "word": f"{len(review.signers(role))} of {review.roles[role]}",
            "shape": "✓" if complete else "○",
            "tone": "good" if complete else "open",
        },
        "given": [_approval(approval) for approval in review.approvals if approval.role == role],
    }


def _approval(approval: GivenApproval) -> dict[str, Any]:
    return {
        "who": approval.principal,
        "signed": {"text": ", signed ", **moment(approval.issued)},
        "expires": f", holds until {read_time(approval.expires)}",
        "status": _VOID if approval.faults else _COUNTS,
        "faults": list(approval.faults),
    }


def people_text(review: Review) -> str:
    """Say how many people must sign, and who may not."""
    authors = ", ".join(review.evidence.identity.authors) or "unknown"
    return (
        f"Signed by {len(review.all_signers)} of at least {review.principals} different people. "
        f"Authors ({authors}) cannot sign for their own run."
    )


def say_needed(review: Review) -> str:
    """Say what is still to be done before the nominee may be promoted, or that it may be."""
    if review.is_released:
        return f"Nothing can be said of it any more. `{find_next_command(review)}` serves it."
    if review.decision.is_allowed:
        return f"Nothing is missing. `workbench promote {shlex.quote(review.subject)}` makes it the release."
    blocked, objected, still_open = len(review.blocking), len(review.open_objections), len(review.open_questions)
    parts = [
        f"{blocked} {'check' if blocked == 1 else 'checks'} to pass" if blocked else "",
        f"{objected} {'objection' if objected == 1 else 'objections'} to be cleared" if objected else "",
        f"{still_open} {'answer' if still_open == 1 else 'answers'}" if still_open else "",
        *(f"a signature as {role}" for role in review.missing_roles),
    ]
    needed = ", ".join(part for part in parts if part)
    return f"Still needed: {needed}." if needed else review.decision.reasons[0]


# To do


def sign_state(review: Review) -> dict[str, Any]:
    """Return what somebody who signs now must know, and the roles, those still missing first."""
    objected, still_open = len(review.open_objections), len(review.open_questions)
    blocked = sum(finding.check != "model_card_complete" or still_open > 0 for finding in review.blocking)
    cautions = [
        review.policy_note,
        f"You confirm what only authors said: {', '.join(words(name) for name in review.drafts)}."
        if review.drafts
        else "",
        f"You approve that own code runs: {', '.join(each.name for each in review.evidence.own_code)}."
        if review.evidence.own_code
        else "",
        f"{blocked} {'check does' if blocked == 1 else 'checks do'} not pass; a signature does not change that."
        if blocked
        else "",
        f"{objected} {'objection is' if objected == 1 else 'objections are'} open. Clearing one changes what was signed."
        if objected
        else "",
        "Questions are still open. An answer given later changes what was signed, and the signature no longer counts."
        if still_open
        else "",
    ]
    missing = review.missing_roles
    return {
        "roles": [*missing, *(role for role in sorted(review.roles) if role not in missing)],
        "cautions": [caution for caution in cautions if caution],
        "command": f"workbench approve {shlex.quote(review.subject)}",
        "binds": f"You sign evidence {short(review.evidence_digest)}, policy {short(review.policy_digest)}, "
        f"the model's files and the model card, for endpoint {review.evidence.identity.endpoint}.",
    }


def requests_state(review: Review) -> dict[str, dict[str, Any]]:
    """Return every signed request that can be made now, by what it is about: its fields, its button and its command line."""
    waivable = [finding for finding in sort_findings(review.findings) if can_be_waived(finding, review)]
    return {
        "approve": _approve(review),
        "object": _object(review),
        **{f"clear:{item.number}": _clear(item, review) for item in review.open_objections},
        **{f"waive:{finding.check}": _waive(finding, review) for finding in waivable},
    }


def _request(kind: str, button: str, fields: Sequence[dict[str, Any]], command: str, **given: Any) -> dict[str, Any]:
    shown = {"kind": kind, "button": button, "summary": button, "fields": [*fields], "command": command}
    return {**shown, "given": given, "unsaved": ""}


def _field(name: str, label: str, kind: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "label": label, "kind": kind, "option": f"--{name}", "missing": "", **more}


def _approve(review: Review) -> dict[str, Any]:
    sign = sign_state(review)
    role = _field("role", "Role", "choice", choices=sorted(sign["roles"]), value=next(iter(sign["roles"]), ""))
    unsaved = "Save your answers first: signing covers them"
    return {**_request("approve", "Sign as {role}", [role], sign["command"]), "unsaved": unsaved}


def _object(review: Review) -> dict[str, Any]:
    text = _field("text", "What must change before this may be served?", "text", missing="Write what must change")
    request = _request("object", "Object", [text], f"workbench object {shlex.quote(review.subject)}")
    return {**request, "summary": f"Object to {review.subject}"}


def _clear(item: ObjectionFact, review: Review) -> dict[str, Any]:
    text = _field("text", "What settled it?", "text", missing="Write what settled it")
    command = f"workbench object {shlex.quote(review.subject)} --clear {item.number}"
    return _request("clear", f"Clear objection {item.number}", [text], command, objection=str(item.number))


def _waive(finding: Finding, review: Review) -> dict[str, Any]:
    fields = [
        _field("reason", "Why is the risk bearable until then?", "text", missing="Write why the risk is bearable"),
        _field("role", "Role", "choice", choices=list(review.waiver_roles), value=review.waiver_roles[0]),
        _field("until", "Last day", "date", value=_later(review.reviewed_at), missing="Say until when"),
    ]
    label, command = words(finding.check), waive_command(review, finding.check)
    request = _request("waive", f"Waive {label} as {{role}}", fields, command, check=finding.check)
    return {**request, "summary": f"Waive {label}"}


def find_blocked(review: Review, principal: str) -> dict[str, str]:
    """Return why a request of this person would be refused, by what it is about, with the role where it is made in one."""
    signed = [role for role in review.roles if person_of(principal) in map(person_of, review.signers(role))]
    others = [item for item in review.open_objections if item.principal != principal]
    return {
        **{f"approve:{role}": f"{principal} has signed as {role} already" for role in signed},
        **{
            f"clear:{item.number}": f"Only {item.principal} can clear it; this is the key of {principal}"
            for item in others
        },
    }


def _later(moment: str) -> str:
    return (datetime.fromisoformat(moment) + timedelta(days=_WAIVED_DAYS)).date().isoformat()


def example_commands(review: Review) -> Mapping[str, str]:
    """Return the command line of each kind of request, for those who read without a kernel."""
    subject = shlex.quote(review.subject)
    names = [question.name for question in sorted(review.questions, key=lambda item: item.answer is not None)]
    question = shlex.quote(names[0]) if names else "QUESTION"
    return {
        "answer": f'workbench review {subject} --answer {question}="your answer"',
        "object": f'workbench object {subject} --text "what must change" --key {_KEY}',
        "clear": f'workbench object {subject} --clear NUMBER --text "what settled it" --key {_KEY}',
        "waive": f'workbench waive {subject} CHECK --reason "why" --role ROLE --until DATE --key {_KEY}',
        "approve": f"workbench approve {subject} --role ROLE --key {_KEY}",
    }

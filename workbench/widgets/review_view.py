"""The review in JupyterLab: findings, questions to answer, approvals to give; every failure is shown in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import traitlets

from workbench.drawings.markup import Markup
from workbench.errors import UsageError, WorkbenchError
from workbench.records.people import is_author
from workbench.reviews.request import ApprovalRequest, ObjectionRequest, WaiverRequest
from workbench.reviews.review import Review
from workbench.signing.key import Key
from workbench.widgets.people_state import find_blocked, say_needed
from workbench.widgets.requests import Requests
from workbench.widgets.review_page import review_body
from workbench.widgets.review_state import review_state
from workbench.widgets.snapshot import read_module, read_style
from workbench.widgets.snapshot_view import SnapshotView
from workbench.words.findings import prose
from workbench.words.numbers import words

_RETRY = "Your text is kept. Try again, or use the command line."
_UNKNOWN_KEY = (
    "Nobody is known to hold this key, so a signature with it would be refused. "
    "Whoever keeps the allowed-signers file can add it."
)


class ReviewView(SnapshotView):
    """Shows a review and passes on what the reviewer wants.

    `drafts` holds text typed but not sent, by question or request; `reply` what became of the last request; `holder` whose key it
    is and what it cannot do.
    A passphrase comes with one message and is in none of these. The callbacks run when the kernel is free; JupyterLab may deliver
    a message on a subshell, so they may run on another thread than the cell's.
    """

    _esm = read_module("kernel", "requests", "review_view")
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)
    drafts = traitlets.Dict().tag(sync=True)
    role = traitlets.Unicode().tag(sync=True)
    key_path = traitlets.Unicode().tag(sync=True)
    holder = traitlets.Dict().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)

    def __init__(self, review: Review, requests: Requests) -> None:
        state = review_state(review)
        super().__init__(state=state, role=next(iter(state["sign"]["roles"]), ""))
        self.review = review
        self._requests = requests
        self.on_msg(self._receive)

    def body(self) -> Markup:
        """Return the twin's content."""
        return review_body(self.review)

    def summary(self) -> str:
        """Return the headline."""
        return str(self.state["headline"])

    def _receive(self, _view: Any, content: Any, _buffers: Any) -> None:
        kind = content.get("kind") if isinstance(content, Mapping) else None
        if kind == "hello":
            self.send({"kind": "hello"})
            return
        about, number = str(content.get("about", "")) if kind else "", content.get("number") if kind else None
        # An exception that leaves this function is lost to the reviewer, whatever its kind.
        try:
            if kind == "holder":
                self.holder = self._add_blocked(self._describe_holder(_text(content, "key_path")))
                return
            review, said = self._act(kind, content)
        except Exception as exc:
            self.reply = {"about": about, "number": number, **_failure(exc, content)}
            return
        # Answers are given one after the other; what is still needed stands on top.
        needed = [] if kind == "answer" else prose(say_needed(review))
        done = {"tone": "good", "what": said, "reasons": [], "next": needed}
        self._show(review, {"about": about, "number": number, **done})

    def _act(self, kind: str | None, content: Mapping[str, Any]) -> tuple[Review, str]:
        if kind == "answer":
            return self._answer(_text(content, "question"), _text(content, "text"))
        if kind == "approve":
            return self._approve(ApprovalRequest(_text(content, "role")), _key(content))
        if kind == "object":
            objection = ObjectionRequest(_text(content, "text"))
            return self._requests.object_to(objection, _key(content)), "Your objection is recorded, signed."
        if kind == "clear":
            clearing = ObjectionRequest(_text(content, "text"), _number(content, "objection"))
            return self._requests.object_to(clearing, _key(content)), f"Objection {clearing.clears} is cleared."
        if kind == "waive":
            return self._waive(content)
        raise UsageError(f"The view sent {kind!r}, which is no request.", next_step="Run the cell again.")

    def _answer(self, question: str, text: str) -> tuple[Review, str]:
        review = self._requests.answer(question, text)
        if self.drafts.get(question) == text:
            self.drafts = {name: draft for name, draft in self.drafts.items() if name != question}
        return review, "Saved."

    def _approve(self, request: ApprovalRequest, key: Key) -> tuple[Review, str]:
        review, role = self._requests.approve(request, key), request.role
        valid, needed = len(review.signers(role)), review.roles.get(role, 0)
        return review, f"Signed as {words(role)}: {valid} of {needed} approvals in this role count."

    def _waive(self, content: Mapping[str, Any]) -> tuple[Review, str]:
        request = WaiverRequest(**{name: _text(content, name) for name in ("check", "reason", "role", "until")})
        return self._requests.waive(request, _key(content)), f"Waived {words(request.check)} until {request.until}."

    def _describe_holder(self, key_path: str) -> dict[str, str]:
        """Return whose key lies at a path and what it is good for here, as one sentence."""
        try:
            principal = self._requests.find_keyholder(Path(key_path)) if key_path else ""
        except WorkbenchError as exc:
            return {"key_path": key_path, "principal": "", "tone": "bad", "text": f"{exc.what} {exc.next_step}"}
        except OSError as exc:
            text = f"The key cannot be read: {exc.strerror}."
            return {"key_path": key_path, "principal": "", "tone": "bad", "text": text}
        if not principal:
            text = "" if principal == "" else _UNKNOWN_KEY
            return {"key_path": key_path, "principal": "", "tone": "open", "text": text}
        if is_author(principal, self.review.evidence.identity.authors):
            text = f"{principal} holds this key and is an author of the run: they may object, but neither approve nor waive."
            return {"key_path": key_path, "principal": principal, "tone": "open", "text": text}
        return {"key_path": key_path, "principal": principal, "tone": "good", "text": f"{principal} holds this key."}

    def _add_blocked(self, holder: Mapping[str, Any]) -> dict[str, Any]:
        principal = holder.get("principal")
        return {**holder, "blocked": find_blocked(self.review, principal) if principal else {}}

    def _show(self, review: Review, reply: dict[str, Any]) -> None:
        self.review = review
        with self.hold_sync():
            self.state = review_state(review)
            self.holder = self._add_blocked(self.holder)
            self.reply = reply
        self.refresh_snapshots()
        self.send({"kind": "kept"})  # what is saved now has the new snapshot


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str):
        raise UsageError(f"The view sent no {words(key)}.", next_step="Run the cell again.")
    return value


def _number(content: Mapping[str, Any], key: str) -> int:
    text = _text(content, key)
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise UsageError(f"{text!r} is not a number of {words(key)}.", next_step="Write a whole number.")
    return int(text)


def _key(content: Mapping[str, Any]) -> Key:
    return Key(Path(_text(content, "key_path")), _text(content, "passphrase") or None)


def _failure(exc: Exception, content: Any) -> dict[str, Any]:
    """Return an exception in the three parts people need, without the passphrase whatever it says."""
    passphrase = content.get("passphrase") if isinstance(content, Mapping) else None

    def hide(text: str) -> str:
        return text.replace(passphrase, "…") if isinstance(passphrase, str) and passphrase else text

    if isinstance(exc, WorkbenchError):
        reasons = [prose(hide(reason)) for reason in exc.reasons]
        return {"tone": "bad", "what": hide(exc.what), "reasons": reasons, "next": prose(hide(exc.next_step))}
    what = f"{type(exc).__name__}: {exc}"
    return {"tone": "bad", "what": hide(what), "reasons": [], "next": prose(_RETRY)}

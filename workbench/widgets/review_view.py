"""The review in JupyterLab: findings, questions to answer, approvals to give; every failure is shown in place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import traitlets

from workbench.domain.review import Review
from workbench.errors import UsageError, WorkbenchError
from workbench.widgets.markup import Markup
from workbench.widgets.numbers import words
from workbench.widgets.review_page import review_body
from workbench.widgets.review_state import count_valid, review_state
from workbench.widgets.snapshot import read_module, read_style
from workbench.widgets.snapshot_view import SnapshotView

_RETRY = "Your text is kept. Try again, or use the command line."
OnAnswer = Callable[[str, str], Review]
OnApprove = Callable[[str, str], Review]


class ReviewView(SnapshotView):
    """Shows a review and passes on what the reviewer wants.

    `drafts` holds text typed but not saved, by question; `reply` what became of the last intent. The callbacks run when the
    kernel is free; JupyterLab may deliver a message on a subshell, so they may run on another thread than the cell's.
    """

    _esm = read_module("review_view")
    _css = read_style()
    state = traitlets.Dict().tag(sync=True)
    drafts = traitlets.Dict().tag(sync=True)
    role = traitlets.Unicode().tag(sync=True)
    key_path = traitlets.Unicode().tag(sync=True)
    reply = traitlets.Dict().tag(sync=True)

    def __init__(self, review: Review, on_answer: OnAnswer, on_approve: OnApprove) -> None:
        state = review_state(review)
        super().__init__(state=state, role=next(iter(state["sign"]["roles"]), ""))
        self.review = review
        self._on_answer, self._on_approve = on_answer, on_approve
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
            review, said = self._act(kind, content)
        except Exception as exc:
            self.reply = {"about": about, "number": number, **_failure(exc)}
            return
        self._show(review, {"about": about, "number": number, "tone": "good", "what": said, "reasons": [], "next": ""})

    def _act(self, kind: str | None, content: Mapping[str, Any]) -> tuple[Review, str]:
        if kind == "answer":
            return self._answer(_text(content, "question"), _text(content, "text"))
        if kind == "approve":
            return self._approve(_text(content, "role"), _text(content, "key_path"))
        raise UsageError(f"The view sent {kind!r}, which is no request.", next_step="Run the cell again.")

    def _answer(self, question: str, text: str) -> tuple[Review, str]:
        review = self._on_answer(question, text)
        if self.drafts.get(question) == text:
            self.drafts = {name: draft for name, draft in self.drafts.items() if name != question}
        return review, "Saved."

    def _approve(self, role: str, key_path: str) -> tuple[Review, str]:
        review = self._on_approve(role, key_path)
        valid, needed = count_valid(review, role), review.roles.get(role, 0)
        return review, f"Signed as {words(role)}: {valid} of {needed} approvals in this role count."

    def _show(self, review: Review, reply: dict[str, Any]) -> None:
        self.review = review
        with self.hold_sync():
            self.state = review_state(review)
            self.reply = reply
        self.refresh_snapshots()


def _text(content: Mapping[str, Any], key: str) -> str:
    value = content.get(key)
    if not isinstance(value, str):
        raise UsageError(f"The view sent no {words(key)}.", next_step="Run the cell again.")
    return value


def _failure(exc: Exception) -> dict[str, Any]:
    """Return an exception in the three parts people need."""
    if isinstance(exc, WorkbenchError):
        return {"tone": "bad", "what": exc.what, "reasons": [*exc.reasons], "next": exc.next_step}
    what = f"{type(exc).__name__}: {exc}"
    return {"tone": "bad", "what": what, "reasons": [], "next": _RETRY}

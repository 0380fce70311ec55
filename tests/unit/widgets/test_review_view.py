"""The review without a browser: what it asks for, and what becomes of a failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.evidence.builders import build_evidence
from tests.unit.people import AUTHOR, NOW, OWNER, VALIDATOR
from tests.unit.reviews.builders import build_review
from tests.unit.widgets.test_widgets import AT
from workbench.errors import Refused, UsageError
from workbench.evidence.evidence import ObjectionFact
from workbench.reviews.decision import decide
from workbench.reviews.request import ApprovalRequest, ObjectionRequest, WaiverRequest
from workbench.reviews.review import GivenApproval, Question, Review
from workbench.signing.key import Key
from workbench.widgets.requests import Requests
from workbench.widgets.review_view import ReviewView


class Desk:
    """Callbacks as a caller would give them, with what they were asked."""

    def __init__(self, review: Review, failure: Exception | None = None, holder: str | None = VALIDATOR) -> None:
        self.review, self.failure, self.holder = review, failure, holder
        self.asked: list[tuple[Any, ...]] = []
        requests = Requests(
            answer=self._do("answer", self._answer),
            approve=self._do("approve", self._approve),
            object_to=self._do("object", self._object),
            waive=self._do("waive", self._keep),
            find_keyholder=self._find_keyholder,
        )
        self.view = ReviewView(review, requests)

    def send(self, **content: Any) -> dict[str, Any]:
        """Deliver a message as the browser would and return the reply."""
        self.view._handle_custom_msg(content, [])
        return dict(self.view.reply)

    def _do(self, kind: str, change: Callable[..., Review]) -> Callable[..., Review]:
        def act(*given: Any) -> Review:
            self.asked.append((kind, *given))
            if self.failure:
                raise self.failure
            self.review = change(*given)
            return self.review

        return act

    def _answer(self, name: str, text: str) -> Review:
        answered = [
            replace(question, answer=text, answered_by=VALIDATOR, answered_at=NOW, vouched_by=(VALIDATOR,))
            if question.name == name
            else question
            for question in self.review.questions
        ]
        return replace(self.review, questions=tuple(answered))

    def _approve(self, request: ApprovalRequest, _key: Key) -> Review:
        return replace(
            self.review, approvals=(*self.review.approvals, GivenApproval(OWNER, request.role, NOW, NOW, ()))
        )

    def _object(self, request: ObjectionRequest, _key: Key) -> Review:
        if request.clears:
            return self.review
        objection = ObjectionFact(31, VALIDATOR, request.text, NOW, None, None)
        return replace(self.review, evidence=replace(self.review.evidence, objections=(objection,)))

    def _keep(self, *_: Any) -> Review:
        return self.review

    def _find_keyholder(self, path: Path) -> str | None:
        if "locked" in path.name:
            raise PermissionError(13, "Permission denied")
        if "missing" in path.name:
            raise UsageError(f"There is no key at {path}.", next_step="Make one.")
        return self.holder


SECRET = "correct horse battery staple"
SIGNED = {"key_path": "/keys/vera", "passphrase": SECRET}


class TestReviewView:
    def test_an_answer_reaches_the_callback_and_the_new_review_is_shown(self) -> None:
        desk = Desk(build_review(questions=(Question("harm", "Who could be harmed?"),)))
        desk.view.drafts = {"harm": "Nobody, since a person reads every case."}
        reply = desk.send(kind="answer", about="answer:harm", number=1, question="harm", text=desk.view.drafts["harm"])
        assert desk.asked == [("answer", "harm", "Nobody, since a person reads every case.")]
        assert (reply["tone"], reply["about"], reply["number"]) == ("good", "answer:harm", 1)
        assert desk.view.state["questions"][0]["answer"] == "Nobody, since a person reads every case."
        assert desk.view.drafts == {}

    def test_text_typed_while_an_answer_was_saved_is_kept(self) -> None:
        desk = Desk(build_review(questions=(Question("harm", "Who?"),)))
        desk.view.drafts = {"harm": "Nobody, and more"}
        desk.send(kind="answer", about="answer:harm", number=1, question="harm", text="Nobody")
        assert desk.view.drafts == {"harm": "Nobody, and more"}

    def test_signing_tells_how_many_signatures_count(self) -> None:
        desk = Desk(build_review())
        reply = desk.send(kind="approve", about="approve", number=1, role="owner", **SIGNED)
        assert desk.asked == [("approve", ApprovalRequest("owner"), Key(Path("/keys/vera"), SECRET))]
        assert reply["what"] == "Signed as owner: 1 of 1 approvals in this role count."

    def test_after_signing_it_is_said_what_is_next(self) -> None:
        reply = Desk(build_review(approvals=())).send(kind="approve", role="owner", **SIGNED)
        assert reply["next"] == ["Still needed: a signature as validator."]
        allowed = build_review(decision=decide("promote", "tumour/3", []))
        reply = Desk(allowed).send(kind="approve", role="owner", **SIGNED)
        assert reply["next"] == ["Nothing is missing. ", "workbench promote tumour/3", " makes it the release."]

    def test_an_objection_reaches_the_callback_and_is_shown_as_open(self) -> None:
        desk = Desk(build_review())
        reply = desk.send(kind="object", about="object", number=1, text="The holdout is too old.", **SIGNED)
        assert desk.asked == [("object", ObjectionRequest("The holdout is too old."), Key(Path("/keys/vera"), SECRET))]
        assert reply["what"] == "Your objection is recorded, signed."
        assert desk.view.state["objections"][0]["status"]["word"] == "Open"
        assert desk.view.state["requests"]["clear:31"]["command"] == "workbench object tumour/3 --clear 31"

    def test_clearing_and_waiving_reach_their_callbacks(self) -> None:
        desk = Desk(build_review())
        desk.send(kind="clear", objection="31", text="It was repeated.", **SIGNED)
        desk.send(
            kind="waive", check="beats_baseline", reason="For a trial.", role="owner", until="2026-12-31", **SIGNED
        )
        key = Key(Path("/keys/vera"), SECRET)
        assert desk.asked == [
            ("object", ObjectionRequest("It was repeated.", 31), key),
            ("waive", WaiverRequest("beats_baseline", "For a trial.", "owner", "2026-12-31"), key),
        ]

    def test_a_passphrase_is_in_nothing_that_is_kept_or_shown(self) -> None:
        for failure in (None, Refused(f"No: {SECRET}", why=[SECRET], next_step=SECRET), OSError(SECRET)):
            desk = Desk(build_review(), failure)
            desk.send(kind="approve", about="approve", number=1, role="owner", **SIGNED)
            assert desk.asked[0][2].passphrase == SECRET
            assert SECRET not in repr(desk.asked)
            assert SECRET not in repr(desk.view.get_state())
            assert SECRET not in desk.view.snapshot(AT)["text/html"]

    @pytest.mark.parametrize(
        ("holder", "path", "tone", "words"),
        [
            (VALIDATOR, "/keys/vera", "good", f"{VALIDATOR} holds this key."),
            (AUTHOR, "/keys/ada", "open", "is an author of the run"),
            (None, "/keys/eve", "open", "Nobody is known to hold this key"),
            (VALIDATOR, "/missing", "bad", "There is no key at /missing. Make one."),
            (VALIDATOR, "/locked", "bad", "The key cannot be read: Permission denied."),
            (VALIDATOR, "", "open", ""),
        ],
    )
    def test_who_holds_a_key_is_said_before_it_signs(
        self, holder: str | None, path: str, tone: str, words: str
    ) -> None:
        desk = Desk(build_review(), holder=holder)
        desk.send(kind="holder", key_path=path)
        assert (desk.view.holder["key_path"], desk.view.holder["tone"]) == (path, tone)
        assert words in desk.view.holder["text"]

    def test_what_a_keys_holder_cannot_do_is_said_by_what_it_is_about(self) -> None:
        objection = ObjectionFact(31, VALIDATOR, "Which scanner?", NOW, None, None)
        review = build_review(evidence=build_evidence(objections=(objection,)))
        desk = Desk(review, holder=OWNER)
        desk.send(kind="holder", key_path="/keys/otto")
        assert desk.view.holder["blocked"] == {
            "clear:31": f"Only {VALIDATOR} can clear it; this is the key of {OWNER}",
        }
        desk.send(kind="approve", about="approve", number=1, role="owner", **SIGNED)
        assert desk.view.holder["blocked"]["approve:owner"] == f"{OWNER} has signed as owner already"
        desk = Desk(review, holder=VALIDATOR.title())
        desk.send(kind="holder", key_path="/keys/vera")
        assert "approve:validator" in desk.view.holder["blocked"]

    def test_a_refusal_is_shown_with_its_reasons_and_the_text_is_kept(self) -> None:
        desk = Desk(build_review(), Refused("It was refused.", why=["too short", "too late"], next_step="Write more."))
        desk.view.drafts = {"harm": "no"}
        before = desk.view.state
        reply = desk.send(kind="answer", about="answer:harm", number=4, question="harm", text="no")
        assert (reply["what"], reply["reasons"], reply["next"]) == (
            "It was refused.",
            [["too short"], ["too late"]],
            ["Write more."],
        )
        assert (reply["tone"], reply["number"]) == ("bad", 4)
        assert desk.view.drafts == {"harm": "no"}
        assert desk.view.state == before

    def test_any_other_error_is_shown_by_type_and_message(self) -> None:
        desk = Desk(build_review(), OSError("disk full"))
        assert desk.send(kind="answer", question="harm", text="no")["what"] == "OSError: disk full"

    @pytest.mark.parametrize(
        "content",
        [
            {"kind": "delete"},
            {"kind": "answer", "question": "harm"},
            {"kind": "answer", "question": 7, "text": "x"},
            {"kind": "approve", "role": ["owner"], "key_path": "x", "passphrase": ""},
            {"kind": "approve", "role": "owner", "key_path": "x"},
            {"kind": "approve", "role": "owner", "key_path": "x", "passphrase": 7},
            {"kind": "clear", "objection": "-1", "text": "x", "key_path": "x", "passphrase": ""},
            {
                "kind": "waive",
                "check": "x",
                "reason": "x",
                "role": "x",
                "days": "many",
                "key_path": "x",
                "passphrase": "",
            },
            {"kind": "holder"},
            {},
        ],
    )
    def test_a_message_of_another_shape_calls_nothing_and_is_reported(self, content: dict[str, Any]) -> None:
        desk = Desk(build_review())
        assert desk.send(**content)["tone"] == "bad"
        assert desk.asked == []

    def test_a_message_that_is_no_mapping_is_reported_too(self) -> None:
        desk = Desk(build_review())
        desk.view._handle_custom_msg("approve", [])
        assert desk.view.reply["tone"] == "bad"

    def test_its_snapshot_shows_the_newest_review(self) -> None:
        desk = Desk(build_review(questions=(Question("harm", "Who?"),)))
        desk.send(kind="answer", about="answer:harm", number=1, question="harm", text="Nobody at all.")
        assert "Nobody at all." in desk.view.snapshot(AT)["text/html"]

"""The review without a browser: what it shows, what it asks for, and what becomes of a failure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.unit.builders import NOW, OWNER, VALIDATOR, build_evidence, build_review
from tests.unit.test_widgets import AT, Tags
from workbench.domain.decision import decide
from workbench.domain.evidence import Finding, Status
from workbench.domain.review import GivenApproval, Question, Review
from workbench.errors import Refused
from workbench.widgets.review_page import review_page
from workbench.widgets.review_state import review_state
from workbench.widgets.review_view import ReviewView


class TestReview:
    def test_failed_checks_stand_before_unknown_ones_and_those_before_passed_ones(self) -> None:
        findings = tuple(Finding(name, Status(name), "", "", "") for name in ("PASS", "UNKNOWN", "FAIL", "PASS"))
        words = [finding["status"]["word"] for finding in review_state(build_review(findings=findings))["findings"]]
        assert words == ["Fail", "Unknown", "Pass", "Pass"]

    def test_unknown_is_not_green(self) -> None:
        finding = Finding("model_loads", Status.UNKNOWN, "", "", "")
        shown = review_state(build_review(findings=(finding,)))["findings"][0]["status"]
        assert (shown["shape"], shown["tone"]) == ("?", "open")

    def test_every_reason_against_promotion_is_there(self) -> None:
        review = build_review()
        page = Tags(review_page(review, AT))
        assert review.decision.reasons
        assert all(reason in page.text for reason in review.decision.reasons)

    def test_a_review_that_may_be_promoted_says_the_next_command(self) -> None:
        review = build_review(decision=decide("promote", "tumour/3", []))
        assert review_state(review)["next"] == "workbench promote tumour/3"

    def test_a_command_in_a_reason_is_set_as_code(self) -> None:
        finding = Finding("model_card_complete", Status.FAIL, "", "", "Answer with `workbench review`.")
        html = review_page(build_review(findings=(finding,)), AT)
        assert "Answer with <code>workbench review</code>." in html

    def test_a_lone_backtick_is_only_a_backtick(self) -> None:
        finding = Finding("model_card_complete", Status.FAIL, "", "", "It`s open.")
        assert "It`s open." in Tags(review_page(build_review(findings=(finding,)), AT)).text

    def test_an_approval_with_a_fault_does_not_count_and_says_why(self) -> None:
        stale = GivenApproval(VALIDATOR, "validator", NOW, NOW, ("The approval is stale.",))
        state = review_state(build_review(approvals=(stale,)))
        role = next(role for role in state["roles"] if role["role"] == "validator")
        assert role["status"]["word"] == "0 of 1"
        assert role["given"][0]["faults"] == ["The approval is stale."]

    def test_two_signatures_of_one_person_count_once(self) -> None:
        twice = (GivenApproval(VALIDATOR, "validator", NOW, NOW, ()),) * 2
        state = review_state(build_review(approvals=twice, roles={"validator": 2}))
        assert state["roles"][0]["status"]["word"] == "1 of 2"

    def test_roles_still_missing_are_offered_first_for_signing(self) -> None:
        assert review_state(build_review())["sign"]["roles"] == ["owner", "validator"]

    def test_who_signs_early_is_warned(self) -> None:
        review = build_review(questions=(Question("harm", "Who?"),))
        assert any("Questions are still open" in caution for caution in review_state(review)["sign"]["cautions"])

    def test_the_score_is_shown_against_baseline_and_champion(self) -> None:
        names = [score["name"] for score in review_state(build_review())["scores"]]
        assert names == ["Baseline", "Champion, version 2"]

    def test_without_a_champion_nothing_is_said_to_be_served(self) -> None:
        review = build_review(evidence=build_evidence(champion=None, champion_version=None))
        state = review_state(review)
        assert [score["name"] for score in state["scores"]] == ["Baseline"]
        assert any(fact["text"] == "tumour, now serving nothing" for fact in state["facts"])

    def test_without_a_score_the_review_says_why(self) -> None:
        review = build_review(evidence=build_evidence(score=None, holdout=None, baseline=None, champion=None))
        assert "No score could be computed" in Tags(review_page(review, AT)).text


class Desk:
    """Callbacks as a caller would give them, with what they were asked."""

    def __init__(self, review: Review, failure: Exception | None = None) -> None:
        self.review, self.failure = review, failure
        self.asked: list[tuple[str, ...]] = []
        self.view = ReviewView(review, self._do("answer", self._answer), self._do("approve", self._approve))

    def send(self, **content: Any) -> dict[str, Any]:
        """Deliver a message as the browser would and return the reply."""
        self.view._handle_custom_msg(content, [])
        return dict(self.view.reply)

    def _do(self, kind: str, change: Callable[[str, str], Review]) -> Callable[[str, str], Review]:
        def act(first: str, second: str) -> Review:
            self.asked.append((kind, first, second))
            if self.failure:
                raise self.failure
            self.review = change(first, second)
            return self.review

        return act

    def _answer(self, name: str, text: str) -> Review:
        answered = [
            replace(question, answer=text, answered_by=VALIDATOR, answered_at=NOW)
            if question.name == name
            else question
            for question in self.review.questions
        ]
        return replace(self.review, questions=tuple(answered))

    def _approve(self, role: str, _key_path: str) -> Review:
        return replace(self.review, approvals=(*self.review.approvals, GivenApproval(OWNER, role, NOW, NOW, ())))


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
        reply = desk.send(kind="approve", about="approve", number=1, role="owner", key_path="~/.ssh/id_ed25519")
        assert desk.asked == [("approve", "owner", "~/.ssh/id_ed25519")]
        assert reply["what"] == "Signed as owner: 1 of 1 approvals in this role count."

    def test_a_refusal_is_shown_with_its_reasons_and_the_text_is_kept(self) -> None:
        desk = Desk(build_review(), Refused("It was refused.", why=["too short", "too late"], next_step="Write more."))
        desk.view.drafts = {"harm": "no"}
        before = desk.view.state
        reply = desk.send(kind="answer", about="answer:harm", number=4, question="harm", text="no")
        assert (reply["what"], reply["reasons"], reply["next"]) == (
            "It was refused.",
            ["too short", "too late"],
            "Write more.",
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
            {"kind": "approve", "role": ["owner"], "key_path": "x"},
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

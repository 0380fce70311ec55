"""A review says in one sentence where it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.builders import (
    EXPIRES,
    ISSUED,
    OWNER,
    VALIDATOR,
    build_evidence,
    build_execution,
    build_questions,
    build_review,
)
from workbench.domain.decision import decide
from workbench.domain.review import GivenApproval, headline

ALLOWED = decide("promote", "tumour/3", [])
VALIDATED = GivenApproval(VALIDATOR, "validator", ISSUED, EXPIRES, ())
OWNED = GivenApproval(OWNER, "owner", ISSUED, EXPIRES, ())


def refused(*reasons: str):
    return decide("promote", "tumour/3", reasons or ["no"])


def test_a_review_is_named_by_its_nominee():
    assert build_review().subject == "tumour/3"


def test_what_may_be_promoted_is_said_to_be_so():
    review = build_review(approvals=(VALIDATED, OWNED), decision=ALLOWED)
    assert headline(review) == "tumour/3 may be promoted: every check passed and the approvals are complete."


def test_the_decision_is_never_overruled_by_the_headline():
    review = build_review(approvals=(VALIDATED, OWNED), decision=refused("The world ended."))
    assert headline(review) == "tumour/3 may not be promoted yet: The world ended."


def test_missing_approvals_are_told():
    assert headline(build_review()) == "tumour/3 may not be promoted yet: approvals are missing."


@pytest.mark.parametrize(
    ("given", "lacking"),
    [
        ((), True),
        ((VALIDATED,), True),
        ((OWNED,), True),
        ((VALIDATED, OWNED), False),
        ((VALIDATED, replace(OWNED, faults=("stale",))), True),
        ((VALIDATED, VALIDATED), True),
        ((VALIDATED, replace(OWNED, principal=VALIDATOR)), True),
        ((VALIDATED, OWNED, replace(OWNED, faults=("expired",))), False),
        ((VALIDATED, replace(OWNED, role="auditor")), True),
    ],
)
def test_approvals_are_missing_until_every_role_and_enough_people_signed(given, lacking):
    words = headline(build_review(approvals=given, decision=refused()))
    assert ("approvals are missing" in words) is lacking


def test_checks_and_questions_are_counted_in_words():
    evidence = build_evidence(execution=build_execution(completed=False), files_unmodified=False, answers={})
    words = headline(build_review(evidence=evidence, questions=build_questions({})))
    assert words == (
        "tumour/3 may not be promoted yet: 3 checks do not pass, 4 questions are open, approvals are missing."
    )


def test_one_check_and_one_question_are_counted_in_the_singular():
    answers = dict(list(build_evidence().answers.items())[:3])
    review = build_review(evidence=build_evidence(answers=answers), questions=build_questions(answers))
    assert "1 check does not pass, 1 question is open" in headline(review)

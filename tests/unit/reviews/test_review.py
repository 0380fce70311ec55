"""A review says in one sentence where it stands."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.evidence.builders import build_evidence, build_execution, build_objection_fact
from tests.unit.people import EXPIRES, ISSUED, OWNER, VALIDATOR
from tests.unit.reviews.builders import build_questions, build_review
from workbench.evidence.evidence import Severity, Status
from workbench.reviews.decision import decide
from workbench.reviews.review import GivenApproval, find_next_command, headline

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


@pytest.mark.parametrize("excused", [{"waiver": "otto@example.org, until 2026-12-20"}, {"severity": Severity.ADVISORY}])
def test_what_may_be_promoted_by_an_exception_is_not_said_to_have_passed(excused):
    first, *rest = build_review().findings
    findings = (replace(first, status=Status.FAIL, **excused), *rest)
    review = build_review(approvals=(VALIDATED, OWNED), decision=ALLOWED, findings=findings)
    assert headline(review) == (
        "tumour/3 may be promoted: no check blocks, though not every one passed, and the approvals are complete."
    )


@pytest.mark.parametrize(
    ("standing", "said", "command"),
    [
        ("served", "tumour/3 is what its endpoint serves.", "workbench serve tumour"),
        ("replaced", "tumour/3 was released, and another version took its place.", "workbench rollback tumour --to 3"),
    ],
)
def test_what_was_promoted_is_not_said_to_wait_for_it(standing, said, command):
    review = build_review(approvals=(VALIDATED, OWNED), decision=ALLOWED, standing=standing)
    assert headline(review) == said
    assert find_next_command(review) == command


def test_open_objections_are_counted():
    for count, said in ((1, "1 objection is open"), (2, "2 objections are open")):
        objections = tuple(build_objection_fact(number=number) for number in range(count))
        review = build_review(evidence=build_evidence(objections=objections))
        assert said in headline(review)


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


def test_one_person_signs_once_however_the_name_is_capitalised():
    review = build_review(
        approvals=(VALIDATED, replace(VALIDATED, principal=VALIDATOR.title())), roles={"validator": 2}
    )
    assert len(review.signers("validator")) == 1
    assert review.missing_roles == ("validator",)
    assert len(review.all_signers) == 1


def test_only_what_nobody_settled_is_open():
    objections = (build_objection_fact(number=1), build_objection_fact(number=2, cleared=ISSUED))
    review = build_review(evidence=build_evidence(objections=objections), questions=build_questions({}))
    assert [item.number for item in review.open_objections] == [1]
    assert review.open_questions == review.questions
    assert review.blocking == ()


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


def test_the_next_command_is_what_the_review_lacks_and_never_one_that_the_gate_refuses():
    review = build_review()
    name, allowed = review.subject, decide("promote", review.subject, [])
    unanswered = replace(review.questions[0], answer=None)
    signed = replace(review, approvals=(*review.approvals, OWNED))
    assert find_next_command(replace(signed, questions=(unanswered,))) == (
        f'workbench review {name} --answer {unanswered.name}="..."'
    )
    assert find_next_command(review).startswith(f"workbench approve {name} --role owner ")
    assert find_next_command(signed) == f"workbench review {name}"
    assert find_next_command(replace(signed, decision=allowed)) == f"workbench promote {name}"

"""A decision is allowed or carries every reason why not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.people import AUTHOR, OWNER, VALIDATOR
from tests.unit.policies.builders import build_policy
from tests.unit.reviews.builders import build_questions, build_review, build_statement, build_statements, build_terms
from workbench.errors import Refused
from workbench.evidence.evidence import Finding, Status
from workbench.reviews.approval import VerifiedApproval
from workbench.reviews.decision import decide, decide_approval, find_blocking, judge_approvals
from workbench.reviews.review import headline


def judge(*approvals, **changes):
    return judge_approvals(approvals, build_terms(**changes))


def verified(*statements, fault=None):
    return [VerifiedApproval(statement, fault) for statement in statements]


@given(st.lists(st.text(min_size=1, max_size=5), max_size=6))
def test_reasons_are_sorted_and_told_once(reasons):
    decision = decide("promote", "tumour/3", reasons)
    assert list(decision.reasons) == sorted(set(reasons))
    assert decision.is_allowed is (not reasons)


def test_what_is_allowed_goes_through():
    decide("promote", "tumour/3", []).require("nothing")


def test_what_is_not_allowed_is_refused_with_every_reason_and_the_next_step():
    with pytest.raises(Refused) as caught:
        decide("promote", "tumour/3", ["b", "a"]).require("Ask for approvals.")
    assert caught.value.exit_code == 3
    assert caught.value.reasons == ("a", "b")
    assert str(caught.value) == "Refused: promote tumour/3.\n  - a\n  - b\n  Next: Ask for approvals."


def test_only_what_did_not_pass_blocks():
    findings = [Finding(status.lower(), status, "1", "0", "Because.") for status in Status]
    assert find_blocking(findings) == ["fail: FAIL. Because.", "unknown: UNKNOWN. Because."]


def test_the_two_approvals_the_policy_asks_for_are_enough():
    valid, reasons = judge(*verified(*build_statements()))
    assert ({statement.principal for statement in valid}, reasons) == ({VALIDATOR, OWNER}, [])


def test_a_superfluous_bad_approval_does_no_harm():
    extra = verified(build_statement(principal="eve@example.org"), fault="forged")
    valid, reasons = judge(*verified(*build_statements()), *extra)
    assert len(valid) == 2
    assert reasons == []


def test_without_enough_approvals_every_fault_is_told():
    first, second = build_statements()
    valid, reasons = judge(*verified(first), *verified(second, fault="Could not verify signature."))
    assert [statement.principal for statement in valid] == [VALIDATOR]
    assert reasons == [
        "Role owner: 0 of 1 approvals.",
        "Approvals come from 1 of 2 distinct people.",
        f"The signature of {OWNER} (owner) does not hold: Could not verify signature.",
    ]


def test_the_author_cannot_be_one_of_the_two():
    valid, reasons = judge(*verified(*build_statements()), authors=(AUTHOR, OWNER))
    assert [statement.principal for statement in valid] == [VALIDATOR]
    assert f"{OWNER} is an author of the run and cannot approve it." in reasons


def test_one_person_cannot_fill_both_roles():
    _, reasons = judge(*verified(build_statement(), build_statement(role="owner")))
    assert reasons == ["Approvals come from 1 of 2 distinct people."]


def test_approvals_of_other_bytes_do_not_count():
    valid, reasons = judge(*verified(*build_statements(subjects={"release/manifest.json": "0" * 64})))
    assert valid == []
    assert sum("is stale" in reason for reason in reasons) == 2


def test_a_reviewer_in_a_role_of_the_policy_may_sign():
    decision = decide_approval(
        principal=VALIDATOR, role="validator", authors=(AUTHOR,), policy=build_policy(), subject="tumour/3"
    )
    assert decision.is_allowed


def test_an_author_in_a_role_that_does_not_exist_hears_both_reasons():
    decision = decide_approval(
        principal=AUTHOR, role="friend", authors=(AUTHOR,), policy=build_policy(), subject="tumour/3"
    )
    assert decision.reasons == (
        "Role friend is not in policy standard; it asks for owner, validator.",
        f"{AUTHOR} is an author of the run; nobody approves their own work.",
    )


def test_a_review_that_may_be_promoted_says_so():
    review = build_review(decision=decide("promote", "tumour/3", []))
    assert headline(review) == "tumour/3 may be promoted: every check passed and the approvals are complete."


def test_a_review_that_may_not_be_promoted_says_what_is_missing():
    bad = Finding("metric_limit", Status.FAIL, "0.7", "at least 0.8", "Too low.")
    reasons = [*find_blocking([bad]), "Role owner: 0 of 1 approvals."]
    review = build_review(
        findings=(bad,), questions=build_questions({"harm": "None."}), decision=decide("promote", "tumour/3", reasons)
    )
    assert headline(review) == (
        "tumour/3 may not be promoted yet: 1 check does not pass, 3 questions are open, approvals are missing."
    )

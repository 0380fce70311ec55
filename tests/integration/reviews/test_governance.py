"""Who may approve what, and what is no answer: real runs, real keys, and everything that must be refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import AUTHOR, run_command
from tests.integration.governed import ANSWERS, HARM, OWNER, ROLES, STRANGER, VALIDATOR, Governed, reasons_of
from workbench.errors import Refused, UsageError
from workbench.evidence.evidence import Status
from workbench.ledger.ledger import Event
from workbench.reviews import reviewing
from workbench.reviews.approval import Statement
from workbench.reviews.decision import Decision
from workbench.reviews.request import ApprovalRequest
from workbench.signing.key import Key
from workbench.signing.namespaces import signing_namespace
from workbench.signing.ssh_signatures import allowed_signer, sign_bytes


def test_a_nominee_without_answers_and_approvals_may_not_be_promoted(nominated: Governed) -> None:
    assert not nominated.bench.review("shop/1").decision.is_allowed
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/1")
    assert "Role owner: 0 of 1 approvals." in reasons_of(refused)
    assert "Role validator: 0 of 1 approvals." in reasons_of(refused)
    assert nominated.refusals() == [(AUTHOR, "promote", "shop/1")]
    assert not nominated.bento(1).exists()


def test_an_approved_nominee_may_be_promoted_and_every_check_passed(nominated: Governed) -> None:
    review = nominated.approve("shop/1")
    assert {finding.status for finding in review.findings} == {Status.PASS}
    assert review.decision == Decision("promote", "shop/1", ())


def test_its_author_may_not_approve_it_and_the_attempt_is_recorded(nominated: Governed) -> None:
    nominated.list_key(AUTHOR, "owner")
    with pytest.raises(Refused) as refused:
        nominated.acting(AUTHOR).approve("shop/1", ApprovalRequest("owner"), Key(nominated.keys / "ada"))
    assert f"{AUTHOR} is an author of the run" in reasons_of(refused)
    assert nominated.refusals() == [(AUTHOR, "approve", "shop/1")]


def test_of_a_key_that_is_not_listed_no_more_is_said_than_that(nominated: Governed) -> None:
    key = nominated.key_of(STRANGER)
    with pytest.raises(Refused) as refused:
        nominated.bench.approve("shop/1", ApprovalRequest("owner"), Key(key))
    signers = nominated.bench.settings.signers_file
    assert refused.value.reasons == (f"{signers} does not name this key: nobody knows whose it is.",)
    assert f"`workbench signer add NAME --key {key} --role ROLE`" in refused.value.next_step
    nominated.list_key(STRANGER, "owner")
    assert nominated.bench.approve("shop/1", ApprovalRequest("owner"), Key(key)).all_signers == (STRANGER,)


def test_one_person_in_two_roles_is_one_person(nominated: Governed) -> None:
    signers = nominated.bench.settings.signers_file
    both = allowed_signer(VALIDATOR, ["validator", "owner"], (nominated.keys / "grace.pub").read_text())
    signers.write_text(f"{both}\n", encoding="utf-8")
    for role in ("validator", "owner"):
        nominated.approve("shop/1", VALIDATOR, role=role)
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/1")
    assert "Approvals come from 1 of 2 distinct people." in reasons_of(refused)


def test_one_key_under_two_names_is_not_two_people(nominated: Governed) -> None:
    signers = nominated.bench.settings.signers_file
    public = (nominated.keys / "grace.pub").read_text()
    lines = [allowed_signer(who, [role], public) for who, role in ROLES.items()]
    signers.write_text("\n".join(lines) + "\n", encoding="utf-8")
    for principal, role in ROLES.items():
        with pytest.raises(Refused, match=f"Lines 1 and 2: {VALIDATOR} and {OWNER} share one key"):
            nominated.acting(principal).approve("shop/1", ApprovalRequest(role), Key(nominated.keys / "grace"))
    trust = next(symptom for symptom in nominated.bench.examine() if symptom.part == "allowed signers")
    assert not trust.is_well
    assert "share one key" in trust.found
    assert trust.remedy


def write_approval(governed: Governed, statement: Statement) -> None:
    """Sign and record a statement as somebody would who has the code and a key, and does not use the command."""
    key = governed.keys / statement.principal.partition("@")[0]
    content = statement.to_bytes()
    signature = sign_bytes(content, Key(key), signing_namespace(statement.role))
    body = {"statement": content.decode(), "signature": signature.decode(), "role": statement.role}
    governed.bench.store.append_entry(
        Event.APPROVED, actor=statement.principal, subject=f"{statement.model}/{statement.version}", body=body
    )


def test_an_expired_key_cannot_approve_by_dating_back(nominated: Governed, monkeypatch: pytest.MonkeyPatch) -> None:
    now = datetime.now(UTC)
    signers = nominated.bench.settings.signers_file
    expired = f'valid-before="{now - timedelta(days=1):%Y%m%d}Z",namespaces='
    signers.write_text(signers.read_text().replace("namespaces=", expired), encoding="utf-8")
    dated = (now - timedelta(days=3)).isoformat()
    state = reviewing.state_approval

    def date_back(*arguments: Any, **options: Any) -> Statement:
        return replace(state(*arguments, **options), issued=dated)

    monkeypatch.setattr(reviewing, "state_approval", date_back)
    with pytest.raises(Refused, match="not within 5 minutes"):
        nominated.approve("shop/1", VALIDATOR)
    for principal, role in ROLES.items():
        nominee = nominated.bench.load_nominee("shop/1")
        write_approval(nominated, date_back(nominee, principal=principal, role=role, now=dated))
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/1")
    assert f"it says it was issued at {dated}, and was recorded at" in reasons_of(refused)


def test_an_unknown_key_is_refused_with_the_line_that_would_let_it_sign(nominated: Governed) -> None:
    with pytest.raises(Refused) as refused:
        nominated.acting(STRANGER).approve("shop/1", ApprovalRequest("owner"), Key(nominated.keys / "mallory"))
    public = " ".join((nominated.keys / "mallory.pub").read_text().split()[:2])
    line = f'{STRANGER} namespaces="workbench.approval.owner" {public}'
    assert refused.value.next_step.splitlines()[-1] == line
    signers = nominated.bench.settings.signers_file
    signers.write_text(f"{signers.read_text()}{line}\n", encoding="utf-8")
    review = nominated.acting(STRANGER).approve("shop/1", ApprovalRequest("owner"), Key(nominated.keys / "mallory"))
    assert [approval.faults for approval in review.approvals] == [()]


def test_a_key_cannot_sign_in_a_role_it_was_not_given_nor_for_somebody_else(nominated: Governed) -> None:
    for principal, role, key in ((VALIDATOR, "owner", "grace"), (VALIDATOR, "validator", "mallory")):
        with pytest.raises(Refused, match="does not let this key sign"):
            nominated.acting(principal).approve("shop/1", ApprovalRequest(role), Key(nominated.keys / key))
    assert len(nominated.refusals()) == 2


def test_a_role_the_policy_does_not_ask_for_is_refused(nominated: Governed) -> None:
    with pytest.raises(Refused, match="Role jester is not in policy standard"):
        nominated.acting(VALIDATOR).approve("shop/1", ApprovalRequest("jester"), Key(nominated.keys / "grace"))


def test_a_new_answer_makes_approvals_stale_and_signing_again_mends_it(nominated: Governed) -> None:
    nominated.approve("shop/1")
    nominated.acting(OWNER).answer("shop/1", "harm", "Nobody was asked yet whether it harms anybody.")
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/1")
    assert f"The approval of {VALIDATOR} (validator) is stale" in reasons_of(refused)
    assert "release/evidence.json" in reasons_of(refused)
    assert nominated.approve("shop/1").decision.is_allowed


def test_an_answer_needs_words_and_a_question_that_was_asked(nominated: Governed) -> None:
    for question, text in (
        ("harm", "  "),
        ("harm", " " * 20 + "Nobody."),
        ("weather", "It rains cats and dogs today."),
    ):
        with pytest.raises(UsageError):
            nominated.bench.answer("shop/1", question, text)
    with pytest.raises(UsageError, match="has 7 visible characters of at least 20"):
        nominated.bench.answer("shop/1", "harm", "Nobody.")
    assert nominated.bench.review("shop/1").open_questions == ()


def test_answers_are_all_kept_or_none_and_each_fault_names_its_question(nominated: Governed) -> None:
    before = nominated.bench.store.read_ledger()
    given = [f"--answer={name}={text}" for name, text in {**ANSWERS, "harm": "Nobody I know", "weather": HARM}.items()]
    done = run_command(nominated.project, "review", "shop/1", *given)
    said = " ".join(done.stderr.split())
    assert done.returncode == 2
    assert "None of the 5 answers was kept." in said
    assert "harm: It has 13 visible characters of at least 20. It asks: Who could be harmed" in said
    assert "weather: The policy does not ask this; it asks intended_use" in said
    assert nominated.bench.store.read_ledger() == before
    done = run_command(
        nominated.project, "review", "shop/1", *(f"--answer={name}={text}" for name, text in ANSWERS.items())
    )
    assert (done.returncode, "4 of 4 questions answered" in done.stdout) == (0, True)


WORDLESS = {
    "dots": "." * 40,
    "nothing to see": "\u200b\u2800" * 20,
    "one letter": "a " * 40,
    "6 MB": "Nobody is harmed. " * 350_000,
}


def test_what_is_no_answer_is_refused_before_it_is_written(nominated: Governed) -> None:
    before = nominated.bench.store.read_ledger()
    for text in WORDLESS.values():
        with pytest.raises(UsageError, match="The answer was not kept") as refused:
            nominated.acting(VALIDATOR).answer("shop/1", "harm", text)
        assert len(str(refused.value)) < 400
        assert run_command(nominated.project, "review", "shop/1", "--answer", f"harm={text}").returncode == 2
    assert nominated.bench.store.read_ledger() == before


@pytest.mark.parametrize("letter", ["\u202e", "\x1b", "\u200b"])
def test_an_answer_holds_nothing_that_whoever_confirms_it_does_not_see(nominated: Governed, letter: str) -> None:
    with pytest.raises(UsageError, match="The answer was not kept") as refused:
        nominated.bench.answer("shop/1", "harm", f"{HARM} {letter}It is final.")
    assert f"U+{ord(letter):04X}" in refused.value.reasons[0]
    nominated.bench.answer("shop/1", "harm", "هیچ\u200cکس از یک خبرنامه\u00a0آسیب نمی\u200cبیند.\nWe asked.")


def test_what_an_older_ledger_took_for_answers_are_none_and_the_ledger_still_holds(nominated: Governed) -> None:
    older = {"intended_use": "." * 40, "limitations": "\u200b" * 40, "harm": HARM * 400}
    for name, text in older.items():
        body = {"question": name, "answer": text}
        nominated.bench.store.append_entry(Event.ANSWERED, actor=VALIDATOR, subject="shop/1", body=body)
    assert nominated.bench.verify_ledger().faults == ()
    review = nominated.approve("shop/1")
    assert [question.name for question in review.open_questions] == [*older]
    (finding,) = review.blocking
    assert (finding.check, finding.status, finding.value) == ("model_card_complete", Status.FAIL, "1 of 4 answered")
    assert "No answer: limitations. It has 0 visible characters of at least 20." in finding.reason
    for name in older:
        nominated.acting(VALIDATOR).answer("shop/1", name, HARM)
    assert nominated.approve("shop/1").decision.is_allowed

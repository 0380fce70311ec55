"""Who may approve what, and what makes an approval void: real runs, real keys, and everything that must be refused."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, run_command
from tests.integration.governed import MODEL, OWNER, ROLES, STRANGER, VALIDATOR, Governed, reasons_of
from workbench.domain.approval import Statement, signing_namespace
from workbench.domain.decision import Decision
from workbench.domain.evidence import Status
from workbench.domain.ledger import Event
from workbench.errors import Refused, UsageError
from workbench.signing.ssh_signatures import allowed_signer, sign_bytes
from workbench.workflow import nominees

# Approving


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
    with pytest.raises(Refused) as refused:
        nominated.acting(AUTHOR).approve("shop/1", role="owner", key=nominated.keys / "ada")
    assert f"{AUTHOR} is an author of the run" in reasons_of(refused)
    assert nominated.refusals() == [(AUTHOR, "approve", "shop/1")]


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
            nominated.acting(principal).approve("shop/1", role=role, key=nominated.keys / "grace")
    trust = next(symptom for symptom in nominated.bench.examine() if symptom.part == "allowed signers")
    assert not trust.is_well
    assert "share one key" in trust.found
    assert trust.remedy


def write_approval(governed: Governed, statement: Statement) -> None:
    """Sign and record a statement as somebody would who has the code and a key, and does not use the command."""
    key = governed.keys / statement.principal.partition("@")[0]
    content = statement.to_bytes()
    signature = sign_bytes(content, key=key, namespace=signing_namespace(statement.role))
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
    state = nominees.state_approval

    def date_back(*arguments: Any, **options: Any) -> Statement:
        return replace(state(*arguments, **options), issued=dated)

    monkeypatch.setattr(nominees, "state_approval", date_back)
    with pytest.raises(Refused, match="not within 5 minutes"):
        nominated.approve("shop/1", VALIDATOR)
    for principal, role in ROLES.items():
        nominee = nominated.bench.load_nominee("shop/1")
        write_approval(nominated, date_back(nominee, principal=principal, role=role))
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/1")
    assert f"it says it was issued at {dated}, and was recorded at" in reasons_of(refused)


def test_an_unknown_key_is_refused_with_the_line_that_would_let_it_sign(nominated: Governed) -> None:
    with pytest.raises(Refused) as refused:
        nominated.acting(STRANGER).approve("shop/1", role="owner", key=nominated.keys / "mallory")
    public = " ".join((nominated.keys / "mallory.pub").read_text().split()[:2])
    line = f'{STRANGER} namespaces="workbench.approval.owner" {public}'
    assert refused.value.next_step.splitlines()[-1] == line
    signers = nominated.bench.settings.signers_file
    signers.write_text(f"{signers.read_text()}{line}\n", encoding="utf-8")
    review = nominated.acting(STRANGER).approve("shop/1", role="owner", key=nominated.keys / "mallory")
    assert [approval.faults for approval in review.approvals] == [()]


def test_a_key_cannot_sign_in_a_role_it_was_not_given_nor_for_somebody_else(nominated: Governed) -> None:
    for principal, role, key in ((VALIDATOR, "owner", "grace"), (VALIDATOR, "validator", "mallory")):
        with pytest.raises(Refused, match="does not let this key sign"):
            nominated.acting(principal).approve("shop/1", role=role, key=nominated.keys / key)
    assert len(nominated.refusals()) == 2


def test_a_role_the_policy_does_not_ask_for_is_refused(nominated: Governed) -> None:
    with pytest.raises(Refused, match="Role jester is not in policy standard"):
        nominated.acting(VALIDATOR).approve("shop/1", role="jester", key=nominated.keys / "grace")


def test_a_new_answer_makes_approvals_stale_and_signing_again_mends_it(nominated: Governed) -> None:
    nominated.approve("shop/1")
    nominated.acting(OWNER).answer("shop/1", "harm", "Nobody was asked yet whether it harms anybody.")
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/1")
    assert f"The approval of {VALIDATOR} (validator) is stale" in reasons_of(refused)
    assert "release/evidence.json" in reasons_of(refused)
    assert nominated.approve("shop/1").decision.is_allowed


def test_an_answer_needs_words_and_a_question_that_was_asked(nominated: Governed) -> None:
    for question, text in (("harm", "  "), ("weather", "It rains.")):
        with pytest.raises(UsageError):
            nominated.bench.answer("shop/1", question, text)


def test_a_template_policy_that_changes_later_does_not_change_what_was_nominated(
    nominated: Governed, tmp_path: Path
) -> None:
    run = nominated.bench.show(nominated.bench.review("shop/1").evidence.identity.run_id)
    policy = tmp_path / "strict.yaml"
    policy.write_bytes((nominated.project / "runs/models/shop/1/policy.yaml").read_bytes())
    subject = nominated.bench.nominate(run.id, MODEL, policy=str(policy)).subject
    before = nominated.bench.review(subject).policy_digest
    policy.write_text(policy.read_text().replace("owner: 1", "owner: 0"), encoding="utf-8")
    assert nominated.bench.review(subject).policy_digest == before


@pytest.mark.parametrize("name", ["policy.yaml", "facts.json", "predictions.parquet"])
def test_what_was_fixed_at_nomination_cannot_be_changed_afterwards(nominated: Governed, name: str) -> None:
    nominated.approve("shop/1")
    path = nominated.bench.settings.models_folder / MODEL / "1" / name
    path.write_bytes(path.read_bytes() + b" ")
    for verb in (nominated.bench.review, nominated.bench.promote):
        with pytest.raises(Refused, match=f"{name} was changed since the nomination"):
            verb("shop/1")


def test_a_changed_byte_of_the_frozen_bundle_is_refused_at_promotion(nominated: Governed) -> None:
    nominated.approve("shop/1")
    path = nominated.bench.settings.models_folder / MODEL / "1" / "bundle" / "release" / "model" / "model.onnx"
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(Refused, match=r"release/model/model.onnx was changed"):
        nominated.bench.promote("shop/1")
    assert nominated.bench.store.read_ledger()[-1].event is Event.REFUSED


def test_a_nominee_outlives_the_folder_of_its_run(nominated: Governed) -> None:
    before = nominated.bench.review("shop/1").evidence_digest
    shutil.rmtree(nominated.bench.settings.runs_folder)
    assert nominated.bench.review("shop/1").evidence_digest == before
    nominated.approve("shop/1")
    assert nominated.bench.promote("shop/1").decision.is_allowed


@pytest.mark.parametrize("name", ["../escaped", "a/b", ".", "Ümlaut", "a b", "", "x" * 64])
def test_a_model_whose_name_would_leave_its_folder_is_refused(nominated: Governed, name: str) -> None:
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    with pytest.raises(UsageError, match="cannot name a model"):
        nominated.bench.nominate(run_id, name)


@pytest.mark.parametrize(
    ("notebook", "words"), [("no_predictions", "stored no predictions"), ("no_model", "logged no")]
)
def test_a_run_that_kept_too_little_cannot_be_nominated(nominated: Governed, notebook: str, words: str) -> None:
    run = nominated.bench.run(NOTEBOOKS / f"{notebook}.ipynb", {})
    with pytest.raises(UsageError, match=words) as refused:
        nominated.bench.nominate(run.id, MODEL)
    assert "run it again" in refused.value.next_step
    assert nominated.bench.list_nominees() == ["shop/2", "shop/1"]


def test_files_of_a_run_that_changed_since_it_finished_do_not_pass(nominated: Governed) -> None:
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    path = nominated.bench.settings.runs_folder / run_id / "metrics.jsonl"
    path.write_text(path.read_text().replace("0.9", "0.99"), encoding="utf-8")
    findings = {finding.check: finding for finding in nominated.bench.nominate(run_id, MODEL).findings}
    assert findings["run_unmodified"].status is Status.FAIL


# A ledger that somebody changed


def tamper(governed: Governed, change: str) -> None:
    with closing(sqlite3.connect(governed.project / "runs" / "workbench.db")) as connection, connection:
        connection.execute(change)


def test_a_changed_ledger_is_shown_and_never_obeyed(released: Governed) -> None:
    """Version 1 is put behind the endpoint by a stroke in the database: no verb goes along, two tell of it."""
    tamper(
        released, "update ledger set body = replace(body, '\"version\": 2', '\"version\": 1') where event = 'promoted'"
    )
    bench = released.bench
    run_id = bench.list_runs()[0].id
    verbs: list[Callable[[], object]] = [
        lambda: bench.find_served(MODEL),
        lambda: bench.verify("shop/2"),
        lambda: bench.serve(MODEL, port=1),
        lambda: bench.rollback(MODEL),
        lambda: bench.promote("shop/2"),
        lambda: bench.review("shop/2"),
        lambda: bench.answer("shop/2", "harm", "Nobody can be harmed by a newsletter."),
        lambda: bench.nominate(run_id, MODEL),
        lambda: released.approve("shop/2"),
        bench.list_nominees,
    ]
    for verb in verbs:
        with pytest.raises(Refused, match=r"was changed: its content does not give its digest"):
            verb()
    entries, faults = bench.read_ledger()
    assert len(entries) > 0
    assert len(faults) == 1
    assert not next(symptom for symptom in bench.examine() if symptom.part == "ledger").is_well


@pytest.mark.parametrize(
    "change", ["body = '{'", "body = '[]'", "body = '{}'", "event = 'bogus'", "time = 'noon'", "actor = x'00'"]
)
def test_a_row_that_is_no_decision_is_shown_as_faulty_by_the_ledger_and_the_doctor(
    nominated: Governed, change: str
) -> None:
    tamper(nominated, f"update ledger set {change} where sequence = 3")
    for arguments, code in (
        (("ledger",), 3),
        (("ledger", "--json"), 3),
        (("doctor",), 1),
    ):
        done = run_command(nominated.project, *arguments)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        assert "Entry 3 was changed" in " ".join(done.stdout.split())

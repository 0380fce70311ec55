"""Who may approve what, and what makes an approval void: real runs, real keys, and everything that must be refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, change_database, run_command
from tests.integration.governed import MODEL, OWNER, ROLES, STRANGER, VALIDATOR, Governed, reasons_of
from tests.unit.evidence.builders import write_in_format
from workbench.errors import Refused, UsageError
from workbench.evidence.evidence import Status, parse_evidence
from workbench.ledger.ledger import Event, head_of
from workbench.nominations import recomputing
from workbench.releases import releases
from workbench.releases.release_audit import find_unmet
from workbench.reviews import nominees, reviewing
from workbench.reviews.approval import Statement
from workbench.reviews.checklist import ItemStatus
from workbench.reviews.decision import Decision
from workbench.reviews.request import ApprovalRequest
from workbench.reviews.review import Review
from workbench.signing.key import Key
from workbench.signing.namespaces import signing_namespace
from workbench.signing.ssh_signatures import allowed_signer, sign_bytes

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
        nominated.acting(AUTHOR).approve("shop/1", ApprovalRequest("owner"), Key(nominated.keys / "ada"))
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


WORDLESS = {
    "dots": "." * 40,
    "nothing to see": "\u200b\u2800" * 20,
    "one letter": "a " * 40,
    "6 MB": "Nobody is harmed. " * 350_000,
}


def test_what_is_no_answer_is_refused_before_it_is_written(nominated: Governed) -> None:
    before = nominated.bench.store.read_ledger()
    for text in WORDLESS.values():
        with pytest.raises(UsageError, match="An answer needs a sentence") as refused:
            nominated.acting(VALIDATOR).answer("shop/1", "harm", text)
        assert len(str(refused.value)) < 400
        assert run_command(nominated.project, "review", "shop/1", "--answer", f"harm={text}").returncode == 2
    assert nominated.bench.store.read_ledger() == before


@pytest.mark.parametrize("letter", ["\u202e", "\x1b", "\u200b"])
def test_an_answer_holds_nothing_that_whoever_confirms_it_does_not_see(nominated: Governed, letter: str) -> None:
    with pytest.raises(UsageError, match="cannot be signed") as refused:
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


# Drafts of an author

HARM = "Somebody may get a newsletter that is of no interest to them."


def card_of(review: Review) -> tuple[Status, str, str]:
    """Return how complete the model card is, whose the answer on harm is, and how it stands in the checklist."""
    (finding,) = [each for each in review.findings if each.check == "model_card_complete"]
    (question,) = [each for each in review.questions if each.name == "harm"]
    (row,) = [each for each in review.checklist if each.id == "A3"]
    return finding.status, question.whose, row.status


def test_an_author_drafts_an_answer_and_whoever_approves_confirms_it(nominated: Governed) -> None:
    drafted = nominated.bench.answer("shop/1", "harm", HARM)
    whose = f"Drafted by {AUTHOR}, an author of the run; whoever approves confirms it"
    assert card_of(drafted) == (Status.UNKNOWN, whose, ItemStatus.UNKNOWN)
    assert f"{whose}." in nominated.bench.load_nominee("shop/1").card.decode()
    assert drafted.drafts == ("harm",)
    confirmed = nominated.approve("shop/1", VALIDATOR)
    whose = f"Drafted by {AUTHOR}, confirmed by {VALIDATOR}"
    assert card_of(confirmed) == (Status.PASS, whose, ItemStatus.PASS)
    assert (confirmed.drafts, confirmed.confirmed) == ((), ("harm",))
    owner = ("--role", "owner", "--key", str(nominated.key_of(OWNER)))
    signed = run_command(nominated.project, "approve", "shop/1", *owner).stdout
    assert "Signed shop/1 as owner; that confirms what only authors said: harm." in signed
    assert nominated.bench.review("shop/1").decision.is_allowed
    shown = " ".join(run_command(nominated.project, "review", "shop/1").stdout.split())
    assert f"(Drafted by {AUTHOR}, confirmed by {VALIDATOR}, {OWNER})" in shown


def test_what_was_confirmed_is_a_draft_again_once_its_author_writes_it_anew(nominated: Governed) -> None:
    nominated.bench.answer("shop/1", "harm", HARM)
    nominated.approve("shop/1")
    assert card_of(nominated.bench.answer("shop/1", "harm", f"{HARM} Or two."))[0] is Status.UNKNOWN


def test_a_second_person_who_gives_the_same_answer_confirms_it_and_a_second_author_does_not(
    nominated: Governed,
) -> None:
    nominated.bench.answer("shop/1", "harm", HARM)
    assert card_of(nominated.acting(AUTHOR.upper()).answer("shop/1", "harm", HARM))[0] is Status.UNKNOWN
    review = nominated.acting(OWNER).answer("shop/1", "harm", HARM)
    assert card_of(review) == (Status.PASS, f"Drafted by {AUTHOR}, confirmed by {OWNER}", ItemStatus.PASS)


def test_a_release_of_drafts_is_served_because_of_who_approved_it(nominated: Governed) -> None:
    for question in nominated.bench.load_nominee("shop/1").policy.questions:
        nominated.bench.answer("shop/1", question, HARM)
    nominee = nominated.bench.load_nominee("shop/1")
    (unmet,) = find_unmet(nominee.evidence, nominee.policy, ())
    assert unmet.startswith("model_card_complete: UNKNOWN. Drafted: ")
    nominated.approve("shop/1")
    files = releases.assemble_release(nominated.bench.load_nominee("shop/1"))
    release = releases.audit_files(files, "shop/1", nominated.bench.settings)
    assert release.evidence is not None and release.decision.is_allowed
    assert find_unmet(release.evidence, nominee.policy, release.approved_by) == []


def test_what_was_nominated_before_answers_said_whose_they_are_needs_nothing_but_its_approvals(
    nominated: Governed,
) -> None:
    nominee = nominated.bench.load_nominee("shop/1")
    evidence = nominees._add_said(write_in_format(nominee.facts, 3), nominee.said)
    assert (evidence.said_by, evidence.answers) == ((), nominee.evidence.answers)
    assert parse_evidence(evidence.to_bytes()) == evidence
    unmet = {reason.partition(":")[0] for reason in find_unmet(evidence, nominee.policy, (VALIDATOR,))}
    assert unmet == {"authors_known", "holdout_untouched", "run_unmodified"}  # nobody had measured these


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


def test_a_nominee_whose_run_is_gone_can_be_reviewed_and_not_promoted(nominated: Governed) -> None:
    before = nominated.bench.review("shop/1").evidence_digest
    shutil.rmtree(nominated.bench.settings.runs_folder)
    assert nominated.bench.review("shop/1").evidence_digest == before
    nominated.approve("shop/1")
    with pytest.raises(Refused, match="cannot be computed again"):
        nominated.bench.promote("shop/1")


@pytest.mark.parametrize("name", ["../escaped", "a/b", ".", "Ümlaut", "a b", "", "x" * 64])
def test_a_model_whose_name_would_leave_its_folder_is_refused(nominated: Governed, name: str) -> None:
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    with pytest.raises(UsageError, match="cannot name a model"):
        nominated.bench.nominate(run_id, name)


@pytest.mark.parametrize(
    ("notebook", "words"),
    [("no_predictions", "stored no predictions"), ("no_model", "logged no"), ("no_holdout", "names no holdout")],
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
    change_database(f"sqlite:///{governed.project / 'runs' / 'workbench.db'}", change.replace(":", "\\:"))


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
        lambda: released.object("shop/2", "Nobody looked at visitors without a name"),
        lambda: released.waive("shop/2", "beats_baseline"),
        bench.list_nominees,
    ]
    for verb in verbs:
        with pytest.raises(Refused, match=r"was changed: its content does not give its digest"):
            verb()
    entries, faults = bench.inspect_ledger()
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


def write_anew(governed: Governed, *, without: int) -> None:
    """Cut the ledger off before an entry and append the approvals that came after it, as they were."""
    entries = governed.bench.store.read_ledger()
    tamper(governed, f"delete from ledger where sequence >= {without}")
    governed.bench.store.ledger.accept(
        head_of(governed.bench.store.read_ledger())
    )  # as whoever did this would say it was on purpose
    for entry in entries[without - 1 :]:
        if entry.event is Event.APPROVED:
            governed.bench.store.append_entry(entry.event, actor=entry.actor, subject=entry.subject, body=entry.body)


def test_an_approval_vouches_for_the_ledger_it_was_signed_on(nominated: Governed) -> None:
    """Two entries about something else are cut out from before two approvals: neither counts, and each says why."""
    first = len(nominated.bench.store.read_ledger()) + 1
    for question in ("harm", "limitations"):
        nominated.acting(VALIDATOR).answer("shop/2", question, "Nobody asked this of the second one so far.")
    assert nominated.approve("shop/1").decision.is_allowed
    write_anew(nominated, without=first)
    entries, faults = nominated.bench.inspect_ledger()
    assert (len(entries), faults) == (first + 1, [])
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/1")
    said = reasons_of(refused)
    assert said.count("it was signed on another history. Seen was entry ") == 2
    assert f"Seen was entry {first + 1} with digest " in said
    assert f"Seen was entry {first + 2} with digest " in said
    assert "Role owner: 0 of 1 approvals." in said
    assert "stale" not in said


def test_a_statement_says_how_long_the_ledger_was_and_how_it_ended(nominated: Governed) -> None:
    last = nominated.bench.store.read_ledger()[-1]
    nominated.approve("shop/1", VALIDATOR)
    (given,) = nominated.bench.load_nominee("shop/1").said.approvals
    assert (given.statement.sequence, given.statement.head) == (last.sequence, last.digest)


# Facts that are measured at nomination


def test_a_nomination_replays_the_run_once_and_the_next_one_finds_that_replay(nominated: Governed) -> None:
    evidence = nominated.bench.review("shop/1").evidence
    assert evidence.replay is not None
    replay = nominated.bench.show(str(evidence.replay.run_id))
    assert replay.provenance["replay_of"] == evidence.identity.run_id
    assert (evidence.replay.verdict, evidence.replay.largest_difference) == ("identical", 0.0)
    before = len(nominated.bench.list_runs())
    again = nominated.bench.nominate(evidence.identity.run_id, MODEL).evidence
    assert again.replay == evidence.replay
    assert len(nominated.bench.list_runs()) == before


def test_a_run_and_its_replay_are_one_look_at_the_holdout(nominated: Governed) -> None:
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    tries = nominated.bench.nominate(run_id, MODEL).evidence.tries
    assert tries is not None
    assert (tries.runs, tries.distinct, tries.scored) == (4, 2, 2)
    assert tries.best is not None and tries.median is not None and tries.best > tries.median


def test_a_notebook_that_changed_meanwhile_leaves_reproduction_unknown_with_the_reason(
    nominated: Governed, tmp_path: Path
) -> None:
    notebook = tmp_path / "copy.ipynb"
    shutil.copy(NOTEBOOKS / "logs_everything.ipynb", notebook)
    run = nominated.bench.run(notebook, {})
    notebook.write_text(notebook.read_text().replace("scale=0.5", "scale=0.6"), encoding="utf-8")
    findings = {finding.check: finding for finding in nominated.bench.nominate(run.id, MODEL).findings}
    assert findings["replay_agrees"].status is Status.UNKNOWN
    assert "The notebook changed since" in findings["replay_agrees"].reason


def test_facts_computed_again_are_the_frozen_ones_until_the_run_is_changed(nominated: Governed) -> None:
    nominee = nominated.bench.load_nominee("shop/1")
    assert recomputing.find_changed_facts(nominated.bench, nominee) == []
    path = nominated.bench.settings.runs_folder / nominee.evidence.identity.run_id / "features.parquet"
    table = pd.read_parquet(path)
    table.loc[0, "x0"] += 1
    table.to_parquet(path, index=False)
    changed = recomputing.find_changed_facts(nominated.bench, nominee)
    assert "files_unmodified was True at its nomination and is False now." in changed


def test_facts_that_were_exchanged_after_they_were_read_are_not_read_again(nominated: Governed) -> None:
    nominee = nominated.bench.load_nominee("shop/1")
    (nominee.folder / "facts.json").unlink()
    assert recomputing.find_changed_facts(nominated.bench, nominee) == []


def test_what_is_measured_again_must_still_pass(nominated: Governed) -> None:
    nominee = nominated.bench.load_nominee("shop/1")
    checks = {name: dict(limits) for name, limits in nominee.policy.checks.items()}
    slow = replace(nominee.facts.cost, p99_ms=1e9) if nominee.facts.cost else None
    assert "fast_enough" in checks
    failing = recomputing._find_failing(nominee, replace(nominee.facts, cost=slow))
    assert [reason.partition(":")[0] for reason in failing] == ["Measured again, fast_enough"]
    assert recomputing._find_failing(nominee, nominee.facts) == []


def test_slices_are_held_against_the_champion_once_there_is_one(released: Governed) -> None:
    slices = {version: released.bench.review(f"shop/{version}").evidence.slices for version in (1, 2)}
    assert all(fact is not None for fact in slices.values())
    assert {version: fact.reference for version, fact in slices.items() if fact} == {
        1: "the champion, version 2",
        2: "the champion, version 1",
    }

"""What people hold against a nominee and what they except from blocking: real runs, real keys, and who may not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, run_command
from tests.integration.governed import MODEL, OWNER, STRANGER, VALIDATOR, WHY, Governed, open_governed, reasons_of
from tests.unit.policies.builders import STANDARD_POLICY
from workbench import ledger_verifier
from workbench.cli.reviews import print_review
from workbench.errors import Refused, UsageError
from workbench.evidence.evidence import Severity, Status
from workbench.ledger.ledger import Event
from workbench.ledger.ledger_export import write_export
from workbench.records.clock import utc_now
from workbench.records.digest import sha256_hex
from workbench.releases import releases
from workbench.releases.release import seal_signed_files
from workbench.reviews import judging
from workbench.reviews.bundle import MANIFEST
from workbench.reviews.nominees import load_nominee
from workbench.reviews.objection import Objection
from workbench.reviews.request import WaiverRequest
from workbench.signing.key import Key
from workbench.signing.ssh_signatures import sign_bytes
from workbench.widgets.review_state import review_state

TEXT = "Nobody looked at visitors without a name"


def reach_too_high(folder: Path) -> Path:
    """Write the standard policy with a limit that no model reaches, and that may be waived."""
    content = STANDARD_POLICY.read_text(encoding="utf-8")
    content = content.replace("limit: 0.80}", "limit: 0.99999}").replace(
        "metric_limit: {}", "metric_limit: {severity: waivable}"
    )
    # The run was made under the standard one.
    content = content.replace("planned_first: {}", "planned_first: {severity: advisory}")
    path = folder / "high.yaml"
    path.write_text(content, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def high_once(nominated_once: Path, tmp_path_factory: pytest.TempPathFactory, reviewers_keys: Path) -> Path:
    """The project of all with shop/3: the run of shop/1 under a policy whose limit it misses."""
    project = Path(shutil.copytree(nominated_once, tmp_path_factory.mktemp("high") / "project"))
    with pytest.MonkeyPatch.context() as patch:
        # Other copies of the same project went on in another way: what was seen of them is not remembered here.
        patch.setenv("XDG_STATE_HOME", str(project.parent / "state"))
        governed = open_governed(project, reviewers_keys)
        run_id = governed.bench.review("shop/1").evidence.identity.run_id
        governed.bench.nominate(run_id, MODEL, policy=str(reach_too_high(project.parent)))
        governed.answer_all("shop/3")
        governed.bench.store.close()
    return project


@pytest.fixture
def high(high_once: Path, tmp_path: Path, reviewers_keys: Path) -> Governed:
    return open_governed(Path(shutil.copytree(high_once, tmp_path / "high")), reviewers_keys)


@pytest.fixture
def at_day(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Move the clock by which nominees and releases are judged."""

    def move(days: int) -> None:
        moment = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        for module in (judging, releases):
            monkeypatch.setattr(module, "utc_now", lambda: moment)

    return move


# Objecting


def test_an_objection_blocks_until_the_one_who_raised_it_clears_it(nominated: Governed) -> None:
    nominated.approve("shop/1")
    (raised,) = nominated.object("shop/1", TEXT).evidence.objections
    nominated.approve("shop/1")
    with pytest.raises(Refused) as refused:
        nominated.bench.promote("shop/1")
    assert refused.value.reasons == (f"Objection {raised.number} of {VALIDATOR} is open: {TEXT}.",)
    with pytest.raises(Refused, match=f"{OWNER} did not raise it; {VALIDATOR} did"):
        nominated.object("shop/1", "I do not mind.", by=OWNER, clears=raised.number)
    assert (OWNER, "clear", "shop/1") in nominated.refusals()
    (cleared,) = nominated.object("shop/1", "They were looked at.", clears=raised.number).evidence.objections
    assert (cleared.number, cleared.resolution) == (raised.number, "They were looked at.")
    assert nominated.approve("shop/1").decision.is_allowed
    assert nominated.bench.promote("shop/1").decision.is_allowed


def test_nominating_the_same_run_again_leaves_no_objection_behind(
    high: Governed, capsys: pytest.CaptureFixture[str]
) -> None:
    """shop/3 is the run of shop/1 under another policy, shop/2 another run."""
    high.approve("shop/3")
    number = high.object("shop/1", TEXT).evidence.objections[0].number
    review, nominee = high.bench.review("shop/3"), high.bench.load_nominee("shop/3")
    open_ones = [(item.number, item.cleared) for item in review.evidence.objections]
    said = f"Objection {number} of {VALIDATOR} to shop/1, which is made of the same, is open: {TEXT}."
    assert (open_ones, said in review.decision.reasons) == ([(number, None)], True)
    assert f"{VALIDATOR} objects: {TEXT}" in nominee.card.decode()
    assert all(f"{VALIDATOR} objected" in " ".join(given.faults) for given in review.approvals)
    print_review(review)
    assert f"objection {number} {TEXT} ({VALIDATOR}, to shop/1)" in " ".join(capsys.readouterr().out.split())
    assert f"objection {number} to shop/1, " in review_state(review)["objections"][0]["raised"]["text"]
    assert high.bench.review("shop/2").evidence.objections == ()
    with pytest.raises(Refused, match="which is made of the same, is open"):
        high.bench.promote("shop/3")


def test_an_objection_is_cleared_on_any_version_made_of_the_same_and_only_by_who_raised_it(high: Governed) -> None:
    (raised,) = high.object("shop/3", TEXT).evidence.objections
    with pytest.raises(Refused, match=f"{OWNER} did not raise it; {VALIDATOR} did"):
        high.object("shop/1", "I do not mind.", by=OWNER, clears=raised.number)
    with pytest.raises(Refused, match=f"no open objection {raised.number}"):
        high.object("shop/2", "It is another run.", clears=raised.number)
    clear_in_the_name_of(high, VALIDATOR, raised.number, of="shop/2", at="shop/2")
    assert [item.cleared for item in high.bench.review("shop/3").evidence.objections] == [None]
    high.object("shop/1", "They were looked at.", clears=raised.number)
    for subject in ("shop/1", "shop/3"):
        (settled,) = high.bench.review(subject).evidence.objections
        assert (settled.number, settled.resolution) == (raised.number, "They were looked at.")
    assert high.bench.verify_ledger().faults == ()


def test_an_objection_of_before_that_names_no_run_holds_and_is_found_by_its_nomination(high: Governed) -> None:
    manifest = high.bench.load_nominee("shop/1").subjects()[MANIFEST]
    record_signed(high, Event.OBJECTED, Objection({MANIFEST: manifest}, VALIDATOR, MODEL, 1, 0, TEXT, utc_now()))
    assert [item.text for item in high.bench.review("shop/3").evidence.objections] == [TEXT]
    entries, signers = high.bench.store.read_ledger(), high.bench.settings.signers_file.read_bytes()
    assert high.bench.verify_ledger().faults == ()
    assert ledger_verifier.verify(write_export(entries), None, signers) == []


def test_a_nomination_that_names_another_run_than_was_frozen_is_refused(high: Governed) -> None:
    entries = high.bench.store.read_ledger()
    nominated = next(entry for entry in entries if entry.event is Event.NOMINATED and entry.subject == "shop/3")
    for what in ("run", "manifest"):
        forged = [replace(e, body={**e.body, what: "0" * 64}) if e == nominated else e for e in entries]
        with pytest.raises(Refused, match=f"Its {what} is .*, the ledger names {'0' * 64}"):
            load_nominee("shop/3", settings=high.bench.settings, entries=forged)


def test_an_objection_that_comes_between_the_judgement_and_the_promotion_stops_it_wherever_it_was_raised(
    high: Governed,
) -> None:
    judged = high.bench.store.read_ledger()
    high.object("shop/1", TEXT)
    now = high.bench.store.read_ledger()
    with pytest.raises(Refused, match=f"{VALIDATOR} objected at"):
        releases.require_unchanged(now, judged, "shop/3")
    releases.require_unchanged(now, judged, "shop/2")


def test_only_an_open_objection_can_be_cleared_and_once(nominated: Governed) -> None:
    (raised,) = nominated.object("shop/1", TEXT).evidence.objections
    nominated.object("shop/1", "They were looked at.", clears=raised.number)
    for number in (raised.number, raised.number + 1, 1):
        with pytest.raises(Refused, match=f"no open objection {number}; open are: none"):
            nominated.object("shop/1", "Once more.", clears=number)


def test_an_objection_needs_words_and_a_key_that_may_object(nominated: Governed) -> None:
    before = len(nominated.bench.store.read_ledger())
    for text in ("  \n ", "." * 40, "\u200b" * 40, "no no no no no", "Nobody looked. " * 2_000):
        with pytest.raises(UsageError, match="needs words"):
            nominated.object("shop/1", text)
    assert len(nominated.bench.store.read_ledger()) == before
    with pytest.raises(Refused) as refused:
        nominated.object("shop/1", TEXT, by=STRANGER)
    assert f'{STRANGER} namespaces="workbench.objection" ' in refused.value.next_step
    assert nominated.bench.review("shop/1").evidence.objections == ()


def clear_in_the_name_of(
    governed: Governed, by: str, number: int, *, of: str = "shop/1", at: str = "shop/1", key: str = ""
) -> None:
    """Sign and record a clearance as somebody would who has the code and a key, and does not use the command."""
    identity = governed.bench.load_nominee(at).evidence.identity
    model, _, version = of.partition("/")
    subjects = {MANIFEST: identity.bundle_digest}
    said = Objection(subjects, by, model, int(version), number, "It is fine.", utc_now(), identity.run_id)
    record_signed(governed, Event.CLEARED, said, key=key, at=at)


def record_signed(governed: Governed, event: Event, said: Objection, *, key: str = "", at: str = "shop/1") -> None:
    content = said.to_bytes()
    signature = sign_bytes(content, Key(governed.key_of(key or said.principal)), said.signer.namespace)
    body = {"statement": content.decode(), "signature": signature.decode(), "objection": said.clears, "text": said.text}
    governed.bench.store.append_entry(event, actor=said.principal, subject=at, body=body)


def test_a_clearance_that_somebody_wrote_past_the_command_clears_nothing(nominated: Governed) -> None:
    (raised,) = nominated.object("shop/1", TEXT).evidence.objections
    clear_in_the_name_of(nominated, OWNER, raised.number)
    clear_in_the_name_of(nominated, VALIDATOR.upper(), raised.number, key=VALIDATOR)
    clear_in_the_name_of(nominated, VALIDATOR, raised.number, key=OWNER)
    clear_in_the_name_of(nominated, VALIDATOR, raised.number, of="shop/2")
    assert [item.cleared for item in nominated.bench.review("shop/1").evidence.objections] == [None]
    clear_in_the_name_of(nominated, VALIDATOR, raised.number)
    assert [bool(item.cleared) for item in nominated.bench.review("shop/1").evidence.objections] == [True]


def test_an_objection_whose_key_was_withdrawn_still_blocks(nominated: Governed) -> None:
    nominated.object("shop/1", TEXT)
    signers = nominated.bench.settings.signers_file
    signers.write_text("".join(line for line in signers.read_text().splitlines(True) if VALIDATOR not in line))
    assert any("Objection" in reason for reason in nominated.bench.review("shop/1").decision.reasons)


# Waiving


def test_a_missed_limit_blocks_and_is_waivable_under_this_policy(high: Governed) -> None:
    review = high.approve("shop/3")
    missed = {finding.check: finding.severity for finding in review.findings if finding.status is not Status.PASS}
    assert missed == {"planned_first": Severity.ADVISORY, "metric_limit": Severity.WAIVABLE}
    with pytest.raises(Refused, match=r"metric_limit: FAIL"):
        high.bench.promote("shop/3")


def test_a_waiver_lets_the_missed_limit_pass_into_a_release_that_carries_it(high: Governed) -> None:
    review = high.waive("shop/3", "metric_limit")
    (given,) = review.waivers
    assert (given.principal, given.role, given.reason, given.faults) == (OWNER, "owner", WHY, ())
    assert not any(finding.blocks for finding in review.findings)
    assert not review.decision.is_allowed
    assert high.approve("shop/3").decision.is_allowed
    assert high.bench.promote("shop/3").decision.is_allowed
    assert high.bench.verify("shop/3").decision.is_allowed
    statement = high.bento(3) / "src" / "release" / "waivers" / "001.statement.json"
    (fact,) = high.bench.review("shop/3").evidence.waivers
    assert fact.digest == sha256_hex(statement.read_bytes())
    statement.with_name("001.sig").unlink()
    with pytest.raises(Refused, match="Waiver 1 is incomplete"):
        high.bench.serve(MODEL, port=1)


def test_an_expired_waiver_refuses_the_promotion(high: Governed, at_day: Callable[[int], None]) -> None:
    high.waive("shop/3", "metric_limit", days=30)
    high.approve("shop/3")
    at_day(31)
    with pytest.raises(Refused) as refused:
        high.bench.promote("shop/3")
    assert "metric_limit: FAIL" in reasons_of(refused)
    assert f"The waiver of metric_limit by {OWNER} expired at " in reasons_of(refused)
    assert not high.bento(3).exists()


def test_an_expired_waiver_ends_what_is_served(high: Governed, at_day: Callable[[int], None]) -> None:
    high.waive("shop/3", "metric_limit", days=30)
    high.approve("shop/3")
    high.bench.promote("shop/3")
    at_day(29)
    assert high.bench.verify("shop/3").decision.is_allowed
    at_day(31)
    (reason,) = high.bench.verify("shop/3").decision.reasons
    assert reason.startswith(f"The waiver of metric_limit by {OWNER} expired at ")
    with pytest.raises(Refused, match="The waiver of metric_limit"):
        high.bench.serve(MODEL, port=1)


def test_a_waiver_that_nobody_needs_any_more_is_only_shown(
    nominated: Governed, tmp_path: Path, at_day: Callable[[int], None]
) -> None:
    policy, content = tmp_path / "card.yaml", STANDARD_POLICY.read_text(encoding="utf-8")
    content = content.replace("planned_first: {}", "planned_first: {severity: advisory}")
    policy.write_text(content.replace("model_card_complete: {", "model_card_complete: {severity: waivable, "))
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    subject = nominated.bench.nominate(run_id, MODEL, policy=str(policy)).subject
    (fact,) = nominated.waive(subject, "model_card_complete", days=30).evidence.waivers
    assert fact.check == "model_card_complete"
    nominated.answer_all(subject)
    review = nominated.approve(subject)
    assert [item.faults for item in review.waivers] == [("It is not needed: model_card_complete passes.",)]
    assert review.evidence.waivers == ()
    at_day(31)
    assert nominated.bench.review(subject).evidence_digest == review.evidence_digest
    assert nominated.bench.promote(subject).decision.is_allowed
    assert not (nominated.bento(3) / "src" / "release" / "waivers").exists()


def test_an_expired_waiver_that_is_still_needed_stays_in_the_evidence(
    high: Governed, at_day: Callable[[int], None]
) -> None:
    high.waive("shop/3", "metric_limit", days=30)
    before = high.approve("shop/3")
    at_day(31)
    after = high.bench.review("shop/3")
    assert (after.evidence_digest, after.evidence.waivers) == (before.evidence_digest, before.evidence.waivers)
    assert [approval.faults for approval in after.approvals] == [(), ()]
    assert not after.decision.is_allowed


def test_who_may_not_waive_is_refused_with_every_reason_and_that_is_recorded(high: Governed) -> None:
    refusals = {
        (AUTHOR, "owner", "metric_limit", 30): f"{AUTHOR} is an author of the run",
        (VALIDATOR, "validator", "metric_limit", 30): "lets owner waive, not validator",
        (OWNER, "owner", "metric_limit", 91): "A waiver ends within 90 days under policy standard, not at",
        (OWNER, "owner", "run_finished", 30): "it is blocking, not waivable",
        (OWNER, "owner", "beats_baseline", 30): "It passed; there is nothing to waive",
        (OWNER, "owner", "fairness", 30): "has no such check",
        (STRANGER, "owner", "metric_limit", 30): "does not let this key sign workbench.waiver.owner",
    }
    for (principal, role, check, days), reason in refusals.items():
        with pytest.raises(Refused) as refused:
            high.waive("shop/3", check, by=principal, role=role, days=days)
        assert reason in reasons_of(refused)
    assert len(high.refusals()) == len(refusals)
    assert high.bench.review("shop/3").waivers == ()


def test_a_waiver_needs_a_reason_in_words(high: Governed) -> None:
    with pytest.raises(UsageError, match="has 8 visible characters of at least 20"):
        high.acting(OWNER).waive(
            "shop/3", WaiverRequest("metric_limit", " it  is ok ", "owner", "2100-01-01"), Key(high.key_of(OWNER))
        )


@pytest.mark.parametrize("reason", ["." * 40, "\u3164" * 40, "a" * 40, f"{WHY} " * 400])
def test_dots_blanks_and_endless_texts_are_no_reason(high: Governed, reason: str) -> None:
    before = len(high.bench.store.read_ledger())
    with pytest.raises(UsageError, match="needs a reason"):
        high.waive("shop/3", "metric_limit", reason=reason)
    assert len(high.bench.store.read_ledger()) == before


@pytest.mark.parametrize("letter", ["\u200d", "\u200b", "\x1b", "\u202e"])
def test_what_nobody_sees_is_not_signed_and_leaves_nothing_behind(high: Governed, letter: str) -> None:
    before = len(high.bench.store.read_ledger())
    with pytest.raises(UsageError, match="cannot be signed") as refused:
        high.object("shop/3", f"Nobody{letter} looked")
    assert f"U+{ord(letter):04X}" in refused.value.reasons[0]
    with pytest.raises(UsageError, match="cannot be signed"):
        high.waive("shop/3", "metric_limit", reason=f"{WHY}{letter}")
    assert len(high.bench.store.read_ledger()) == before


def test_a_waiver_of_one_nominee_is_none_of_another_with_the_same_files(high: Governed, tmp_path: Path) -> None:
    high.waive("shop/3", "metric_limit")
    given = next(entry for entry in high.bench.store.read_ledger() if entry.event is Event.WAIVED)
    run_id = high.bench.review("shop/3").evidence.identity.run_id
    policy = high.bench.load_nominee("shop/3").nominated.body["policy"]
    subject = high.bench.nominate(run_id, MODEL, policy=policy).subject
    high.bench.store.append_entry(Event.WAIVED, actor=OWNER, subject=subject, body=given.body)
    faults = [fault for item in high.bench.review(subject).waivers for fault in item.faults]
    assert faults == [
        f"The waiver of metric_limit by {OWNER} does not count: it was given for shop/3, not for {subject}."
    ]


# What comes after a signature


@pytest.mark.parametrize("said", ["answer", "object", "clear", "waive"])
def test_anything_said_after_a_signature_voids_it(high: Governed, said: str) -> None:
    (raised,) = high.object("shop/3", TEXT).evidence.objections
    review = high.approve("shop/3")
    assert [approval.faults for approval in review.approvals] == [(), ()]
    {
        "answer": lambda: high.acting(OWNER).answer("shop/3", "harm", "Nobody was asked yet whether it harms them."),
        "object": lambda: high.object("shop/3", "And one thing more", by=OWNER),
        "clear": lambda: high.object("shop/3", "They were looked at.", clears=raised.number),
        "waive": lambda: high.waive("shop/3", "metric_limit"),
    }[said]()
    stale = [approval.faults for approval in high.bench.review("shop/3").approvals]
    assert len(stale) == 2
    assert all("is stale: release/evidence.json" in fault for (fault,) in stale)


def test_a_policy_that_is_not_the_one_of_its_name_any_more_voids_what_was_signed(
    nominated: Governed, tmp_path: Path
) -> None:
    policy = tmp_path / "own.yaml"
    policy.write_bytes(STANDARD_POLICY.read_bytes())
    run_id = nominated.bench.review("shop/1").evidence.identity.run_id
    subject = nominated.bench.nominate(run_id, MODEL, policy=str(policy)).subject
    nominated.answer_all(subject)
    assert nominated.approve(subject).decision.is_allowed
    policy.write_bytes(STANDARD_POLICY.read_bytes() + b"\n")
    (reason,) = nominated.bench.review(subject).decision.reasons
    assert reason.startswith(f"Policy {policy} was ")
    policy.unlink()
    with pytest.raises(Refused, match="cannot be read any more"):
        nominated.bench.promote(subject)
    policy.write_bytes(STANDARD_POLICY.read_bytes())
    assert nominated.bench.promote(subject).decision.is_allowed


@pytest.mark.parametrize("said", ["answer", "object", "clear", "waive", "approve"])
def test_nothing_is_said_of_what_was_promoted(released: Governed, said: str) -> None:
    """It would be signed and recorded, and change nothing: who says it must learn that there is another way."""
    before = released.bench.store.read_ledger()
    promoted = next(e for e in before if e.event is Event.PROMOTED and e.subject == "shop/2")
    with pytest.raises(Refused, match="would have no effect") as refused:
        {
            "answer": lambda: released.acting(OWNER).answer(
                "shop/2", "harm", "Nobody was asked whether it harms them."
            ),
            "object": lambda: released.object("shop/2", TEXT),
            "clear": lambda: released.object("shop/2", "They were looked at.", clears=1),
            "waive": lambda: released.waive("shop/2", "metric_limit"),
            "approve": lambda: released.approve("shop/2"),
        }[said]()
    assert refused.value.reasons == (f"It was promoted at {promoted.time}.",)
    assert refused.value.next_step == f"`workbench rollback {MODEL}` takes it back."
    assert released.bench.store.read_ledger() == before


# The commands


def test_the_commands_say_what_was_said_and_end_with_the_code_of_the_gate(high: Governed) -> None:
    def say(*arguments: str, code: int = 0) -> str:
        done = run_command(high.project, *arguments)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return " ".join((done.stdout + done.stderr).split())

    owner, validator = ("--key", str(high.key_of(OWNER))), ("--key", str(high.key_of(VALIDATOR)))
    waive = ("waive", "shop/3", "metric_limit", "--reason", WHY, "--role", "owner")
    late, soon = ((datetime.now(UTC) + timedelta(days=days)).date().isoformat() for days in (91, 30))
    assert "A waiver ends within 90 days" in say(*waive, "--until", late, *owner, code=3)
    for wrong in ("soon", "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:59"):
        assert "is no date" in say(*waive, "--until", wrong, *owner, code=2)
    assert f"Waived metric_limit of shop/3 until {soon}." in say(*waive, "--until", soon, *owner)
    assert "Objected to shop/3: objection " in say("object", "shop/3", "--text", TEXT, *validator)
    (raised,) = high.bench.review("shop/3").evidence.objections
    clear = ("object", "shop/3", "--text", "They were looked at.", "--clear", str(raised.number))
    assert f"{OWNER} did not raise it" in say(*clear, *owner, code=3)
    assert f"Cleared objection {raised.number} to shop/3." in say(*clear, *validator)
    shown = say("review", "shop/3")
    assert "Waived" in shown and f"objection {raised.number}" in shown
    assert f"cleared objection {raised.number} to shop/3" in say("ledger")
    told = {entry["event"]: entry["body"] for entry in json.loads(say("ledger", "--json"))["entries"]}
    assert (told["waived"]["check"], told["objected"]["text"]) == ("metric_limit", TEXT)
    assert told["cleared"]["objection"] == raised.number


def test_a_promotion_nobody_was_allowed_is_not_served_though_its_approvals_hold(high: Governed) -> None:
    """Somebody with the database in hand writes the promotion that the gate refused, and builds its folder."""
    high.approve("shop/3")
    nominee = high.bench.load_nominee("shop/3")
    files = releases.assemble_release(nominee)
    raised = high.object("shop/3", TEXT).evidence.objections[-1].number
    with pytest.raises(Refused, match="metric_limit"):
        high.bench.promote("shop/3")
    releases.build_release(files, "shop/3", high.bench.settings)
    body = {"endpoint": MODEL, "version": 3, "sealed": seal_signed_files(files)}
    high.bench.store.append_entry(Event.PROMOTED, actor=AUTHOR, subject="shop/3", body=body)
    reasons = high.bench.verify("shop/3").decision.reasons
    assert any(reason.startswith("metric_limit: FAIL.") for reason in reasons)
    assert f"Objection {raised} of {VALIDATOR} was raised before its promotion, and no approval knows of it." in reasons


def test_what_was_promoted_over_an_objection_to_the_same_run_is_not_served_until_that_is_cleared(
    high: Governed,
) -> None:
    """As a version of before could: it knew of no objection but those to the very version."""
    number = high.object("shop/1", TEXT).evidence.objections[0].number
    entries = high.bench.store.read_ledger()
    blind = [entry for entry in entries if entry.event is not Event.OBJECTED]
    files = releases.assemble_release(load_nominee("shop/3", settings=high.bench.settings, entries=blind))
    body = {"endpoint": MODEL, "version": 3, "sealed": seal_signed_files(files)}
    high.bench.store.append_entry(Event.PROMOTED, actor=AUTHOR, subject="shop/3", body=body)

    def judge() -> tuple[str, ...]:
        entries = high.bench.store.read_ledger()
        return releases.judge_release(files, "shop/3", high.bench.settings, entries).decision.reasons

    said = f"Objection {number} of {VALIDATOR} to shop/1, which is made of the same, was raised before its promotion, "
    assert any(reason.startswith(said) for reason in judge())
    high.object("shop/1", "They were looked at.", clears=number)
    assert not any(reason.startswith("Objection") for reason in judge())

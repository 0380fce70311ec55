"""Objections and waivers: what is said after a signature voids it, and the commands and what is served obey them."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, run_command
from tests.integration.governed import MODEL, OWNER, VALIDATOR, WHY, Governed
from tests.integration.reviews.objecting import TEXT
from tests.unit.policies.builders import STANDARD_POLICY
from workbench.errors import Refused
from workbench.ledger.ledger import Event
from workbench.releases import releases
from workbench.releases.release import seal_signed_files
from workbench.reviews.nominees import load_nominee

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

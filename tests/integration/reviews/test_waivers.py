"""A waiver excepts what may be waived, by whom the policy says, with a reason and until a date."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.conftest import AUTHOR
from tests.integration.governed import MODEL, OWNER, STRANGER, VALIDATOR, WHY, Governed, reasons_of
from tests.unit.policies.builders import STANDARD_POLICY
from workbench.errors import Refused, UsageError
from workbench.evidence.evidence import Severity, Status
from workbench.ledger.ledger import Event
from workbench.records.digest import sha256_hex
from workbench.releases import releases
from workbench.reviews import judging
from workbench.reviews.request import WaiverRequest
from workbench.signing.key import Key


@pytest.fixture
def at_day(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Move the clock by which nominees and releases are judged."""

    def move(days: int) -> None:
        moment = (datetime.now(UTC) + timedelta(days=days)).isoformat()
        for module in (judging, releases):
            monkeypatch.setattr(module, "utc_now", lambda: moment)

    return move


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
        (OWNER, "owner", "metric_limit", -1): "lies in the past",
        (VALIDATOR, "validator", "metric_limit", 30): "lets owner waive, not validator",
        (OWNER, "owner", "metric_limit", 91): "A waiver ends within 90 days under policy standard, not with",
        (OWNER, "owner", "run_finished", 30): "it is blocking, not waivable",
        (OWNER, "owner", "beats_baseline", 30): "It passed; there is nothing to waive",
        (OWNER, "owner", "fairness", 30): "has no such check",
        (STRANGER, "owner", "metric_limit", 30): "does not let this key sign workbench.waiver.owner",
    }
    high.list_key(AUTHOR, "owner")
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

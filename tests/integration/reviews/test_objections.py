"""An objection blocks until the one who raised it clears it, on every version made of the same."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.integration.governed import MODEL, OWNER, STRANGER, VALIDATOR, Governed
from tests.integration.reviews.objecting import TEXT
from workbench import ledger_verifier
from workbench.cli.reviews import print_review
from workbench.errors import Refused, UsageError
from workbench.ledger.ledger import Event
from workbench.ledger.ledger_export import write_export
from workbench.records.clock import utc_now
from workbench.releases import releases
from workbench.reviews.bundle import MANIFEST
from workbench.reviews.nominees import load_nominee
from workbench.reviews.objection import Objection
from workbench.signing.key import Key
from workbench.signing.ssh_signatures import sign_bytes
from workbench.widgets.review_state import review_state


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

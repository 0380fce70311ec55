"""The ledger as people meet it: shown, verified, exported, put back from an older copy, and accepted."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, change_database, run_command
from tests.integration.governed import MODEL, OWNER, STRANGER, VALIDATOR, WHY, Governed, open_governed
from workbench import ledger_verifier
from workbench.errors import Refused, UsageError
from workbench.ledger.ledger import Checkpoint, Entry, Event, head_of, seal_entry
from workbench.ledger.ledger_export import write_export
from workbench.records.clock import utc_now
from workbench.records.digest import canonical_json
from workbench.reviews import auditing
from workbench.reviews.bundle import MANIFEST, POLICY
from workbench.reviews.ledger_audit import audit_ledger
from workbench.reviews.objection import parse_objection
from workbench.reviews.waiver import Waiver
from workbench.signing.key import Key
from workbench.signing.ssh_signatures import REVOKED_KEYS, sign_bytes
from workbench.workflow import Workbench

# Looking at it


def test_the_ledger_is_shown_as_before_and_by_its_own_command(released: Governed) -> None:
    plain = run_command(released.project, "ledger", "--json")
    shown = run_command(released.project, "ledger", "show", "--json")
    assert (plain.returncode, plain.stdout) == (0, shown.stdout)
    assert "chain of 17 entries is whole" in run_command(released.project, "ledger").stdout
    few = run_command(released.project, "ledger", "show", "--limit", "1", "--json")
    document = json.loads(few.stdout)
    assert [entry["event"] for entry in document["entries"]] == ["promoted"]
    assert document["entries"][0]["sequence"] == 17


def test_verifying_says_that_all_signatures_hold_and_what_to_note(released: Governed) -> None:
    done = run_command(released.project, "ledger", "verify")
    assert done.returncode == 0, done.stdout
    head = head_of(released.bench.store.read_ledger())
    assert str(head) in done.stdout.replace("\n", "")
    assert "4 of 4 hold" in done.stdout
    audit = json.loads(run_command(released.project, "ledger", "verify", "--checkpoint", str(head), "--json").stdout)
    assert (audit["entries"], audit["faults"]) == (17, [])
    assert audit["last_seen"] == {"sequence": 17, "digest": head.digest}


def test_a_checkpoint_that_does_not_hold_ends_with_three(released: Governed) -> None:
    done = run_command(released.project, "ledger", "verify", "--checkpoint", f"99:{'a' * 64}")
    assert done.returncode == 3
    assert "Seen was entry 99" in done.stdout
    assert run_command(released.project, "ledger", "verify", "--checkpoint", "99").returncode == 2


# A signature in it


def forge(entries: list[Entry], at: Entry, named: Mapping[str, str] = MappingProxyType({}), **body: str) -> list[Entry]:
    """Change the body of one entry, or what it names, and seal all that follow anew: what only signatures reveal."""
    forged: list[Entry] = []
    for entry in entries:
        fields = {name: getattr(entry, name) for name in ("time", "event", "actor", "subject")}
        fields |= named if entry == at else {}
        said = {**entry.body, **body} if entry == at else entry.body
        forged.append(seal_entry(forged[-1] if forged else None, body=said, **fields))
    return forged


def other_signature(entries: list[Entry], approved: Entry) -> dict[str, str]:
    other = next(e for e in entries if e.event is Event.APPROVED and e != approved and e.actor == approved.actor)
    return {"signature": str(other.body["signature"])}


FORGERIES: dict[str, Callable[[list[Entry], Entry], dict[str, str]]] = {
    "the signature over another statement": other_signature,
    "no signature": lambda _, __: {"signature": "nonsense"},
    "a cut signature": lambda _, e: {"signature": str(e.body["signature"])[:-40]},
    "a longer validity": lambda _, e: {"statement": str(e.body["statement"]).replace('"expires":"20', '"expires":"30')},
    "another principal": lambda _, e: {"statement": str(e.body["statement"]).replace(VALIDATOR, "eve@example.org")},
    "another role": lambda _, __: {"role": "owner"},
    "another version": lambda _, e: {"statement": str(e.body["statement"]).replace('"version":1', '"version":2')},
    "no statement": lambda _, __: {"statement": "{}"},
    "no JSON": lambda _, __: {"statement": "{"},
    "a principal that is an option": lambda _, e: {"statement": str(e.body["statement"]).replace(VALIDATOR, "-ofoo")},
    "no time": lambda _, e: {"statement": str(e.body["statement"]).replace('"issued":"20', '"issued":"x20')},
}


@pytest.mark.parametrize("how", FORGERIES)
def test_both_verifiers_find_an_approval_that_was_forged_in_a_chain_sealed_anew(released: Governed, how: str) -> None:
    entries = released.bench.store.read_ledger()
    approved = next(entry for entry in entries if entry.event is Event.APPROVED and entry.actor == VALIDATOR)
    forged = forge(entries, approved, **FORGERIES[how](entries, approved))
    settings = released.bench.settings
    audit = audit_ledger(
        forged, [], last_seen=None, checkpoint=None, verify=lambda entry: auditing.find_entry_fault(entry, settings)
    )
    second = ledger_verifier.verify(write_export(forged), None, settings.signers_file.read_bytes())
    assert any(fault.startswith(f"Entry {approved.sequence}: ") for fault in audit.faults)
    assert any(fault.startswith(f"line {approved.sequence}: ") for fault in second)
    assert ledger_verifier.verify(write_export(entries), None, settings.signers_file.read_bytes()) == []


@pytest.mark.parametrize(("sequence", "is_held"), [(0, True), (5, True), (99, False), (-1, False), ("x", False)])
def test_the_checkpoint_an_approval_signs_must_hold(released: Governed, sequence: object, is_held: bool) -> None:
    """Whatever the statement of this version says: an approval that names a head is a witness of it."""
    entries = released.bench.store.read_ledger()
    approved = next(entry for entry in entries if entry.event is Event.APPROVED and entry.actor == VALIDATOR)
    document = json.loads(approved.body["statement"])
    heads = {0: "0" * 64, 5: entries[4].digest}
    number = sequence if isinstance(sequence, int) else -2
    document["predicate"] |= {"sequence": sequence, "head": heads.get(number, "a" * 64)}
    forged = forge(entries, approved, statement=canonical_json(document).decode())
    audit = audit_ledger(forged, [], last_seen=None, checkpoint=None, verify=lambda _: None)
    assert any(fault.startswith(f"Entry {approved.sequence}: ") for fault in audit.faults) is not is_held
    lines, _ = ledger_verifier.read_lines(write_export(forged))
    entry = lines[approved.sequence - 1][1]
    found = ledger_verifier.check_statement(entry, lines, b"")
    assert any("was seen" in fault for fault in found) is not is_held


def waive_by_hand(governed: Governed) -> None:
    """Record a signed waiver of a check that passed, as the ledger would keep one of a check that did not."""
    subjects = {name: governed.bench.load_nominee("shop/1").subjects()[name] for name in (MANIFEST, POLICY)}
    now, until = utc_now(), (datetime.now(UTC) + timedelta(days=30)).isoformat()
    waiver = Waiver(subjects, OWNER, "owner", MODEL, 1, "metric_limit", "FAIL: below", WHY, now, until)
    content = waiver.to_bytes()
    signature = sign_bytes(content, Key(governed.key_of(OWNER)), waiver.signer.namespace)
    body = {"statement": content.decode(), "signature": signature.decode(), "role": "owner", "check": "metric_limit"}
    governed.bench.store.append_entry(Event.WAIVED, actor=OWNER, subject="shop/1", body={**body, "expires": until})


@pytest.fixture
def spoken(nominated: Governed) -> Governed:
    """A project in which each kind of statement was signed once."""
    (raised,) = nominated.object("shop/1", "Nobody looked at visitors without a name").evidence.objections
    nominated.object("shop/1", "They were looked at.", clears=raised.number)
    waive_by_hand(nominated)
    nominated.approve("shop/1", VALIDATOR)
    return nominated


SIGNED = (Event.OBJECTED, Event.CLEARED, Event.WAIVED, Event.APPROVED)


def test_both_verifiers_find_what_was_forged_in_every_kind_of_statement(spoken: Governed) -> None:
    entries, settings = spoken.bench.store.read_ledger(), spoken.bench.settings
    signers = settings.signers_file.read_bytes()
    assert spoken.bench.verify_ledger().faults == ()
    assert ledger_verifier.verify(write_export(entries), None, signers) == []
    for signed in (entry for entry in entries if entry.event in SIGNED):
        cut = {"signature": str(signed.body["signature"])[:-40]}
        for forged in (
            forge(entries, signed, **cut),
            forge(entries, signed, {"actor": STRANGER}),
            forge(entries, signed, {"subject": "shop/2"}),
        ):
            audit = audit_ledger(
                forged, [], last_seen=None, checkpoint=None, verify=lambda e: auditing.find_entry_fault(e, settings)
            )
            second = ledger_verifier.verify(write_export(forged), None, signers)
            assert any(fault.startswith(f"Entry {signed.sequence}: ") for fault in audit.faults), forged
            assert any(fault.startswith(f"line {signed.sequence}: ") for fault in second), forged


def test_both_verifiers_find_what_was_signed_of_another_run_or_bundle_than_was_nominated(spoken: Governed) -> None:
    """Somebody who seals the chain anew gives a version other bytes, so that what was held against it is behind it."""
    entries, settings = spoken.bench.store.read_ledger(), spoken.bench.settings
    nominated = next(entry for entry in entries if entry.event is Event.NOMINATED and entry.subject == "shop/1")
    signers = settings.signers_file.read_bytes()
    for what, kinds in (("manifest", SIGNED), ("run", (Event.OBJECTED, Event.CLEARED))):
        forged = forge(entries, nominated, **{what: "0" * 64})
        audit = audit_ledger(
            forged, [], last_seen=None, checkpoint=None, verify=lambda e: auditing.find_entry_fault(e, settings)
        )
        second = ledger_verifier.verify(write_export(forged), None, signers)
        for signed in (entry for entry in entries if entry.event in kinds):
            assert any(fault.startswith(f"Entry {signed.sequence}: its {what} is 000") for fault in audit.faults)
            assert any(fault.startswith(f"line {signed.sequence}: {what} ") for fault in second)


def test_both_verifiers_find_an_objection_that_was_signed_anew_for_another_bundle(spoken: Governed) -> None:
    entries, settings = spoken.bench.store.read_ledger(), spoken.bench.settings
    raised = next(entry for entry in entries if entry.event is Event.OBJECTED)
    other = spoken.bench.load_nominee("shop/2").subjects()[MANIFEST]
    moved = replace(parse_objection(raised.body["statement"].encode()), subjects={MANIFEST: other})
    signature = sign_bytes(moved.to_bytes(), Key(spoken.key_of(VALIDATOR)), moved.signer.namespace)
    forged = forge(entries, raised, statement=moved.to_bytes().decode(), signature=signature.decode())
    audit = audit_ledger(
        forged, [], last_seen=None, checkpoint=None, verify=lambda e: auditing.find_entry_fault(e, settings)
    )
    second = ledger_verifier.verify(write_export(forged), None, settings.signers_file.read_bytes())
    assert any(fault.startswith(f"Entry {raised.sequence}: its manifest is ") for fault in audit.faults)
    assert any(fault.startswith(f"line {raised.sequence}: manifest ") for fault in second)


def test_both_verifiers_refuse_what_a_revoked_key_signed(spoken: Governed) -> None:
    entries, signers = spoken.bench.store.read_ledger(), spoken.bench.settings.signers_file
    revoked = spoken.key_of(VALIDATOR).with_suffix(".pub").read_bytes()
    signers.with_name(REVOKED_KEYS).write_bytes(revoked)
    by_validator = {entry.sequence for entry in entries if entry.event in SIGNED and entry.actor == VALIDATOR}
    assert len(by_validator) == 3
    second = ledger_verifier.verify(write_export(entries), None, signers.read_bytes(), revoked)
    assert {int(fault.split(":")[0].removeprefix("line ")) for fault in second} == by_validator
    faults = spoken.bench.verify_ledger().faults
    assert {int(fault.split(":")[0].removeprefix("Entry ")) for fault in faults} == by_validator


def test_the_second_verifier_refuses_signers_by_whom_one_key_is_two_people(released: Governed) -> None:
    line = released.bench.settings.signers_file.read_text(encoding="utf-8").splitlines()[0]
    key = line.split(" ", 1)[1]
    for signers in (f"{line}\neve@example.org {key}\n", f"*@example.org {key}\n", f"a,b {key}\n"):
        assert ledger_verifier.check_signers(signers.encode())
    assert ledger_verifier.check_signers(f"# them\n\n{line}\n".encode()) == []
    assert base64.b64decode(key.split()[-1])


# Taking it out


def test_an_export_is_stable_to_the_byte_and_the_second_verifier_takes_it(released: Governed, tmp_path: Path) -> None:
    files = [tmp_path / "one.jsonl", tmp_path / "two.jsonl"]
    for file in files:
        done = run_command(released.project, "ledger", "export", str(file))
        assert done.returncode == 0, done.stderr
        assert "Wrote 17 entries" in done.stdout
    assert files[0].read_bytes() == files[1].read_bytes()
    head = head_of(released.bench.store.read_ledger())
    command = [sys.executable, "-I", "-S", ledger_verifier.__file__, str(files[0]), "--checkpoint", str(head)]
    command += ["--allowed-signers", str(released.bench.settings.signers_file)]
    verified = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stdout) == (0, "17 entries, nothing wrong\n")


def test_a_ledger_that_was_changed_is_not_exported(released: Governed, tmp_path: Path) -> None:
    change_database(released.bench.settings.store_address, "update ledger set actor = 'eve' where sequence = 2")
    with pytest.raises(Refused, match="was changed"):
        released.bench.export_ledger(tmp_path / "ledger.jsonl")
    assert not (tmp_path / "ledger.jsonl").exists()


# Going back


@pytest.fixture
def rolled_back(released: Governed, tmp_path: Path) -> Governed:
    """The project as it was before somebody was refused: a copy of its whole home, put back."""
    released.bench.store.read_ledger()
    copy = shutil.copytree(released.bench.settings.home_folder, tmp_path / "copy")
    released.bench.store.append_entry(
        Event.REFUSED, actor=VALIDATOR, subject="shop/2", body={"action": "", "reasons": []}
    )
    released.bench.store.close()
    shutil.rmtree(released.bench.settings.home_folder)
    shutil.move(copy, released.bench.settings.home_folder)
    return open_governed(released.project, released.keys)


def test_an_older_copy_put_back_is_read_and_nothing_is_decided_by_it(rolled_back: Governed) -> None:
    bench = rolled_back.bench
    run_id = bench.list_runs()[0].id
    fresh = bench.run(NOTEBOOKS / "logs_everything.ipynb", {})
    verbs: list[Callable[[], object]] = [
        lambda: bench.nominate(fresh.id, MODEL),
        lambda: bench.nominate(run_id, MODEL),
        lambda: bench.answer("shop/2", "harm", "Nobody can be harmed by a newsletter."),
        lambda: rolled_back.approve("shop/2"),
        lambda: bench.promote("shop/2"),
        lambda: bench.rollback(MODEL),
        lambda: bench.serve(MODEL, port=1),
    ]
    before, runs = sorted(bench.settings.models_folder.rglob("*")), len(bench.list_runs())
    for verb in verbs:
        with pytest.raises(Refused, match="Refused: the ledger was rolled back or rewritten") as refused:
            verb()
        assert "Seen was entry 18 " in refused.value.reasons[0]
        assert "ends with entry 17," in refused.value.reasons[0]
        assert "ledger accept --head" in refused.value.next_step
    assert sorted(bench.settings.models_folder.rglob("*")) == before
    assert len(bench.list_runs()) == runs  # no replay was executed for a nomination that is refused
    assert bench.review("shop/2").decision
    assert bench.find_served(MODEL) == "shop/2"
    assert bench.verify("shop/2").decision.is_allowed
    assert len(bench.store.read_ledger()) == 17


def test_the_ledger_the_doctor_and_verify_show_that_it_went_back(rolled_back: Governed) -> None:
    for arguments, code in ((("ledger",), 3), (("ledger", "verify"), 3), (("doctor",), 1)):
        done = run_command(rolled_back.project, *arguments)
        assert done.returncode == code, done.stderr
        assert "Seen was entry 18" in " ".join(done.stdout.split())


def test_a_ledger_that_went_back_moves_no_alias_and_the_doctor_says_so(released: Governed, tmp_path: Path) -> None:
    released.bench.rollback(MODEL)
    last = released.bench.store.read_ledger()[-1]
    seen = released.alias()
    change_database(released.bench.settings.store_address, f"delete from ledger where sequence = {last.sequence}")
    anew = Workbench.open(released.bench.settings)
    assert anew.find_served(MODEL) == "shop/2"
    (said,) = anew.mend_alias(MODEL)
    assert "rolled back or rewritten" in said
    symptoms = {symptom.part: symptom for symptom in anew.examine()}
    assert not symptoms["aliases"].is_well
    assert "rolled back or rewritten" in symptoms["aliases"].found
    assert (seen, released.alias()) == (1, 1)


def test_who_went_back_on_purpose_says_so_by_the_last_digest(rolled_back: Governed) -> None:
    bench = rolled_back.bench
    head = head_of(bench.store.read_ledger())
    for wrong in ("", head.digest[:11], "a" * 64):
        with pytest.raises(UsageError, match="is not the ledger's last digest") as refused:
            bench.accept_ledger(wrong)
        assert head.digest in refused.value.next_step
    done = run_command(rolled_back.project, "ledger", "accept", "--head", head.digest[:12])
    assert done.returncode == 0, done.stderr
    assert f"entry {head.sequence}" in done.stdout
    said = bench.store.read_ledger()[-1]
    assert (said.event, said.actor, said.body) == (Event.ACCEPTED, AUTHOR, vars(head))
    bench.rollback(MODEL)
    assert run_command(rolled_back.project, "ledger").returncode == 0


def test_a_home_that_begins_anew_in_the_same_place_is_noticed(released: Governed) -> None:
    released.bench.store.read_ledger()
    released.bench.store.close()
    (released.project / "runs" / "workbench.db").unlink()
    anew = Workbench.open(released.bench.settings)
    with pytest.raises(Refused, match="rolled back or rewritten") as refused:
        anew.store.ledger.require_privilege()
    assert "--head " + "0" * 64 in refused.value.next_step
    anew.accept_ledger("0" * 64)
    anew.store.ledger.require_privilege()


# What is remembered


def test_what_was_seen_is_kept_outside_of_home_and_may_lie_elsewhere(released: Governed, own_state: Path) -> None:
    released.bench.store.read_ledger()
    names = {path.name for path in (own_state / "workbench" / "checkpoints").iterdir()}
    first = released.bench.store.read_ledger()[0].digest
    assert f"{first}.json" in names
    elsewhere = replace(released.bench.settings, checkpoints="seen")
    Workbench.open(elsewhere).store.read_ledger()
    record = json.loads((released.project / "seen" / f"{first}.json").read_bytes())
    assert Checkpoint(record["sequence"], record["digest"]) == head_of(released.bench.store.read_ledger())


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"ledger":1}', b"\xff", b"NaN"])
def test_a_memory_that_cannot_be_read_allows_nothing_and_is_mended_by_accepting(
    released: Governed, own_state: Path, content: bytes
) -> None:
    head = head_of(released.bench.store.read_ledger())
    for file in (own_state / "workbench" / "checkpoints").glob("*.json"):
        file.write_bytes(content)
    assert len(released.bench.store.read_ledger()) == 17
    with pytest.raises(Refused, match="rolled back or rewritten") as refused:
        released.bench.promote("shop/2")
    assert "cannot be read" in refused.value.reasons[0]
    assert run_command(released.project, "ledger", "verify").returncode == 3
    released.bench.accept_ledger(head.digest)
    assert released.bench.inspect_ledger()[1] == []

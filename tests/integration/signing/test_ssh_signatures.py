"""Real keys, real `ssh-keygen`: only the right person's key, in the right role, at the right time, over these bytes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.integration.signing.keys import EVE
from tests.unit.evidence.builders import build_evidence
from tests.unit.people import NOW, OWNER, VALIDATOR
from tests.unit.policies.builders import read_policy
from tests.unit.releases.builders import build_release_files
from tests.unit.reviews.builders import build_objection, build_statement, build_statements, build_subjects, build_waiver
from workbench import ledger_verifier
from workbench.errors import Refused, Unavailable, UsageError
from workbench.records.digest import sha256_hex
from workbench.releases.release import approval_paths, audit_release, waiver_paths
from workbench.signing.allowed_signers import find_principal, find_signers_faults
from workbench.signing.key import Key
from workbench.signing.namespaces import signing_namespace
from workbench.signing.ssh_signatures import (
    allowed_signer,
    find_signature_fault,
    grant,
    make_key,
    read_public_key,
    sign_bytes,
)
from workbench.signing.statement import Signed


def restricted(keys, tmp_path, option):
    """Return an allowed-signers file in which the validator's key carries an option more."""
    line = allowed_signer(VALIDATOR, ["validator"], keys.public[VALIDATOR])
    file = tmp_path / "allowed_signers"
    file.write_text(line.replace(" namespaces=", f" {option},namespaces=") + "\n")
    return file


def test_the_right_key_in_the_right_role_holds(keys):
    assert keys.fault(keys.sign(build_statement())) is None


def test_a_statement_changed_after_signing_does_not_hold(keys):
    signed = keys.sign(build_statement())
    changed = build_statement(version=4)
    assert keys.fault(replace(signed, statement=changed.to_bytes()), changed)


def test_the_signature_of_another_statement_does_not_hold(keys):
    other = keys.sign(build_statement(endpoint="other"))
    assert keys.fault(replace(other, statement=build_statement().to_bytes()))


@pytest.mark.parametrize(
    "signature", [b"", b"unsigned", b"-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n"]
)
def test_what_is_no_signature_does_not_hold(keys, signature):
    assert keys.fault(Signed(build_statement().to_bytes(), signature))


def test_a_signature_cut_in_half_does_not_hold(keys):
    signed = keys.sign(build_statement())
    assert keys.fault(replace(signed, signature=signed.signature[: len(signed.signature) // 2]))


def test_the_key_of_another_person_does_not_hold(keys):
    assert keys.fault(keys.sign(build_statement(), by=OWNER))


def test_a_key_nobody_granted_anything_does_not_hold(keys):
    assert keys.fault(keys.sign(build_statement(), by=EVE))
    unknown = build_statement(principal=EVE)
    assert keys.fault(keys.sign(unknown), unknown)


def test_a_role_the_key_was_not_granted_does_not_hold(keys):
    statement = build_statement(role="owner")
    assert keys.fault(keys.sign(statement), statement)


def test_a_signature_made_for_another_role_does_not_hold(keys):
    assert keys.fault(keys.sign(build_statement(), namespace=signing_namespace("owner")))
    assert keys.fault(keys.sign(build_statement(), namespace="git"))


@pytest.mark.parametrize("principal", ["VERA@example.org", "vera", "*", "vera@example.org,otto@example.org", "", "-h"])
def test_a_name_that_only_resembles_the_principal_does_not_hold(keys, principal):
    statement = build_statement(principal=principal)
    assert keys.fault(keys.sign(statement, by=VALIDATOR), statement)


def test_a_revoked_key_no_longer_holds_whenever_it_signed(keys, tmp_path):
    file = tmp_path / "allowed_signers"
    file.write_bytes(keys.allowed_signers.read_bytes())
    signed = keys.sign(build_statement())
    assert keys.fault(signed, allowed_signers=file) is None
    (tmp_path / "revoked_keys").write_text(f"{keys.public[OWNER]}\n")
    assert keys.fault(signed, allowed_signers=file) is None
    (tmp_path / "revoked_keys").write_text(f"{keys.public[VALIDATOR]}\n")
    assert "revoked" in keys.fault(signed, allowed_signers=file).lower()


def test_a_list_of_revoked_keys_that_cannot_be_read_lets_nothing_through(keys, tmp_path):
    file = tmp_path / "allowed_signers"
    file.write_bytes(keys.allowed_signers.read_bytes())
    (tmp_path / "revoked_keys").mkdir()
    assert "cannot be read" in keys.fault(keys.sign(build_statement()), allowed_signers=file)
    (tmp_path / "revoked_keys").rmdir()
    (tmp_path / "revoked_keys").write_text("not a key\n")
    assert keys.fault(keys.sign(build_statement()), allowed_signers=file)


# A signature for one purpose is none for another

OF_THE_OWNER = {
    "approval": build_statement(principal=OWNER, role="owner"),
    "waiver": build_waiver(),
    "objection": build_objection(principal=OWNER),
}


@pytest.mark.parametrize("purpose", OF_THE_OWNER)
def test_a_signature_for_its_own_purpose_holds(keys, purpose):
    statement = OF_THE_OWNER[purpose]
    assert keys.fault(keys.sign(statement), statement) is None


@pytest.mark.parametrize(("one", "other"), list(permutations(OF_THE_OWNER, 2)))
def test_a_signature_for_one_purpose_is_none_for_another(keys, one, other):
    """Neither the signature moved to the other statement, nor the other statement signed in the namespace of the one."""
    statement, named = OF_THE_OWNER[other], OF_THE_OWNER[one]
    moved = replace(keys.sign(named), statement=statement.to_bytes())
    assert keys.fault(moved, statement)
    assert keys.fault(keys.sign(statement, namespace=named.signer.namespace), statement)


def test_who_may_waive_in_one_role_may_not_in_another(keys):
    statement = build_waiver(principal=VALIDATOR)
    assert keys.fault(keys.sign(statement), statement)
    assert keys.fault(keys.sign(statement, namespace="workbench.waiver.validator"), statement)


@pytest.mark.parametrize("statement", [build_waiver(), build_objection()], ids=["waiver", "objection"])
@pytest.mark.parametrize(
    "principal", [OWNER.upper(), OWNER.capitalize(), OWNER.replace("o", "\N{CYRILLIC SMALL LETTER O}")]
)
def test_a_waiver_or_objection_by_a_name_that_looks_alike_does_not_hold(keys, statement, principal):
    alike = replace(statement, principal=principal)
    assert keys.fault(keys.sign(alike, by=OWNER), alike)


def test_a_key_that_may_only_approve_can_neither_waive_nor_object(keys, tmp_path):
    file = tmp_path / "allowed_signers"
    file.write_text(grant(OWNER, ["workbench.approval.owner"], keys.public[OWNER]) + "\n")
    faults = {
        purpose: keys.fault(keys.sign(statement), statement, allowed_signers=file)
        for purpose, statement in OF_THE_OWNER.items()
    }
    assert [purpose for purpose, fault in faults.items() if fault is None] == ["approval"]


def test_a_key_struck_from_the_file_no_longer_holds(keys, tmp_path):
    file = tmp_path / "allowed_signers"
    file.write_text(allowed_signer(OWNER, ["owner"], keys.public[OWNER]) + "\n")
    assert keys.fault(keys.sign(build_statement()), allowed_signers=file)


def test_without_the_file_of_allowed_signers_nothing_holds(keys, tmp_path):
    assert keys.fault(keys.sign(build_statement()), allowed_signers=tmp_path / "absent")
    (tmp_path / "empty").touch()
    assert keys.fault(keys.sign(build_statement()), allowed_signers=tmp_path / "empty")


@pytest.mark.parametrize(
    ("option", "holds"),
    [
        ('valid-before="20261120095959Z"', False),
        ('valid-before="20261121Z"', True),
        ('valid-after="20261121Z"', False),
        ('valid-after="20261120Z"', True),
    ],
)
def test_a_key_holds_only_if_it_was_valid_when_the_statement_was_issued(keys, tmp_path, option, holds):
    fault = keys.fault(keys.sign(build_statement()), allowed_signers=restricted(keys, tmp_path, option))
    assert (fault is None) is holds


ZONES = ("UTC", "Pacific/Kiritimati", "America/Los_Angeles")


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize(
    ("option", "holds"),
    [
        ('valid-before="20261120095959"', False),
        ('valid-before="20261120100001"', True),
        ('valid-after="20261120100001"', False),
        ('valid-after="20261120095959"', True),
        ('valid-before="20261120"', False),
        ('valid-after="20261120"', True),
    ],
)
def test_a_date_without_a_zone_is_in_utc_wherever_it_is_read(keys, tmp_path, monkeypatch, zone, option, holds):
    """By our reader of the file, by our ssh-keygen, and by the second verifier, which has one of its own."""
    monkeypatch.setenv("TZ", zone)
    file, signed = restricted(keys, tmp_path, option), keys.sign(build_statement())
    assert find_signers_faults(file.read_bytes()) == []
    assert find_principal(file.read_bytes(), keys.public[VALIDATOR]) == VALIDATOR
    assert (keys.fault(signed, allowed_signers=file) is None) is holds
    body = {"statement": signed.statement.decode(), "signature": signed.signature.decode()}
    said = {"principal": VALIDATOR, "issued": build_statement().issued}
    files = {"-f": file.read_bytes(), "-s": signed.signature}
    second = ledger_verifier.check_signature(body, "workbench.approval.validator", said, files)
    assert (second == []) is holds


def test_the_same_moment_in_another_time_zone_is_the_same_moment(keys, tmp_path):
    statement = build_statement(issued="2026-11-20T23:30:00+14:00")
    file = restricted(keys, tmp_path, 'valid-before="20261120100000Z"')
    assert keys.fault(keys.sign(statement), statement, allowed_signers=file) is None


def test_a_person_may_be_granted_two_roles(keys, tmp_path):
    file = tmp_path / "allowed_signers"
    file.write_text(allowed_signer(VALIDATOR, ["validator", "owner"], keys.public[VALIDATOR]) + "\n")
    for role in ("validator", "owner"):
        statement = build_statement(role=role)
        assert keys.fault(keys.sign(statement), statement, allowed_signers=file) is None


def test_signing_leaves_the_key_and_its_folder_as_they_were(keys):
    folder = keys.private[VALIDATOR].parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    keys.sign(build_statement())
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_key_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match="There is no key at"):
        sign_bytes(b"x", Key(tmp_path / "id_ed25519"), "x")


def test_a_file_that_is_no_key_does_not_sign(tmp_path):
    (tmp_path / "id_ed25519").write_text("not a key\n")
    (tmp_path / "id_ed25519").chmod(0o600)
    with pytest.raises(Refused, match="did not sign"):
        sign_bytes(b"x", Key(tmp_path / "id_ed25519"), "x")


def test_a_made_key_is_for_its_owner_alone(tmp_path):
    public = make_key(tmp_path / "new" / "id_ed25519", VALIDATOR)
    assert public.startswith("ssh-ed25519 ")
    assert public.endswith(VALIDATOR)
    assert (tmp_path / "new" / "id_ed25519").stat().st_mode & 0o077 == 0


def test_the_public_half_of_a_key_with_a_dotted_name_is_found(tmp_path):
    assert make_key(tmp_path / "id.work", VALIDATOR) == (tmp_path / "id.work.pub").read_text().strip()


def test_a_key_is_never_overwritten(tmp_path):
    make_key(tmp_path / "id_ed25519", VALIDATOR)
    before = (tmp_path / "id_ed25519").read_bytes()
    with pytest.raises(Unavailable, match="No key could be made"):
        make_key(tmp_path / "id_ed25519", VALIDATOR)
    assert (tmp_path / "id_ed25519").read_bytes() == before


@pytest.fixture(scope="module")
def release(keys):
    return build_release_files([keys.sign(statement) for statement in build_statements()])


def audit(keys, files):
    verify = partial(find_signature_fault, allowed_signers=keys.allowed_signers)
    return audit_release(files, verify=verify, read_policy=read_policy, least_principals=2, now=NOW)


def test_a_release_signed_by_both_people_may_be_served(keys, release):
    audited = audit(keys, release)
    assert audited.decision.reasons == ()
    assert audited.approved_by == (OWNER, VALIDATOR)


def test_a_release_in_which_one_person_signed_for_the_other_is_refused(keys):
    first, second = build_statements()
    files = build_release_files([keys.sign(first), keys.sign(second, by=VALIDATOR)])
    reasons = audit(keys, files).decision.reasons
    assert "Role owner: 0 of 1 approvals." in reasons
    assert any(f"The signature of {OWNER} (owner) does not hold" in reason for reason in reasons)


def test_a_release_whose_signatures_changed_places_is_refused(keys, release):
    (_, first), (_, second) = approval_paths(1), approval_paths(2)
    swapped = {**release, first: release[second], second: release[first]}
    assert sum("does not hold" in reason for reason in audit(keys, swapped).decision.reasons) == 2


def test_a_release_whose_approval_was_prolonged_is_refused(keys, release):
    path, _ = approval_paths(1)
    prolonged = {**release, path: release[path].replace(b"2027-05-19", b"2037-05-19")}
    assert prolonged != release
    assert not audit(keys, prolonged).decision.is_allowed


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_changed_byte_outside_the_signatures_is_refused(keys, release, data):
    path = data.draw(st.sampled_from(sorted(name for name in release if not name.endswith(".sig"))))
    content = bytearray(release[path])
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    assert not audit(keys, {**release, path: bytes(content)}).decision.is_allowed


def test_a_release_with_a_waiver_that_its_giver_signed_may_be_served_and_with_another_signature_not(keys):
    waiver = build_waiver()
    evidence = build_evidence(waivers=(waiver.to_fact(sha256_hex(waiver.to_bytes())),))
    subjects = build_subjects(build_release_files([], evidence=evidence))
    approvals = [keys.sign(statement) for statement in build_statements(subjects=subjects)]
    for forged, holds in (
        (keys.sign(waiver), True),
        (keys.sign(waiver, by=EVE), False),
        (keys.sign(waiver, namespace=signing_namespace("owner")), False),
    ):
        audited = audit(keys, build_release_files(approvals, evidence=evidence, waivers=[forged]))
        assert audited.decision.is_allowed is holds
    assert audited.decision.reasons[0].startswith(f"The waiver of beats_baseline by {OWNER} is not signed well: ")
    assert waiver_paths(1)[0] in build_release_files(approvals, evidence=evidence, waivers=[forged])


@pytest.mark.parametrize("name", ["", ".", "/", "..", "nowhere/key"])
def test_a_path_that_names_no_file_is_the_key_of_nobody(name):
    """A path without a name of its own has no `.pub` beside it; asking for one raised ValueError."""
    assert read_public_key(Path(name)) is None


@pytest.mark.parametrize(
    "spell",
    [
        lambda signature: signature + b"trailing",
        lambda signature: signature + b"\n",
        lambda signature: signature[:-1],
        lambda signature: b"leading\n" + signature,
        lambda signature: signature.replace(b"\n", b"\r\n"),
        lambda signature: signature.replace(b"U1NIU0lH", b"U1NI\nU0lH"),
        lambda signature: signature.replace(b"-----BEGIN", b"-----BEGIN ", 1),
        lambda signature: signature.replace(b"U1NIU0lHAAAAAQ", b"U1NIU0lHAAAAAA"),  # version 0
    ],
)
def test_a_signature_in_another_spelling_is_refused_though_ssh_keygen_would_read_it(keys, spell):
    statement = build_statement()
    signed = keys.sign(statement)
    assert find_signature_fault(signed, statement.signer, allowed_signers=keys.allowed_signers) is None
    other = Signed(signed.statement, spell(signed.signature))
    fault = find_signature_fault(other, statement.signer, allowed_signers=keys.allowed_signers)
    assert fault == "the signature is not spelled as ssh-keygen spells it"

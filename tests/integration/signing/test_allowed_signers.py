"""Who may sign as what: a file in which one key could be two people, or a line mean more than one, grants nothing."""

from __future__ import annotations

import base64
import subprocess

import pytest

from tests.integration.signing.keys import EVE
from tests.unit.people import OWNER, VALIDATOR
from tests.unit.reviews.builders import build_statement
from workbench import ledger_verifier
from workbench.errors import Refused, UsageError
from workbench.signing.allowed_signers import find_principal, find_signers_faults
from workbench.signing.ssh_signatures import allowed_signer


def trusting(tmp_path, *lines):
    file = tmp_path / "allowed_signers"
    file.write_text("\n".join(["# who may sign", "", *lines]) + "\n")
    return file


def test_a_file_in_which_one_key_is_two_people_grants_nothing_and_names_the_lines(keys, tmp_path):
    lines = [
        allowed_signer(who, [role], keys.public[OWNER]) for who, role in ((OWNER, "owner"), (VALIDATOR, "validator"))
    ]
    with pytest.raises(Refused) as refused:
        keys.fault(keys.sign(build_statement()), allowed_signers=trusting(tmp_path, *lines))
    assert refused.value.reasons == (f"Lines 3 and 4: {OWNER} and {VALIDATOR} share one key.",)
    assert refused.value.next_step


@pytest.mark.parametrize(
    "begin",
    [
        "*@example.org ",
        "vera?example.org ",
        "vera@example.org,eve@example.org ",
        "!eve@example.org,* ",
        '"vera@example.org" ',
        "vera@example.org cert-authority ",
        'vera@example.org namespaces="a b",CERT-AUTHORITY ',
        "vera@example.org nonsense nonsense ",
        "vera@example.org\u00a0x ",
    ],
)
def test_a_line_that_names_more_or_other_than_one_person_and_key_is_refused_by_its_number(keys, tmp_path, begin):
    file = trusting(tmp_path, f"{begin}{keys.public[VALIDATOR]}")
    with pytest.raises(Refused) as refused:
        keys.fault(keys.sign(build_statement()), allowed_signers=file)
    assert refused.value.reasons[0].startswith("Line 3: ")


def test_however_a_line_is_written_the_same_key_is_the_same_key(keys, tmp_path):
    kind, key, _ = keys.public[OWNER].split()
    lines = [f"{OWNER} {kind} {key}", f' {VALIDATOR}\tnamespaces="x \\" y"\t{kind}\t{key} ssh-rsa AAAA\r']
    with pytest.raises(Refused, match="share one key"):
        keys.fault(keys.sign(build_statement()), allowed_signers=trusting(tmp_path, *lines))


def spell_rsa(public: str, *, kind: bytes = b"ssh-rsa", before: bytes = b"") -> str:
    """Return the line of an RSA key as ssh-keygen reads it too: its inner type by another name, zeros before its modulus."""
    blob, fields = base64.b64decode(public.split()[1]), []
    while blob:
        end = 4 + int.from_bytes(blob[:4], "big")
        fields, blob = [*fields, blob[4:end]], blob[end:]
    written = (kind, fields[1], before + fields[2])
    joined = b"".join(len(field).to_bytes(4, "big") + field for field in written)
    return f"ssh-rsa {base64.b64encode(joined).decode()}"


@pytest.fixture(scope="module")
def rsa_key(tmp_path_factory):
    path = tmp_path_factory.mktemp("rsa") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "rsa", "-b", "1024", "-N", "", "-f", str(path)], check=True)
    return path


@pytest.mark.parametrize("spelling", [{"before": b"\0"}, {"before": b"\0\0\0"}, {"kind": b"rsa-sha2-256"}])
def test_one_rsa_key_spelled_two_ways_is_one_person(tmp_path, rsa_key, spelling):
    public = rsa_key.with_suffix(".pub").read_text()
    other = spell_rsa(public, **spelling)
    assert other != " ".join(public.split()[:2])
    file = trusting(tmp_path, allowed_signer(VALIDATOR, ["validator"], public), allowed_signer(OWNER, ["owner"], other))
    assert find_signers_faults(file.read_bytes()) == [f"Lines 3 and 4: {VALIDATOR} and {OWNER} share one key."]
    assert ledger_verifier.check_signers(file.read_bytes()) == [
        f"allowed signers, line 4: {OWNER} has the key of {VALIDATOR}"
    ]
    assert find_principal(allowed_signer(OWNER, ["owner"], other).encode(), public) == OWNER


def test_one_person_in_two_spellings_may_have_one_key(keys, tmp_path):
    lines = [allowed_signer(who, ["owner"], keys.public[OWNER]) for who in (OWNER, OWNER.upper(), f"{OWNER}.")]
    content = trusting(tmp_path, *lines).read_bytes()
    assert find_signers_faults(content) == ledger_verifier.check_signers(content) == []


def test_a_person_may_have_two_keys_and_a_key_two_lines(keys, tmp_path):
    lines = [
        allowed_signer(VALIDATOR, ["validator"], keys.public[VALIDATOR]),
        allowed_signer(VALIDATOR, ["owner"], keys.public[VALIDATOR]),
        allowed_signer(VALIDATOR, ["validator"], keys.public[EVE]),
        allowed_signer(OWNER, ["owner"], keys.public[OWNER]),
    ]
    file = trusting(tmp_path, *lines)
    for by in (VALIDATOR, EVE):
        assert keys.fault(keys.sign(build_statement(), by=by), allowed_signers=file) is None


@pytest.mark.parametrize("principal", ["*", "a,b", "!a", "a b", "a\nb", 'a"', "#a", ""])
def test_a_principal_that_would_grant_more_than_itself_is_refused(keys, principal):
    with pytest.raises(UsageError, match="cannot be a principal"):
        allowed_signer(principal, ["owner"], keys.public[OWNER])


def test_a_role_that_would_grant_more_than_itself_is_refused(keys):
    with pytest.raises(UsageError, match="cannot be a role"):
        allowed_signer(OWNER, ["*"], keys.public[OWNER])

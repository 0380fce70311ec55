"""A passphrase opens a real key once, and is nowhere to be found: not in what the child was started with, not on the disk."""

from __future__ import annotations

import os
import shutil
import subprocess
from contextlib import suppress
from pathlib import Path

import pytest

from workbench.errors import Refused, UsageError
from workbench.signing.key import Key
from workbench.signing.ssh_signatures import allowed_signer, find_signature_fault, sign_bytes
from workbench.signing.statement import Signed, Signer

PASSPHRASE = "correct horse ' \" $HOME battery stäple"
PRINCIPAL, NAMESPACE = "grace@example.org", "workbench.approve.validator"


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    path = tmp_path_factory.mktemp("keys") / "grace"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", PASSPHRASE, "-C", PRINCIPAL, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def spy_on(program: str, folder: Path) -> None:
    """Put a program of the same name first on the path that notes what it was started with, then does its work."""
    real = shutil.which(program)
    lines = [
        "#!/bin/sh",
        f"cat_to() {{ {shutil.which('dd')} if=$1 of=$2 2>/dev/null; }}",
        f"cat_to /proc/$$/environ {folder}/{program}.$$.environ",
        f"cat_to /proc/$$/cmdline {folder}/{program}.$$.cmdline",
        f'exec {real} "$@"',
    ]
    path = folder / program
    path.write_text("\n".join(lines) + "\n")
    path.chmod(0o700)


def test_a_key_with_a_passphrase_signs_when_it_is_given(key, tmp_path):
    trusted = tmp_path / "allowed_signers"
    line = allowed_signer(PRINCIPAL, ["validator"], key.with_suffix(".pub").read_text())
    trusted.write_text(line + "\n")
    namespace = line.split('namespaces="')[1].split(",")[0].rstrip('"')
    signature = sign_bytes(b"x", Key(key, PASSPHRASE), namespace)
    signer = Signer(PRINCIPAL, namespace, "2026-11-20T10:00:00+00:00")
    assert find_signature_fault(Signed(b"x", signature), signer, allowed_signers=trusted) is None


def test_a_wrong_passphrase_is_refused_and_not_repeated(key):
    with pytest.raises(Refused, match="The passphrase does not open") as refused:
        sign_bytes(b"x", Key(key, "open sesame"), NAMESPACE)
    assert "open sesame" not in str(refused.value)
    assert "Type it again" in refused.value.next_step


def test_without_its_passphrase_the_key_says_that_it_needs_one(key):
    with pytest.raises(Refused, match="needs its passphrase") as refused:
        sign_bytes(b"x", Key(key), NAMESPACE)
    assert "ssh-add" in refused.value.next_step


@pytest.mark.parametrize("passphrase", ["x" * 1001, "two\nlines", "nul\0"])
def test_what_cannot_be_a_passphrase_is_refused_before_anything_is_started(key, passphrase):
    with pytest.raises(UsageError, match="cannot be used"):
        sign_bytes(b"x", Key(key, passphrase), NAMESPACE)


def test_the_passphrase_is_in_no_childs_arguments_or_environment_and_on_no_disk(key, tmp_path, monkeypatch):
    spies, temporary = tmp_path / "spies", tmp_path / "temporary"
    spies.mkdir()
    temporary.mkdir()
    for program in ("ssh-keygen", "cat"):
        spy_on(program, spies)
    monkeypatch.setenv("PATH", f"{spies}:{os.environ['PATH']}")
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    sign_bytes(b"x", Key(key, PASSPHRASE), NAMESPACE)
    seen = {path.name.split(".")[0]: path for path in spies.glob("*.environ")}
    assert set(seen) == {"ssh-keygen", "cat"}
    assert b"SSH_ASKPASS_REQUIRE=force" in seen["ssh-keygen"].read_bytes()
    for path in [*spies.iterdir(), *temporary.rglob("*")]:
        assert PASSPHRASE.encode() not in path.read_bytes(), path.name
    assert list(temporary.iterdir()) == []


def open_descriptors():
    """Return what this process has open, by number and target; but for the folder that is read for it."""
    found = set()
    for path in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):
            found.add((path.name, str(path.readlink())))
    return {(number, target) for number, target in found if not target.endswith("/fd")}


def test_no_descriptor_is_left_open(key):
    before = open_descriptors()
    for _ in range(3):
        sign_bytes(b"x", Key(key, PASSPHRASE), NAMESPACE)
    assert open_descriptors() <= before

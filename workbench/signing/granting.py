"""Granting: who may sign as what is written into the allowed-signers file, which stays one that tells people apart."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from workbench.errors import Refused, UsageError
from workbench.files.disk import disk_answers
from workbench.files.whole_files import write_file
from workbench.signing.allowed_signers import find_signers_faults
from workbench.signing.ssh_signatures import allowed_signer, read_public_key


def add_signer(signers: Path, principal: str, key: Path, roles: Sequence[str]) -> bool:
    """Let a principal approve, waive and object in these roles with a key; False where the file says so already.

    `key` is a private key with its `.pub` beside it, or the public half. Raises UsageError for what is no key, principal or role,
    Refused where the file would then not tell people apart.
    """
    public = read_public_key(key)
    if public is None:
        raise _no_key(key)
    line = allowed_signer(principal, roles, public)
    with disk_answers(signers.parent):
        before = signers.read_text(encoding="utf-8") if signers.is_file() else ""
        if line in before.splitlines():
            return False
        after = f"{before}{'' if before.endswith(chr(10)) or not before else chr(10)}{line}\n"
        if faults := find_signers_faults(after.encode()):
            raise Refused(
                f"{principal} was not added to {signers}.",
                why=faults,
                next_step="Give each person a key of their own, and correct the lines that are named.",
            )
        signers.resolve().parent.mkdir(parents=True, exist_ok=True)
        write_file(signers, after.encode())
    return True


def _no_key(key: Path) -> UsageError:
    """Say that a file is no key, or not there; a key pair is made under the name of its private half."""
    private = key.with_suffix("") if key.suffix == ".pub" else key
    is_there = key.exists() or private.exists()
    if is_there:
        why, step = (
            "Neither it nor a file of its name with .pub holds a public key.",
            "Name another file, or make a key",
        )
        return UsageError(f"{key} is no SSH key.", why=why, next_step=f"{step}: `ssh-keygen -t ed25519 -f FILE`.")
    step = f"Make a key, `ssh-keygen -t ed25519 -f {shlex.quote(str(private))}`, or name another file."
    return UsageError(f"There is no file {key}.", next_step=step)

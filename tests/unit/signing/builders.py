"""A stand-in for signatures that depends on the statement, but on no key."""

from __future__ import annotations

from workbench.records.digest import sha256_hex
from workbench.signing.statement import Signed, Signer, Statable


def seal(statement: Statable) -> Signed:
    """Return a statement with a stand-in for a signature: one that depends on the statement, but on no key."""
    return Signed(statement.to_bytes(), sha256_hex(statement.to_bytes()).encode())


def find_seal_fault(signed: Signed, signer: Signer) -> str | None:
    """Return what is wrong with a `seal`, or None when it holds."""
    return None if signed.signature == sha256_hex(signed.statement).encode() else "Could not verify signature."

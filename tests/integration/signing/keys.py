"""Real keys of three people, and what they sign with them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.unit.reviews.builders import build_statement
from workbench.signing.key import Key
from workbench.signing.ssh_signatures import find_signature_fault, sign_bytes
from workbench.signing.statement import Signed


@dataclass(frozen=True)
class Keys:
    """Private keys by principal, their public lines, and the file that says who may sign as what."""

    private: dict[str, Path]
    public: dict[str, str]
    allowed_signers: Path

    def sign(self, statement, *, by=None, namespace=None):
        """Return a statement signed by the key of `by` in this namespace; by default those the statement names."""
        content = statement.to_bytes()
        namespace = namespace or statement.signer.namespace
        key = self.private[by or statement.principal]
        return Signed(content, sign_bytes(content, Key(key), namespace))

    def fault(self, signed, statement=None, *, allowed_signers=None):
        """Return what is wrong with a signature, judged by this file unless another is given."""
        file = allowed_signers or self.allowed_signers
        return find_signature_fault(signed, (statement or build_statement()).signer, allowed_signers=file)


EVE = "eve@example.org"

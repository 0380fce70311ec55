"""The SSHSIG namespaces people sign in: one for each role and purpose, so that a signature for one is none for another."""

from __future__ import annotations


def signing_namespace(role: str) -> str:
    """Return the SSHSIG namespace a role approves in; it must be granted to the key in the allowed-signers file."""
    return f"workbench.approval.{role}"


def waiver_namespace(role: str) -> str:
    """Return the SSHSIG namespace a role waives in: one purpose's signature is none for another."""
    return f"workbench.waiver.{role}"


OBJECTION_NAMESPACE = "workbench.objection"


def role_namespaces(role: str) -> tuple[str, ...]:
    """Return every namespace that who holds a role signs in."""
    return signing_namespace(role), waiver_namespace(role), OBJECTION_NAMESPACE

"""The SSHSIG namespaces people sign in: one for each role and purpose, so that a signature for one is none for another."""

from __future__ import annotations

from collections.abc import Iterable

_APPROVAL = "workbench.approval."


def signing_namespace(role: str) -> str:
    """Return the SSHSIG namespace a role approves in; it must be granted to the key in the allowed-signers file."""
    return f"{_APPROVAL}{role}"


def find_roles(namespaces: Iterable[str]) -> list[str]:
    """Return the roles whose namespaces to approve in these are."""
    return [name.removeprefix(_APPROVAL) for name in namespaces if name.startswith(_APPROVAL)]


def waiver_namespace(role: str) -> str:
    """Return the SSHSIG namespace a role waives in: one purpose's signature is none for another."""
    return f"workbench.waiver.{role}"


OBJECTION_NAMESPACE = "workbench.objection"


def role_namespaces(role: str) -> tuple[str, ...]:
    """Return every namespace that who holds a role signs in."""
    return signing_namespace(role), waiver_namespace(role), OBJECTION_NAMESPACE

"""Asking for roles: which of those that people may sign in no policy of the project asks for, as a misspelled one."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from workbench.checks import read_frozen_policy
from workbench.config import Settings
from workbench.errors import NotFound, UsageError
from workbench.policies.policy import Policy
from workbench.policies.policy_files import find_policy, list_shipped_policies
from workbench.policies.roles import describe_unknown_roles
from workbench.signing.allowed_signers import list_signatories
from workbench.signing.namespaces import find_roles


def find_unasked_roles(settings: Settings, roles: Iterable[str], *policies: Policy) -> list[str]:
    """Return a note for each role in which nobody signs or waives, by `policies`, the project's or a shipped one."""
    asked = {
        role for policy in (*policies, *_read_policies(settings)) for role in (*policy.roles, *policy.waivers.roles)
    }
    return describe_unknown_roles(roles, asked)


def find_unasked_signers(settings: Settings, *policies: Policy) -> list[str]:
    """Return the same for the roles that the allowed-signers file grants."""
    path = settings.signers_file
    signers = list_signatories(path.read_bytes()) if path.is_file() else []
    return find_unasked_roles(
        settings, (role for each in signers for role in find_roles(each.namespaces or ())), *policies
    )


def _read_policies(settings: Settings) -> list[Policy]:
    """Return the policies that may be used here, as far as they can be read."""
    found = []
    for name in (settings.policy, *list_shipped_policies()):
        with suppress(UsageError, NotFound):
            found.append(read_frozen_policy(find_policy(name, settings.project)))
    return found

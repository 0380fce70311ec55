"""What can be a role: who signs does so in one."""

from __future__ import annotations

import re

from workbench.errors import UsageError

ROLE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def require_role(role: str) -> str:
    """Return the role when it can be part of a namespace; raises UsageError otherwise."""
    if not ROLE.fullmatch(role):
        raise UsageError(f"{role!r} cannot be a role.", why="A role is lower-case letters, digits, - and _.")
    return role

"""What can be a role: who signs does so in one."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from difflib import get_close_matches

from workbench.errors import UsageError

ROLE = re.compile(r"[a-z][a-z0-9_-]{0,31}")


def require_role(role: str) -> str:
    """Return the role when it can be part of a namespace; raises UsageError otherwise."""
    if not ROLE.fullmatch(role):
        raise UsageError(f"{role!r} cannot be a role.", why="A role is lower-case letters, digits, - and _.")
    return role


def describe_unknown_roles(roles: Iterable[str], known: Collection[str]) -> list[str]:
    """Return a note for each role that no policy asks for, with the one that is perhaps meant."""
    asked = ", ".join(sorted(known))
    return [
        f"No policy here asks for the role {role}{_say_near(role, known)}; asked for are {asked}."
        for role in dict.fromkeys(roles)
        if role not in known
    ]


def _say_near(role: str, known: Collection[str]) -> str:
    near = get_close_matches(role, sorted(known), n=1)
    return f" (did you mean {near[0]}?)" if near else ""

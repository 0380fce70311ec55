"""Quorum: whether enough people would be left to approve, since nobody approves what they wrote."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from workbench.policies.policy import AuthorRule, Policy
from workbench.records.people import is_author, name_people

_LINES: Mapping[AuthorRule, str] = {
    "changed_lines": "lines that are new since a model's last release",
    "all_lines": "lines of a model's code, whenever that was",
}
_MORE = "Grant the role to somebody else, or lower what the policy asks for."


def foresee_quorum(signers: Mapping[str, Sequence[str]], writers: Collection[str], policy: Policy) -> list[str]:
    """Return a warning for each of the writers whose work nobody could approve, and for all of them together; none: all is well.

    `signers` are who may sign, by role; writers who are none of them take nobody's signature away.
    """
    if gaps := _find_gaps(signers, (), policy):
        return [f"Nobody's work can be approved: {gaps}. {_MORE}"]
    signing = name_people(signer for each in signers.values() for signer in each if is_author(signer, writers))
    alone = [
        f"Nobody could approve what {one} runs: {gaps}. {_MORE}"
        for one in signing
        if (gaps := _find_gaps(signers, [one], policy))
    ]
    together = _find_gaps(signers, signing, policy)
    if alone or not together:
        return alone
    return [
        f"Nobody is left to approve where {', '.join(signing)} each wrote {_LINES[policy.authors]}: {together}. {_MORE}"
    ]


def _find_gaps(signers: Mapping[str, Sequence[str]], authors: Collection[str], policy: Policy) -> str:
    """Return what would be missing of what a policy asks for, when these people do not count; empty when nothing is."""
    left = {
        role: name_people(each for each in signers.get(role, ()) if not is_author(each, authors))
        for role in policy.roles
    }
    people = name_people(each for role in sorted(left) for each in left[role])
    missing = [
        f"{len(left[role])} of {needed} as {role}"
        for role, needed in sorted(policy.roles.items())
        if len(left[role]) < needed
    ]
    too_few = [f"{len(people)} of {policy.principals} different people"] if len(people) < policy.principals else []
    return ", ".join([*missing, *too_few])

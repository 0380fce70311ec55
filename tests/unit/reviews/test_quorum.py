"""A team is told before it writes that nobody would be left to approve."""

from __future__ import annotations

import pytest

from tests.unit.people import AUTHOR, OWNER, VALIDATOR
from tests.unit.policies.builders import build_policy
from workbench.reviews.quorum import foresee_quorum
from workbench.signing.allowed_signers import list_signers

TWO = {"validator": [VALIDATOR], "owner": [OWNER]}
ALL_IN_BOTH = {role: [AUTHOR, VALIDATOR, OWNER] for role in ("validator", "owner")}


def test_a_team_of_two_is_told_that_nobody_would_be_left():
    warnings = foresee_quorum(TWO, {VALIDATOR, f"Otto <{OWNER}>"}, build_policy())
    assert [warning.split(". ")[0] for warning in warnings] == [
        f"Nobody could approve what {OWNER} runs: 0 of 1 as owner, 1 of 2 different people",
        f"Nobody could approve what {VALIDATOR} runs: 0 of 1 as validator, 1 of 2 different people",
    ]
    assert all("Grant the role to somebody else" in warning for warning in warnings)


def test_two_who_sign_for_what_a_third_writes_are_told_nothing():
    assert foresee_quorum(TWO, {AUTHOR}, build_policy()) == []


def test_two_of_whom_one_is_enough_are_told_only_of_what_both_wrote():
    policy = build_policy(roles={"owner": 1}, principals=1)
    signers = {"owner": [VALIDATOR, OWNER]}
    assert foresee_quorum(signers, {OWNER}, policy) == []
    (warning,) = foresee_quorum(signers, {OWNER, VALIDATOR, AUTHOR}, policy)
    assert warning.startswith(
        f"Nobody is left to approve where {OWNER}, {VALIDATOR} each wrote lines that are new since"
    )
    (warning,) = foresee_quorum(signers, {OWNER, VALIDATOR}, build_policy(**vars(policy) | {"authors": "all_lines"}))
    assert "each wrote lines of a model's code, whenever that was: 0 of 1 as owner" in warning


def test_three_who_all_may_sign_are_told_what_happens_when_all_write():
    assert foresee_quorum(ALL_IN_BOTH, {AUTHOR}, build_policy()) == []
    assert len(foresee_quorum(ALL_IN_BOTH, {AUTHOR, OWNER}, build_policy())) == 1


def test_too_few_who_sign_at_all_are_one_warning():
    (warning,) = foresee_quorum({"owner": [OWNER]}, {OWNER, AUTHOR}, build_policy())
    assert warning.startswith("Nobody's work can be approved: 0 of 1 as validator, 1 of 2 different people.")


@pytest.mark.parametrize(
    ("options", "may"),
    [
        ("", True),
        ('namespaces="workbench.approval.owner" ', True),
        ('Namespaces="x,workbench.approval.*" ', True),
        ('namespaces="workbench.approval.validator" ', False),
        ('namespaces="workbench.*,!workbench.approval.owner" ', False),
        ('valid-before="20300101Z",namespaces="*" ', True),
        ('namespaces="[w]orkbench.approval.owner" ', False),
    ],
)
def test_who_may_sign_is_read_as_ssh_keygen_reads_it(options, may):
    content = f"# who signs\n{OWNER} {options}ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==\nbroken\n".encode()
    assert list_signers(content, "workbench.approval.owner") == ([OWNER] if may else [])

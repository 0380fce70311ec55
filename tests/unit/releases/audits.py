"""A whole release, and what its audit says of a changed one."""

from __future__ import annotations

from tests.unit.people import NOW
from tests.unit.policies.builders import read_policy
from tests.unit.releases.builders import build_release_files
from tests.unit.signing.builders import find_seal_fault, seal
from workbench.releases.release import audit_release


def audit(files, *, now=NOW, least_principals=2, subject=None):
    return audit_release(
        files,
        verify=find_seal_fault,
        read_policy=read_policy,
        least_principals=least_principals,
        now=now,
        subject=subject,
    )


def reasons(files, **changes):
    release = audit(files, **changes)
    assert not release.decision.is_allowed
    return release.decision.reasons


def signed(*statements):
    return [seal(statement) for statement in statements]


FILES = build_release_files()

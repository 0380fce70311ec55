"""A whole release of that nominee."""

from __future__ import annotations

from collections.abc import Sequence

from tests.unit.models.builders import build_bundle_files
from tests.unit.reviews.builders import build_statements, build_subject_files, build_subjects
from tests.unit.signing.builders import seal
from workbench.evidence.evidence import Evidence
from workbench.releases.release import approval_paths, waiver_paths
from workbench.signing.statement import Signed


def build_release_files(
    approvals: Sequence[Signed] | None = None, *, evidence: Evidence | None = None, waivers: Sequence[Signed] = ()
) -> dict[str, bytes]:
    """Return a whole release: bundle, subjects, waivers and approvals (default: `seal`ed ones of the two statements needed)."""
    files = {**build_bundle_files(), **build_subject_files(evidence)}
    if approvals is None:
        approvals = [seal(statement) for statement in build_statements(subjects=build_subjects(files))]
    for paths, kept in ((approval_paths, approvals), (waiver_paths, waivers)):
        for number, signed in enumerate(kept, start=1):
            statement_path, signature_path = paths(number)
            files |= {statement_path: signed.statement, signature_path: signed.signature}
    return files

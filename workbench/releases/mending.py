"""Mending: what can be done about a served release that does not verify, each of them looked at before it is advised."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.errors import WorkbenchError
from workbench.ledger.history import model_of, previous_version
from workbench.ledger.ledger import Entry
from workbench.releases import releases
from workbench.releases.release import Release
from workbench.runs.project import Project


def find_remedy(project: Project, endpoint: str, subject: str, entries: Sequence[Entry]) -> str:
    """Return what makes an endpoint serve something that verifies again, `subject` (`model/version`) being what it serves."""
    rebuilt = _try_to_rebuild(project, subject, entries)
    if rebuilt is not None and rebuilt.decision.is_allowed:
        folder, home = releases.release_folder(subject, project.settings), project.settings.project
        named = folder.relative_to(home) if folder.is_relative_to(home) else folder
        return (
            f"Move {named} away (it shows what was changed); `workbench promote {subject}` then builds it again from what "
            "was approved."
        )
    before = previous_version(entries, endpoint)
    if before is not None and _verifies(project, f"{model_of(entries, endpoint)}/{before}", entries):
        return f"`workbench rollback {endpoint}` serves version {before} again."
    run = rebuilt.evidence.identity.run_id if rebuilt is not None and rebuilt.evidence is not None else "RUN"
    return (
        f"No earlier version can take its place: `workbench nominate {run} --model {model_of(entries, endpoint)}`, and have the "
        "new version approved."
    )


def _try_to_rebuild(project: Project, subject: str, entries: Sequence[Entry]) -> Release | None:
    try:
        files = releases.reassemble_release(subject, project.settings, entries)
    except WorkbenchError:
        return None
    return releases.judge_release(files, subject, project.settings, entries)


def _verifies(project: Project, subject: str, entries: Sequence[Entry]) -> bool:
    try:
        return releases.verify_release(subject, project.settings, entries).decision.is_allowed
    except WorkbenchError:
        return False

"""Are the run's files still the ones the run wrote?"""

from __future__ import annotations

from workbench.evidence.evidence import Evidence, Finding, Identity, Status
from workbench.policies.policy import Policy
from workbench.records.digest import short
from workbench.runs.local_files import LocalFilesFact, describe_gap

_LIMIT = "every file as recorded when the run ended, and the local code that ran known"
_MOST_NAMED = 5


def run_unmodified(evidence: Evidence, policy: Policy) -> Finding:  # noqa: ARG001 - every check has this shape
    """Pass when no file of the run changed since it ended, and it is known by digest which local code ran beside the notebook.

    Digests name the source exactly, so a dirty or missing git checkout is told but does not fail.
    """
    if not evidence.identity.notebook_digest:
        reason = "The notebook's digest was not recorded. Run the notebook again with `workbench run`."
        return Finding("run_unmodified", Status.UNKNOWN, "no notebook digest", _LIMIT, reason)
    if not evidence.files_unmodified:
        reason = "A file of the run changed after the run ended. Run the notebook again and nominate that run."
        return Finding("run_unmodified", Status.FAIL, "changed", _LIMIT, reason)
    gap = describe_gap(evidence.local_files)
    if gap or evidence.local_files is None:
        reason = f"{gap} Run the notebook again with `workbench run` and nominate that run."
        return Finding("run_unmodified", Status.UNKNOWN, "code unknown", _LIMIT, reason)
    reason = (
        f"The files are as the run wrote them. {_describe_source(evidence.identity)} {_describe(evidence.local_files)}"
    )
    return Finding("run_unmodified", Status.PASS, "unchanged", _LIMIT, reason)


def _describe(files: LocalFilesFact) -> str:
    """Say which local code ran, that which is not in git by its name."""
    if not files.modules:
        return "No other local code ran."
    count, loose = len(files.modules), [f"{each.path} ({each.standing})" for each in files.uncommitted]
    said = f"{count} local {'module' if count == 1 else 'modules'} ran with it"
    named = f"{', '.join(loose[:_MOST_NAMED])}{' and others' if len(loose) > _MOST_NAMED else ''}"
    return f"{said}, not in the commit: {named}." if loose else f"{said}."


def _describe_source(identity: Identity) -> str:
    source = f"The source is notebook {short(identity.notebook_digest)}"
    if identity.git_commit is None:
        return f"{source}; it was not under git."
    state = {True: "with uncommitted changes", False: "committed", None: "unknown whether committed"}[
        identity.git_dirty
    ]
    return f"{source} at git commit {short(identity.git_commit)}, {state}."

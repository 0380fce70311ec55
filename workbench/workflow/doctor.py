"""The doctor: everything the workbench stands on, looked at once; what can be mended safely is mended."""

from __future__ import annotations

import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from workbench.errors import WorkbenchError
from workbench.files.disk import find_write_fault
from workbench.files.processes import Orphan, find_orphans
from workbench.files.scratch_folders import find_left_over
from workbench.ledger.history import find_endpoints, require_served
from workbench.nominations.freezing import INSPECTED
from workbench.releases.aliases import Pointing, point_to_served
from workbench.releases.mending import find_remedy
from workbench.releases.release_audit import SUBJECT
from workbench.releases.releases import verify_release
from workbench.reviews.asking import find_unasked_signers
from workbench.reviews.nominees import find_frozen_faults
from workbench.runs.project import Project
from workbench.runs.publishing import publish_pending
from workbench.runs.reaping import reap_lost_runs
from workbench.runs.run import RUN_ID
from workbench.signing.allowed_signers import find_signers_faults


@dataclass(frozen=True)
class Symptom:
    """One part that was examined: how it is, and what to do when it is not well."""

    part: str
    is_well: bool
    found: str
    remedy: str = ""


def examine(project: Project) -> list[Symptom]:
    """Return what was found, part by part; a part that cannot be examined is not well."""
    return [symptom for look in _LOOKS for symptom in _safely(look, project)]


def _safely(look: Callable[[Project], Iterator[Symptom]], project: Project) -> list[Symptom]:
    try:
        return list(look(project))
    except WorkbenchError as exc:
        return [
            Symptom(
                look.__name__.removeprefix("_").replace("_", " "),
                False,
                "; ".join([exc.what, *exc.reasons]),
                exc.next_step,
            )
        ]


def _python(_: Project) -> Iterator[Symptom]:
    yield Symptom("Python", True, sys.version.split()[0])


def _programs(_: Project) -> Iterator[Symptom]:
    for program, package, purpose in (
        ("ssh-keygen", "openssh-client", "signing and verifying approvals"),
        ("git", "git", "recording which commit a run came from"),
        ("chromium", "chromium", "the browser tests"),
    ):
        found = shutil.which(program)
        remedy = "" if found else f"Install the package {package}."
        # Without a browser the product is well; only its own tests need one.
        yield Symptom(
            program, bool(found) or package == "chromium", found or f"not found; needed for {purpose}", remedy
        )


def _author(project: Project) -> Iterator[Symptom]:
    yield Symptom("you are", True, project.settings.acting_author)


def _trust(project: Project) -> Iterator[Symptom]:
    path = project.settings.signers_file
    if not path.is_file():
        remedy = "Nobody can approve yet; `workbench help signing` shows how to name the first signers."
        yield Symptom("allowed signers", False, str(path), remedy)
        return
    faults = find_signers_faults(path.read_bytes())
    remedy = "Write one line for each person and key; until then no signature holds." if faults else ""
    notes = [] if faults else find_unasked_signers(project.settings)
    yield Symptom("allowed signers", not faults, "; ".join([str(path), *faults, *notes]), remedy)


def _disk(project: Project) -> Iterator[Symptom]:
    """Try whether what is kept can be kept: rights and figures say less, for root least."""
    settings = project.settings
    for part, wanted in {
        "home": settings.home_folder,
        "memory of ledgers": settings.checkpoints_folder,
        "temporary files": Path(tempfile.gettempdir()),
    }.items():
        folder = next(path for path in (wanted, *wanted.parents) if path.is_dir())
        fault, free = find_write_fault(folder), shutil.disk_usage(folder).free
        found = f"{folder} cannot be written: {fault}" if fault else f"{wanted}, {free / 1e9:,.1f} GB free"
        remedy = "Free some space or fix its rights. Until then what was decided can be read and served, and nothing new kept."
        yield Symptom(part, not fault, found, remedy if fault else "")


def _ledger(project: Project) -> Iterator[Symptom]:
    entries, faults = project.store.inspect_ledger()
    remedy = "`workbench ledger verify` says more, and how to go on if you started over on purpose." if faults else ""
    yield Symptom("ledger", not faults, "; ".join(faults) or f"{len(entries)} entries, chain whole", remedy)


def _runs(project: Project) -> Iterator[Symptom]:
    lost = reap_lost_runs(project.settings, project.store)
    found = f"{len(lost)} marked lost now" if lost else "none lost"
    folders = project.settings.runs_folder
    # First the folders: a run that begins meanwhile is in the store before it has one.
    kept = sorted(folder.name for folder in folders.iterdir()) if folders.is_dir() else []
    known = {run.id for run in project.store.list_attempts()}  # those that are deleted, too: their looks are kept
    unknown = [name for name in kept if RUN_ID.fullmatch(name) and name not in known]
    if not unknown:
        yield Symptom("runs", True, found)
        return
    named = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
    remedy = "They do not count as tries any more. Put the store's newest copy back, or move the folders away."
    yield Symptom("runs", False, f"{found}; {len(unknown)} in {folders} the store does not know: {named}", remedy)


def _frozen(project: Project) -> Iterator[Symptom]:
    """Tell what is gone or changed of the frozen files of what is served, which every later nominee is held against."""
    found = find_frozen_faults(project.settings, project.store.read_ledger())
    for subject, (*faults, remedy) in sorted(found.items()):
        yield Symptom(f"nominee {subject}", False, "; ".join(faults), remedy)
    if not found:
        yield Symptom("nominees", True, "the frozen files of what is served are as they were nominated")


def _released(project: Project) -> Iterator[Symptom]:
    """Audit what each endpoint serves as `workbench verify` does: files, signatures, ledger."""
    entries = project.store.read_ledger()
    for endpoint in find_endpoints(entries):
        subject, faults = require_served(entries, endpoint), []
        try:
            release = verify_release(subject, project.settings, entries)
            faults = list(release.decision.reasons)
        except WorkbenchError as exc:
            faults = [exc.what, *exc.reasons]
        version = f"version {subject.rpartition('/')[2]}"
        remedy = find_remedy(project, endpoint, subject, entries) if faults else ""
        found = f"{version} does not verify: {' '.join(faults)}" if faults else f"serves {version}, which verifies"
        yield Symptom(f"endpoint {endpoint}", not faults, found, remedy)


def _mlflow(project: Project) -> Iterator[Symptom]:
    project.tracker.require_answer()
    told = publish_pending(project.settings, project.store, project.tracker)
    left = {run_id: why for run_id, why in told.items() if why is not None}
    mended = project.tracker.repair_statuses([run for run in project.store.list_runs() if run.id not in left])
    found = f"{project.tracker.address}, {len(told) - len(left)} runs published now"
    if mended:
        found += (
            f", the status of {len(mended)} was another there and is set right: {', '.join(run.id for run in mended)}"
        )
    if not left:
        yield Symptom("MLflow", True, found)
        return
    remedy = f"They are whole in {project.settings.runs_folder}; MLflow is told again with every run."
    why = "; ".join(f"{run_id} ({refused})" for run_id, refused in left.items())
    yield Symptom("MLflow", False, f"{found}, {len(left)} it did not take: {why}", remedy)


def _aliases(project: Project) -> Iterator[Symptom]:
    for endpoint in find_endpoints(project.store.read_ledger()):
        pointing = point_to_served(project, endpoint)
        if pointing is not None:
            yield Symptom(f"alias of {endpoint}", True, _say_pointing(pointing))


def _processes(_: Project) -> Iterator[Symptom]:
    """Tell of what goes on though whoever started it was killed; whether it is still wanted is not ours to say."""
    orphans = find_orphans()
    for part in sorted({_name_part(orphan) for orphan in orphans}):
        pids = " ".join(str(orphan.pid) for orphan in orphans if _name_part(orphan) == part)
        found = f"goes on though the process that started it is gone, as {pids}"
        yield Symptom(part, False, found, f"`kill {pids}` ends it; an endpoint's port is free then.")
    if not orphans:
        yield Symptom("processes", True, "none without the one that started it")


def _name_part(orphan: Orphan) -> str:
    return " ".join(filter(None, (orphan.part, orphan.variables.get(SUBJECT))))


def _left_over(project: Project) -> Iterator[Symptom]:
    models = project.settings.models_folder
    folders = [str(path) for model in sorted(models.glob("*/")) for path in find_left_over(model, INSPECTED)]
    found = f"{', '.join(folders)}: copies of a run for an inspection that was killed" if folders else "none"
    remedy = f"rm -r {shlex.join(folders)}" if folders else ""
    yield Symptom("left-over folders", not folders, found, remedy)


def _say_pointing(pointing: Pointing) -> str:
    served = f"served is version {pointing.served}"
    if pointing.is_unset:
        lost = f"{served}, which MLflow has no more and cannot number so again"
        return f"{lost}; the alias stays unset, and nothing depends on it"
    if pointing.found == pointing.served:
        return f"points to version {pointing.served}, which is served"
    return f"the alias pointed to version {pointing.found}; the ledger serves {pointing.served}; mended"


_LOOKS = (
    *(_python, _programs, _author, _disk, _trust, _ledger, _runs, _frozen, _released, _mlflow, _aliases),
    *(_processes, _left_over),
)

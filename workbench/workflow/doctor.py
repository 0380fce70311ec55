"""The doctor: everything the workbench stands on, looked at once; what can be mended safely is mended."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from workbench.errors import WorkbenchError
from workbench.ledger.ledger import Event
from workbench.releases.aliases import Pointing, point_to_served
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
    yield Symptom("allowed signers", not faults, "; ".join([str(path), *faults]), remedy)


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
    known = {run.id for run in project.store.list_runs()}
    unknown = [name for name in kept if RUN_ID.fullmatch(name) and name not in known]
    if not unknown:
        yield Symptom("runs", True, found)
        return
    named = ", ".join(unknown[:3]) + (", …" if len(unknown) > 3 else "")
    remedy = "They do not count as tries any more. Put the store's newest copy back, or move the folders away."
    yield Symptom("runs", False, f"{found}; {len(unknown)} in {folders} the store does not know: {named}", remedy)


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
    entries = project.store.read_ledger()
    moves = [entry for entry in entries if entry.event in (Event.PROMOTED, Event.ROLLED_BACK)]
    for endpoint in sorted({entry.body["endpoint"] for entry in moves}):
        pointing = point_to_served(project, endpoint)
        if pointing is not None:
            yield Symptom(f"endpoint {endpoint}", True, _say_pointing(pointing))


def _say_pointing(pointing: Pointing) -> str:
    served = f"serves version {pointing.served}"
    if pointing.is_unset:
        lost = f"{served}, which MLflow has no more and cannot number so again"
        return f"{lost}; the alias stays unset, and nothing depends on it"
    if pointing.found == pointing.served:
        return f"{served}, alias agrees"
    return f"the alias pointed to version {pointing.found}; the ledger serves {pointing.served}; mended"


_LOOKS = (_python, _programs, _author, _trust, _ledger, _runs, _mlflow, _aliases)

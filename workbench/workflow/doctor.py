"""The doctor: everything the workbench stands on, looked at once; what can be mended safely is mended."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from workbench.domain.ledger import Entry, Event
from workbench.errors import WorkbenchError
from workbench.signing.allowed_signers import find_signers_faults
from workbench.workflow.nominees import parse_subject
from workbench.workflow.promoting import CHAMPION
from workbench.workflow.publishing import settle_lost_runs

if TYPE_CHECKING:
    from workbench.workflow.workbench import Workbench


@dataclass(frozen=True)
class Symptom:
    """One part that was examined: how it is, and what to do when it is not well."""

    part: str
    is_well: bool
    found: str
    remedy: str = ""


def examine(bench: Workbench) -> list[Symptom]:
    """Return what was found, part by part; a part that cannot be examined is not well."""
    return [symptom for look in _LOOKS for symptom in _safely(look, bench)]


def _safely(look: Callable[[Workbench], Iterator[Symptom]], bench: Workbench) -> list[Symptom]:
    try:
        return list(look(bench))
    except WorkbenchError as exc:
        return [
            Symptom(
                look.__name__.removeprefix("_").replace("_", " "),
                False,
                "; ".join([exc.what, *exc.reasons]),
                exc.next_step,
            )
        ]


def _python(_: Workbench) -> Iterator[Symptom]:
    yield Symptom("Python", True, sys.version.split()[0])


def _programs(_: Workbench) -> Iterator[Symptom]:
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


def _author(bench: Workbench) -> Iterator[Symptom]:
    yield Symptom("you are", True, bench.settings.acting_author)


def _trust(bench: Workbench) -> Iterator[Symptom]:
    path = bench.settings.signers_file
    if not path.is_file():
        remedy = "Nobody can approve yet; the README shows how to name the first signers."
        yield Symptom("allowed signers", False, str(path), remedy)
        return
    faults = find_signers_faults(path.read_bytes())
    remedy = "Write one line for each person and key; until then no signature holds." if faults else ""
    yield Symptom("allowed signers", not faults, "; ".join([str(path), *faults]), remedy)


def _ledger(bench: Workbench) -> Iterator[Symptom]:
    entries, faults = bench.read_ledger()
    remedy = "Compare with a copy of the ledger; what was changed cannot be trusted." if faults else ""
    yield Symptom("ledger", not faults, "; ".join(faults) or f"{len(entries)} entries, chain whole", remedy)


def _runs(bench: Workbench) -> Iterator[Symptom]:
    lost = settle_lost_runs(bench.settings, bench.store)
    yield Symptom("runs", True, f"{len(lost)} marked lost now" if lost else "none lost")


def _mlflow(bench: Workbench) -> Iterator[Symptom]:
    bench.tracker.require_answer()
    published = bench.publish_pending()
    left = [run.id for run in bench.store.list_unpublished_runs()]
    mended = bench.tracker.repair_statuses([run for run in bench.store.list_runs() if run.id not in left])
    found = f"{bench.tracker.address}, {published} runs published now"
    if mended:
        found += (
            f", the status of {len(mended)} was another there and is set right: {', '.join(run.id for run in mended)}"
        )
    if not left:
        yield Symptom("MLflow", True, found)
        return
    remedy = f"They are whole in {bench.settings.runs_folder}; MLflow is told again with every run."
    yield Symptom("MLflow", False, f"{found}, {len(left)} it did not take: {', '.join(left)}", remedy)


def _aliases(bench: Workbench) -> Iterator[Symptom]:
    entries = bench.store.read_ledger()
    moves = [entry for entry in entries if entry.event in (Event.PROMOTED, Event.ROLLED_BACK)]
    for endpoint in sorted({entry.body["endpoint"] for entry in moves}):
        yield _alias(bench, entries, endpoint)


def _alias(bench: Workbench, entries: list[Entry], endpoint: str) -> Symptom:
    """Make MLflow's alias of an endpoint agree with the ledger, and the version it points to when somebody deleted that."""
    part, subject = f"endpoint {endpoint}", bench.find_served(endpoint)
    model, version = parse_subject(subject)
    alias = bench.tracker.read_alias(model, CHAMPION)
    if alias == version:
        return Symptom(part, True, f"serves version {version}, alias agrees")
    nominated = next(entry for entry in entries if entry.event is Event.NOMINATED and entry.subject == subject)
    if not bench.tracker.restore_version(model, bench.store.find_run(nominated.body["run"]), version):
        found = f"serves version {version}, which MLflow has no more and cannot number so again"
        return Symptom(part, True, f"{found}; the alias stays unset, and nothing depends on it")
    bench.tracker.point_alias(model, CHAMPION, version)
    return Symptom(part, True, f"the alias pointed to version {alias}; the ledger serves {version}; mended")


_LOOKS = (_python, _programs, _author, _trust, _ledger, _runs, _mlflow, _aliases)

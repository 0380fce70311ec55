"""Collecting: what a notebook left in its run's folder, read once, judged, and sealed by the completion record.

A notebook may do anything to its folder. Nothing in it is opened before it is known to be a plain file, and whatever is wrong
with it is the fault of this one run.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from html import escape
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.config import find_template
from workbench.errors import Refused, WorkbenchError
from workbench.files.disk import disk_answers, is_disks_fault
from workbench.files.trees import read_tree, sync_folder
from workbench.models.first_answers import parse_first_answers
from workbench.records.digest import canonical_json, sha256_hex, strict_json
from workbench.runs.blaming import Blamer
from workbench.runs.concluding import NO_RESULTS, Results, describe_scores, read_results
from workbench.runs.failures import advise_on_failure
from workbench.runs.filing import digest_abandoned, digest_kept, settle_kept
from workbench.runs.folder import (
    DATASETS,
    FIRST_ANSWERS,
    JOURNAL,
    KEPT,
    KERNEL_LOG,
    LOGGED_METRICS,
    LOOKS,
    MODEL,
    NOTEBOOK,
    PARAMETERS,
    PROVENANCE,
    RECORD,
    REFUSAL,
    REPORT,
)
from workbench.runs.kept_files import KeptFile
from workbench.runs.local_files import LocalFilesFact, Told, read_journal
from workbench.runs.logged_calls import (
    CALLS,
    LONGEST_NOTE,
    NO_AUTOLOGGED_MODEL,
    LoggedCalls,
    note_models,
    read_calls,
    read_plain_file,
    remove_empty_folders,
)
from workbench.runs.looks import describe_abandoned, describe_looks
from workbench.runs.nbconvert_report import render_report
from workbench.runs.points import Point, can_name_metric, find_latest, is_finite, summarize_points
from workbench.runs.profiling import timed
from workbench.runs.provenance import name_path
from workbench.runs.redacting import NO_SECRETS, redact_outcome
from workbench.runs.refusal import parse_refusal
from workbench.runs.run import Run, RunState
from workbench.runs.tables import LoggedTable, count_alike_rows, count_shared_rows, read_tables
from workbench.runs.witnessing import list_written, witness_local_files
from workbench.secrets.redacting_files import Redacted, empty_folder, redact_folder
from workbench.secrets.redaction import Redactor

if TYPE_CHECKING:
    from workbench.executors.jobs import Outcome

_OWN_FILES = tuple(f"{before}{name}" for name in (NOTEBOOK, REPORT, RECORD) for before in ("", "."))
# What is in a run's folder before its notebook starts, and the log that is redacted as it is written.
OWN_INPUTS = frozenset({PARAMETERS, PROVENANCE, KERNEL_LOG})
_NOTHING: dict[str, Any] = {"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
# What a run that was killed in the middle may leave; no finished run has them.
_UNFINISHED_FILES = (RECORD, *(f".{name}" for name in (NOTEBOOK, REPORT, RECORD)))


@dataclass(frozen=True)
class RunFolder:
    """The folder that was made for one run; `identity` (device, inode) tells it from what a notebook put in its place."""

    path: Path
    identity: tuple[int, int]

    @classmethod
    def make(cls, path: Path) -> RunFolder:
        """Make the folder."""
        path.mkdir(parents=True)
        return cls(path, _identify(path))

    def is_ours(self) -> bool:
        """True unless it is gone, or a link or another folder has its name."""
        try:
            return _identify(self.path) == self.identity
        except OSError:
            return False


def _identify(path: Path) -> tuple[int, int]:
    found = path.lstat()
    return found.st_dev, found.st_ino


def collect_run(
    run: Run, outcome: Outcome, folder: RunFolder, redactor: Redactor = NO_SECRETS, blamer: Blamer | None = None
) -> Run:
    """Write what a run leaves behind and return it as it ended; FINISHED only with its completion record.

    Local files are named as they lie in the project of `blamer`, which says who wrote those that ran; without one nothing is said.

    What a notebook did to its folder makes its run FAILED, with the reason; raises Unavailable when the disk does not answer.
    Nothing that is kept holds a value of the redactor.
    """
    with disk_answers(folder.path):
        outcome = _redact(outcome, redactor)
        try:
            return _collect(run, outcome, folder, redactor, blamer)
        except Exception as exc:
            if is_disks_fault(exc):
                raise
            # Whatever one notebook left behind must not end the others of a sweep.
            error = outcome.failure or redactor.redact_text(f"What the notebook wrote cannot be kept: {_say(exc)}")
            seen = {**read_abandoned(folder.path), **(read_abandoned_files(folder.path) if folder.is_ours() else {})}
            return _fail(_end(run, error, seen), outcome.document, folder)


def _redact(outcome: Outcome, redactor: Redactor) -> Outcome:
    """Return the outcome without the values; without anything a notebook said when it cannot be searched for them."""
    try:
        return redact_outcome(outcome, redactor)
    except Exception as exc:
        said = f"What the notebook shows could not be searched for secrets and is not kept ({type(exc).__name__})."
        return replace(outcome, document=_NOTHING, execution=replace(outcome.execution, error=None), failure=said)


def _redact_files(folder: Path, redactor: Redactor) -> Redacted:
    try:
        return redact_folder(folder, redactor)
    except Exception:
        empty_folder(folder, keep=OWN_INPUTS)
        raise


def _collect(run: Run, outcome: Outcome, folder: RunFolder, redactor: Redactor, blamer: Blamer | None) -> Run:
    if not folder.is_ours():
        raise Refused(f"{folder.path} is gone, or not the folder that was made for this run.")
    for name in _OWN_FILES:
        _remove(folder.path / name)
    remove_empty_folders(folder.path)
    redacted = _redact_files(folder.path, redactor)
    notes = settle_kept(folder.path)
    # Half of a character (a lone surrogate) becomes its own escape in JSON: what the notebook printed is kept.
    text = json.dumps(outcome.document, indent=1, ensure_ascii=False)
    _write(folder.path / NOTEBOOK, text.encode(errors="backslashreplace"))
    files, kept = read_tree(folder.path, left_out=KEPT), digest_kept(folder.path)
    found = _read_logged(files)
    notes += [
        f"{path} held a secret, and is kept without it." for path in redacted.changed if path.startswith(f"{KEPT}/")
    ]
    told = _drop_settled(found.record.pop("notes", ()), files)
    logged = {**found.record, **_describe_kept(kept, notes, told), **describe_scores(run.id, files)}
    error = advise_on_failure(outcome.failure) or redacted.failure or found.fault
    if blamer is not None:
        journal = read_journal(files.get(JOURNAL, b""))
        fact = _witness(run, journal, outcome, blamer.project, logged.get("datasets", ()))
        seen = list_written(journal, outcome.opened, project=blamer.project, started=run.started)
        # Where the system alone saw it, what lies in the run's own folder is not beside it.
        own = f"{name_path(str(folder.path.resolve()), blamer.project)}/"
        written = [each for each in seen if not each.path.startswith(own)]
        said: dict[str, Any] = {"local_files": asdict(fact), "authorship": asdict(blamer.read_modules(journal.code))}
        said |= {"written_files": [asdict(each) for each in written]} if written else {}
        logged |= strict_json(canonical_json(said))
    ended = _end(run, error, logged)
    digests = {path: sha256_hex(content) for path, content in files.items()}
    digests |= {f"{KEPT}/{each.path}": each.digest for each in kept}
    digests[REPORT] = _write_report(folder.path, ended, outcome.document, _read_results(ended, files, found))
    return _seal(ended, outcome, digests, folder.path) if ended.is_finished else ended


def _drop_settled(notes: Iterable[str], files: Mapping[str, bytes]) -> list[str]:
    """Return notes without the advice to log a model where one was logged later."""
    has_model = any(path.startswith(f"{MODEL}/") for path in files)
    return [note for note in notes if not (has_model and note == NO_AUTOLOGGED_MODEL)]


def _describe_kept(kept: Sequence[KeptFile], *notes: Iterable[str]) -> dict[str, Any]:
    """Return what the record says of kept files, with all notes; nothing is said where there is nothing."""
    said = {"kept_files": [asdict(each) for each in kept], "notes": [*chain(*notes)]}
    return {key: value for key, value in said.items() if value}


def _witness(
    run: Run, told: Told, outcome: Outcome, project: Path, tables: Iterable[Mapping[str, Any]]
) -> LocalFilesFact:
    return witness_local_files(
        told,
        outcome.opened,
        project=project,
        notebook=project / run.provenance.get("notebook_path", ""),
        commit=run.provenance.get("git_commit"),
        declared={table["name"] for table in tables},
    )


def _end(run: Run, error: str | None, record: Mapping[str, Any]) -> Run:
    readable = error.encode(errors="replace").decode() if error else None
    return replace(run, state=RunState.FAILED if error else RunState.FINISHED, error=readable, record=record)


def _fail(failed: Run, document: Mapping[str, Any], folder: RunFolder) -> Run:
    # The reason is known; a folder that does not even take a report must not hide it.
    with suppress(Exception):
        if folder.is_ours():
            _remove(folder.path / RECORD)
            _write_report(folder.path, failed, document)
    return failed


def _say(exc: Exception) -> str:
    if isinstance(exc, WorkbenchError):
        return " ".join(exc.reasons) or exc.what
    return f"{type(exc).__name__}: {exc}"


def remove_unfinished(folder: Path) -> None:
    """Remove what only a run that was killed in the middle has in its folder."""
    for name in _UNFINISHED_FILES:
        with suppress(OSError):
            _remove(folder / name)


def read_abandoned(folder: Path) -> dict[str, Any]:
    """Return what the record of an attempt that did not come to its end is to say: the holdout it had at hand, and what it showed.

    Never raises; what cannot be read is left out.
    """
    files = {}
    with suppress(OSError):
        for path in [folder / LOOKS, *(folder / DATASETS).glob("*.json")]:
            with suppress(OSError, ValueError):
                files[str(path.relative_to(folder))] = read_plain_file(path)
    return describe_abandoned(files)


def read_abandoned_files(folder: Path) -> dict[str, Any]:
    """Return which files an attempt kept that did not come to its end; their secrets are to be cut out before."""
    return _describe_kept(digest_abandoned(folder))


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _write(path: Path, content: bytes) -> None:
    """Write one of our own files, whole and to the disk."""
    temporary = path.with_name(f".{path.name}")
    _remove(temporary)
    with temporary.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _seal(run: Run, outcome: Outcome, digests: Mapping[str, str], folder: Path) -> Run:
    """Write the completion record, the last file of a finished run, to the disk."""
    run = replace(
        run, record={**run.record, "execution": vars(outcome.execution), "kernel": outcome.kernel, "files": digests}
    )
    _write(folder / RECORD, canonical_json(run.record))
    sync_folder(folder)
    return run


def _read_results(run: Run, files: Mapping[str, bytes], logged: _Logged) -> Results:
    try:
        return read_results(run, files, logged.points, logged.target)
    except Exception as exc:  # what cannot be drawn must cost neither the run nor its report
        return Results(says=(f"What came out cannot be drawn ({type(exc).__name__}: {exc}).",))


def _write_report(folder: Path, run: Run, document: Mapping[str, Any], results: Results = NO_RESULTS) -> str:
    """Write the report and return its digest."""
    try:
        with timed("report"):
            page = render_report(document, run, find_template("report"), results)
    except Exception as exc:  # an output the renderer cannot show must not cost the run
        page = f"<!doctype html><meta charset=utf-8><p>The report could not be made: {escape(str(exc))}"
    content = page.encode(errors="replace")
    _write(folder / REPORT, content)
    return sha256_hex(content)


# What was logged


@dataclass(frozen=True)
class _Logged:
    """What the notebook logged, as the record says it, and why it cannot be relied on (None: it can); `target` is the holdout's."""

    record: dict[str, Any]
    fault: str | None = None
    points: Sequence[Point] = ()
    target: str | None = None


def _read_logged(files: Mapping[str, bytes]) -> _Logged:
    try:
        tables = read_tables(files)
        calls = read_calls(files.get(CALLS, b""), own=files.get(LOGGED_METRICS, b""))
        said = {
            **describe_metrics(calls, [*_note_replaced(files), *note_models(files)]),
            **_describe_shared(tables),
            **_describe_refusal(files),
        }
        record = {**said, "datasets": [vars(table.fact) for table in tables], **describe_looks(files)}
        target = next((table.target for table in tables if table.fact.role == "holdout"), None)
        return _Logged(record, points=calls.points, target=target)
    except (ValueError, KeyError, TypeError) as exc:
        # A kernel that was killed leaves half a line; so does a notebook that writes there by itself.
        return _Logged(describe_abandoned(files), f"What the notebook logged cannot be read: {exc!r}")


def _describe_refusal(files: Mapping[str, bytes]) -> dict[str, Any]:
    """Return why its model was not logged; nothing where none was refused."""
    return {"refused": asdict(parse_refusal(files[REFUSAL]))} if REFUSAL in files else {}


def _note_replaced(files: Mapping[str, bytes]) -> list[str]:
    """Return that other scores are stored than were given; nothing where they are those."""
    note = parse_first_answers(files[FIRST_ANSWERS]).note if FIRST_ANSWERS in files else ""
    return [note[:LONGEST_NOTE]] if note else []


def _describe_shared(tables: Sequence[LoggedTable]) -> dict[str, Any]:
    """Return how many rows of the holdout stand in other tables, exactly and but for rounding; nothing without a holdout."""
    if not any(table.fact.role == "holdout" for table in tables):
        return {}
    return {"shared": {"rows": count_shared_rows(tables), "alike": count_alike_rows(tables)}}


def describe_metrics(calls: LoggedCalls, more: Sequence[str] = ()) -> dict[str, Any]:
    """Return the value of each metric, the course of those that have one, and notes; nothing is said where there is nothing."""
    latest = {name: point.value for name, point in find_latest(calls.points).items()}
    metrics = {name: value for name, value in latest.items() if _is_usable(name, value)}
    history = {name: summary for name, summary in summarize_points(calls.points).items() if name in metrics}
    notes = [*more, *calls.notes, *(f"metric {name} is left out" for name in latest if name not in metrics)]
    said = {"history": history, "notes": notes}
    return {"metrics": metrics, **{key: value for key, value in said.items() if value}}


def _is_usable(name: str, value: float) -> bool:
    """True for a metric that a run may be compared by; MLflow takes other names too, and what is no finite number."""
    return can_name_metric(name) and is_finite(value)

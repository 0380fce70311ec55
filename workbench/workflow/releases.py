"""Releases: approved nominees as immutable Bentos, which one an endpoint serves, and whether its bytes still hold."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from workbench.config import Settings, find_bentofile
from workbench.domain.approval import Approval, Statement
from workbench.domain.decision import Decision, decide
from workbench.domain.ledger import Entry, Event
from workbench.domain.release import (
    CARD,
    EVIDENCE,
    POLICY,
    Release,
    approval_paths,
    audit_release,
    find_seal_faults,
)
from workbench.errors import NotFound, Refused, Unavailable
from workbench.executors.kernel_processes import end_marked_processes
from workbench.packaging.bentoml_packager import build_bento
from workbench.packaging.release_folder import read_tree
from workbench.signing.ssh_signatures import find_signature_fault
from workbench.store.sqlalchemy_store import utc_now
from workbench.workflow.disk import disk_answers
from workbench.workflow.nominees import Nominee, parse_subject, read_policy, served_version


def assemble_release(nominee: Nominee) -> dict[str, bytes]:
    """Return every file of the release this nominee would be: frozen bundle, evidence, policy, card and approvals."""
    files = {
        **nominee.read_bundle(),
        EVIDENCE: nominee.evidence.to_bytes(),
        POLICY: nominee.policy_bytes,
        CARD: nominee.card,
    }
    for number, approval in enumerate(nominee.stored, 1):
        statement, signature = approval_paths(number)
        files |= {statement: approval.statement, signature: approval.signature}
    return files


def audit_files(files: dict[str, bytes], subject: str, settings: Settings) -> Release:
    """Decide whether these files may be served here and now as a release."""

    def verify(approval: Approval, statement: Statement) -> str | None:
        return find_signature_fault(approval, statement, allowed_signers=settings.signers_file)

    return audit_release(
        files,
        verify=verify,
        read_policy=read_policy,
        least_principals=settings.least_principals,
        now=utc_now(),
        subject=subject,
    )


@contextmanager
def one_at_a_time(settings: Settings) -> Iterator[None]:
    """Let one process at a time change what is released on this machine; raises Unavailable while another one does.

    The lock ends with the process that holds it, so a killed promotion blocks nobody; what it left is removed, and so is
    what one that is stopped leaves.
    """
    home = settings.bento_home
    with disk_answers(home):
        home.mkdir(parents=True, exist_ok=True)
        lock = os.open(home / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(lock, home)
        _clear_abandoned(home)
        try:
            yield
        except BaseException:
            _clear_abandoned(home)
            raise
    finally:
        os.close(lock)


def _clear_abandoned(home: Path) -> None:
    """Remove what a stopped promotion was building.

    The build itself may go on without it, and would make its folder anew where that is gone already: it is ended first.
    """
    end_marked_processes(f"BENTOML_HOME={home.resolve()}/.build-", is_prefix=True)
    for left in home.glob(".build-*"):
        shutil.rmtree(left, ignore_errors=True)


def _take(lock: int, home: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as exc:
        raise Unavailable(
            "Another promotion or rollback is going on.",
            why=f"It holds {home / '.lock'}.",
            next_step="Wait for it to end, then run the same command again.",
        ) from exc


def build_release(files: dict[str, bytes], subject: str, settings: Settings) -> Path:
    """Build the Bento of a release that is not there yet; one left by an interrupted promotion is used or replaced."""
    model, version = parse_subject(subject)
    folder = _bento_folder(subject, settings)
    if is_built(subject, settings) and read_tree(folder / "src") == files:
        return folder
    if folder.exists():
        shutil.rmtree(folder)
    bentofile = find_bentofile().read_bytes()
    return build_bento(files, name=model, version=str(version), bentofile=bentofile, home=settings.bento_home)


def find_promotion(entries: Sequence[Entry], subject: str) -> Entry | None:
    """Return the entry that made a nominee a release, None when nobody promoted it: after it no byte of it changes."""
    return next((entry for entry in entries if entry.subject == subject and entry.event is Event.PROMOTED), None)


def is_built(subject: str, settings: Settings) -> bool:
    """True when a folder of files stands where the release's belongs."""
    return (_bento_folder(subject, settings) / "src").is_dir()


def _bento_folder(subject: str, settings: Settings) -> Path:
    model, version = parse_subject(subject)
    return settings.bento_home / "bentos" / model / str(version)


def find_release(subject: str, settings: Settings, entries: Sequence[Entry]) -> Path:
    """Return the folder of a release; raises NotFound when it was never promoted, or its folder is lost."""
    folder = _bento_folder(subject, settings)
    if is_built(subject, settings):
        return folder
    promoted = find_promotion(entries, subject)
    if promoted is None:
        raise NotFound(f"{subject} was never released.", next_step=f"workbench promote {subject}")
    raise NotFound(
        f"The files of {subject} are lost.",
        why=f"It was promoted at {promoted.time}, and there is no {folder / 'src'}.",
        next_step=f"`workbench promote {subject}` builds it again from what was approved.",
    )


def verify_release(subject: str, settings: Settings, entries: Sequence[Entry]) -> Release:
    """Audit the bytes of a built release, and hold them against what the ledger says was promoted."""
    folder = find_release(subject, settings, entries)
    try:
        files = read_tree(folder / "src")
    except Refused as exc:
        return Release(None, "", decide("serve", subject, [exc.what, *exc.reasons]), ())
    return judge_release(files, subject, settings, entries)


def judge_release(files: dict[str, bytes], subject: str, settings: Settings, entries: Sequence[Entry]) -> Release:
    """Decide whether these files may be served as a release: approved here and now, and the ones that were promoted."""
    release = audit_files(files, subject, settings)
    promoted = find_promotion(entries, subject)
    reasons = list(release.decision.reasons)
    if promoted is None:
        reasons.append("The ledger holds no promotion of it.")
    else:
        reasons += find_seal_faults(files, promoted.body["sealed"])
        if release.evidence is not None and release.evidence.identity.endpoint != promoted.body["endpoint"]:
            reasons.append(f"It was promoted to endpoint {promoted.body['endpoint']}, and is for another.")
    return Release(release.evidence, release.digest, decide("serve", subject, reasons), release.approved_by)


def require_unchanged(now: Sequence[Entry], judged: Sequence[Entry], subject: str) -> None:
    """Raise Refused when somebody answered or signed for a nominee after what was judged was read."""
    own = [entry for entry in now[len(judged) :] if entry.subject == subject and entry.event is not Event.REFUSED]
    if own:
        raise Refused(
            f"{subject} changed meanwhile.",
            why=[f"{entry.actor} {entry.event} at {entry.time}." for entry in own],
            next_step=f"Look at `workbench review {subject}`, then promote again.",
        )


def require_same_champion(entries: Sequence[Entry], endpoint: str, expected: int | None) -> None:
    """Raise Refused when another version was put behind the endpoint since the evidence was computed."""
    now = served_version(entries, endpoint)
    if now == expected:
        return
    last = next(
        entry for entry in reversed(entries) if entry.body.get("endpoint") == endpoint and "version" in entry.body
    )
    raise Refused(
        f"{endpoint} changed meanwhile.",
        why=f"{last.actor} put version {now} behind it at {last.time}; the evidence compares with {expected or 'none'}.",
        next_step="Look at the review again: the comparison with the champion has changed.",
    )


def decide_rollback(release: Release, subject: str, served: int | None) -> Decision:
    """Decide whether an endpoint may go back to a release."""
    reasons = list(release.decision.reasons)
    if served is not None and parse_subject(subject)[1] == served:
        reasons.append(f"Version {served} is what is served already.")
    return decide("roll back to", subject, reasons)

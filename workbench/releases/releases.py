"""Releases: approved nominees as immutable Bentos, which one an endpoint serves, and whether its bytes still hold."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from workbench.checks import read_frozen_policy
from workbench.config import Settings, find_bentofile
from workbench.errors import NotFound, Refused
from workbench.evidence.evidence import Evidence
from workbench.files.trees import read_tree
from workbench.ledger.history import find_last_move, find_nominations, find_promotion, parse_subject, served_version
from workbench.ledger.ledger import Entry, Event
from workbench.ledger.timeline import Timeline
from workbench.records.clock import utc_now
from workbench.releases.bentoml_packager import build_bento
from workbench.releases.release import Release, approval_paths, audit_release, find_seal_faults, waiver_paths
from workbench.releases.release_audit import AuditedRelease, find_unmet
from workbench.reviews.bundle import CARD, EVIDENCE, POLICY
from workbench.reviews.decision import decide
from workbench.reviews.ledger_audit import parse_signed
from workbench.reviews.nominees import Nominee, load_nominee
from workbench.reviews.objection import name_other
from workbench.reviews.said import (
    find_dating_fault,
    find_entries_about,
    find_told_otherwise,
    read_objections,
    read_signed,
)
from workbench.signing.ssh_signatures import find_signature_fault
from workbench.signing.statement import Signed, Signer, Verifier


def assemble_release(nominee: Nominee) -> dict[str, bytes]:
    """Return every file of the release this nominee would be: frozen bundle, evidence, policy, card and approvals."""
    files = {
        **nominee.read_bundle(),
        EVIDENCE: nominee.evidence.to_bytes(),
        POLICY: nominee.policy_bytes,
        CARD: nominee.card,
    }
    waivers = [given.signed for given in nominee.waivers]
    for paths, kept in ((approval_paths, nominee.said.signed), (waiver_paths, waivers)):
        for number, signed in enumerate(kept, 1):
            statement, signature = paths(number)
            files |= {statement: signed.statement, signature: signed.signature}
    return files


def reassemble_release(subject: str, settings: Settings, entries: Sequence[Entry]) -> dict[str, bytes]:
    """Return a promoted release's files as they were approved, from what was frozen; raises Refused where that is not whole."""
    promoted = find_promotion(entries, subject)
    before = [entry for entry in entries if promoted is None or entry.sequence < promoted.sequence]
    return assemble_release(load_nominee(subject, settings=settings, entries=before))


def audit_files(files: dict[str, bytes], subject: str, settings: Settings, verify: Verifier | None = None) -> Release:
    """Decide whether these files may be served here and now as a release; `verify` (None: by the signature) as it says there."""
    return audit_release(
        files,
        verify=verify or partial(find_signature_fault, allowed_signers=settings.signers_file),
        read_policy=read_frozen_policy,
        least_principals=settings.least_principals,
        now=utc_now(),
        subject=subject,
    )


def build_release(files: dict[str, bytes], subject: str, settings: Settings) -> Path:
    """Build the Bento of a release that is not there yet; one left by an interrupted promotion is used or replaced."""
    model, version = parse_subject(subject)
    folder = release_folder(subject, settings)
    if is_built(subject, settings) and read_tree(folder / "src") == files:
        return folder
    if folder.exists():
        shutil.rmtree(folder)
    bentofile = find_bentofile().read_bytes()
    return build_bento(files, name=model, version=str(version), bentofile=bentofile, home=settings.bento_home)


def is_built(subject: str, settings: Settings) -> bool:
    """True when a folder of files stands where the release's belongs."""
    return (release_folder(subject, settings) / "src").is_dir()


def release_folder(subject: str, settings: Settings) -> Path:
    """Return where a release's Bento lies, or would."""
    model, version = parse_subject(subject)
    return settings.bento_home / "bentos" / model / str(version)


def find_release(subject: str, settings: Settings, entries: Sequence[Entry]) -> Path:
    """Return the folder of a release; raises NotFound when it was never promoted, or its folder is lost."""
    folder = release_folder(subject, settings)
    if is_built(subject, settings):
        return folder
    promoted = find_promotion(entries, subject)
    if promoted is None:
        raise _not_released(subject, entries)
    raise NotFound(
        f"The files of {subject} are lost.",
        why=f"It was promoted at {promoted.time}, and there is no {folder / 'src'}.",
        next_step=f"`workbench promote {subject}` builds it again from what was approved.",
    )


def _not_released(subject: str, entries: Sequence[Entry]) -> NotFound:
    nominated = find_nominations(entries)
    if subject in nominated:
        step = f"`workbench review {subject}` shows what it lacks, `workbench promote {subject}` releases it."
        return NotFound(f"{subject} was never released.", next_step=step)
    known = sorted({entry.subject for entry in entries if entry.event is Event.PROMOTED})
    step = (
        f"Released were {', '.join(known)}."
        if known
        else "Nothing was released yet; `workbench nominate` begins with a run."
    )
    return NotFound(f"There is no {subject}.", why="Nobody nominated it.", next_step=step)


def verify_release(subject: str, settings: Settings, entries: Sequence[Entry]) -> Release:
    """Audit the bytes of a built release, and hold them against what the ledger says was promoted."""
    return read_release(find_release(subject, settings, entries) / "src", subject, settings, entries).release


def read_release(source: Path, subject: str, settings: Settings, entries: Sequence[Entry]) -> AuditedRelease:
    """Read a folder once and return what `judge_release` says of its files, with the very bytes it said it of."""
    try:
        files = read_tree(source)
    except Refused as exc:
        return AuditedRelease(Release(None, "", decide("serve", subject, [exc.what, *exc.reasons]), ()), {})
    return AuditedRelease(judge_release(files, subject, settings, entries), files)


def judge_release(files: dict[str, bytes], subject: str, settings: Settings, entries: Sequence[Entry]) -> Release:
    """Decide whether these files may be served as a release: approved here and now, and the ones that were promoted."""
    promoted = find_promotion(entries, subject)
    before = entries[: promoted.sequence] if promoted else ()
    own = [entry for entry in before if entry.subject == subject]
    verify = partial(_find_kept_fault, settings=settings, own=own, timeline=Timeline(entries))
    release = audit_files(files, subject, settings, verify)
    reasons = list(release.decision.reasons)
    if promoted is None:
        reasons.append("The ledger holds no promotion of it.")
    else:
        if release.evidence is not None:
            reasons += find_unmet(release.evidence, read_frozen_policy(files[POLICY]), release.approved_by)
            reasons += _find_unheard(release.evidence, entries, promoted, settings)
            reasons += find_told_otherwise(release.evidence.objections, before, subject)
        reasons += find_seal_faults(files, promoted.body["sealed"])
        if release.evidence is not None and release.evidence.identity.endpoint != promoted.body["endpoint"]:
            reasons.append(f"It was promoted to endpoint {promoted.body['endpoint']}, and is for another.")
    return Release(release.evidence, release.digest, decide("serve", subject, reasons), release.approved_by)


def _find_kept_fault(
    signed: Signed, signer: Signer, *, settings: Settings, own: Sequence[Entry], timeline: Timeline
) -> str | None:
    """Return what is wrong with a signature, or with its time by the entry (of a nominee's `own`) that keeps it."""
    given = [each for each in own if each.event in (Event.APPROVED, Event.WAIVED)]
    kept = next((each for each in given if read_signed(each) == signed), None)
    fault = find_signature_fault(signed, signer, allowed_signers=settings.signers_file)
    return fault or (find_dating_fault(kept, parse_signed(kept), timeline) if kept else None)


def _find_unheard(evidence: Evidence, entries: Sequence[Entry], promoted: Entry, settings: Settings) -> list[str]:
    """Return the objections raised before the promotion that the evidence does not know: nobody signed over them.

    Evidence of before knows of none to other versions made of the same; of those the ones count that are open still.
    """
    known, subject = {objection.number for objection in evidence.objections}, promoted.subject
    about = find_entries_about(entries[: promoted.sequence], subject)
    raised = [entry for entry in about if entry.event is Event.OBJECTED and entry.sequence not in known]
    said = read_objections(entries, subject, settings) if raised else ()
    still_open = {objection.number for objection in said if not objection.cleared}
    return [
        f"Objection {entry.sequence} of {entry.actor}{name_other(entry.subject, subject)} was raised before its promotion, "
        "and no approval knows of it."
        for entry in raised
        if entry.subject == subject or entry.sequence in still_open
    ]


def require_unchanged(now: Sequence[Entry], judged: Sequence[Entry], subject: str) -> None:
    """Raise Refused when somebody answered or signed for a nominee after what was judged was read."""
    about = find_entries_about(now, subject)
    own = [entry for entry in about if entry.sequence > len(judged) and entry.event is not Event.REFUSED]
    if own:
        raise Refused(
            f"{subject} changed meanwhile.",
            why=[f"{entry.actor} {entry.event} at {entry.time}." for entry in own],
            next_step=f"Look at `workbench review {subject}`, then promote again.",
        )


def require_same_champion(entries: Sequence[Entry], endpoint: str, expected: int | None) -> None:
    """Raise Refused, saying who did it, when another version was put behind the endpoint than the one that was judged."""
    conflict = find_conflict(entries, endpoint, expected)
    if conflict:
        raise Refused(
            f"{endpoint} changed meanwhile.",
            why=conflict,
            next_step=f"`workbench ledger` shows who did what to {endpoint}; judge again what it should serve now.",
        )


def find_conflict(entries: Sequence[Entry], endpoint: str, expected: int | None) -> str | None:
    """Return who put another version than the expected one behind an endpoint, and when; None when nobody did."""
    if served_version(entries, endpoint) == expected:
        return None
    moved = find_last_move(entries, endpoint)
    if moved is None:
        return f"Nothing is behind it; version {expected} was expected."
    how = "promoted" if moved.event is Event.PROMOTED else "rolled back to"
    was = f"version {expected} was" if expected else "nothing was yet"
    return (
        f"{moved.actor} {how} version {moved.body['version']} at {moved.time} (entry {moved.sequence}); {was} expected."
    )

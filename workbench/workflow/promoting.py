"""Promoting and rolling back: what is built, what the ledger says and what MLflow points to, in this order.

The entry in the ledger is what makes a release the served one. The Bento before it is made again when a kill comes between;
the alias after it is a pointer for other tools, which `workbench doctor` sets when MLflow could not be told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from workbench.domain.decision import decide
from workbench.domain.ledger import Entry, Event
from workbench.domain.release import Release, seal_signed_files
from workbench.errors import NotFound, Unavailable
from workbench.workflow import nominees, releases
from workbench.workflow.disk import disk_answers

if TYPE_CHECKING:
    from workbench.workflow.workbench import Workbench

CHAMPION = "champion"


def promote(bench: Workbench, subject: str) -> Release:
    """Make an approved nominee the release its endpoint serves; raises Refused with every reason."""
    with releases.one_at_a_time(bench.settings):
        entries = bench.store.read_ledger()
        if releases.find_promotion(entries, subject):
            return _republish(bench, subject, entries)
        nominee = bench.load_nominee(subject)
        look = f"Look at `workbench review {subject}`."
        bench.require(nominees.review_nominee(nominee).decision, look)
        files = releases.assemble_release(nominee)
        release = releases.audit_files(files, subject, bench.settings)
        bench.require(replace(release.decision, action="promote"), look)
        with disk_answers(bench.settings.bento_home):
            releases.build_release(files, subject, bench.settings)
        _append_promotion(bench, nominee, seal_signed_files(files), entries)
        return _publish(bench, release)


def _append_promotion(bench: Workbench, nominee: nominees.Nominee, sealed: dict[str, str], judged: list[Entry]) -> None:
    identity = nominee.evidence.identity

    def require(now: list[Entry]) -> None:
        releases.require_same_champion(now, identity.endpoint, nominee.evidence.champion_version)
        releases.require_unchanged(now, judged, nominee.subject)

    bench.store.append_entry(
        Event.PROMOTED,
        actor=bench.settings.acting_author,
        subject=nominee.subject,
        body={"endpoint": identity.endpoint, "version": identity.version, "sealed": sealed},
        require=require,
    )


def _republish(bench: Workbench, subject: str, entries: list[Entry]) -> Release:
    """Finish a promotion whose alias was not set or whose files are lost; refuse to promote the same release twice."""
    model, version = nominees.parse_subject(subject)
    _rebuild_lost(bench, subject, entries)
    release = bench.verify(subject)
    reasons = list(release.decision.reasons)
    if bench.find_served(model) != subject:
        reasons.append("It was promoted before and then replaced.")
    bench.require(decide("promote", subject, reasons), f"`workbench rollback {model} --to {version}` serves it again.")
    return _publish(bench, release)


def _rebuild_lost(bench: Workbench, subject: str, entries: list[Entry]) -> None:
    """Build a promoted release whose folder is gone from what was frozen; raises Refused when it is not the same to the byte."""
    promoted = releases.find_promotion(entries, subject)
    if promoted is None or releases.is_built(subject, bench.settings):
        return
    before = [entry for entry in entries if entry.sequence < promoted.sequence]
    nominee = nominees.load_nominee(subject, settings=bench.settings, entries=before)
    files = releases.assemble_release(nominee)
    release = releases.judge_release(files, subject, bench.settings, entries)
    bench.require(
        replace(release.decision, action="rebuild"), "Put its folder back from a copy, or nominate its run again."
    )
    with disk_answers(bench.settings.bento_home):
        releases.build_release(files, subject, bench.settings)


def roll_back(bench: Workbench, endpoint: str, *, to: int | None) -> Release:
    """Serve the version before (or version `to`) again; raises Refused when its bytes or approvals do not hold."""
    with releases.one_at_a_time(bench.settings):
        entries = bench.store.read_ledger()
        served = nominees.served_version(entries, endpoint)
        version = to or nominees.previous_version(entries, endpoint)
        if served is None or version is None:
            raise NotFound(f"{endpoint} has no version to go back to.", why=f"It serves {served or 'nothing'}.")
        subject = f"{nominees.model_of(entries, endpoint)}/{version}"
        _rebuild_lost(bench, subject, entries)
        release = releases.verify_release(subject, bench.settings, entries)
        bench.require(releases.decide_rollback(release, subject, served), "`workbench ledger` lists what was promoted.")
        bench.store.append_entry(
            Event.ROLLED_BACK,
            actor=bench.settings.acting_author,
            subject=subject,
            body={"endpoint": endpoint, "version": version, "manifest": release.digest},
            require=lambda now: releases.require_same_champion(now, endpoint, served),
        )
        moved = f"{endpoint} went back from version {served} to version {version}."
        return _publish(bench, replace(release, notes=(moved,)))


def _publish(bench: Workbench, release: Release) -> Release:
    """Point MLflow's alias to what the ledger serves now; that it could not be done is a note, for it decides nothing."""
    model, version = nominees.parse_subject(release.decision.subject)
    try:
        bench.tracker.point_alias(model, CHAMPION, version)
    except (Unavailable, KeyboardInterrupt) as exc:
        why = "; ".join([exc.what, *exc.reasons]) if isinstance(exc, Unavailable) else "You stopped it."
        note = f"MLflow's alias {CHAMPION} is not set yet; `workbench doctor` sets it. {why}"
        return replace(release, notes=(*release.notes, note))
    return release

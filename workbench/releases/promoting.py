"""Promoting and rolling back: what is built, what the ledger says and what MLflow points to, in this order.

The entry in the ledger is what makes a release the served one. The Bento before it is made again when a kill comes between;
the alias after it is a pointer for other tools, which `workbench doctor` sets when MLflow could not be told.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from workbench.errors import NotFound
from workbench.files.disk import disk_answers
from workbench.ledger import history
from workbench.ledger.history import require_served
from workbench.ledger.ledger import Entry, Event
from workbench.nominations import recomputing
from workbench.records.clock import utc_now
from workbench.releases import releases
from workbench.releases.aliases import publish_alias, say_unset
from workbench.releases.mending import find_remedy
from workbench.releases.release import Release, seal_signed_files
from workbench.releases.release_lock import one_at_a_time
from workbench.reviews import judging, nominees
from workbench.reviews.decision import Decision, decide
from workbench.reviews.judging import require_allowed
from workbench.runs.project import Project


def promote(project: Project, subject: str) -> Release:
    """Make an approved nominee the release its endpoint serves; raises Refused with every reason."""
    with one_at_a_time(project.settings, f"promotes {subject}"):
        entries = project.store.read_ledger()
        if history.find_promotion(entries, subject):
            return _republish(project, subject, entries)
        nominee = nominees.load_nominee(subject, settings=project.settings, entries=entries)
        look = f"Look at `workbench review {subject}`."
        require_allowed(project, _decide_promotion(nominee, entries), look)
        files = releases.assemble_release(nominee)
        release = releases.audit_files(files, subject, project.settings)
        require_allowed(project, replace(release.decision, action="promote"), look)
        recomputed = _recompute(project, nominee)
        with disk_answers(project.settings.bento_home):
            releases.build_release(files, subject, project.settings)
        _append_promotion(project, nominee, {"sealed": seal_signed_files(files), "recomputed": recomputed}, entries)
        told = f"The facts were recomputed at {recomputed} and are those of the nomination."
        return _publish(project, replace(release, notes=(told,)), nominee.evidence.champion_version)


def _decide_promotion(nominee: nominees.Nominee, entries: list[Entry]) -> Decision:
    """Decide as the review does; where people signed against another champion, say who replaced that one."""
    decision = judging.review_nominee(nominee).decision
    endpoint = nominee.evidence.identity.endpoint
    against = {approval.statement.previous or None for approval in nominee.said.approvals}
    conflicts = (releases.find_conflict(entries, endpoint, version) for version in against)
    if decision.is_allowed:
        return decision
    said = [f"{endpoint} changed since it was approved: {conflict}" for conflict in conflicts if conflict]
    return decide(decision.action, decision.subject, [*decision.reasons, *said])


def _recompute(project: Project, nominee: nominees.Nominee) -> str:
    """Return when the facts were found to be still what they were at the nomination; raises Refused naming those that are not."""
    changed = recomputing.find_changed_facts(project, nominee)
    require_allowed(project, decide("promote", nominee.subject, changed), recomputing.NEXT_STEP)
    return utc_now()


def _append_promotion(project: Project, nominee: nominees.Nominee, body: dict[str, Any], judged: list[Entry]) -> None:
    identity = nominee.evidence.identity

    def require(now: list[Entry]) -> None:
        releases.require_same_champion(now, identity.endpoint, nominee.evidence.champion_version)
        releases.require_unchanged(now, judged, nominee.subject)

    project.store.append_entry(
        Event.PROMOTED,
        actor=project.settings.acting_author,
        subject=nominee.subject,
        body={"endpoint": identity.endpoint, "version": identity.version, **body},
        require=require,
    )


def _republish(project: Project, subject: str, entries: list[Entry]) -> Release:
    """Finish a promotion whose alias was not set or whose files are lost; refuse to promote the same release twice."""
    model, version = history.parse_subject(subject)
    _rebuild_lost(project, subject, entries)
    release = releases.verify_release(subject, project.settings, project.store.read_ledger())
    reasons, step = list(release.decision.reasons), f"`workbench rollback {model} --to {version}` serves it again."
    if require_served(project.store.read_ledger(), model) != subject:
        reasons.append("It was promoted before and then replaced.")
    elif reasons:
        step = find_remedy(project, model, subject, entries)
    require_allowed(project, decide("promote", subject, reasons), step)
    return _publish(project, release, version)


def _rebuild_lost(project: Project, subject: str, entries: list[Entry]) -> None:
    """Build a promoted release whose folder is gone from what was frozen; raises Refused when it is not the same to the byte."""
    if history.find_promotion(entries, subject) is None or releases.is_built(subject, project.settings):
        return
    files = releases.reassemble_release(subject, project.settings, entries)
    release = releases.judge_release(files, subject, project.settings, entries)
    require_allowed(
        project,
        replace(release.decision, action="rebuild"),
        "Put its folder back from a copy, or nominate its run again.",
    )
    with disk_answers(project.settings.bento_home):
        releases.build_release(files, subject, project.settings)


def roll_back(project: Project, endpoint: str, *, to: int | None, served: int | None = None) -> Release:
    """Serve the version before (or version `to`) again; raises Refused when its bytes or approvals do not hold.

    With `served`, only if that version is still the served one. When `to` is the served one already, nothing is moved: so
    the same command finishes what was interrupted.
    """
    with one_at_a_time(project.settings, f"rolls back {endpoint}"):
        entries = project.store.read_ledger()
        current = history.served_version(entries, endpoint)
        version = to or history.previous_version(entries, endpoint)
        if served is not None and to != current:
            releases.require_same_champion(entries, endpoint, served)
        if current is None or version is None:
            raise _without_version(endpoint, current)
        subject = f"{history.model_of(entries, endpoint)}/{version}"
        _rebuild_lost(project, subject, entries)
        release = releases.verify_release(subject, project.settings, entries)
        require_allowed(
            project, replace(release.decision, action="roll back to"), "`workbench ledger` lists what was promoted."
        )
        if current == version:
            unmoved = f"{endpoint} serves version {version} already; nothing was moved."
            return _publish(project, replace(release, notes=(unmoved,)), current)
        project.store.append_entry(
            Event.ROLLED_BACK,
            actor=project.settings.acting_author,
            subject=subject,
            body={"endpoint": endpoint, "version": version, "manifest": release.digest},
            require=lambda now: releases.require_same_champion(now, endpoint, current),
        )
        moved = f"{endpoint} went back from version {current} to version {version}."
        return _publish(project, replace(release, notes=(moved,)), current)


def _without_version(endpoint: str, served: int | None) -> NotFound:
    why, step = "It serves nothing.", "Promote an approved nominee first."
    if served is not None:
        why = f"It serves version {served}, and served none before."
        step = f"`workbench verify {endpoint}/{served}` says whether that one holds, and what to do where it does not."
    return NotFound(f"{endpoint} has no version to go back to.", why=why, next_step=step)


def _publish(project: Project, release: Release, before: int | None) -> Release:
    """Point MLflow's alias to what the ledger serves now, and say where it was when that is not where it should have been."""
    endpoint, _ = history.parse_subject(release.decision.subject)
    try:
        said = publish_alias(project, endpoint, before=before)
    except KeyboardInterrupt:
        said = [say_unset("You stopped it.")]
    return replace(release, notes=(*release.notes, *said))

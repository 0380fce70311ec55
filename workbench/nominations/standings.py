"""Standings: what a run is besides, by its record and the ledger: a replay, without a model, a nominee, the champion."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workbench.ledger.history import find_endpoints, find_nominations, require_served
from workbench.ledger.ledger import Entry, Event
from workbench.nominations.obstacles import is_to_be_nominated
from workbench.runs.run import Run

# As much of a run's id as tells it from others in nearly every project.
_SHORT = 6


def list_standings(runs: Iterable[Run], entries: Sequence[Entry]) -> dict[str, tuple[str, ...]]:
    """Return by run what it is, in words; a run that is nothing besides has none."""
    versions = _list_versions(entries)
    found = {run.id: (*_describe(run), *versions.get(run.id, ())) for run in runs}
    return {run_id: said for run_id, said in found.items() if said}


def _describe(run: Run) -> list[str]:
    replayed = run.provenance.get("replay_of")
    has_no_model = run.is_finished and (not is_to_be_nominated(run) or "refused" in run.record)
    return [*([f"replay of {str(replayed)[:_SHORT]}"] if replayed else []), *(["no model"] if has_no_model else [])]


def _list_versions(entries: Sequence[Entry]) -> dict[str, list[str]]:
    """Return by run the versions that were made of it, each with what became of it."""
    served = {require_served(entries, endpoint) for endpoint in find_endpoints(entries)}
    promoted = {entry.subject for entry in entries if entry.event is Event.PROMOTED}
    versions: dict[str, list[str]] = {}
    for subject, entry in find_nominations(entries).items():
        became = "champion" if subject in served else "replaced" if subject in promoted else "nominee"
        versions.setdefault(str(entry.body.get("run")), []).append(f"{subject} {became}")
    return versions

"""MLflow's alias of an endpoint: a pointer for other tools, made from the ledger; where it differs, that is told and mended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.errors import NotFound, Refused, Unavailable
from workbench.ledger.history import model_of, served_version
from workbench.ledger.ledger import Entry, Event
from workbench.runs.project import Project

CHAMPION = "champion"


@dataclass(frozen=True)
class Pointing:
    """Where an endpoint's alias was found, and where it points now that the ledger serves `served` (None: to nothing)."""

    served: int
    found: int | None
    now: int | None

    @property
    def is_unset(self) -> bool:
        """True when MLflow has no such version any more and cannot number one so again."""
        return self.now != self.served


def point_to_served(project: Project, endpoint: str) -> Pointing | None:
    """Make an endpoint's alias point to what the ledger serves, and make that version anew where somebody deleted it.

    None: the endpoint serves nothing yet. Raises Refused, and moves nothing, when the ledger lacks what was seen here. Whoever
    sets it looks at the ledger again after, so that of two at once on two machines the later entry wins, not the later writer.
    """
    found: Pointing | None = None
    while True:
        entries = project.store.read_ledger()
        project.store.ledger.require_privilege(writable=False)
        served = served_version(entries, endpoint)
        if served is None or (found is not None and found.served == served):
            return found
        pointing = _point(project, entries, endpoint, served)
        found = pointing if found is None else Pointing(served, found.found, pointing.now)


def _point(project: Project, entries: Sequence[Entry], endpoint: str, served: int) -> Pointing:
    model = model_of(entries, endpoint)
    alias = project.tracker.read_alias(model, CHAMPION)
    if alias == served:
        return Pointing(served, alias, alias)
    nominated = next(e for e in entries if e.event is Event.NOMINATED and e.subject == f"{model}/{served}")
    if not project.tracker.restore_version(model, project.store.find_run(nominated.body["run"]), served):
        return Pointing(served, alias, alias)
    project.tracker.point_alias(model, CHAMPION, served)
    return Pointing(served, alias, served)


def publish_alias(project: Project, endpoint: str, *, before: int | None) -> list[str]:
    """Set an endpoint's alias and return what is worth saying: it was not at `before`, or could not be set.

    `before` is what the ledger served before. That it could not be set is only said, for it decides nothing.
    """
    try:
        pointing = point_to_served(project, endpoint)
    except (Unavailable, NotFound, Refused) as exc:
        return [say_unset("; ".join([exc.what, *exc.reasons]))]
    return [] if pointing is None else _say(pointing, before)


def say_unset(why: str) -> str:
    """Return how to get an alias set that could not be."""
    return f"MLflow's alias {CHAMPION} is not set yet; `workbench doctor` sets it. {why}"


def _say(pointing: Pointing, before: int | None) -> list[str]:
    if pointing.is_unset:
        lost = f"MLflow has no version {pointing.served} any more and cannot number one so again"
        return [f"{lost}; its alias {CHAMPION} stays as it was, and nothing depends on it."]
    if pointing.found in (before, pointing.served):
        return []
    was, served = (f"version {each}" if each else "nothing" for each in (pointing.found, before))
    return [
        f"MLflow's alias {CHAMPION} pointed to {was} while the ledger served {served}: somebody moved it, or it could not be set "
        f"then. It points to version {pointing.now} now."
    ]

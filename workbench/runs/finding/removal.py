"""What deleting runs would do: what keeps one from it, what goes, and what of a look at a holdout stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import Refused
from workbench.ledger.ledger import Entry
from workbench.runs.folder import DATASETS, DRAFT, HOLDOUT, LOOKS, PREDICTIONS
from workbench.runs.run import FINAL_STATES, Run

# By these a holdout is known again, also with other columns or in another split, and what was scored on it is told apart.
LEFT_OF_A_LOOK = (DATASETS, HOLDOUT, PREDICTIONS)
LEFT_OF_A_DRAFT = (*LEFT_OF_A_LOOK, LOOKS, DRAFT)


@dataclass(frozen=True)
class Removal:
    """Runs and drafts that are to be deleted, how many bytes of files go, and which had seen a holdout, with what stays."""

    runs: tuple[Run, ...]
    freed_bytes: int
    looks: tuple[str, ...]
    kept_bytes: int
    drafts: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The ids of all of them."""
        return [*(run.id for run in self.runs), *self.drafts]


def is_look(attempts: Sequence[Run]) -> bool:
    """True where one of a run's attempts had a holdout at hand."""
    return any(attempt.holdout is not None for attempt in attempts)


def require_deletable(runs: Sequence[Run], entries: Sequence[Entry], registered: Mapping[str, Sequence[str]]) -> None:
    """Raise Refused, with every reason, for runs that go on, that the ledger names, or that are registered models in MLflow.

    `registered` has the versions that were made of each run, by its id.
    """
    reasons = [reason for run in runs for reason in _find_reasons(run, entries, registered.get(run.id, ()))]
    if reasons:
        raise Refused(
            "Nothing is deleted.",
            why=sorted(reasons),
            next_step="Leave these runs out; `workbench archive RUN` takes one out of the lists and loses nothing.",
        )


def _find_reasons(run: Run, entries: Sequence[Entry], registered: Sequence[str]) -> Iterator[str]:
    if run.state not in FINAL_STATES:
        yield f"Run {run.id} is {run.state.lower()}; `workbench stop {run.id}` ends it."
    named = _find_naming(entries, run.id)
    for entry in named:
        yield f"Run {run.id} is named by entry {entry.sequence} of the ledger: {entry.subject}, {entry.event}."
    replayed = str(run.provenance.get("replay_of", ""))
    for entry in _find_naming(entries, replayed) if replayed and not named else ():
        yield f"Run {run.id} is a replay of run {replayed}, which entry {entry.sequence} of the ledger names: {entry.subject}."
    unknown = [version for version in registered if version not in {entry.subject for entry in named}]
    if unknown:
        yield f"Run {run.id} is registered in MLflow as {', '.join(unknown)}."


def _find_naming(entries: Sequence[Entry], run_id: str) -> list[Entry]:
    """Return the entries of a ledger that name a run, wherever in them."""
    return [entry for entry in entries if entry.subject == run_id or _names(entry.body, run_id)]


def _names(value: Any, run_id: str) -> bool:
    if isinstance(value, Mapping):
        return any(_names(item, run_id) for item in value.values())
    if isinstance(value, list | tuple):
        return any(_names(item, run_id) for item in value)
    return bool(value == run_id)

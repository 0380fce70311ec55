"""Candidates: runs that stored predictions, which of them can be paired, and which are one row of a comparison."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import UsageError
from workbench.models.scorecard import Scorecard
from workbench.records.digest import canonical_json
from workbench.runs.folder import PREDICTIONS
from workbench.runs.run import Run


@dataclass(frozen=True)
class Candidate:
    """A run that stored predictions, and what these come to."""

    run: Run
    card: Scorecard

    def pairs_with(self, other: Candidate) -> bool:
        """True where both can be compared row by row; classes that nobody named are taken for the other's."""
        mine, theirs = self.card, other.card
        return mine.pairing == theirs.pairing and (
            mine.classes == theirs.classes or not (mine.classes and theirs.classes)
        )


def find_stored(run: Run) -> str | None:
    """Return the digest of what a run predicted; None where it stored nothing."""
    stored: str | None = run.record.get("files", {}).get(PREDICTIONS)
    return stored


def group_alike(candidates: Iterable[Candidate]) -> list[list[Candidate]]:
    """Return the candidates that can be paired with each other together, in their order."""
    groups: list[list[Candidate]] = []
    by_pairing: dict[str, list[list[Candidate]]] = {}
    for each in candidates:
        alike = by_pairing.setdefault(each.card.pairing, [])
        group = next((group for group in alike if group[0].pairs_with(each)), None)
        if group is None:
            groups.append(group := [])
            alike.append(group)
        group.append(each)
    return groups


@dataclass(frozen=True)
class CandidateRow:
    """What is one row of a comparison: a run, or runs that are judged together, under the newest one's id."""

    id: str
    members: tuple[Run, ...]
    parameters: Mapping[str, Any]


def group_rows(runs: Sequence[Run], all_but: Collection[str]) -> list[CandidateRow]:
    """Return a row for each of the runs (the oldest first), or for those that have all parameters in common but some."""
    if not all_but:
        return [CandidateRow(run.id, (run,), run.parameters) for run in runs]
    known = dict.fromkeys(name for run in runs for name in run.parameters)
    if unknown := [name for name in all_but if name not in known]:
        why = f"They have {', '.join(known) or 'none'}."
        raise UsageError(
            f"The compared runs have no parameter {', '.join(unknown)}.", why=why, next_step="Name one of these."
        )
    groups: dict[bytes, list[Run]] = {}
    for run in runs:
        groups.setdefault(_spell(_leave_out(run.parameters, all_but)), []).append(run)
    return [
        CandidateRow(each[-1].id, tuple(each), _leave_out(each[-1].parameters, all_but)) for each in groups.values()
    ]


def split_rows(
    runs: Sequence[Run], all_but: Collection[str], against: Run | None
) -> tuple[list[CandidateRow], list[Run]]:
    """Return the rows, and the runs that are held against, this one first: those that would be one row with it are so, too."""
    rows = group_rows(runs, all_but)
    if against is None:
        return rows, []
    if not all_but:
        return [row for row in rows if row.id != against.id], [against]
    key = _spell(_leave_out(against.parameters, all_but))
    alike = [row for row in rows if _spell(row.parameters) == key]
    members = {run.id: run for row in alike for run in row.members if run.id != against.id}
    return [row for row in rows if row not in alike], [against, *members.values()]


def _leave_out(parameters: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in parameters.items() if name not in names}


def _spell(parameters: Mapping[str, Any]) -> bytes:
    try:
        return canonical_json(parameters)
    except ValueError:  # what is no number has no JSON
        return repr(sorted(parameters.items())).encode()

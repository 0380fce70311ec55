"""Elsewhere: finished runs that were scored on other holdouts than those compared, and the command that compares them."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from workbench.comparisons.holdouts import holdout_digest
from workbench.runs.run import Run

_MOST_NAMED = 3


@dataclass(frozen=True)
class OtherHoldout:
    """Runs that were scored on one other holdout: of which notebooks they are, how many, on how many rows, what compares them."""

    notebooks: tuple[str, ...]
    runs: int
    rows: int
    command: str
    digest: str = ""

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.runs:,} of {', '.join(self.notebooks)} ({self.rows:,} rows): `{self.command}`"


def list_other_holdouts(
    runs: Sequence[Run], notebook: str | None = None, where: str | None = None
) -> tuple[OtherHoldout, ...]:
    """Return the holdouts, but for that of the first run, on which runs (the newest first) have predictions, the latest first.

    `notebook` and `where` are what the runs were chosen by.
    """
    latest: dict[str, Run] = {}
    for run in runs:
        latest.setdefault(run.notebook, run)
    groups = [each for digest, each in _group(runs).items() if digest != holdout_digest(runs[0])]
    scored = (each for each in groups if any(run.record.get("predicted") for run in each))
    return tuple(_describe(each, _spell_command(each[0], latest, notebook, where)) for each in scored)


def describe_elsewhere(count: int, others: Sequence[OtherHoldout], shown: Collection[str] = ()) -> str:
    """Say how many runs were scored on other holdouts and how to see them; empty where none was.

    Those that are `shown` in tables of their own, by their digests, need no command.
    """
    if not count:
        return ""
    says = (
        f"{count:,} finished run{'' if count == 1 else 's'} on other holdouts: other rows, so no comparison row by row"
    )
    named = [each for each in others if each.digest not in shown]
    below = f", {f'{len(shown):,} of these' if named else 'each'} shown below" if shown else ""
    left = len(named) - _MOST_NAMED
    more = f"; {left:,} holdout{'' if left == 1 else 's'} more" if left > 0 else ""
    return f"{says}{below}. {'; '.join(map(str, named[:_MOST_NAMED]))}{more}" if named else f"{says}{below}"


def _group(runs: Sequence[Run]) -> Mapping[str, list[Run]]:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(str(holdout_digest(run)), []).append(run)
    return groups


def _describe(runs: Sequence[Run], command: str) -> OtherHoldout:
    rows = runs[0].holdout["rows"] if runs[0].holdout else 0
    notebooks, digest = tuple(sorted({run.notebook for run in runs})), str(holdout_digest(runs[0]))
    return OtherHoldout(notebooks, len(runs), rows, command, digest)


def _spell_command(newest: Run, latest: Mapping[str, Run], notebook: str | None, where: str | None) -> str:
    """Return the command that takes this run for the newest: of its notebook where it is that, else of all up to its time."""
    if notebook is None and where is None and latest[newest.notebook].id == newest.id:
        return f"workbench compare --notebook {shlex.quote(newest.notebook)}"
    until = f"created <= '{newest.created}'"
    given = f"--notebook {shlex.quote(notebook)} " if notebook else ""
    return f"workbench compare {given}--where {_quote(f'({where}) and {until}' if where else until)}"


def _quote(text: str) -> str:
    """Return a condition as one word of a shell; its own quotes are single ones, so double ones around them read best."""
    return shlex.quote(text) if set('"$`\\!') & set(text) else f'"{text}"'

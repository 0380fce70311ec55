"""Looking: every time that somebody had a holdout at hand, in the runs and drafts of a project, whatever order its rows were in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.other_splits import NO_SPLITS, OtherSplits, RowsAtHand, judge_splits
from workbench.comparisons.remembering import KeptResults
from workbench.config import Settings
from workbench.records.digest import strict_json
from workbench.runs.folder import DATASETS, HOLDOUT, LOOKS
from workbench.runs.logged_calls import read_plain_file
from workbench.runs.looks import Look, look_of_run, looks_of_draft
from workbench.runs.project import Project
from workbench.runs.rounding import read_columns, round_rows
from workbench.runs.run import Run
from workbench.runs.tables import LoggedTable, parse_texts, read_table
from workbench.stats.same_rows import DigestedRows, NamedRows, are_same_rows, find_shared_rows, may_be_same_size

# The target's name, whatever a table calls it: no column that was logged can have it beside others.
_TARGET = "\0target"
_MOST_LOOKS, _MOST_HOLDOUTS = 1_000, 200


def list_looks(project: Project, attempts: Iterable[Run]) -> list[Look]:
    """Return every look that attempts were, and then the drafts', the newest run first."""
    return [*_looks_of_attempts(project.settings, attempts), *_looks_of_drafts(project.settings.drafts_folder)]


def find_looks(project: Project, run: Run) -> list[Look]:
    """Return every look at the holdout of a run, attempts before drafts, the newest run first."""
    return choose_looks(run, list_looks(project, project.store.list_attempts()))


def choose_looks(run: Run, every: Sequence[Look], kept: KeptResults | None = None) -> list[Look]:
    """Return those of the looks that were at the holdout of a run; which ones are the same is `kept`, by their digests.

    A holdout of nearly the same rows (see `are_same_rows`) is the same one. Rows that are no longer kept are known by their digest.
    """
    same = _find_same(holdout_digest(run), every, kept)
    return [look for look in every if look.digest in same]


def find_looks_at(project: Project, digest: str) -> list[Look]:
    """Return the looks at just these rows, of very many the first ones; what is nearly them only `find_looks` knows.

    It reads no rows: what it says of when and how often they were seen may be more in truth, and never less.
    """
    attempts = project.store.list_attempts_naming(digest, limit=_MOST_LOOKS)
    looks = [look for run in attempts if (look := look_of_run(run, project.settings.runs_folder / run.id))]
    return [look for look in (*looks, *_looks_of_drafts(project.settings.drafts_folder)) if look.digest == digest]


def _looks_of_attempts(settings: Settings, attempts: Iterable[Run]) -> Iterator[Look]:
    latest, newest, aside = set[str](), settings.runs_folder, settings.attempts_folder
    for run in attempts:
        folder = aside / f"{run.id}-{run.attempt}" if run.id in latest else newest / run.id
        latest.add(run.id)
        if look := look_of_run(run, folder):
            yield look


def _looks_of_drafts(folder: Path) -> Iterator[Look]:
    for journal in sorted(folder.glob(f"*/{LOOKS}")):
        with suppress(OSError, ValueError):
            yield from looks_of_draft(journal.parent, read_plain_file(journal))


def _find_same(digest: str | None, looks: Sequence[Look], kept: KeptResults | None) -> set[str | None]:
    """Return the digests under which the rows of a holdout were looked at."""
    by_digest = {look.digest: look for look in reversed(looks)}  # of each the newest attempt's, which is rather kept
    mine = by_digest.get(digest or "")
    if mine is None:
        return {digest}
    others = [each for each in by_digest.values() if each is not mine and may_be_same_size(each.rows, mine.rows)]
    known = kept.find_same([_pair(mine, each) for each in others]) if kept and others else {}
    fresh = _judge_same(mine, [each for each in others if _pair(mine, each) not in known])
    if kept:
        kept.keep_same(fresh)
    known |= fresh
    return {digest, *(each.digest for each in others if known.get(_pair(mine, each)))}


def _pair(one: Look, other: Look) -> str:
    return " ".join(sorted((one.digest, other.digest)))


def _judge_same(mine: Look, others: Sequence[Look]) -> dict[str, bool]:
    """Return of each of the others whether its rows are the same, where both are still kept."""
    if not others or (own := _read_rows(mine)) is None:
        return {}
    read = {_pair(mine, each): _read_rows(each) for each in others}
    return {pair: are_same_rows(own, rows) for pair, rows in read.items() if rows is not None}


def _read_rows(look: Look) -> NamedRows | None:
    """Return the rows of a holdout as they were kept, the target under one name."""
    if (kept := _read_kept(look)) is None:
        return None
    table, columns = kept
    return NamedRows(
        table.row_ids, {_TARGET if name == table.target else name: texts for name, texts in columns.items()}
    )


def _read_kept(look: Look) -> tuple[LoggedTable, Mapping[str, Sequence[str]]] | None:
    """Return a holdout as it was logged, with its columns as texts; None where it is gone, or another by now."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        table = next((each for each in _read_tables(look.folder) if each.fact.digest == look.digest), None)
        columns = parse_texts(read_plain_file(look.folder / HOLDOUT))
        if table is not None and columns is not None and {len(each) for each in columns.values()} == {look.rows}:
            return table, columns
    return None


def _read_tables(folder: Path) -> list[LoggedTable]:
    return [_read_table(path) for path in sorted((folder / DATASETS).glob("*.json"))]


def _read_table(path: Path) -> LoggedTable:
    return read_table(path.name, strict_json(read_plain_file(path)))


# Other splits of the same data


def find_other_splits(project: Project, run: Run, looks: Sequence[Look]) -> OtherSplits:
    """Return the looks at other holdouts, besides `looks`, that had rows of the run's at hand, of very many the newest."""
    return choose_splits(project.settings, run, looks, list_looks(project, project.store.list_attempts()))


def choose_splits(settings: Settings, run: Run, looks: Sequence[Look], every: Sequence[Look]) -> OtherSplits:
    """Return the same of all looks there are."""
    same = {look.digest for look in looks}
    own = look_of_run(run, settings.runs_folder / run.id)
    others = [look for look in every if look.digest not in same]
    return find_splits(own, others) if own is not None and others else NO_SPLITS


def find_splits(own: Look, others: Sequence[Look]) -> OtherSplits:
    """Return the same of looks at other holdouts; rows that are no longer kept are not known again.

    Of a draft the tables of its last split are kept: each of its holdouts is judged by these.
    """
    if (kept := _read_kept(own)) is None:
        return NO_SPLITS
    groups: dict[object, list[Look]] = {}
    for look in others:
        groups.setdefault(look.digest if look.run is not None else look.folder, []).append(look)
    holdout = _RoundedHoldout(*kept)
    found = (holdout.find_at_hand(group) for group in list(groups.values())[:_MOST_HOLDOUTS])
    return judge_splits([each for each in found if each is not None])


class _RoundedHoldout:
    """A holdout whose rows are known again in other tables, which were each rounded to steps of their own."""

    def __init__(self, table: LoggedTable, columns: Mapping[str, Sequence[str]]) -> None:
        self._table, self._rows = table, read_columns(columns)
        self._round = lru_cache(maxsize=1)(self._round_to)  # the tables of one run were rounded alike

    def find_at_hand(self, looks: Sequence[Look]) -> RowsAtHand | None:
        """Return which rows looks at one other holdout had at hand; None where nobody can tell, or its target is another."""
        with suppress(OSError, ValueError, KeyError, TypeError):
            tables = _read_tables(looks[0].folder)
            held_out = [table for table in tables if table.fact.role == "holdout"]
            if len({table.target for table in (self._table, *held_out)} - {None}) <= 1:
                found = [(table, self._find_in(table)) for table in tables]
                last = self._any_of(each for table, each in found if table.fact.role == "holdout")
                return RowsAtHand(tuple(looks), self._any_of(each for _, each in found), last)
        return None

    def _any_of(self, found: Iterable[Sequence[bool]]) -> list[bool]:
        return [any(row) for row in zip(*found, strict=True)] or [False] * len(self._rows)

    def _find_in(self, table: LoggedTable) -> list[bool]:
        """Return which rows stand in a table, by the columns that it has: they must be columns here, and half of these."""
        steps, known = table.steps or {}, set(self._rows.columns)
        if table.rounded is None or not steps.keys() <= known or 2 * len(steps) < len(known):
            return [False] * len(self._rows)
        own = DigestedRows(self._table.row_ids, self._round(tuple(sorted(steps.items()))))
        return find_shared_rows(own, DigestedRows(table.row_ids, table.rounded))

    def _round_to(self, steps: tuple[tuple[str, float], ...]) -> list[str]:
        return round_rows(self._rows[[name for name, _ in steps]], dict(steps))

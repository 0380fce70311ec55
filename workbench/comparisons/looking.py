"""Looking: every time that somebody had a holdout at hand, in the runs and drafts of a project, whatever order its rows were in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from workbench.comparisons.holdouts import holdout_digest
from workbench.config import Settings
from workbench.records.digest import strict_json
from workbench.runs.folder import DATASETS, HOLDOUT, LOOKS
from workbench.runs.logged_calls import read_plain_file
from workbench.runs.looks import Look, look_of_run, looks_of_draft
from workbench.runs.project import Project
from workbench.runs.run import Run
from workbench.runs.tables import LoggedTable, parse_texts, read_table
from workbench.stats.same_rows import NamedRows, are_same_rows, may_be_same_size

# The target's name, whatever a table calls it: no column that was logged can have it beside others.
_TARGET = "\0target"
_MOST_LOOKS = 1_000


def find_looks(project: Project, run: Run) -> list[Look]:
    """Return every look at the holdout of a run, attempts before drafts, the newest run first.

    A holdout of nearly the same rows (see `are_same_rows`) is the same one. Rows that are no longer kept are known by their digest.
    """
    looks = [*_looks_of_attempts(project), *_looks_of_drafts(project.settings.drafts_folder)]
    same = _find_same(holdout_digest(run), looks)
    return [look for look in looks if look.digest in same]


def find_looks_at(project: Project, digest: str) -> list[Look]:
    """Return the looks at just these rows, of very many the first ones; what is nearly them only `find_looks` knows.

    It reads no rows: what it says of when and how often they were seen may be more in truth, and never less.
    """
    attempts = project.store.list_attempts_naming(digest, limit=_MOST_LOOKS)
    looks = [look for run in attempts if (look := look_of_run(run, project.settings.runs_folder / run.id))]
    return [look for look in (*looks, *_looks_of_drafts(project.settings.drafts_folder)) if look.digest == digest]


def _looks_of_attempts(project: Project) -> Iterator[Look]:
    latest: set[str] = set()
    for run in project.store.list_attempts():
        folder = _folder_of(run, project.settings, is_latest=run.id not in latest)
        latest.add(run.id)
        if look := look_of_run(run, folder):
            yield look


def _folder_of(attempt: Run, settings: Settings, *, is_latest: bool) -> Path:
    kept_aside = settings.attempts_folder / f"{attempt.id}-{attempt.attempt}"
    return settings.runs_folder / attempt.id if is_latest else kept_aside


def _looks_of_drafts(folder: Path) -> Iterator[Look]:
    for journal in sorted(folder.glob(f"*/{LOOKS}")):
        with suppress(OSError, ValueError):
            yield from looks_of_draft(journal.parent, read_plain_file(journal))


def _find_same(digest: str | None, looks: Sequence[Look]) -> set[str | None]:
    """Return the digests under which the rows of a holdout were looked at."""
    by_digest = {look.digest: look for look in reversed(looks)}  # of each the newest attempt's, which is rather kept
    if digest not in by_digest or (own := _read_rows(by_digest[digest])) is None:
        return {digest}
    others = [look for look in by_digest.values() if may_be_same_size(look.rows, len(own.names))]
    return {digest, *(look.digest for look in others if look.digest != digest and _is_same(own, look))}


def _is_same(own: NamedRows, look: Look) -> bool:
    rows = _read_rows(look)
    return rows is not None and are_same_rows(own, rows)


def _read_rows(look: Look) -> NamedRows | None:
    """Return the rows of a holdout as they were kept; None where they are gone, or others by now."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        tables = [_read_table(path) for path in sorted((look.folder / DATASETS).glob("*.json"))]
        table = next((each for each in tables if each.fact.digest == look.digest), None)
        columns = parse_texts(read_plain_file(look.folder / HOLDOUT))
        if table is not None and columns is not None and {len(each) for each in columns.values()} == {look.rows}:
            named = {_TARGET if name == table.target else name: texts for name, texts in columns.items()}
            return NamedRows(table.row_ids, named)
    return None


def _read_table(path: Path) -> LoggedTable:
    return read_table(path.name, strict_json(read_plain_file(path)))

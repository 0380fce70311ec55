"""Drafts: what is kept of notebooks that somebody ran by hand, whatever of it can be read; shown as such, and never promotable."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.config import Settings
from workbench.errors import NotFound
from workbench.records.clock import find_moment
from workbench.runs.finding.outline import Outline
from workbench.runs.folder import DELETED_DRAFT, DRAFT, LOGGED_METRICS, LOOKS
from workbench.runs.logged_calls import read_logged_calls, read_plain_file
from workbench.runs.looks import looks_of_draft


@dataclass(frozen=True)
class Draft:
    """A notebook that was run by hand: which (empty: nobody knows), when it began and logged last, what it logged so far.

    Times are ISO 8601 in UTC; `holdouts` are the digests and row counts of those it had at hand.
    """

    id: str
    notebook: str
    created: str
    changed: str
    metrics: Mapping[str, float] = field(default_factory=dict)
    holdouts: Sequence[Mapping[str, Any]] = ()

    def outline(self) -> Outline:
        """Return it as conditions see it."""
        return Outline(
            self.id,
            "draft",
            self.created,
            self.notebook,
            started=self.created,
            ended=self.changed,
            metrics=json.dumps(dict(self.metrics)),
        )


def list_drafts(settings: Settings, *, notebook: str | None = None) -> list[Draft]:
    """Return what is kept of notebooks that were run by hand, newest first."""
    found = [each for each in _read_drafts(settings) if notebook is None or each.notebook == notebook]
    return sorted(found, key=lambda draft: draft.created, reverse=True)


def list_draft_folders(settings: Settings) -> list[Path]:
    """Return the folders of drafts, but for those that were deleted and of which only a look at a holdout is left."""
    folder = settings.drafts_folder
    found = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()] if folder.is_dir() else []
    return [path for path in found if not (path / DELETED_DRAFT).exists()]


def find_draft(settings: Settings, text: str) -> Path | None:
    """Return the folder of the one draft whose id is this text, or begins with it; None where there is none, or more than one."""
    found = [path for path in list_draft_folders(settings) if text and path.name.startswith(text)]
    return found[0] if len(found) == 1 else None


def explain_draft(settings: Settings, text: str) -> NotFound | None:
    """Return what to say to somebody who asks for a run by the id of a draft; None where it is not one."""
    folder = find_draft(settings, text)
    if folder is None:
        return None
    notebook = read_draft(folder, settings.project).notebook
    return NotFound(
        f"{folder.name} is a draft, not a run.",
        why="A notebook run by hand is kept, but its cells may have run in any order: nothing is decided by it.",
        next_step=f"To make it a run: `workbench run {shlex.quote(notebook or 'NOTEBOOK')}`. `workbench open {folder.name}` shows"
        f" what is kept, `workbench delete {folder.name}` removes it.",
    )


def _read_drafts(settings: Settings) -> Iterator[Draft]:
    for path in list_draft_folders(settings):
        with suppress(OSError):  # it may just be going
            yield read_draft(path, settings.project)


def read_draft(folder: Path, project: Path) -> Draft:
    """Return what can be read of a draft in its folder; raises OSError where that is going."""
    times = sorted(path.lstat().st_mtime for path in [folder, *folder.iterdir()])
    first, last = (datetime.fromtimestamp(time, UTC).isoformat() for time in (times[0], times[-1]))
    notebook, created = _read_beginning(folder)
    path = Path(notebook)
    logged = read_logged_calls(folder, {}, own=LOGGED_METRICS)
    return Draft(
        id=folder.name,
        notebook=str(path.relative_to(project)) if notebook and path.is_relative_to(project) else notebook,
        created=created or first,
        changed=last,
        metrics=logged.metrics if logged else {},
        holdouts=_read_holdouts(folder),
    )


def _read_beginning(folder: Path) -> tuple[str, str]:
    """Return the notebook and the time that a draft says; empty where it says none, as one of before."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads(read_plain_file(folder / DRAFT))
        notebook, created = str(said["notebook"]), str(said["created"])
        if find_moment(created) and notebook.isprintable():
            return notebook, created
    return "", ""


def _read_holdouts(folder: Path) -> tuple[dict[str, object], ...]:
    with suppress(OSError, ValueError):
        looks = looks_of_draft(folder, read_plain_file(folder / LOOKS))
        return tuple({"digest": look.digest, "rows": look.rows} for look in looks)
    return ()

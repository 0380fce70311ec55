"""Drafting: what a notebook logs that is run by hand goes into a folder of its own, and the notebook says so."""

from __future__ import annotations

import json
import secrets
import shlex
from pathlib import Path

from workbench.config import Settings
from workbench.records.clock import utc_now
from workbench.runs.folder import DRAFT


def begin_draft(settings: Settings, notebook: str) -> Path:
    """Make the folder of a draft and print what it is; `notebook` is the path of the one that is open, empty where nobody knows."""
    folder = settings.drafts_folder / secrets.token_hex(4)
    folder.mkdir(parents=True)
    (folder / DRAFT).write_text(json.dumps({"created": utc_now(), "notebook": notebook}), encoding="utf-8")
    print(_describe_draft(folder, settings.project, Path(notebook)))  # noqa: T201 - the notebook's own output
    return folder


def _describe_draft(folder: Path, project: Path, path: Path) -> str:
    """Say in one line that this is no run, where what is logged lies, and how to make it one."""
    notebook = _name_in(project, path) if path.is_absolute() else "NOTEBOOK"
    return (
        f"Draft {folder.name}, run by hand: kept in {_name_in(project, folder)}, never promotable. To make it a run: Run in "
        f"JupyterLab's Workbench panel, or `workbench run {shlex.quote(notebook)}`."
    )


def _name_in(project: Path, path: Path) -> str:
    """Return a path as it is called in a project; its whole path outside."""
    return str(path.relative_to(project) if path.is_relative_to(project) else path)

"""Checking: a notebook is read, what it needs is looked up, and what is in the way is told; nothing of it is run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.config import Settings
from workbench.errors import UsageError
from workbench.notebooks.locating import name_notebook
from workbench.notebooks.notebook import Notebook, find_notebook_fault, parse_notebook
from workbench.readiness.hindrance import Readiness
from workbench.readiness.kinds import find_hindrances
from workbench.readiness.notebook_code import NotebookCode
from workbench.readiness.surroundings import Refusal
from workbench.readiness.surveying import survey


def check_file(path: Path, settings: Settings) -> Readiness:
    """Say what a notebook will meet when it runs; raises NotFound where there is none, UsageError for what is no notebook."""
    name = name_notebook(path, settings.project)
    try:
        return _check(name, path.read_bytes(), path.resolve().parent, settings)
    except RecursionError as exc:
        raise UsageError(
            f"{name} cannot be checked.",
            why="A cell is nested too deeply to be read.",
            next_step="Give what is nested names of its own.",
        ) from exc


def _check(name: str, content: bytes, folder: Path, settings: Settings) -> Readiness:
    parsed = _parse(name, content)
    document = _read_document(content)
    if document is None:
        assert isinstance(parsed, UsageError)
        raise parsed
    code = NotebookCode(document, parsed.parameters if isinstance(parsed, Notebook) else ())
    around = survey(document, code, folder, settings)
    if isinstance(parsed, UsageError):
        refusal = Refusal(
            " ".join([parsed.what, *(each[:1].upper() + each[1:] for each in parsed.reasons)]), parsed.next_step
        )
        around = replace(around, refusals=(refusal, *around.refusals))
    hindrances = tuple(find_hindrances(code, around))
    return Readiness(name, len(code.cells) + len(code.skipped), hindrances, around.unknown)


def _parse(name: str, content: bytes) -> Notebook | UsageError:
    try:
        return parse_notebook(name, content)
    except UsageError as exc:
        return exc


def _read_document(content: bytes) -> dict[str, Any] | None:
    """Return the notebook with its outputs, None for what is none at all."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return None if find_notebook_fault(document) else document

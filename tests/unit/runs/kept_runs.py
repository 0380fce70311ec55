"""Runs as a folder has them, with a record that says so."""

from __future__ import annotations

from pathlib import Path

from tests.unit.people import AUTHOR
from workbench.files.trees import read_tree
from workbench.models.predictions import Predictions, parse_predictions
from workbench.records.digest import sha256_hex
from workbench.runs.folder import PREDICTIONS
from workbench.runs.kept_run import KeptRun
from workbench.runs.run import Run, RunState

ENDED = "2026-01-01T00:00:00+00:00"


def keep(folder: Path) -> KeptRun:
    """A finished run that left this folder behind."""
    files = read_tree(folder)
    record = {"files": {path: sha256_hex(content) for path, content in files.items()}}
    run = Run(folder.name, "train.ipynb", "ab" * 32, {}, {}, AUTHOR, ENDED, state=RunState.FINISHED, record=record)
    return KeptRun(run, files)


def read_predictions(folder: Path) -> Predictions:
    return parse_predictions((folder / PREDICTIONS).read_bytes(), folder.name)

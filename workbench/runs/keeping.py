"""Keeping: what a run left behind is read once, whole, or its predictions alone."""

from __future__ import annotations

from pathlib import Path

from workbench.files.trees import read_tree
from workbench.models.predictions import Predictions, parse_predictions, unusable
from workbench.runs.folder import PREDICTIONS
from workbench.runs.kept_run import KeptRun, require_recorded
from workbench.runs.logged_calls import read_plain_file
from workbench.runs.run import Run


def read_kept_run(run: Run, folder: Path) -> KeptRun:
    """Read every file of a run, each once; raises Refused for what is no plain file, Unavailable when the disk does not answer."""
    return KeptRun(run, read_tree(folder))


def read_recorded(run: Run, folder: Path) -> Predictions:
    """Read what a finished run predicted, and nothing else; raises UsageError also where that is not what was recorded."""
    try:
        content = read_plain_file(folder / PREDICTIONS)
    except FileNotFoundError:
        content = None
    except (OSError, ValueError) as exc:
        raise unusable(run.id, [str(exc)]) from exc
    return parse_predictions(require_recorded(run, content), run.id)

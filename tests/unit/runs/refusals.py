"""A model that is not logged: what was said of it, as its run keeps it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import workbench as wb
from workbench.models.servability import RefusedModel
from workbench.runs import spool
from workbench.runs.folder import REFUSAL
from workbench.runs.refusal import Refusal, parse_refusal


def refuse(model: Any, features: Any) -> Refusal:
    """Log a model that no endpoint could take or answer and return why it is refused; nothing of it is kept."""
    folder = Path(os.environ[spool.FOLDER_VARIABLE])
    assert isinstance(wb.log_model(model, features), RefusedModel)
    assert not (folder / spool.MODEL).exists()
    return parse_refusal((folder / REFUSAL).read_bytes())

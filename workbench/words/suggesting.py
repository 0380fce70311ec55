"""The command that is likely to come next, as it would be typed."""

from __future__ import annotations

import re
from pathlib import PurePath


def suggest_nominating(run_id: str, notebook: str) -> str:
    """Return the command that nominates a run, its model named after its notebook; without one the name is left to fill in."""
    return f"workbench nominate {run_id} --model {_name_model(notebook) if notebook else 'NAME'}"


def _name_model(notebook: str) -> str:
    stem = PurePath(notebook).stem.lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).lstrip("-0123456789")[:63].rstrip("-") or "model"

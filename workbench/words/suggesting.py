"""The command that is likely to come next, as it would be typed: all rows before some, then the best before reviewers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from workbench.comparisons.comparison import Comparison, RunComparison


def suggest_nominating(run_id: str, notebook: str) -> str:
    """Return the command that nominates a run, its model named after its notebook; without one the name is left to fill in."""
    return f"workbench nominate {run_id} --model {_name_model(notebook) if notebook else 'NAME'}"


def _name_model(notebook: str) -> str:
    stem = PurePath(notebook).stem.lower()
    return re.sub(r"[^a-z0-9]+", "-", stem).lstrip("-0123456789")[:63].rstrip("-") or "model"


@dataclass(frozen=True)
class NextStep:
    """What is likely to come next: why, and the command as it would be typed."""

    text: str
    command: str


def find_next_step(comparison: Comparison) -> NextStep:
    """Return what is likely to come next."""
    told = comparison if isinstance(comparison, RunComparison) else None
    if told and told.within:
        together = f" --all-but {','.join(told.all_but)}" if told.all_but else ""
        return NextStep("Reviewers judge all rows. To compare on these:", f"workbench compare{together}")
    notebook = told.notebooks[0] if told and len(told.notebooks) == 1 else ""
    best, reference = comparison.best, comparison.reference_run
    sign = 1 if comparison.direction == "higher" else -1
    if reference and sign * comparison.reference_value > sign * best.value:
        text = "The reference has the best value. To put it before reviewers:"
        return NextStep(text, suggest_nominating(reference, notebook))
    which = "the newest of the best" if told and told.all_but else "the best of them"
    return NextStep(f"To put {which} before reviewers:", suggest_nominating(best.run_id, notebook))

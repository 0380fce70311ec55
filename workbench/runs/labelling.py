"""Labelling: of which group or time each row is that something is predicted for, as the holdout that was logged names them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from workbench.runs.folder import HOLDOUT
from workbench.runs.tables import parse_texts, path_of_table
from workbench.stats.units import KINDS, Units, label_rows


def read_units(folder: Path, rows: Sequence[str]) -> Units | None:
    """Return the units of rows, by their ids, from the folder of a run or draft.

    None where its holdout names none, has not all of these rows, or is not logged yet.
    """
    import numpy as np

    path = folder / path_of_table("holdout", "holdout")
    holdout = json.loads(path.read_bytes()) if path.exists() else {}
    kind = next((kind for kind in KINDS if kind in holdout), None)
    if kind is None:
        return None
    texts, known = parse_texts((folder / HOLDOUT).read_bytes()), {row: at for at, row in enumerate(holdout["row_ids"])}
    if texts is None or not known.keys() >= {*rows}:
        return None
    return label_rows(kind, texts[holdout[kind]]).take(np.array([known[row] for row in rows], dtype=np.int64))


def describe_few(name: str, units: Units) -> str:
    """Say that there are too few units for an interval; empty where there are enough."""
    from workbench.stats.resamples import FEWEST_DRAWS

    drawn = units.count()
    if drawn.draws >= FEWEST_DRAWS:
        return ""
    blocks = f", which are {drawn.draws:,} blocks" if drawn.length > 1 else ""
    found = f"{drawn.count:,} {'groups' if drawn.kind == 'group' else 'times'}{blocks}"
    return (
        f"Column {name} of the holdout has {found}. Fewer than {FEWEST_DRAWS} carry no interval, so no run will be called better "
        "or worse on these rows: hold out more of them, or name a finer column."
    )

"""The boosters in `booster_texts`, as models without their library, and the library's answers to the rows beside them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from workbench.models.boosters.stand_ins import BoostedClassifier, BoostedRegressor

FOLDER = Path(__file__).with_name("booster_texts")
NAMES = sorted(path.stem for path in FOLDER.glob("*.json"))


@cache
def read_file(name: str) -> dict[str, Any]:
    """Return what was written of a booster; not to be changed."""
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def rows_beside(name: str) -> np.ndarray:
    """Return the rows that the library answered."""
    return np.array(read_file(name)["rows"], dtype=float)


def make_text(name: str, text: str | None = None) -> Any:
    """Return a booster as it stands in a model, with another text where one is given."""
    said = read_file(name)
    kind = BoostedRegressor if said["classes"] is None else BoostedClassifier
    decides = said["library"] == "lightgbm" and kind is BoostedClassifier
    made = kind(said["library"], (said["text"] if text is None else text).encode(), said["missing"], decides)
    if said["classes"] is not None:
        made.classes_ = np.array(said["classes"])
    return made

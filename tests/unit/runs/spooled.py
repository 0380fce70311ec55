"""A table and features to log, and what was kept of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.errors import UsageError
from workbench.runs.folder import DATASETS

TABLE = pd.DataFrame(
    {
        "age": [31, 42, 57],
        "weight": [61.5, np.nan, 80.25],
        "smoker": [True, False, True],
        "town": ["Bern", "Ulm", None],
    },
    index=[7, 3, 5],
)


def reasons_of(call) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        call()
    assert caught.value.what
    assert caught.value.next_step
    return caught.value.reasons


def datasets(folder: Path) -> list[dict]:
    return [json.loads(path.read_bytes()) for path in sorted((folder / DATASETS).glob("*.json"))]


FEATURES = pd.DataFrame({"age": [31, 42, 57, 22], "weight": [61.5, 70.0, 80.25, 55.0]})


TWO_CLASSES = [0, 1, 1, 0]

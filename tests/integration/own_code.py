"""A notebook whose model holds own code: a transformer of `features.py`, which imports `scaling.py` beside it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.conftest import NOTEBOOKS

FEATURES = '''"""Own features."""

import numpy as np
from scaling import shift
from sklearn.base import BaseEstimator, TransformerMixin

WIDTH = 1.0


class Centre(TransformerMixin, BaseEstimator):
    def fit(self, values, truth=None):
        self.middle_ = np.asarray(values).mean(axis=0)
        return self

    def transform(self, values):
        return shift(np.asarray(values), self.middle_) / WIDTH


def add_ratio(values):
    values = np.asarray(values)
    return np.column_stack([values, values[:, 0] / 3])
'''
SCALING = """def shift(values, middle):
    return values - middle
"""


def write_notebook(folder: Path, *, features: str = FEATURES, scaling: str = SCALING) -> Path:
    """Write the notebook with its modules beside it; the rest of it is `logs_everything`."""
    folder.mkdir(exist_ok=True)
    (folder / "features.py").write_text(features, encoding="utf-8")
    (folder / "scaling.py").write_text(scaling, encoding="utf-8")
    document = json.loads((NOTEBOOKS / "logs_everything.ipynb").read_bytes())
    for cell in document["cells"]:
        source = "".join(cell["source"])
        if "StandardScaler()" in source:
            source = source.replace("from sklearn.preprocessing import StandardScaler", "from features import Centre")
            cell["source"] = source.replace("StandardScaler()", "Centre()").splitlines(keepends=True)
    path = folder / "holds_own_code.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path

"""Rows as a notebook would log them."""

from __future__ import annotations

import numpy as np
import pandas as pd


def table(rows=200, seed=0):
    generator = np.random.default_rng(seed)
    data = pd.DataFrame({"x": generator.normal(size=rows), "kind": generator.choice(["a", "b"], rows)})
    data["bought"] = (data.x + generator.normal(size=rows) > 0).astype(int)
    data["score"] = 1 / (1 + np.exp(-2 * data.x))
    return data

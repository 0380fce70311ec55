"""The confusion matrix: how often each class was called what."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from workbench.stats.metrics import Floats


def confusion_matrix(truth: Floats, called: Floats, classes: int) -> NDArray[np.int64]:
    """Return how many rows of each class (a line) were called each class (a column); both are places of classes, shape (n,)."""
    cells = truth.astype(np.int64) * classes + called.astype(np.int64)
    return np.bincount(cells, minlength=classes * classes).reshape(classes, classes)

"""ROC and precision-recall curves: what each threshold on a score would find, and at what price.

Fawcett 2006, "An introduction to ROC analysis", Pattern Recognition Letters 27:861-874; Davis and Goadrich 2006, "The
relationship between precision-recall and ROC curves".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from workbench.stats.metrics import Floats

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Ranking:
    """How many positive and negative rows score at least as high as each different score, from the highest on; shape (k,)."""

    positives: Counts
    negatives: Counts

    @property
    def roc(self) -> Floats:
        """Return false positive rate and true positive rate, shape (k + 1, 2), from none called to all called."""
        return np.stack([_from_zero(self.negatives), _from_zero(self.positives)], axis=1)

    @property
    def precision_recall(self) -> Floats:
        """Return recall and precision, shape (k, 2), by ascending recall."""
        recall = self.positives / self.positives[-1]
        return np.stack([recall, self.positives / (self.positives + self.negatives)], axis=1)

    def thinned_for_roc(self, most: int) -> Ranking:
        """Return at most so many of the scores, the first and the last bend among them, evenly along the ROC curve."""
        kept = _bends(self.positives, self.negatives)
        if len(kept) > most:
            # In whole numbers, so that every machine keeps the same ones.
            path = self.positives * self.negatives[-1] + self.negatives * self.positives[-1]
            kept = np.unique(kept[_nearest(path[kept], most)])
        return Ranking(self.positives[kept], self.negatives[kept])

    def thinned_for_recall(self, most: int) -> Ranking:
        """Return at most so many of the scores, evenly by recall, each with the one before it: there precision turns."""
        kept = np.arange(len(self.positives))
        if len(kept) > most:
            at = _nearest(self.positives, most // 2 - 1)
            kept = np.unique(np.concatenate([[0], at, np.maximum(at - 1, 0), kept[-1:]]))
        return Ranking(self.positives[kept], self.negatives[kept])


def rank(is_positive: NDArray[np.bool_], score: Floats) -> Ranking | None:
    """Return how a score ranks the rows of a class before the others, both shape (n,); None where all are of one kind."""
    order = np.argsort(-score, kind="stable")
    last_of_score = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    positives = np.cumsum(is_positive[order], dtype=np.int64)[last_of_score]
    negatives = last_of_score + 1 - positives
    return Ranking(positives, negatives) if positives[-1] and negatives[-1] else None


def _from_zero(counts: Counts) -> Floats:
    return np.concatenate([[0], counts]) / counts[-1]


def _nearest(path: Counts, most: int) -> Counts:
    """Return where a growing count reaches each of so many equal parts of its end."""
    wanted = path[-1] * np.arange(most) // (most - 1)
    return np.minimum(np.searchsorted(path, wanted), len(path) - 1)


def _bends(positives: Counts, negatives: Counts) -> Counts:
    """Return where the ROC curve turns; between two of these it is a straight line, and so needs no point."""
    up, right = np.diff(positives, prepend=0), np.diff(negatives, prepend=0)
    turns = up[:-1] * right[1:] != up[1:] * right[:-1]
    return np.flatnonzero(np.append(turns, True))

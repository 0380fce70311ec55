"""The mean of a metric over several scores of the same rows, such as those of a model trained with several seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.stats.metrics import Floats, Metric


def stack(scores: Sequence[Floats]) -> Floats:
    """Return scores (n,) or (n, classes) side by side, as an averaged metric reads them: (n, count) or (n, count * classes)."""
    return scores[0] if len(scores) == 1 else np.column_stack(list(scores))


def average(metric: Metric, count: int) -> Metric:
    """Return the metric whose value is the mean over so many scores, which are stacked; one of one score is itself.

    On a resample of rows all scores are judged on the same rows: what differs between them by chance of training is averaged,
    and the chance that these scores and no others were trained is no part of an interval.
    """
    if count == 1:
        return metric
    influence = metric.influence

    def evaluate(truth: Floats, stacked: Floats, weights: Floats) -> Floats:
        return np.mean([metric.evaluate(truth, score, weights) for score in _split(stacked, count)], axis=0)

    def find_influence(truth: Floats, stacked: Floats) -> Floats:
        assert influence is not None
        return np.mean([influence(truth, score) for score in _split(stacked, count)], axis=0)

    return replace(metric, evaluate=evaluate, influence=None if influence is None else find_influence)


def _split(stacked: Floats, count: int) -> list[Floats]:
    parts = np.split(stacked, count, axis=1)
    return [np.ascontiguousarray(part[:, 0]) if part.shape[1] == 1 else part for part in parts]

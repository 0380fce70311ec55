"""The mean of a metric over several scores of the same rows, such as those of a model trained with several seeds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from workbench.stats.metrics import Floats, Metric


def count_different(scores: Sequence[Floats]) -> int:
    """Return how many of the scores are not the same to the byte: so many are judged."""
    return len({score.tobytes() for score in scores})


def stack(scores: Sequence[Floats], width: int) -> Floats:
    """Return scores (n,) or (n, classes) side by side, as a metric that is averaged over at most `width` different ones reads them.

    First stands by how much of the mean each different score is, (n, width), then the scores, (n, width * classes); what is not
    there counts 0. Their order tells nothing. Where the width is one it is the score itself.
    """
    if width == 1:
        return scores[0]
    counts = Counter(score.tobytes() for score in scores)
    different = dict(sorted((score.tobytes(), score) for score in scores))
    shares = [counts[key] / len(scores) for key in different] + [0.0] * (width - len(different))
    missing = [np.zeros_like(scores[0])] * (width - len(different))
    return np.column_stack([np.tile(shares, (len(scores[0]), 1)), *different.values(), *missing])


def average(metric: Metric, width: int) -> Metric:
    """Return the metric whose value is the mean over scores that were stacked; of one different score it is itself.

    On a resample of rows all scores are judged on the same rows: what differs between them by chance of training is averaged,
    and the chance that these scores and no others were trained is no part of an interval.
    """
    if width == 1:
        return metric
    influence = metric.influence

    def evaluate(truth: Floats, stacked: Floats, weights: Floats) -> Floats:
        return _add([share * metric.evaluate(truth, score, weights) for share, score in _split(stacked, width)])

    def find_influence(truth: Floats, stacked: Floats) -> Floats:
        assert influence is not None
        return _add([share * influence(truth, score) for share, score in _split(stacked, width)])

    return replace(metric, evaluate=evaluate, influence=None if influence is None else find_influence)


def _add(parts: Sequence[Floats]) -> Floats:
    return np.sum(parts, axis=0)


def _split(stacked: Floats, width: int) -> list[tuple[float, Floats]]:
    """Return the scores that are there, each with its share of the mean."""
    shares, parts = stacked[0, :width], np.split(stacked[:, width:], width, axis=1)
    return [
        (float(share), np.ascontiguousarray(part[:, 0]) if part.shape[1] == 1 else part)
        for share, part in zip(shares, parts, strict=True)
        if share
    ]

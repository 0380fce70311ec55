"""How long an interval on 100,000 rows takes beside scipy's bootstrap, in processor seconds, and how far apart their bounds are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import bootstrap as scipy_bootstrap

from tests.benchmarks.line import Line
from workbench.stats.interval import Interval
from workbench.stats.metrics import METRICS
from workbench.stats.paired_bootstrap import paired_bootstrap, paired_bootstraps

ROWS, RESAMPLES, LEVEL = 100_000, 10_000, 0.95
# scipy ranks a resample of 100,000 rows in some ten milliseconds, 110,000 times: so many are measured and the rest reckoned.
_MEASURED = 200
# Rows at which scipy computes the bounds of a ranking whole in a minute.
_FEWER = 6_000
_ALLOWED = 0.03
_UNIT = "CPU-s"


def measure(_: Path) -> Iterator[Line]:
    """Log loss whole; AUC with scipy's work measured on a part of it, and whole on 6,000 rows for its bounds."""
    yield from _measure_log_loss(*draw(ROWS))
    yield from _measure_ranking(*draw(ROWS))
    yield from _measure_small()


def draw(rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return truth and two probabilities, the second noisier."""
    generator = np.random.default_rng(11)
    truth = (generator.random(rows) < 0.2).astype(float)
    evidence = 1.5 * truth - 2 + generator.normal(size=rows)
    return truth, *(1 / (1 + np.exp(-evidence - noise * generator.normal(size=rows))) for noise in (0.5, 0.55))


def _measure_log_loss(truth: np.ndarray, *scores: np.ndarray) -> Iterator[Line]:
    losses = [-np.where(truth == 1, np.log(each), np.log(1 - each)) for each in scores]

    def advantage(one: np.ndarray, other: np.ndarray, axis: int = -1) -> np.ndarray:
        return other.mean(axis=axis) - one.mean(axis=axis)

    ours, interval = _time(lambda: _bound("log_loss", truth, *scores), 3)
    theirs, found = _time(lambda: _ask_scipy(losses, advantage, RESAMPLES), 1)
    what = f"log loss, {RESAMPLES:,} resamples of {ROWS:,} rows"
    yield Line(f"interval of {what}", ours, "scipy.stats.bootstrap, paired, BCa", theirs, unit=_UNIT)
    yield _compare_bounds(what, interval, found)


def _measure_ranking(truth: np.ndarray, *scores: np.ndarray) -> Iterator[Line]:
    ours, _ = _time(lambda: _bound("roc_auc", truth, *scores), 3)
    part, _ = _time(lambda: _ask_scipy([truth, *scores], _find_ranking_advantage, _MEASURED, "percentile"), 1)
    theirs = [part[0] / _MEASURED * (RESAMPLES + ROWS)]
    other = f"scipy's: {_MEASURED} resamples measured, times {RESAMPLES:,} and a jackknife of {ROWS:,}"
    yield Line(f"interval of AUC, {RESAMPLES:,} resamples of {ROWS:,} rows", ours, other, theirs, unit=_UNIT)
    columns = draw(_FEWER)
    theirs, found = _time(lambda: _ask_scipy([*columns], _find_ranking_advantage, RESAMPLES), 1)
    ours, interval = _time(lambda: _bound("roc_auc", *columns), 3)
    what = f"AUC, {RESAMPLES:,} resamples of {_FEWER:,} rows"
    yield Line(f"interval of {what}", ours, "scipy.stats.bootstrap, paired, BCa", theirs, unit=_UNIT)
    yield _compare_bounds(what, interval, found)
    # Ten thousand resamples of scipy's are themselves off by 1.7 % of half the width, one standard error.
    found = _ask_scipy([*columns], _find_ranking_advantage, 4 * RESAMPLES)
    yield _compare_bounds(f"AUC, {4 * RESAMPLES:,} resamples of {_FEWER:,} rows", interval, found)


def _measure_small() -> Iterator[Line]:
    """What compare computes for a run it shows: beside the same alone, for twenty runs at once."""
    truth, score, reference = draw(1_000)
    generator = np.random.default_rng(0)
    scores = [np.clip(score + 0.01 * generator.normal(size=1_000), 0, 1) for _ in range(20)]
    for name in ("log_loss", "roc_auc"):
        metric = METRICS[name]
        rule = {"metric": metric, "level": 1 - 0.05 / 10_000}
        ours, _ = _time(lambda rule=rule: paired_bootstraps(truth, scores, reference, **rule), 3)
        theirs, _ = _time(lambda rule=rule: [paired_bootstrap(truth, each, reference, **rule) for each in scores], 3)
        yield Line(f"intervals of {name} of 20 runs on 1,000 rows", ours, "one by one", theirs, unit=_UNIT)


def _bound(name: str, truth: np.ndarray, score: np.ndarray, reference: np.ndarray) -> Interval:
    found = paired_bootstrap(truth, score, reference, METRICS[name], level=LEVEL, resamples=RESAMPLES)
    assert found is not None
    return found


def _ask_scipy(columns: list[np.ndarray], statistic: Callable[..., Any], resamples: int, method: str = "BCa") -> Any:
    # Without a batch it would ask for eighty gigabytes.
    return scipy_bootstrap(
        columns,
        statistic,
        paired=True,
        vectorized=True,
        method=method,
        batch=20,
        n_resamples=resamples,
        confidence_level=2 * LEVEL - 1,
        rng=np.random.default_rng(1),
    ).confidence_interval


def _find_ranking_advantage(truth: np.ndarray, one: np.ndarray, other: np.ndarray, axis: int = -1) -> np.ndarray:
    return _rank(truth, one) - _rank(truth, other)


def _rank(truth: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the areas by the sum of ranks: scores have no ties but those of a row drawn twice, which is of one class."""
    in_order = np.take_along_axis(truth, np.argsort(score, axis=-1), axis=-1)
    positives, rows = truth.sum(axis=-1), truth.shape[-1]
    return (in_order @ np.arange(1, rows + 1) - positives * (positives + 1) / 2) / (positives * (rows - positives))


def _compare_bounds(what: str, interval: Interval, found: Any) -> Line:
    half = (found.high - found.low) / 2
    off = max(abs(interval.low - found.low), abs(interval.high - found.high)) / half
    return Line(f"bounds of {what}: farthest off scipy's", [off], "what may be", [_ALLOWED], unit="half-widths")


def _time(action: Callable[[], Any], times: int) -> tuple[list[float], Any]:
    """Return the processor seconds of each time, and what the action returned."""
    took, found = [], None
    for _ in range(times):
        begun = time.process_time()
        found = action()
        took.append(time.process_time() - begun)
    return took, found

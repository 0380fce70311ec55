"""Evidencing: what the rows, scores and answers a run left behind say, computed here from its folder."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from workbench.comparisons.comparing import FolderOf, keep_distinct, read_recorded
from workbench.errors import UsageError
from workbench.evidence.facts import CalibrationFact, ColumnStrength, LeakageFact, SampleFact, TriesFact
from workbench.models.predictions import Predictions, read_order
from workbench.policies.policy import MetricRule
from workbench.records.row_digests import digest_row, spell
from workbench.runs import spool
from workbench.runs.collecting import LoggedTable
from workbench.runs.run import Run
from workbench.runs.tables import ColumnProfile, TableProfile
from workbench.stats.task import TASKS, has_classes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_STRONGEST = 10
# How two classes are written down where the scores call them 0 and 1.
_LABELS: tuple[dict[float, float], ...] = ({}, {0: 1, 1: 0}, {0: 1, 1: 2}, {0: 2, 1: 1}, {0: -1, 1: 1}, {0: 1, 1: -1})
_FEWEST_FOR_IDS = 50
_MOST_SCORED = 500
_FEWEST_FOR_CALIBRATION = 50
_FEWEST_OF_A_CLASS = 10


@dataclass(frozen=True)
class FeatureColumn:
    """One feature in the order of the predictions: numbers with NaN where missing, or texts with None.

    `spelled` are the values as the digest of a row has them.
    """

    name: str
    spelled: Sequence[Any]
    numbers: NDArray[np.float64] | None
    texts: Sequence[Any] | None
    is_whole: bool


def read_features(folder: Path) -> list[FeatureColumn] | None:
    """Return the holdout's feature rows, in the order of `read_predictions`; None when they are not one for each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    order = read_order(folder)
    try:
        table = pq.ParquetFile(folder / spool.FEATURES).read()
    except (pa.ArrowException, OSError):
        return None
    names = table.schema.names
    if table.num_rows != len(order) or len(set(names)) < len(names):
        return None
    return [_read_column(name, table.column(name).take(order)) for name in names]


def _read_column(name: str, column: Any) -> FeatureColumn:
    import numpy as np
    import pyarrow as pa

    kind, values = column.type, column.to_pylist()
    spelled = [None if value is None or value != value else spell(value) for value in values]  # NaN is not itself
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind):
        numbers = np.array([math.nan if value is None else float(value) for value in values])
        present = numbers[~np.isnan(numbers)]
        is_whole = not pa.types.is_boolean(kind) and bool(np.isfinite(present).all() and (present % 1 == 0).all())
        return FeatureColumn(name, spelled, numbers, None, is_whole)
    if pa.types.is_timestamp(kind) or pa.types.is_duration(kind):
        counts = column.cast(pa.int64()).to_pylist()
        # Two people may be born in one second, and no row is named by when it was.
        numbers = np.array([math.nan if count is None else float(count) for count in counts])
        return FeatureColumn(name, spelled, numbers, None, False)
    return FeatureColumn(name, spelled, None, [None if value is None else str(value) for value in values], False)


# Data


def describe_tables(
    tables: Sequence[LoggedTable], features: Sequence[FeatureColumn] | None
) -> tuple[TableProfile, ...]:
    """Return the profile of each table; the holdout's columns are counted here from the feature rows that were kept."""
    return tuple(_describe_table(table, features) for table in tables)


def _describe_table(table: LoggedTable, features: Sequence[FeatureColumn] | None) -> TableProfile:
    duplicates = len(table.row_digests) - len(set(table.row_digests))
    columns = None if table.profile is None else tuple(table.profile)
    recomputed = False
    if table.fact.role == "holdout" and features is not None:
        columns, recomputed = tuple(_describe_column(column) for column in features), True
    return TableProfile(table.fact.name, table.fact.role, table.fact.rows, duplicates, recomputed, columns)


def _describe_column(column: FeatureColumn) -> ColumnProfile:
    import numpy as np

    from workbench.stats.outlying import count_outlying

    if column.numbers is None:
        texts = [text for text in column.texts or () if text is not None]
        return ColumnProfile(column.name, len(column.texts or ()) - len(texts), len(set(texts)))
    present = column.numbers[~np.isnan(column.numbers)]
    missing, distinct = len(column.numbers) - len(present), len(np.unique(present))
    return ColumnProfile(column.name, missing, distinct, count_outlying(column.numbers))


# Leakage


def describe_leakage(features: Sequence[FeatureColumn] | None, predictions: Predictions) -> LeakageFact | None:
    """Return how much single features know; None without feature rows, or when no column can be judged on so few rows."""
    if features is None:
        return None
    found = [(column.name, _strength(column, predictions)) for column in features]
    judged = [ColumnStrength(name, strength) for name, strength in found if strength is not None]
    if not judged:
        return None
    return LeakageFact(
        features=len(features),
        judged=len(judged),
        measure=TASKS[predictions.task].alone,
        strongest=tuple(sorted(judged, key=lambda item: (-item.strength, item.name))[:_STRONGEST]),
        id_like=tuple(sorted(column.name for column in features if _is_id_like(column, predictions.rows))),
    )


def _strength(column: FeatureColumn, predictions: Predictions) -> float | None:
    from workbench.stats.feature_strength import category_strength, feature_strength

    if column.numbers is not None:
        return feature_strength(column.numbers, predictions.truth, predictions.task)
    return category_strength(column.texts or (), predictions.truth, predictions.task)


def _is_id_like(column: FeatureColumn, rows: Sequence[str]) -> bool:
    """True for whole numbers or texts of which every one is another, and for what is the name of its row."""
    values = column.texts if column.numbers is None else column.numbers.tolist()
    if values is None or len(values) < _FEWEST_FOR_IDS or len(set(values)) < len(values):
        return False
    return column.numbers is None or column.is_whole or _names_rows(column.numbers.tolist(), rows)


def _names_rows(values: Sequence[float], rows: Sequence[str]) -> bool:
    try:
        return [float(row) for row in rows] == list(values)
    except ValueError:
        return False


# Scores


def describe_sample(
    predictions: Predictions, tables: Sequence[LoggedTable] = (), features: Sequence[FeatureColumn] | None = None
) -> SampleFact:
    """Return how many rows the scores stand on, and how many of them are not the rows that were logged as the holdout."""
    holdout = next((table for table in tables if table.fact.role == "holdout"), None)
    strangers = _count_strangers(predictions, holdout, features) if holdout and features else None
    return SampleFact(len(predictions.rows), predictions.count_rarest(), strangers)


def _count_strangers(predictions: Predictions, holdout: LoggedTable, features: Sequence[FeatureColumn]) -> int | None:
    """Count rows whose features and truth do not give the digest that was logged; None when no row gives it."""
    names = {name for name, _ in holdout.types}
    label = names - {column.name for column in features}
    if len(label) != 1 or len(names) != len(features) + 1 or len(names) != len(holdout.types):
        return None
    place = sorted(names).index(label.pop())
    rows = list(zip(*(column.spelled for column in sorted(features, key=lambda each: each.name)), strict=True))
    logged = dict(zip(holdout.row_ids, holdout.row_digests, strict=True))
    strangers = len(rows)
    for spelling in _spellings(predictions):
        truth = [spell(spelling.get(each, each)) for each in predictions.truth.tolist()]
        found = [digest_row([*row[:place], own, *row[place:]]).hex() for row, own in zip(rows, truth, strict=True)]
        strangers = min(strangers, sum(a != logged.get(b) for a, b in zip(found, predictions.rows, strict=True)))
        if not strangers:
            break
    # Where not one row agrees, the truth is rather spelt otherwise than every row another one.
    return strangers if strangers < len(rows) else None


def _spellings(predictions: Predictions) -> Sequence[Mapping[float, Any]]:
    """Return how the truth may be written down in the table that was logged."""
    if not has_classes(predictions.task):
        return ({},)
    named: Mapping[float, Any] = dict(enumerate(predictions.named_classes()))
    return (named, *(_LABELS if predictions.task == "classification" else ({},)))


def describe_calibration(predictions: Predictions) -> CalibrationFact | None:
    """Return whether scores mean what they say; None on fewer than 50 rows, 10 of a class, or scores that are no probabilities."""
    rarest = predictions.count_rarest()
    too_few = rarest is not None and rarest < _FEWEST_OF_A_CLASS
    if len(predictions.rows) < _FEWEST_FOR_CALIBRATION or too_few:
        return None
    if predictions.task == "regression":
        return _describe_residuals(predictions)
    if predictions.task == "multiclass":
        return _describe_all_classes(predictions)
    return _describe_probabilities(predictions.truth, predictions.score)


def calibrate_classes(predictions: Predictions) -> list[CalibrationFact | None]:
    """Return of each class whether its probabilities mean what they say, against the rest; None where there are too few rows."""
    from workbench.stats.metrics import are_probabilities

    scores, truths = predictions.score, [predictions.truth == place for place in range(predictions.width)]
    rarest = [min(int(truth.sum()), int((~truth).sum())) for truth in truths]
    if len(predictions.rows) < _FEWEST_FOR_CALIBRATION or not are_probabilities(scores):
        return [None] * len(truths)
    return [
        _describe_probabilities(truth.astype(float), scores[:, place]) if few >= _FEWEST_OF_A_CLASS else None
        for place, (truth, few) in enumerate(zip(truths, rarest, strict=True))
    ]


def _describe_all_classes(predictions: Predictions) -> CalibrationFact | None:
    """Return the errors of all classes: their mean is the class-wise calibration error (Kull et al. 2019); there is no one line."""
    from workbench.stats.metrics import METRICS

    known = [fact for fact in calibrate_classes(predictions) if fact is not None]
    if len(known) < predictions.width:
        return None
    brier, log_loss = (
        METRICS[name].value(predictions.truth, predictions.score) for name in ("brier_score", "log_loss")
    )
    errors, by_chance = ([getattr(fact, name) for fact in known] for name in ("ece", "ece_by_chance"))
    return CalibrationFact(
        rows=len(predictions.rows),
        slope=None,
        slope_error=None,
        intercept=None,
        brier=brier,
        log_loss=log_loss,
        ece=sum(errors) / len(errors),
        ece_by_chance=sum(by_chance) / len(by_chance),
        bins=known[0].bins,
    )


def _describe_probabilities(truth: NDArray[np.float64], score: NDArray[np.float64]) -> CalibrationFact | None:
    from workbench.stats.calibration import (
        calibration_error_by_chance,
        choose_bins,
        expected_calibration_error,
        recalibrate,
    )
    from workbench.stats.metrics import METRICS

    brier, log_loss = (METRICS[name].value(truth, score) for name in ("brier_score", "log_loss"))
    if not math.isfinite(brier) or not math.isfinite(log_loss):
        return None
    line, bins = recalibrate(truth, score), choose_bins(len(truth))
    return CalibrationFact(
        rows=len(truth),
        slope=line.slope if line else None,
        slope_error=line.slope_error if line else None,
        intercept=line.intercept if line else None,
        brier=brier,
        log_loss=log_loss,
        ece=expected_calibration_error(truth, score, bins),
        ece_by_chance=calibration_error_by_chance(score, bins),
        bins=bins,
    )


def _describe_residuals(predictions: Predictions) -> CalibrationFact | None:
    from workbench.stats.calibration import mean_residual, regress

    line, bias = regress(predictions.truth, predictions.score), mean_residual(predictions.truth, predictions.score)
    if bias is None or not all(map(math.isfinite, bias)):
        return None
    return CalibrationFact(
        rows=len(predictions.rows),
        slope=line.slope if line else None,
        slope_error=line.slope_error if line else None,
        intercept=line.intercept if line else None,
        bias=bias[0],
        bias_error=bias[1],
    )


# Tries


def describe_tries(runs: Sequence[Run], rule: MetricRule, folder_of: FolderOf) -> TriesFact:
    """Return how often a holdout was looked at; `runs` are those scored on it, the newest first.

    A run that predicts to the byte what another did, as a replay does, is no other look.
    """
    from workbench.stats.metrics import METRICS

    distinct = keep_distinct(runs)
    rescored = (_rescore(run, folder_of(run), rule) for run in distinct[:_MOST_SCORED])
    values = [value for value in rescored if value is not None]
    best = max if METRICS[rule.name].direction == "higher" else min
    return TriesFact(
        metric=rule.name,
        runs=len(runs),
        distinct=len(distinct),
        scored=len(values),
        best=best(values, default=None),
        median=median(values) if values else None,
    )


def _rescore(run: Run, folder: Path, rule: MetricRule) -> float | None:
    from workbench.stats.metrics import METRICS

    try:
        predictions = read_recorded(run, folder)
    except UsageError:
        return None
    metric = METRICS[rule.name]
    is_judged = predictions.task in metric.tasks
    return metric.score(predictions.truth, predictions.read_by(metric)) if is_judged else None

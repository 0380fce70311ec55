"""The sample: how much a holdout can say, and whether the scored rows are its rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.evidence.features import FeatureColumn
from workbench.models.predictions import Predictions
from workbench.records.row_digests import digest_row, spell
from workbench.runs.tables import LoggedTable
from workbench.stats.task import has_classes


@dataclass(frozen=True)
class SampleFact:
    """How much the holdout can say: its rows, and those of the rarest class (None in regression).

    `strangers` counts scored rows that are not the holdout's: their features and their truth do not give the digest of the row
    that was logged under this name. None: features were left out or the truth is spelt otherwise, so nobody can tell.
    """

    rows: int
    rarer_class: int | None
    strangers: int | None = None


# How two classes are written down where the scores call them 0 and 1.
_LABELS: tuple[dict[float, float], ...] = ({}, {0: 1, 1: 0}, {0: 1, 1: 2}, {0: 2, 1: 1}, {0: -1, 1: 1}, {0: 1, 1: -1})


def measure_sample(
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

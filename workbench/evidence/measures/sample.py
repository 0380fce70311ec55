"""The sample: how much a holdout can say, and whether the scored rows are its rows."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from workbench.evidence.features import FeatureColumn
from workbench.models.predictions import Predictions
from workbench.records.row_digests import digest_encoded, encode_value
from workbench.runs.tables import LoggedTable
from workbench.stats.task import has_classes
from workbench.stats.units import label_rows

OtherTruth = Literal["", "other", "swapped"]


@dataclass(frozen=True)
class SampleFact:
    """How much the holdout can say: its rows, and those of the rarest class (None in regression).

    `strangers` counts scored rows that are not the holdout's: their truth, one of their features or what they are drawn with is
    not that of the row that was logged under this name. None: nobody can tell, see `measure_sample`. `other_truth` says of that:
    in no row is the truth the holdout's target ("other"), and in every one the score is ("swapped").
    """

    rows: int
    rarer_class: int | None
    strangers: int | None = None
    other_truth: OtherTruth = ""


def measure_sample(
    predictions: Predictions,
    holdout: LoggedTable | None = None,
    columns: Mapping[str, Sequence[str]] | None = None,
    features: Sequence[FeatureColumn] | None = None,
) -> SampleFact:
    """Return how many rows the scores stand on, and how many of them are not the rows that were logged as the holdout.

    `columns` are those of the holdout as it was kept, `features` what was scored, in the order of the predictions. Nobody can tell
    where either is not there, where no column of the holdout is known to be the target, where a feature is none of its columns,
    and where not one row agrees: then the target is rather written down otherwise (rescaled, coded) than every row another one.
    """
    counted = _count_strangers(predictions, holdout, columns, features) if holdout and columns and features else _UNTOLD
    return SampleFact(len(predictions.rows), predictions.count_rarest(), *counted)


_UNTOLD: tuple[None, OtherTruth] = None, ""


def _count_strangers(
    predictions: Predictions,
    holdout: LoggedTable,
    kept: Mapping[str, Sequence[str]],
    features: Sequence[FeatureColumn],
) -> tuple[int | None, OtherTruth]:
    target = find_target(holdout, kept, features)
    if target is None or any(feature.name not in kept for feature in features):
        return _UNTOLD
    genuine = find_genuine(holdout, kept)
    places = {name: place for place, name in enumerate(holdout.row_ids) if place in genuine}
    order = [places.get(name) for name in predictions.rows]

    def take(column: str) -> list[str | None]:
        return [None if place is None else kept[column][place] for place in order]

    truth = take(target)
    agreeing = [_compare_truth(predictions, truth)]
    for feature in features:
        pairs = zip(feature.spelled, take(feature.name), strict=True)
        agreeing.append([encode_value(own) == held for own, held in pairs])
    strangers = sum(not all(row) for row in zip(*agreeing, strict=True))
    if strangers == len(predictions.rows):
        return None, "" if any(agreeing[0]) else _find_other_truth(predictions, truth)
    drawn = _compare_units(predictions, holdout, kept, order)
    return sum(not all(row) for row in zip(drawn, *agreeing, strict=True)), ""


def _compare_units(
    predictions: Predictions, holdout: LoggedTable, kept: Mapping[str, Sequence[str]], order: Sequence[int | None]
) -> list[bool]:
    """Return for each row whether it is drawn with those of its group or time by the holdout; alone where that names none."""
    own = predictions.units
    if holdout.units is None or own is None or own.kind != holdout.units[0]:
        return [holdout.units is None and own is None] * len(order)
    kind, column = holdout.units
    try:
        held = label_rows(kind, kept[column]).labels.tolist()
    except ValueError:  # other times than it was logged with
        return [False] * len(order)
    labels = own.labels.tolist()
    return [at is not None and held[at] == label for at, label in zip(order, labels, strict=True)]


def _find_other_truth(predictions: Predictions, held: Sequence[str | None]) -> OtherTruth:
    """Return what a truth that is nowhere the target is: the score, where it is that that is the target in every row."""
    is_number = not has_classes(predictions.task) and predictions.score.shape == predictions.truth.shape
    turned = replace(predictions, truth=predictions.score) if is_number else predictions
    return "swapped" if all(_compare_truth(turned, held)) else "other"


def find_target(
    holdout: LoggedTable, kept: Mapping[str, Sequence[str]], features: Sequence[FeatureColumn]
) -> str | None:
    """Return the column that was named as the target; where none was, the one that is no feature, if there is just one."""
    if holdout.target is not None:
        return holdout.target if holdout.target in kept else None
    others = [name for name in kept if name not in {feature.name for feature in features}]
    return others[0] if len(others) == 1 else None


def _compare_truth(predictions: Predictions, held: Sequence[str | None]) -> list[bool]:
    """Return for each row whether its truth is what the holdout holds there: the class by its own name, or the number."""
    pairs = zip(predictions.truth.tolist(), held, strict=True)
    if has_classes(predictions.task):
        names = [encode_value(name) for name in predictions.named_classes()]
        return [names[int(place)] == text for place, text in pairs]
    return [text is not None and own in (number := _read_number(text), _narrow(number)) for own, text in pairs]


def _read_number(text: str) -> float:
    """Return the number that was spelled, a decimal one of a database too; NaN, which equals nothing, for what is none."""
    try:
        return float(json.loads(text))
    except (TypeError, ValueError, OverflowError):
        return math.nan


def _narrow(number: float) -> float:
    """Return a number as single precision holds it, in which a model may have been fitted and judged."""
    import numpy as np

    with np.errstate(over="ignore"):
        return float(np.float32(number))


def find_genuine(holdout: LoggedTable, kept: Mapping[str, Sequence[str]]) -> set[int]:
    """Return the places of the rows that were kept as they were logged: their values give the digests that name the holdout."""
    if sorted(kept) != sorted(name for name, *_ in holdout.types):
        return set()
    rows = zip(*(kept[name] for name in sorted(kept)), strict=True)
    digests = zip(rows, holdout.row_digests, strict=True)
    return {place for place, (row, told) in enumerate(digests) if digest_encoded(row).hex() == told}

"""The sample: how much a holdout can say, and whether the scored rows are its rows."""

from __future__ import annotations

from collections.abc import Sequence
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

    `strangers` counts scored rows that are not the holdout's: their truth or one of their features is not that of the row that
    was logged under this name. None: nobody can tell, see `measure_sample`.
    """

    rows: int
    rarer_class: int | None
    strangers: int | None = None


def measure_sample(
    predictions: Predictions,
    holdout: LoggedTable | None = None,
    columns: Sequence[FeatureColumn] | None = None,
    features: Sequence[FeatureColumn] | None = None,
) -> SampleFact:
    """Return how many rows the scores stand on, and how many of them are not the rows that were logged as the holdout.

    `columns` are those of the holdout as it was kept, `features` what was scored, in the order of the predictions. Nobody can tell
    where either is not there, where no column of the holdout is known to be the target, where a feature is none of its columns,
    and where not one row agrees: then the target is rather written down otherwise (rescaled, coded) than every row another one.
    """
    strangers = _count_strangers(predictions, holdout, columns, features) if holdout and columns and features else None
    return SampleFact(len(predictions.rows), predictions.count_rarest(), strangers)


def _count_strangers(
    predictions: Predictions, holdout: LoggedTable, columns: Sequence[FeatureColumn], features: Sequence[FeatureColumn]
) -> int | None:
    kept = {column.name: column.spelled for column in columns}
    target = _find_target(holdout, kept, features)
    if target is None or any(feature.name not in kept for feature in features):
        return None
    places = {name: place for place, name in enumerate(holdout.row_ids)}
    scored = zip(_spell_truth(predictions), *(feature.spelled for feature in features), strict=True)
    held = (kept[target], *(kept[feature.name] for feature in features))
    genuine = _find_genuine(holdout, kept)
    strangers = 0
    for name, values in zip(predictions.rows, scored, strict=True):
        place = places.get(name, -1)
        is_own = place in genuine and all(own == column[place] for own, column in zip(values, held, strict=True))
        strangers += not is_own
    return strangers if strangers < len(predictions.rows) else None


def _find_target(holdout: LoggedTable, kept: dict[str, Sequence[Any]], features: Sequence[FeatureColumn]) -> str | None:
    """Return the column that was named as the target; where none was, the one that is no feature, if there is just one."""
    if holdout.target is not None:
        return holdout.target if holdout.target in kept else None
    others = [name for name in kept if name not in {feature.name for feature in features}]
    return others[0] if len(others) == 1 else None


def _spell_truth(predictions: Predictions) -> list[Any]:
    """Return the truth as a table has it: the number, or the class by its own name."""
    truth = predictions.truth.tolist()
    if not has_classes(predictions.task):
        return [spell(each) for each in truth]
    names = [spell(name) for name in predictions.named_classes()]
    return [names[int(place)] for place in truth]


def _find_genuine(holdout: LoggedTable, kept: dict[str, Sequence[Any]]) -> set[int]:
    """Return the places of the rows that were kept as they were logged: their values give the digests that name the holdout."""
    rows = zip(*(kept[name] for name in sorted(kept)), strict=True)
    digests = zip(rows, holdout.row_digests, strict=True)
    return {place for place, (row, digest) in enumerate(digests) if digest_row(row).hex() == digest}

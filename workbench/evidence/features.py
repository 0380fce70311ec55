"""The rows of a holdout: its features in the order of the predictions, and the table as it was logged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.records.row_digests import spell
from workbench.runs.folder import FEATURES, HOLDOUT
from workbench.runs.kept_run import KeptRun
from workbench.runs.tables import parse_columns, parse_texts

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


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


def read_features(kept: KeptRun) -> list[FeatureColumn] | None:
    """Return the holdout's feature rows, in the order of the predictions; None when they are not one for each."""
    order, table = kept.order, parse_columns(kept.files.get(FEATURES, b""))
    if table is None or table.num_rows != len(order):
        return None
    return [_read_column(name, table.column(name).take(order)) for name in table.schema.names]


def read_holdout(kept: KeptRun) -> dict[str, list[str]] | None:
    """Return the holdout as it was logged: by column the spelled values, in its own order; None where its rows were not kept."""
    return parse_texts(kept.files.get(HOLDOUT, b""))


def _read_column(name: str, column: Any) -> FeatureColumn:
    import numpy as np
    import pyarrow as pa

    kind = column.type
    # A duration is spelled as pandas does, in whose tables it was logged.
    values = column.to_pandas().astype(object).tolist() if pa.types.is_duration(kind) else column.to_pylist()
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

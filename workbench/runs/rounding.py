"""Rounding: digests by which a row is known again after noise, with other case or blanks, or as another type."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workbench.stats.same_rows import STEPS, read_number, strip_text

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

_FACTOR = 0x9E3779B97F4A7C15  # odd, so that no column's bits are lost
_NO_NUMBER = ('"', "[", "{")


def find_steps(table: pd.DataFrame, known: Mapping[str, float]) -> dict[str, float]:
    """Return by column what its numbers are rounded to: 1/10,000 of their range, or what another table was rounded to already.

    Only tables that are rounded alike can be compared. 0 stands for a column of one value, which is not rounded.
    """
    names = {str(name): column for name, column in table.items()}
    return {name: known[name] if name in known else _step_of(column) for name, column in names.items()}


def round_rows(table: pd.DataFrame, steps: Mapping[str, float]) -> list[str]:
    """Return a digest of each row that does not change with less than half a step, nor with the order of the columns."""
    import numpy as np

    digests = np.zeros(len(table), dtype=np.uint64)
    with np.errstate(over="ignore"):
        for name, column in sorted(table.items(), key=lambda item: str(item[0])):
            digests = digests * np.uint64(_FACTOR) + _digest_values(column, steps[str(name)])
    return [f"{digest:016x}" for digest in digests.tolist()]


def round_texts(columns: Mapping[str, Sequence[str]], steps: Mapping[str, float]) -> list[str]:
    """Return the same of rows whose values are spelled as they were digested (JSON), for the columns that have a step."""
    return round_rows(read_columns({name: columns[name] for name in steps}), steps)


def read_columns(columns: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Return rows whose values are spelled as they were digested as a table that can be rounded, to whatever steps."""
    import pandas as pd

    return pd.DataFrame({name: _read_texts(texts) for name, texts in columns.items()})


def _read_texts(texts: Sequence[str]) -> pd.Series:
    """Return a column of numbers, NaN where one is missing; where a value is no number, of whatever they are."""
    import pandas as pd

    if any(text.startswith(_NO_NUMBER) for text in texts):
        return pd.Series([_read_text(json.loads(text)) for text in texts], dtype=object)
    return pd.Series([read_number(text) for text in texts], dtype="float64")


def _read_text(value: Any) -> Any:
    """Return a time that names its zone as a time, any other value as it is."""
    import pandas as pd

    try:
        has_zone = datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return value
    return pd.Timestamp(value) if has_zone else value


def _step_of(column: pd.Series) -> float:
    import numpy as np

    numbers, _ = _split(column)
    finite = numbers[np.isfinite(numbers)]
    return float(np.ptp(finite) / STEPS) if finite.size else 0.0


def _digest_values(column: pd.Series, step: float) -> NDArray[np.uint64]:
    import numpy as np
    from pandas.util import hash_array

    numbers, texts = _split(column)
    is_number = np.isfinite(numbers)
    with np.errstate(over="ignore", invalid="ignore"):
        plain = np.where(is_number, numbers, 0.0)
        rounded = np.rint(plain / step) if step else plain
    rounded = np.nan_to_num(rounded) + 0.0  # no negative zero
    hashed = hash_array(rounded)
    return hashed if is_number.all() else np.where(is_number, hashed, hash_array(np.array(texts, dtype=object)))


def _split(column: pd.Series) -> tuple[NDArray[np.float64], list[str]]:
    """Return a column as numbers, NaN for what is none, and as texts where it is none."""
    import numpy as np

    if column.dtype.kind in "iufb":
        return column.to_numpy(dtype=np.float64, na_value=np.nan), [""] * len(column)
    texts = [
        _spell(value, is_missing) for value, is_missing in zip(column.tolist(), column.isna().tolist(), strict=True)
    ]
    return np.array([read_number(text) for text in texts], dtype=np.float64), texts


def _spell(value: Any, is_missing: bool) -> str:
    """Return a value as text; true and false are the numbers they equal, a time is that of UTC."""
    if is_missing:
        return ""
    if getattr(value, "tzinfo", None) is not None:
        value = value.astimezone(UTC).replace(tzinfo=None)
    text = strip_text(str(int(value) if isinstance(value, bool) else value))
    return text.encode(errors="backslashreplace").decode()

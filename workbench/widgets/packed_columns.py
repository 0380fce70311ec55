"""Columns as views and pages take them: numbers and times as bytes of 64-bit floats, texts as 32-bit codes of each (-1: none)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from math import isfinite
from statistics import median_low
from typing import Any

from workbench.runs.finding.outline import MISSING
from workbench.words.numbers import choose_decimals, format_value


def pack_column(
    name: str, label: str, values: Sequence[Any], of: str = "", *, is_measured: bool = False
) -> dict[str, Any]:
    """Return a column as a view takes it; `of` is what a summary is of. What was measured has decimals in common."""
    there = [value for value in values if value is not MISSING]
    said = {"name": name, "label": label, "of": of}
    if there and all(isinstance(value, datetime) for value in there):
        moments = [float("nan") if value is MISSING else value.timestamp() * 1000 for value in values]
        return {**said, "kind": "time", "values": _floats(moments)}
    if there and all(map(_fits_a_float, there)):
        numbers = [float("nan") if value is MISSING else float(value) for value in values]
        has_decimals = is_measured or name.startswith("metrics.")
        decimals = _choose_decimals([float(value) for value in there]) if has_decimals else None
        return {**said, "kind": "number", "decimals": decimals, "values": _floats(numbers)}
    texts: dict[str, int] = {}
    codes = [
        -1 if value is MISSING else texts.setdefault(format_value(value, longest=200), len(texts)) for value in values
    ]
    return {**said, "kind": "text", "texts": list(texts), "codes": _whole(codes)}


def _fits_a_float(value: Any) -> bool:
    return isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 2**53)


def _choose_decimals(values: Sequence[float]) -> int | None:
    """Return the decimals that values have in common; none where one that is far larger would take those of all others."""
    sizes = [abs(value) for value in values if isfinite(value)] or [0.0]
    common, typical = choose_decimals(sizes), choose_decimals([median_low(sizes)])
    return common if typical - common <= 2 else None


def _floats(values: Sequence[float]) -> bytes:
    import numpy as np

    return np.asarray(values, dtype="<f8").tobytes()


def _whole(values: Sequence[int]) -> bytes:
    import numpy as np

    return np.asarray(values, dtype="<i4").tobytes()

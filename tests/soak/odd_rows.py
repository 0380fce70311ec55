"""Frames a gate has not seen: beside the places where a model's answer jumps, and with values nobody expects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench.models.contract import LARGEST_INTEGER

Answer = Callable[[pd.DataFrame], Any]  # from a frame to scores, shape (n,) or (n, classes)
_TEXTS = ("", " ", "never", "PRO", "pro ", "nan", "None", "日本", "é", "e\u0301", "x" * 1000)
_NUMBERS = (0.0, -0.0, 1.0, 0.1 + 0.2, 2.0**24 + 1, 2.0**53 - 1, 1e-45, 1e-320, 1e30, 3.4e38)
_STEPS = 80


def put(frame: pd.DataFrame, name: str, values: Sequence[Any]) -> pd.DataFrame:
    """Return a frame with other values in a column of the same type; of categories there may be more."""
    column = frame[name]
    if isinstance(column.dtype, pd.CategoricalDtype):
        known = column.cat.categories
        more = [each for each in dict.fromkeys(values) if not pd.isna(each) and each not in known]
        return frame.assign(**{name: pd.Categorical(values, [*known, *more], ordered=column.cat.ordered)})
    return frame.assign(**{name: pd.Series(list(values), index=frame.index, dtype=column.dtype)})


def is_number(column: pd.Series) -> bool:
    return column.dtype != "category" and column.dtype.kind in "fiu"


# Where the answer jumps


def make_jumps(answer: Answer, frame: pd.DataFrame, tries: int, draw: np.random.Generator) -> pd.DataFrame:
    """Return rows on both sides of places where an answer changes as one number moves, found by bisecting the answers alone."""
    names = [name for name in frame.columns if is_number(frame[name])]
    if not names or not tries:
        return frame.iloc[:0]
    moved = np.repeat(names, tries)
    base = frame.iloc[draw.integers(0, len(frame), len(moved))].reset_index(drop=True)
    ends = [_draw_values(frame, moved, draw) for _ in range(2)]
    low, high = np.minimum(*ends), np.maximum(*ends)
    return _sides(base, moved, *_bisect(answer, base, moved, low, high))


def _draw_values(frame: pd.DataFrame, moved: Any, draw: np.random.Generator) -> Any:
    present = {name: frame[name].dropna().to_numpy(dtype=float) for name in set(moved)}
    return np.array([draw.choice(present[name]) for name in moved])


def _bisect(answer: Answer, base: pd.DataFrame, moved: Any, low: Any, high: Any) -> tuple[Any, Any]:
    at_low = _ask(answer, base, moved, low)
    jumps = np.flatnonzero(_differ(at_low, _ask(answer, base, moved, high)))
    base, moved, low, high, at_low = base.iloc[jumps], moved[jumps], low[jumps], high[jumps], at_low[jumps]
    for _ in range(_STEPS if len(jumps) else 0):
        middle = _round(base, moved, low / 2 + high / 2)
        like_low = ~_differ(_ask(answer, base, moved, middle), at_low)
        low, high = np.where(like_low, middle, low), np.where(like_low, high, middle)
    both = np.full((2, len(jumps) and base.index.max() + 1), np.nan)
    both[:, base.index] = low, high
    return both[0], both[1]


def _round(base: pd.DataFrame, moved: Any, values: Any) -> Any:
    single = np.array([base[name].dtype == "float32" for name in moved], dtype=bool)
    whole = np.array([base[name].dtype.kind in "iu" for name in moved], dtype=bool)
    return np.where(whole, np.floor(values), np.where(single, values.astype("float32"), values))


def _differ(one: Any, other: Any) -> Any:
    return np.any(np.reshape(one != other, (len(one), -1)), axis=1)


def _ask(answer: Answer, base: pd.DataFrame, moved: Any, values: Any) -> Any:
    return answer(_move(base, moved, values))


def _move(base: pd.DataFrame, moved: Any, values: Any) -> pd.DataFrame:
    for name in dict.fromkeys(moved):
        here = np.flatnonzero(moved == name)
        column = base[name].tolist()
        for at in here:
            column[at] = int(values[at]) if base[name].dtype.kind in "iu" else float(values[at])
        base = put(base, name, column)
    return base


def _sides(base: pd.DataFrame, moved: Any, low: Any, high: Any) -> pd.DataFrame:
    found = np.flatnonzero(np.isfinite(low)) if len(low) else np.array([], dtype=int)
    base, moved, low, high = base.iloc[found], moved[found], low[found], high[found]
    near = [low.astype("float32").astype(float), high.astype("float32").astype(float)]
    return pd.concat([_move(base, moved, _round(base, moved, each)) for each in (low, high, *near)], ignore_index=True)


# What nobody expects


def make_odd(frame: pd.DataFrame, training: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """Return rows each with one odd value, and rows in which every value is odd; missing only where training had some."""
    odd = {name: _odd_values(frame[name], training[name]) for name in frame.columns}
    alone = [(name, value) for name, values in odd.items() for value in values]
    base = frame.iloc[np.arange(len(alone)) % len(frame)].reset_index(drop=True)
    mixed = frame.iloc[:40].reset_index(drop=True)
    for name, values in odd.items():
        own = base[name].tolist()
        for at, (other, value) in enumerate(alone):
            own[at] = value if other == name else own[at]
        base = put(base, name, own)
        mixed = put(mixed, name, [values[at] for at in draw.integers(0, len(values), len(mixed))])
    return pd.concat([base, *(mixed.iloc[at : at + 1] for at in range(len(mixed)))], ignore_index=True)


def _odd_values(column: pd.Series, fitted: pd.Series) -> list[Any]:
    gap = [None] if fitted.isna().any() else []
    known = fitted.dropna().unique().tolist()[:20]
    if column.dtype == "category":
        return [*known, *(_TEXTS if isinstance(known[0], str) else (-1, 99_999)), *gap]
    if column.dtype.kind == "b":
        return [True, False, *gap]
    if column.dtype.kind == "f":
        return [*_NUMBERS, *(-each for each in _NUMBERS), *gap]
    if column.dtype.kind in "iu":
        kind = np.iinfo(str(column.dtype).lower())
        return [0, 1, max(kind.min, -LARGEST_INTEGER), min(kind.max, LARGEST_INTEGER), *gap]
    return [*known, *_TEXTS, *gap]

"""Reading numbers out of a booster's JSON: of the type that is asked for, as many as are asked for, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import Refused
from workbench.models.boosters.forest import Real, Whole, require
from workbench.records.digest import strict_json


def read_json(text: bytes) -> Any:
    """Parse a booster's JSON; raises Refused for what is none, and for what two readers would read differently."""
    try:
        return strict_json(text)
    except ValueError as exc:
        raise Refused(
            "The booster's text is not sound.", why=f"It is no JSON: {' '.join(str(exc).split())[:200]}"
        ) from exc


def take(document: Any, *path: str) -> Any:
    """Return what stands at a path of keys; raises Refused where there is nothing."""
    for key in path:
        require(isinstance(document, Mapping) and key in document, f"It has no {'.'.join(path)}.")
        document = document[key]
    return document


def whole_numbers(values: Any, what: str) -> Whole:
    """Return a list of whole numbers as an array."""
    is_list = isinstance(values, list) and {*map(type, values)} <= {int}
    require(is_list and all(-(2**53) < each < 2**53 for each in values), f"{what} is no list of whole numbers.")
    return np.array(values, dtype=np.int64)


def real_numbers(values: Any, what: str) -> Real:
    """Return a list of numbers as an array of doubles."""
    require(isinstance(values, list) and {*map(type, values)} <= {int, float}, f"{what} is no list of numbers.")
    try:
        return np.array([float(each) for each in values])
    except OverflowError as exc:
        raise Refused("The booster's text is not sound.", why=f"{what} holds a number that is too large.") from exc


def single_numbers(values: Any, what: str) -> NDArray[np.float32]:
    """Return a list of numbers as an array of single precision; what is too large for it is infinite."""
    with np.errstate(over="ignore"):
        return real_numbers(values, what).astype(np.float32)


def whole_in(text: Any, what: str) -> int:
    """Return the whole number that a text spells, as XGBoost writes its parameters."""
    require(
        isinstance(text, str) and text.isdecimal() and text.isascii() and len(text) < 16, f"{what} is no whole number."
    )
    return int(text)

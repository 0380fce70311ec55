"""The columns of a holdout as a metric of one's own reads them: by name an array, row by row beside truth and score."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class HoldoutColumns(Mapping[str, Array]):
    """Columns by name, read when one is asked for: numbers (n,) with NaN where missing, else texts (n,) with None.

    `read` returns the values row by row as JSON spells them, as the rows of a holdout are kept; it may raise an error that says
    why they are not there. Nothing can be written into them.
    """

    __eq__, __hash__ = object.__eq__, object.__hash__  # arrays are not one thing that equals another

    def __init__(self, read: Callable[[], Mapping[str, Sequence[str]]]) -> None:
        self._read, self._known = read, dict[str, Array]()
        self._texts: Mapping[str, Sequence[str]] | None = None
        self.places: NDArray[np.int64] | None = None
        self.whole: HoldoutColumns = self

    def take(self, places: NDArray[np.int64]) -> HoldoutColumns:
        """Return the rows at these places, in their order; one may be taken twice."""
        taken = HoldoutColumns(self._read)
        taken.whole = self.whole
        taken.places = places if self.places is None else self.places[places]
        return taken

    def spell(self) -> Mapping[str, Sequence[str]]:
        """Return the values of all rows, whichever were taken, as JSON spells them."""
        if self._texts is None:
            self._texts = self._read()
        return self._texts

    def __getitem__(self, name: str) -> Array:
        if name not in self._known:
            self._known[name] = _read_only(self._load(name))
        return self._known[name]

    def _load(self, name: str) -> Array:
        if self.places is not None:
            return self.whole[name][self.places]
        texts = self.spell()
        if name not in texts:
            raise KeyError(f"The holdout has no column {name!r}; it has {', '.join(map(repr, texts)) or 'none'}.")
        return _parse(texts[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.whole.spell())

    def __len__(self) -> int:
        return len(self.whole.spell())


def _parse(texts: Sequence[str]) -> Array:
    values = {text: json.loads(text) for text in set(texts)}
    if all(value is None or isinstance(value, int | float) for value in values.values()):
        numbers = {text: math.nan if value is None else _to_float(value) for text, value in values.items()}
        return np.array([numbers[text] for text in texts], dtype=np.float64)
    spelled = {text: value if value is None or isinstance(value, str) else text for text, value in values.items()}
    return np.array([spelled[text] for text in texts], dtype=object)


def _to_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:  # a whole number beyond what a float holds
        return math.copysign(math.inf, value)


def _read_only(values: Array) -> Array:
    values.flags.writeable = False
    return values

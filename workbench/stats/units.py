"""Units: which rows of a holdout are no evidence of their own, because they are of one group or of neighbouring times."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

UnitKind = Literal["group", "time"]
KINDS: tuple[UnitKind, ...] = get_args(UnitKind)
# ISO 8601 from the year on, and how pandas writes quarters, weeks and periods: sorted as texts they are sorted by time.
_TIME = re.compile(
    r"\d{4}(-?Q[1-4]|-?W\d\d|-\d\d(-\d\d(/\d{4}-\d\d-\d\d|[ T]\d\d:\d\d(:\d\d(\.\d+)?)?(?P<zone>Z|[+-]\d\d:?\d\d)?)?)?)?"
)


class UnreadableTimes(ValueError):
    """Values that have no order in time that anybody could tell."""


@dataclass(frozen=True)
class Units:
    """To which unit each row belongs: `labels` (n,) are the places of groups among each other, or of times in their order."""

    kind: UnitKind
    labels: NDArray[np.int64]

    def take(self, places: NDArray[Any]) -> Units:
        """Return the units of the rows at these places."""
        return replace(self, labels=self.labels[places])

    def spell(self) -> str:
        """Return what tells units of the same rows apart: their kind, how many there are, a SHA-256 of which row is of which."""
        digest = hashlib.sha256(self.labels.astype("<i8").tobytes()).hexdigest()
        return f"{self.kind} {self._count()} {digest}"

    def count(self) -> DrawnUnits:
        """Return how many there are, and how they are drawn."""
        return count_draws(self.spell())

    def _count(self) -> int:
        import numpy as np

        return len(np.unique(self.labels))


@dataclass(frozen=True)
class DrawnUnits:
    """Of units how many there are, and how many of them that follow each other are drawn at once: of groups always one."""

    kind: UnitKind
    count: int
    length: int

    @property
    def draws(self) -> int:
        """How many independent draws make a resample."""
        return math.ceil(self.count / self.length)


def draw_by(units: Units | None) -> dict[str, Any]:
    """Return the labels by the name that resampling takes them under, `clusters` or `times`; nothing where rows are drawn."""
    return {} if units is None else {"clusters" if units.kind == "group" else "times": units.labels}


def count_draws(spelled: str) -> DrawnUnits:
    """Return how units are drawn, by what `Units.spell` says of them; raises ValueError for anything else."""
    from workbench.stats.resamples import find_block_length

    kind, count, _ = spelled.split(" ")
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of units")
    return DrawnUnits(kind, int(count), find_block_length(int(count)) if kind == "time" else 1)


def rank_units(spelled: str) -> tuple[int, str]:
    """Return a key by which the units with the fewest draws come first: of several the most careful ones."""
    return count_draws(spelled).draws, spelled


def label_rows(kind: UnitKind, texts: Sequence[str]) -> Units:
    """Return the units of rows by the values of a column, each as JSON spells it and none missing.

    Times are numbers, or texts that begin with the year (ISO 8601); raises UnreadableTimes for others.
    """
    import numpy as np

    keys = _read_times(texts) if kind == "time" else {text: text for text in texts}
    places = {key: place for place, key in enumerate(sorted({*keys.values()}))}
    return Units(kind, np.array([places[keys[text]] for text in texts], dtype=np.int64))


def _read_times(texts: Sequence[str]) -> dict[str, Any]:
    """Return of each different time by what it is sorted."""
    values = {text: json.loads(text) for text in texts}
    if all(isinstance(value, int | float) for value in values.values()):
        return values
    keys: dict[str, str] = {}
    is_zoned = set[bool]()
    for text, value in values.items():
        found = _TIME.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            raise UnreadableTimes(f"{text:.60} is neither a number nor a date that begins with its year")
        is_zoned.add(found["zone"] is not None)
        keys[text] = _in_utc(value) if found["zone"] else value.replace("T", " ")
    if len(is_zoned) > 1:
        raise UnreadableTimes("some have a time zone and others none")
    return keys


def _in_utc(text: str) -> str:
    try:
        return datetime.fromisoformat(text).astimezone(UTC).isoformat(" ", "microseconds")
    except (ValueError, OverflowError) as exc:
        raise UnreadableTimes(f"{text:.60} is no date") from exc

"""Random search (Bergstra and Bengio 2012): independent draws, the same for the same seed."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from typing import Any

from workbench.sweeps.search import Interval, Space, count_sets, distinct_values, name_set, require_count

# So many draws for each set wanted: then the space is nearly used up, and what is left of it is listed.
_DRAWS_EACH = 50


def propose(space: Space, trials: int, seed: int) -> list[dict[str, Any]]:
    """Return `trials` different parameter sets, or all there are where the space holds fewer.

    Raises UsageError for none or far too many.
    """
    size = count_sets(space)
    require_count(trials if size is None else min(trials, size))
    wanted = trials if size is None else min(trials, size)
    chance = random.Random(seed)  # noqa: S311 - drawn to be drawn again, not to be secret
    found: dict[bytes, dict[str, Any]] = {}
    for values in itertools.chain(_draw_sets(space, chance, _DRAWS_EACH * wanted), _list_sets(space)):
        if len(found) == wanted:
            break
        found.setdefault(name_set(values), values)
    return list(found.values())


def _draw_sets(space: Space, chance: random.Random, count: int) -> Iterator[dict[str, Any]]:
    for _ in range(count):
        yield {name: _draw(axis, chance) for name, axis in space.items()}


def _draw(axis: list[Any] | Interval, chance: random.Random) -> Any:
    if not isinstance(axis, Interval):
        return chance.choice(distinct_values(axis))
    if not axis.log:
        return chance.randint(int(axis.low), int(axis.high)) if axis.whole else chance.uniform(axis.low, axis.high)
    # Half a step of room at both ends gives the first and the last whole number their share.
    room = 0.5 if axis.whole else 0.0
    drawn = math.exp(chance.uniform(math.log(axis.low - room), math.log(axis.high + room)))
    return min(max(round(drawn) if axis.whole else drawn, axis.low), axis.high)


def _list_sets(space: Space) -> Iterator[dict[str, Any]]:
    """Yield every set of a space that has an end."""
    if count_sets(space) is None:
        return
    for values in itertools.product(*map(_list_values, space.values())):
        yield dict(zip(space, values, strict=True))


def _list_values(axis: list[Any] | Interval) -> list[Any]:
    if isinstance(axis, Interval):
        return list(range(int(axis.low), int(axis.high) + 1))
    return distinct_values(axis)

"""Same rows: whether two tables hold the same rows with a little noise, in whatever order, or only look alike by chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

# Of the rows of the larger table so many must match one to one, in steps of so many of a column's range.
LEAST_SHARE, STEPS = 0.95, 10_000
# Two independent draws may look so alike with this probability at most.
_LARGEST_CHANCE = 1e-6
_SLACK = 1 + 1e-6
# Of a sample of rows it is asked first whether they have a partner, each with the few that may have taken it; that so many of the
# sample have none where enough of all have one is less probable than the last.
_SAMPLE, _BESIDE, _LEAST_DOUBT = 200, 4, 1e-12


@dataclass(frozen=True)
class NamedRows:
    """The rows of a table: `names` of them, and its columns as texts by their names, shape (n,) each."""

    names: Sequence[str]
    columns: Mapping[str, Sequence[str]]


def are_same_rows(one: NamedRows, other: NamedRows) -> bool:
    """True where 95 % of the rows of either match one to one, and no two independent draws would look so alike.

    Rows match where each number, rounded to 1/10,000 of its column's range, and each text, without case and blanks around it, are
    the same; columns are matched by name. Where few different rows are possible (small tables of categories) draws match by
    chance: then the rows must be the same under their own names.
    """
    shared = sorted(one.columns.keys() & other.columns.keys())
    is_alike = 2 * len(shared) >= max(len(one.columns), len(other.columns))
    if not is_alike or not may_be_same_size(len(one.names), len(other.names)):
        return False
    ours, theirs = _place_rows(one, other, shared)
    kinds = _Kinds(ours)
    if _are_others(kinds, theirs):
        return False
    labels = kinds.ours, kinds.find(theirs)
    matched = _count_matched(*labels)
    if matched < LEAST_SHARE * max(map(len, labels)):
        return False
    return _match_beyond_chance(matched, *labels) or _match_by_name(one.names, other.names, *labels)


def may_be_same_size(rows: int, others: int) -> bool:
    """True where tables of so many rows can match in 95 % of the larger one's."""
    return min(rows, others) >= LEAST_SHARE * max(rows, others)


# Rows as points, and which of them are one


def _place_rows(one: NamedRows, other: NamedRows, shared: Sequence[str]) -> tuple[NDArray[np.float64], ...]:
    """Return the rows of both as points, shapes (n, k) and (m, k): a step is one unit, another text is many units away."""
    import numpy as np

    columns = [_place_column(one.columns[name], other.columns[name]) for name in shared]
    numbers = [placed for placed, _ in columns]
    codes = _number_texts(zip(*(texts for _, texts in columns), strict=True))
    points = np.column_stack([2.0 * np.asarray(codes), *numbers])
    return points[: len(one.names)], points[len(one.names) :]


def _place_column(ours: Sequence[str], theirs: Sequence[str]) -> tuple[NDArray[np.float64], list[str]]:
    """Return a column of both as numbers in steps of the smaller range, and as texts where a value is no finite number.

    The range of a column of one value is none, and says nothing of how finely the other is measured.
    """
    import numpy as np

    texts = [*map(_unquote, ours), *map(_unquote, theirs)]
    numbers = np.array([read_number(text) for text in texts])
    is_number = np.isfinite(numbers)
    left = [text if odd else "" for text, odd in zip(texts, (~is_number).tolist(), strict=True)]
    parts = [numbers[part][is_number[part]] for part in (slice(len(ours)), slice(len(ours), None))]
    step = min((span for part in parts if part.size and (span := float(np.ptp(part)))), default=0.0) / STEPS
    plain = np.where(is_number, numbers, 0.0)
    # Where each table has one value in it the two are the same or they are not.
    placed = plain / step if step else np.unique(plain, return_inverse=True)[1].astype(np.float64)
    return np.clip(np.nan_to_num(placed), -1e15, 1e15), left


def _unquote(text: str) -> str:
    return strip_text(text.strip('"'))


def strip_text(text: str) -> str:
    """Return a text without case and without blanks around it."""
    return text.strip().casefold()


def read_number(text: str) -> float:
    """Return the number that a text is, NaN for any other."""
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _number_texts(rows: zip[tuple[str, ...]]) -> list[int]:
    numbers: dict[tuple[str, ...], int] = {}
    return [numbers.setdefault(row, len(numbers)) for row in rows]


class _Kinds:
    """Our rows by kind: `ours` is a number for each, shape (n,), the same for equal ones; theirs go with the nearest."""

    def __init__(self, rows: NDArray[np.float64]) -> None:
        import numpy as np
        from scipy.spatial import cKDTree

        self._different, labels = np.unique(rows, axis=0, return_inverse=True)
        self._tree = cKDTree(self._different)
        self.ours: NDArray[np.int64] = labels.ravel().astype(np.int64)

    def find(self, rows: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the kind of each row; one that is like none of ours is of a kind of its own."""
        import numpy as np

        _, nearest = self._tree.query(rows, p=np.inf, distance_upper_bound=0.5 * _SLACK)
        return np.where(self.is_ours(nearest), nearest, len(self._different) + np.arange(len(rows))).astype(np.int64)

    def is_ours(self, kinds: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell the kinds that rows of ours are of."""
        return kinds < len(self._different)

    def place(self, kinds: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return the row of each kind."""
        return self._different[kinds]


# Whether they cannot match


def _are_others(kinds: _Kinds, theirs: NDArray[np.float64]) -> bool:
    """True where a sample of theirs shows that far too many of them have no partner.

    To find the nearest of rows that are all near, as one huge value in each column makes them, takes as long as to look at all:
    this looks up so few that it may.
    """
    import numpy as np
    from scipy.stats import binom

    drawn = np.random.default_rng(0).permutation(len(theirs))[:_SAMPLE]
    found = kinds.find(theirs[drawn])
    near = kinds.is_ours(found)
    alone = int(np.sum(~near)) + _count_left_over(kinds, theirs, drawn[near], found[near])
    return bool(binom.sf(alone - 1, len(drawn), 1 - LEAST_SHARE) < _LEAST_DOUBT)


def _count_left_over(
    kinds: _Kinds, theirs: NDArray[np.float64], drawn: NDArray[np.int64], found: NDArray[np.int64]
) -> int:
    """Count the rows drawn that surely have no partner: enough of those before them go with the same kind of ours."""
    import numpy as np
    from scipy.spatial import cKDTree

    _, beside = cKDTree(theirs).query(kinds.place(found), k=list(range(1, min(_BESIDE, len(theirs)) + 1)), p=np.inf)
    asked, places = np.unique(beside, return_inverse=True)
    is_same = kinds.find(theirs[asked])[places].reshape(beside.shape) == found[:, None]
    before = np.sum(is_same & (beside < drawn[:, None]), axis=1)
    return int(np.sum(before >= np.bincount(kinds.ours)[found]))


# Whether that may be chance


def _count_matched(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> int:
    """Count the pairs there are, one to one."""
    import numpy as np

    kinds = max(int(ours.max()), int(theirs.max())) + 1
    return int(np.minimum(np.bincount(ours, minlength=kinds), np.bincount(theirs, minlength=kinds)).sum())


def _match_beyond_chance(matched: int, ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> bool:
    """True where the rows match, whatever they are called, too well for two draws of one population.

    Of such draws each row may as well be of the other one: given the pooled counts, who has how many of a kind is binomial,
    conditioned on the sizes. The chance of so few rows without a partner is held below the Chernoff bound.
    """
    import numpy as np

    total, pooled = len(ours) + len(theirs), np.bincount(np.concatenate([ours, theirs]))
    return bool(_bound_chance(pooled, len(ours) / total, total - 2 * matched) < np.log(_LARGEST_CHANCE))


def _bound_chance(pooled: NDArray[np.int64], share: float, alone: int) -> float:
    """Return the logarithm of an upper bound of the chance that so few rows, or fewer, stand alone."""
    import numpy as np
    from scipy.stats import binom

    sizes, often = np.unique(pooled[pooled > 0], return_counts=True)
    total = int(pooled.sum())
    apart = [abs(2 * np.arange(size + 1) - size) for size in sizes]
    chances = [binom.logpmf(np.arange(size + 1), size, share) for size in sizes]
    bounds = []
    for strength in np.geomspace(1e-3, 30, 25):
        each = [_add_logarithms(chance - strength * far) for chance, far in zip(chances, apart, strict=True)]
        bounds.append(strength * alone + float(np.dot(often, each)))
    return min(bounds) + 0.5 * float(np.log(2 * np.pi * max(total * share * (1 - share), 1)))


def _add_logarithms(values: NDArray[np.float64]) -> float:
    """Return the logarithm of a sum by those of what is added, each of which may be too small to be a number."""
    import numpy as np

    largest = values.max()
    return float(largest + np.log(np.sum(np.exp(values - largest))))


def _match_by_name(
    names: Sequence[str], others: Sequence[str], ours: NDArray[np.int64], theirs: NDArray[np.int64]
) -> bool:
    """True where rows of one name match, and too many of them for rows that were named at random."""
    places = {name: place for place, name in enumerate(names)}
    pairs = [(places[name], place) for place, name in enumerate(others) if name in places]
    agreeing = sum(int(ours[own] == theirs[place]) for own, place in pairs)
    if agreeing < LEAST_SHARE * max(len(names), len(others)):
        return False
    return _agree_beyond_chance(agreeing, len(pairs), ours, theirs)


def _agree_beyond_chance(agreeing: int, pairs: int, ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> bool:
    """True where so many of the pairs of one name are of one kind as names given at random would not make."""
    import numpy as np
    from scipy.stats import binom

    pooled = np.bincount(np.concatenate([ours, theirs]))
    by_chance = float(np.sum((pooled / pooled.sum()) ** 2))
    return bool(binom.logsf(agreeing - 1, pairs, by_chance) < np.log(_LARGEST_CHANCE))


# Some of the rows


@dataclass(frozen=True)
class DigestedRows:
    """The rows of a table: `names` of them, and `digests` that are the same for equal rows."""

    names: Sequence[str]
    digests: Sequence[str]


def find_shared_rows(one: DigestedRows, other: DigestedRows) -> list[bool]:
    """Return for each row of one whether it stands in the other; for none where independent draws may well be as alike.

    Where rows match by chance (small tables of categories) those count that are the same under their own name.
    """
    import numpy as np

    numbers: dict[str, int] = {}
    ours, theirs = (
        np.array([numbers.setdefault(each, len(numbers)) for each in rows.digests], dtype=np.int64)
        for rows in (one, other)
    )
    if not (found := np.isin(ours, theirs)).any():
        return [False] * len(ours)
    if _match_beyond_chance(_count_matched(ours, theirs), ours, theirs):
        return [bool(each) for each in found]
    named = dict(zip(other.names, other.digests, strict=True))
    is_same = [named.get(name) == digest for name, digest in zip(one.names, one.digests, strict=True)]
    pairs = sum(name in named for name in one.names)
    return is_same if _agree_beyond_chance(sum(is_same), pairs, ours, theirs) else [False] * len(ours)

"""What is in sight of a comparison: of thousands of runs a hundred, those with a text, in an order, from one of them on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from workbench.comparisons.arrangement import Arrangement, arrange_runs
from workbench.comparisons.comparison import ComparedRun, Comparison, RunComparison
from workbench.comparisons.screening import look_at_all
from workbench.comparisons.verdict import Verdict
from workbench.words.numbers import format_value

# So many runs are shown at once, and of so many all are measured before anything is shown.
MOST_SHOWN = 100
# Of more than that so many are measured at first; the others when they come into view.
FIRST_MEASURED = 10
_MOST_COLUMNS = 4
_VERDICTS = tuple(Verdict)
_NUMBERS = {int, float, type(None)}


@dataclass(frozen=True)
class Columns:
    """The parameters in which runs differ: each with a column and what it holds, the others (`folded`) share one."""

    kinds: Mapping[str, str]
    folded: Sequence[str]


@dataclass(frozen=True)
class Sight:
    """What somebody wants to see: runs with this text, ordered by a column (none: as ranked), from the `first` on."""

    search: str = ""
    key: str = ""
    is_descending: bool = False
    first: int = 0


@dataclass(frozen=True)
class InSight:
    """The runs that are shown, in order, and how many there are to be shown; runs that are measured later move none of them."""

    sight: Sight
    run_ids: tuple[str, ...]
    found: int


def find_columns(comparison: Comparison, most: int = _MOST_COLUMNS) -> Columns:
    """Return which parameters have columns: those with the most values."""
    values, kinds = _list_values(comparison.runs)
    differing = sorted((name for name in values if len(values[name]) > 1), key=lambda name: (-len(values[name]), name))
    shown = differing if len(differing) <= most else differing[: most - 1]
    return Columns(
        {name: "number" if kinds[name] <= _NUMBERS else "text" for name in shown}, sorted(differing[len(shown) :])
    )


def _list_values(runs: Sequence[ComparedRun]) -> tuple[Mapping[str, set[str]], Mapping[str, set[type]]]:
    """Return the different values of each parameter, as texts, none among them where a run lacks it, and their types."""
    values, kinds, counts = defaultdict[str, set[str]](set), defaultdict[str, set[type]](set), Counter[str]()
    for run in runs:
        counts.update(run.parameters.keys())
        for name, value in run.parameters.items():
            values[name].add(repr(value))
            kinds[name].add(type(value))
    for name, count in counts.items():
        if count < len(runs):
            values[name].add("")
    return values, kinds


def say_folded(run: ComparedRun, names: Sequence[str]) -> str:
    """Return the parameters that share a column."""
    pairs = (f"{name} {format_value(run.parameters[name], longest=16)}" for name in names if name in run.parameters)
    return ", ".join(pairs)


def find_in_sight(comparison: Comparison, sight: Sight, columns: Columns) -> InSight:
    """Return the runs to show; a place beyond the last of them leads to the last."""
    runs: Sequence[ComparedRun] = arrange_runs(comparison, Arrangement(sight.search))
    if sight.key:
        order = OrderOfRuns(comparison, columns).sort(runs, sight.key, is_descending=sight.is_descending)
        runs = [runs[index] for index in order]
    last = max(len(runs) - 1, 0) // MOST_SHOWN * MOST_SHOWN
    first = min(max(sight.first, 0), last)
    shown = tuple(run.run_id for run in runs[first : first + MOST_SHOWN])
    return InSight(replace(sight, first=first), shown, len(runs))


def choose_first(comparison: Comparison) -> list[str]:
    """Choose which runs are measured before anything is shown."""
    is_whole = len(comparison.runs) <= MOST_SHOWN
    return [run.run_id for run in (comparison.runs if is_whole else comparison.runs[:FIRST_MEASURED])]


def choose_in_sight(found: RunComparison, before: Comparison, shown: Sequence[str], wanted: Iterable[str]) -> list[str]:
    """Choose the best run and the `wanted`: where another try made another level, or the reference is another, of those `shown`."""
    if len(found.runs) <= MOST_SHOWN:
        return look_at_all(found)
    holds = (found.tried, found.reference) == (before.tried, before.reference)
    known = set(shown)
    kept = (run_id for run_id in wanted if holds or run_id in known)
    return list(dict.fromkeys([found.best.run_id, *kept]))


class OrderOfRuns:
    """Sorts the runs of a comparison by the columns of their table."""

    def __init__(self, comparison: Comparison, columns: Columns) -> None:
        self._columns = columns
        beside = comparison.beside if isinstance(comparison, RunComparison) else ()
        self._beside = {each.metric: {run.run_id: run.value for run in each.runs} for each in beside}

    def sort(self, runs: Sequence[ComparedRun], key: str, *, is_descending: bool) -> Iterator[int]:
        """Return the places of the runs from small to large, or back; missing values stand at the end, whichever way."""
        keyed = [(self._find_key(run, key), index) for index, run in enumerate(runs)]
        known = [(found, index) for found, index in keyed if found is not None]
        yield from (index for _, index in sorted(known, key=_first, reverse=is_descending))
        yield from (index for found, index in keyed if found is None)

    def _find_key(self, run: ComparedRun, key: str) -> tuple[Any, ...] | None:
        of, _, name = key.partition(":")
        match of:
            case "advantage" | "low":
                return _bound_key(run, key)
            case "parameter":
                return _value_key(run.parameters.get(name))
            case "others":
                return _value_key(say_folded(run, self._columns.folded))
            case "beside":
                return _value_key(self._beside.get(name, {}).get(run.run_id))
            case "verdict":
                return None if run.verdict is None else _value_key(_VERDICTS.index(run.verdict))
            case "run":
                return _value_key(run.run_id)
        return _value_key(run.value)


def _first(pair: tuple[tuple[Any, ...], int]) -> tuple[Any, ...]:
    return pair[0]


def _bound_key(run: ComparedRun, key: str) -> tuple[Any, ...] | None:
    if run.advantage is None:
        return None
    return _value_key(run.advantage.estimate if key == "advantage" else run.advantage.low)


def _value_key(value: Any) -> tuple[Any, ...] | None:
    """Return a key that puts numbers before text, so that mixed columns sort too."""
    if value is None or value != value:
        return None
    return (0, value, "") if isinstance(value, int | float) else (1, 0, str(value))

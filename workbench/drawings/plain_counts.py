"""Plain counts: how many rows are named wrong, and by how much numbers are off, in a sentence for whoever decides."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.stats.residuals import Residuals

_MOST_MISTAKES = 3
_SHOWN_LINES = 8  # of a table of counts; of more classes the commonest mistakes are told


def say_wrong(names: Sequence[str], confusion: Sequence[Sequence[int]], threshold: float | None = None) -> str:
    """Say how many rows are named wrong, which of them, and from which threshold on; `confusion` has a line for each class."""
    rows = sum(map(sum, confusion))
    wrong = rows - sum(line[place] for place, line in enumerate(confusion))
    at = "" if threshold is None else f" at a threshold of {threshold:.4g}"
    counted = f"Of {rows:,} rows {_count(wrong)} named wrong{at}"
    return f"{counted}: {_list_mistakes(names, confusion)}." if wrong else f"{counted}."


def _count(number: int) -> str:
    return f"{number or 'none'} is" if number < 2 else f"{number:,} are"


def _list_mistakes(names: Sequence[str], confusion: Sequence[Sequence[int]]) -> str:
    """Return both mistakes of two classes, the commonest of several."""
    found = [
        (count, is_, called)
        for is_, line in enumerate(confusion)
        for called, count in enumerate(line)
        if called != is_ and (count or len(names) == 2)
    ]
    found.sort(key=lambda each: (-each[0], each[1], each[2]))
    said = [
        f"{_count_of(count, sum(confusion[is_]), names[is_])} called {names[called]}"
        for count, is_, called in found[:_MOST_MISTAKES]
    ]
    left = sum(count for count, _, _ in found[_MOST_MISTAKES:])
    return ", ".join([*said, *([f"and {left:,} otherwise"] if left else [])])


def _count_of(count: int, of: int, name: str) -> str:
    whose = name if any(map(str.isalpha, name)) else f"of {name_class(name)}"
    return f"{count:,} of {of:,} {whose} {'is' if count == 1 else 'are'}"


def name_class(name: str) -> str:
    """Return a class as a sentence names it: malignant, but class 1."""
    return name if any(map(str.isalpha, name)) else f"class {name}"


def say_off(residuals: Residuals, target: str | None = None) -> str:
    """Say how far predictions are off, in the unit of the target."""
    of, unit = (f" of {target}", f"the unit of {target}") if target else ("", "the target's unit")
    most = f"nine in ten by at most {residuals.most_within:.3g}"
    off = f"Half of the {residuals.rows:,} predictions{of} are off by at most {residuals.half_within:.3g}, {most}"
    return f"{off} (in {unit}). {_say_bias(residuals.mean)}"


def _say_bias(mean: float) -> str:
    side = "too low" if mean > 0 else "too high"
    return (
        f"On average they are {abs(mean):.3g} {side}." if mean else "On average they are neither too low nor too high."
    )


def are_few(names: Sequence[str]) -> bool:
    """True of so few classes that a table of counts can be read."""
    return len(names) <= _SHOWN_LINES

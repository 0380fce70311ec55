"""Sweeps: what to try, where the next set of parameters comes from, and the plan that is kept of it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from workbench.errors import UsageError
from workbench.notebooks.parameters import MOST_COMBINATIONS, Parameter, parse_values, require_fit
from workbench.notebooks.value_types import ValueType, find_fault, is_number
from workbench.records.digest import canonical_json, strict_json
from workbench.runs.finding.annotations import NOTHING_SAID, Annotations
from workbench.runs.run import Run, RunState
from workbench.runs.trials import Goal

Search = Literal["grid", "random", "optuna"]


@dataclass(frozen=True)
class SearchKind:
    """One way to search: `draws` from intervals too and runs as many trials as it is told, `learns` from the runs before."""

    draws: bool = True
    learns: bool = False


# Another one is a line here, its name above, and a file: `<name>_search.py`.
SEARCHES: Mapping[Search, SearchKind] = {
    "grid": SearchKind(draws=False),
    "random": SearchKind(),
    "optuna": SearchKind(learns=True),
}
FORMAT = 1
_SHOWN_FAULTS = 3
_DISTRIBUTION = re.compile(r"(int|log|uniform)\(([^,()]{1,40}),([^,()]{1,40})\)")


# The space


@dataclass(frozen=True)
class Interval:
    """Numbers to draw from, both ends included: evenly or by their logarithm (`log`), any number or `whole` ones."""

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def fault(self) -> str | None:
        """What is wrong with it by itself, in words that follow `is`; None when it can be drawn from."""
        if not (is_number(self.low) and is_number(self.high) and self.low < self.high):
            return f"drawn from {self.low} to {self.high}; expected two finite numbers that rise."
        if self.whole and not (float(self.low).is_integer() and float(self.high).is_integer()):
            return f"drawn from {self.low} to {self.high}; expected whole numbers."
        return f"drawn by logarithm from {self.low}; expected to start above 0." if self.log and self.low <= 0 else None


Space = Mapping[str, "list[Any] | Interval"]


def parse_axis(parameter: Parameter | None, text: str) -> list[Any] | Interval:
    """Read what one parameter is tried with: `0.1,1,10`, `0..4`, and where it is drawn `log(a,b)`, `uniform(a,b)`, `int(a,b)`.

    What cannot be read is returned as text, so that `require_space` can say what was expected.
    """
    found = _DISTRIBUTION.fullmatch("".join(text.split()))
    if not found or (parameter is not None and parameter.type.is_text):
        return parse_values(parameter, text)
    low, high = _number(found[2]), _number(found[3])
    if low is None or high is None:
        return [text]
    is_whole = found[1] == "int" or (parameter is not None and parameter.type.kind == "int")
    return Interval(low, high, log=found[1] == "log", whole=is_whole)


def _number(text: str) -> float | None:
    try:
        value = strict_json(text.encode())
    except ValueError:
        return None
    return value if is_number(value) else None


def require_space(declared: Iterable[Parameter], space: Space, search: Search) -> None:
    """Raise UsageError, with every reason, for a space that holds what the notebook does not take or the search cannot draw."""
    if search not in SEARCHES:
        raise UsageError(f"There is no search {search!r}.", why=f"There are: {', '.join(SEARCHES)}.")
    known = {parameter.name: parameter.type for parameter in declared}
    found = {name: _find_faults(known[name], axis, search) for name, axis in space.items() if name in known}
    problems = {name: [f"{name} is {fault}" for fault in faults] for name, faults in found.items() if faults}
    require_fit(declared, space, problems)


def _find_faults(type_: ValueType, axis: list[Any] | Interval, search: Search) -> list[str]:
    if isinstance(axis, Interval):
        return _find_interval_faults(type_, axis, search)
    faults = [fault for value in axis if (fault := find_fault(type_, value))]
    more = len(faults) - _SHOWN_FAULTS
    return faults[:_SHOWN_FAULTS] + ([f"wrong in {more:,} more values."] if more > 0 else [])


def _find_interval_faults(type_: ValueType, axis: Interval, search: Search) -> list[str]:
    if not SEARCHES[search].draws:
        return ["drawn from an interval; a grid needs values: list them, or take --search random or optuna."]
    if axis.fault:
        return [axis.fault]
    if type_.choices:
        return [f"drawn from an interval; expected {type_.expects}: list those to try."]
    ends = [int(end) if axis.whole else float(end) for end in (axis.low, axis.high)]
    return [fault for end in ends if (fault := find_fault(type_, end))]


def count_sets(space: Space) -> int | None:
    """Return how many different sets a space holds, None for no end of them."""
    sizes = [_count_values(axis) for axis in space.values()]
    counted = [size for size in sizes if size is not None]
    return math.prod(counted) if len(counted) == len(sizes) else None


def _count_values(axis: list[Any] | Interval) -> int | None:
    if isinstance(axis, Interval):
        return int(axis.high) - int(axis.low) + 1 if axis.whole else None
    return len(distinct_values(axis))


def distinct_values(values: Iterable[Any]) -> list[Any]:
    """Return values without repeats, in their order; 1, 1.0 and true are three values."""
    return list({canonical_json(value): value for value in values}.values())


def name_set(values: Mapping[str, Any]) -> bytes:
    """Return what tells a parameter set from every other one."""
    return canonical_json(dict(values))


# The plan


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep was asked to do; `sets` are the bound parameters of each run, None when a search proposes them as it goes.

    `trials` is how many runs there will be at most; `created` is ISO 8601 in UTC; `said` is what is said of every run.
    """

    id: str
    created: str
    notebook: str
    notebook_digest: str
    search: Search
    space: Space
    trials: int
    seed: int
    goal: Goal | None
    sets: tuple[Mapping[str, Any], ...] | None
    said: Annotations = NOTHING_SAID

    def to_bytes(self) -> bytes:
        """Return the plan as JSON, with the parameters in the order they were given: a search draws in that order."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, allow_nan=False).encode()


def parse_plan(content: bytes) -> SweepPlan:
    """Read a plan back; raises UsageError for what is not one."""
    try:
        return _build_plan(strict_json(content))
    except (ValueError, KeyError, TypeError, AttributeError) as exc:
        why = f"{type(exc).__name__}: {exc}"
        raise UsageError("The plan of a sweep cannot be read.", why=why, next_step="Start the sweep anew.") from exc


def _build_plan(document: dict[str, Any]) -> SweepPlan:
    if document.pop("format") != FORMAT or document["search"] not in SEARCHES:
        raise ValueError("It has a format or a search this version does not know.")
    goal, sets = document["goal"], document["sets"]
    space = {
        name: Interval(**axis) if isinstance(axis, dict) else list(axis) for name, axis in document["space"].items()
    }
    document |= {
        "space": space,
        "goal": Goal(**goal) if goal else None,
        "sets": None if sets is None else tuple(dict(values) for values in sets),
        "said": Annotations(**document.get("said", {})),
    }
    return SweepPlan(**document)


def distinct_sets(sets: Iterable[Mapping[str, Any]]) -> tuple[Mapping[str, Any], ...]:
    """Return parameter sets without repeats, in their order."""
    return tuple({name_set(values): values for values in sets}.values())


def require_count(trials: int) -> None:
    """Raise UsageError for a number of runs that is none or far too many."""
    if not 0 < trials <= MOST_COMBINATIONS:
        raise UsageError(
            f"A sweep of {trials:,} runs is not started.", why=f"A sweep has 1 to {MOST_COMBINATIONS:,} runs."
        )


# What is left of it


def settled_runs(runs: Iterable[Run], *, retry_failed: bool = False) -> dict[bytes, Run]:
    """Return the runs that need not be run again, by their parameter set: the finished ones, and the failed unless retried."""
    wanted = (RunState.FINISHED,) if retry_failed else (RunState.FAILED, RunState.FINISHED)
    # A set that failed and then finished has finished.
    return {name_set(run.parameters): run for state in wanted for run in runs if run.state is state}


def missing_sets(
    sets: Sequence[Mapping[str, Any]], runs: Iterable[Run], *, retry_failed: bool = False
) -> list[Mapping[str, Any]]:
    """Return the sets without a run that finished; those that failed are left out too unless `retry_failed`."""
    settled = settled_runs(list(runs), retry_failed=retry_failed)
    return [values for values in sets if name_set(values) not in settled]

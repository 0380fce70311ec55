"""Parameters: what a notebook declares that may be given, and whether given values fit it."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from workbench.errors import UsageError
from workbench.notebooks.value_types import ValueType, find_fault
from workbench.records.digest import strict_json

MOST_VALUES = 10_000
MOST_COMBINATIONS = 10_000
HOW_TO_DECLARE = (
    "put what may be given into a cell of its own, such as `seed: int = 0`, and tag that cell `parameters` (JupyterLab: right "
    "sidebar, property inspector, cell tags)"
)


@dataclass(frozen=True)
class Parameter:
    """One declared parameter: its name, what it takes, and what it is when nothing is given.

    Values are JSON; the value of a secret is a reference, never the secret itself.
    """

    name: str
    type: ValueType
    default: Any


class Code(str):
    """A value as Python code, where the notebook has what JSON has not: a date, a path, a tuple."""

    __slots__ = ()


# Binding values


def bind_parameters(declared: tuple[Parameter, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter with its value: the given ones validated, the others at their default.

    Whole numbers given for a float become floats. Raises UsageError listing every unknown name and unfit value at once.
    """
    known = {parameter.name: parameter.type for parameter in declared}
    problems = {
        name: [f"{name} is {fault}"]
        for name, value in given.items()
        if name in known and (fault := find_fault(known[name], value))
    }
    require_fit(declared, given, problems)
    return {each.name: each.type.normalise(given.get(each.name, each.default)) for each in declared}


def require_fit(declared: Iterable[Parameter], given: Iterable[str], problems: Mapping[str, Iterable[str]]) -> None:
    """Raise UsageError for names that are not declared and for what is wrong with the values of those that are."""
    names = [parameter.name for parameter in declared]
    unknown = [name for name in given if name not in names]
    if not unknown and not problems:
        return
    known = ", ".join(names) or "none"
    said = [
        f"{name!r} is not a parameter of this notebook; it has {known}.{_say_near(name, names)}" for name in unknown
    ]
    count = len(unknown) + len(problems)
    advice = "correct the values and run again" if names else f"{HOW_TO_DECLARE}, or run it without parameters"
    raise UsageError(
        f"{count} parameter{'s do' if count > 1 else ' does'} not fit the notebook.",
        why=sorted([*said, *(each for found in problems.values() for each in found)]),
        next_step=f"Nothing was started; {advice}.",
    )


def _say_near(name: str, names: Sequence[str]) -> str:
    near = get_close_matches(name, names, n=1)
    return f" Did you mean {near[0]}?" if near else ""


def spell_values(declared: Iterable[Parameter], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values as they stand in the notebook: JSON, or the `Code` of what JSON cannot hold."""
    types = {parameter.name: parameter.type for parameter in declared}
    return {
        name: Code(types[name].spell(value)) if value is not None and name in types and types[name].is_code else value
        for name, value in values.items()
    }


# To and from the command line


def spell_value(value: Any) -> str:
    """Return a value as it is typed after `-p NAME=`: text as it stands, nothing as none, all others as JSON."""
    if value is None:
        return "none"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


_ABSENT = ("null", "none", "None")


def parse_value(parameter: Parameter | None, text: str) -> Any:
    """Read a value from a command line: text as it stands for text parameters, JSON for all others.

    What is not JSON is returned as text, so that `bind_parameters` can say what was expected.
    """
    if parameter is not None and parameter.type.is_text:
        return None if parameter.type.optional and text in _ABSENT else text
    try:
        return strict_json(text.encode())
    except ValueError:
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def parse_values(parameter: Parameter | None, text: str) -> list[Any]:
    """Read the values of a sweep; a text that holds a comma is written in double quotes."""
    is_text = parameter is not None and parameter.type.is_text
    return [parse_value(parameter, _unquote(value) if is_text else value) for value in split_values(text)]


def _unquote(text: str) -> str:
    if not text.startswith('"'):
        return text
    try:
        return str(strict_json(text.encode()))
    except ValueError:
        return text


def split_values(text: str) -> list[str]:
    """Split the values of a sweep at its commas, not those inside brackets or quotes; `0..4` is 0, 1, 2, 3, 4."""
    parts, depth, quoted, escaped = [""], 0, False, False
    for character in text:
        opens = character == '"' and not escaped and (quoted or depth > 0 or not parts[-1].strip())
        escaped = quoted and character == "\\" and not escaped
        quoted ^= opens
        depth = max(depth + (0 if quoted else (character in "[{") - (character in "]}")), 0)
        if character == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [value for part in parts for value in _expand_range(part.strip())]


def _expand_range(text: str) -> list[str]:
    found = re.fullmatch(r"(-?[0-9]{1,9})\.\.(-?[0-9]{1,9})", text)
    if not found:
        return [text]
    first, last = int(found[1]), int(found[2])
    if not 0 <= last - first < MOST_VALUES:
        raise UsageError(f"{text} is not a range.", why=f"It must rise and have at most {MOST_VALUES:,} values.")
    return [str(number) for number in range(first, last + 1)]


def expand_grid(axes: Mapping[str, list[Any]]) -> Iterator[dict[str, Any]]:
    """Yield every combination of the values, the last axis changing fastest; raises UsageError for none or far too many."""
    count = math.prod(len(values) for values in axes.values())
    if not 0 < count <= MOST_COMBINATIONS:
        sizes = ", ".join(f"{name} has {len(values):,} values" for name, values in axes.items())
        raise UsageError(
            f"A sweep of {count:,} runs is not started.",
            why=f"{sizes}; a sweep has 1 to {MOST_COMBINATIONS:,} runs.",
            next_step="Give fewer values, or run several sweeps.",
        )
    for combination in itertools.product(*axes.values()):
        yield dict(zip(axes, combination, strict=True))

"""Parameters: what a notebook declares that may be given, and whether given values fit it."""

from __future__ import annotations

import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

from workbench.errors import UsageError
from workbench.records.digest import strict_json
from workbench.secrets.references import FORMS_OF_REFERENCE, SECRET, parse_reference

LONGEST_VALUE = 20_000
DEEPEST_VALUE = 50
MOST_VALUES = 10_000
MOST_COMBINATIONS = 10_000
TYPES: Mapping[str, type] = {"int": int, "float": float, "str": str, "bool": bool, "list": list, "dict": dict}
_SAYS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "list": "a list",
    "dict": "a mapping",
    SECRET: f"a reference to a secret ({FORMS_OF_REFERENCE})",
}
BOUNDS = {"Ge": "at least", "Gt": "above", "Le": "at most", "Lt": "below"}


@dataclass(frozen=True)
class Bound:
    """A limit on a number: one of Ge, Gt, Le, Lt (names as in annotated-types) and its value."""

    kind: str
    value: float

    def holds(self, value: float) -> bool:
        """True when the value respects the limit."""
        return {
            "Ge": value >= self.value,
            "Gt": value > self.value,
            "Le": value <= self.value,
            "Lt": value < self.value,
        }[self.kind]


@dataclass(frozen=True)
class Parameter:
    """One declared parameter; `type` is None when any JSON value is allowed, `items` types what a list or mapping holds.

    The value of a `secret` is a reference, never the secret itself.
    """

    name: str
    type: str | None
    default: Any
    optional: bool = False
    choices: tuple[Any, ...] = ()
    bounds: tuple[Bound, ...] = ()
    items: str | None = None

    @property
    def expects(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            says = "one of " + ", ".join(json.dumps(choice) for choice in self.choices)
        else:
            says = _SAYS.get(self.type or "", "a JSON value")
        says += f", each item {_SAYS[self.items]}" if self.items else ""
        limits = [f"{BOUNDS[bound.kind]} {bound.value:g}" for bound in self.bounds]
        return " ".join([says, " and ".join(limits)] if limits else [says]) + (" or null" if self.optional else "")


# Binding values


def bind_parameters(declared: tuple[Parameter, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return every parameter with its value: the given ones validated, the others at their default.

    Whole numbers given for a float become floats. Raises UsageError listing every unknown name and unfit value at once.
    """
    known = {parameter.name: parameter for parameter in declared}
    problems = [
        f"{name!r} is not a parameter of this notebook; it has {', '.join(known) or 'none'}."
        for name in given
        if name not in known
    ]
    problems += [
        f"{name} is {fault}"
        for name, value in given.items()
        if name in known and (fault := find_fault(known[name], value))
    ]
    if problems:
        raise UsageError(
            f"{len(problems)} parameter{'s do' if len(problems) > 1 else ' does'} not fit the notebook.",
            why=sorted(problems),
            next_step="Nothing was started; correct the values and run again.",
        )
    return {name: _convert(parameter, given.get(name, parameter.default)) for name, parameter in known.items()}


def _convert(parameter: Parameter, value: Any) -> Any:
    if parameter.type == "float" and value is not None:
        return float(value)
    if parameter.items == "float" and value is not None:
        return {key: float(v) for key, v in value.items()} if isinstance(value, dict) else [float(v) for v in value]
    return value


def find_fault(parameter: Parameter, value: Any) -> str | None:
    """Return what is wrong with a value, in words that follow `is`; None when it fits."""
    if value is None:
        fits = parameter.optional
    elif not is_json(value) or len(json.dumps(value)) > LONGEST_VALUE:
        return f"not a finite JSON value of at most {LONGEST_VALUE:,} characters."
    else:
        fits = _fits(parameter, value)
    # What was given for a secret may be the secret itself.
    shown = "no reference, and not shown" if parameter.type == SECRET and value is not None else _show(value)
    return None if fits else f"{shown}; expected {parameter.expects}."


def _fits(parameter: Parameter, value: Any) -> bool:
    if not _has_type(parameter.type, value):
        return False
    if parameter.choices and not any(_is_same(value, choice) for choice in parameter.choices):
        return False
    if parameter.items and not all(_has_type(parameter.items, item) for item in _items_of(value)):
        return False
    return all(bound.holds(value) for bound in parameter.bounds)


def _items_of(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value


def _is_same(value: Any, choice: Any) -> bool:
    """True and 1 are different choices; 1 and 1.0 are the same number."""
    return value == choice and (type(value) is type(choice) or (type(choice) is float and type(value) is int))


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def type_of(value: Any) -> str | None:
    """Return the name of the type a value has, None when no parameter can be declared with it."""
    return next((name for name, kind in TYPES.items() if type(value) is kind), None)


def _has_type(kind: str | None, value: Any) -> bool:
    if kind is None:
        return True
    if kind == "float":
        # A whole number that no float can hold would arrive as another one.
        return is_number(value) and float(value) == value
    return parse_reference(value) is not None if kind == SECRET else type(value) is TYPES[kind]


def is_number(value: Any) -> bool:
    """True for a finite number that is not true or false."""
    return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def is_json(value: Any, depth: int = DEEPEST_VALUE) -> bool:
    """True for what JSON can hold and every reader reads alike: no NaN, no tuple, no half character, no endless nesting."""
    match value:
        case None | bool():
            return True
        case str():
            return _is_unicode(value)
        case int() | float():
            return _is_finite(value)
        case list():
            return depth > 0 and all(is_json(item, depth - 1) for item in value)
        case dict():
            return depth > 0 and all(
                isinstance(key, str) and _is_unicode(key) and is_json(item, depth - 1) for key, item in value.items()
            )
    return False


def _is_unicode(text: str) -> bool:
    """False for halves of a character, which no file can hold (a command line can: as undecodable bytes)."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


# From the command line


def parse_value(parameter: Parameter | None, text: str) -> Any:
    """Read a value from a command line: text as it stands for text parameters, JSON for all others.

    What is not JSON is returned as text, so that `bind_parameters` can say what was expected.
    """
    if _is_text(parameter):
        return None if parameter.optional and text == "null" else text
    try:
        return strict_json(text.encode())
    except ValueError:
        return {"true": True, "false": False, "none": None}.get(text.lower(), text)


def parse_values(parameter: Parameter | None, text: str) -> list[Any]:
    """Read the values of a sweep; a text that holds a comma is written in double quotes."""
    return [parse_value(parameter, _unquote(value) if _is_text(parameter) else value) for value in split_values(text)]


def _is_text(parameter: Parameter | None) -> TypeGuard[Parameter]:
    return parameter is not None and parameter.type in ("str", SECRET)


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

"""Value types: what a parameter takes, in words; its values are JSON, and some are written into the notebook as code."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from workbench.secrets.references import FORMS_OF_REFERENCE, SECRET, parse_reference

LONGEST_VALUE = 20_000
DEEPEST_VALUE = 50
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
class ValueType:
    """What a value must be; without a `kind` any JSON value will do.

    `items` types what a list, tuple or mapping holds, `fields` each place of a tuple of fixed length. `spelled` is the class of a
    date or path as the notebook names it.
    """

    kind: str | None = None
    optional: bool = False
    choices: tuple[Any, ...] = ()
    bounds: tuple[Bound, ...] = ()
    items: ValueType | None = None
    fields: tuple[ValueType, ...] = ()
    spelled: str = ""

    @property
    def expects(self) -> str:
        """What a value must be, in words."""
        if self.choices:
            says = "one of " + ", ".join(json.dumps(choice) for choice in self.choices)
        else:
            says = KINDS[self.kind].says if self.kind else "a JSON value"
        says += f", each item {self.items.expects}" if self.items and self.items != ValueType() else ""
        says += f" of {len(self.fields)}: {', '.join(field.expects for field in self.fields)}" if self.fields else ""
        limits = [f"{BOUNDS[bound.kind]} {bound.value:g}" for bound in self.bounds]
        return " ".join([says, " and ".join(limits)] if limits else [says]) + (" or none" if self.optional else "")

    @property
    def is_text(self) -> bool:
        """True where a value is written on a command line as it stands."""
        return self.kind is not None and KINDS[self.kind].is_text

    @property
    def is_code(self) -> bool:
        """True where a value is no JSON value in the notebook, but a date, a path or a tuple, or holds some."""
        return self.kind in _CODE or any(part.is_code for part in (self.items, *self.fields) if part)

    def holds(self, value: Any) -> bool:
        """True when a JSON value is one of these."""
        if value is None:
            return self.optional or self == ValueType()
        if self.kind and not KINDS[self.kind].holds(value):
            return False
        if self.choices and not any(_is_same(value, choice) for choice in self.choices):
            return False
        if self.fields and len(value) != len(self.fields):
            return False
        return all(type_.holds(item) for type_, item in self.parts(value)) and all(
            bound.holds(value) for bound in self.bounds
        )

    def normalise(self, value: Any) -> Any:
        """Return a value that fits as it is kept: whole numbers for a float as floats, times as ISO 8601 writes them."""
        if value is None:
            return None
        parts = [type_.normalise(item) for type_, item in self.parts(value)]
        if parts:
            return dict(zip(value, parts, strict=True)) if isinstance(value, dict) else parts
        return KINDS[self.kind].normalise(value) if self.kind else value

    def spell(self, value: Any) -> str:
        """Return the Python code of a value that fits, as it stands in the notebook."""
        if value is None or not self.is_code:
            return repr(value)
        if self.kind in _CODE and not isinstance(value, list):
            return _CODE[self.kind].format(name=self.spelled, text=repr(value))
        parts = [type_.spell(item) for type_, item in self.parts(value)] or list(map(repr, value))
        if isinstance(value, dict):
            return "{" + ", ".join(f"{name!r}: {part}" for name, part in zip(value, parts, strict=True)) + "}"
        inside = ", ".join(parts)
        return f"[{inside}]" if self.kind == "list" else f"({inside}{',' if len(parts) == 1 else ''})"

    def parts(self, value: Any) -> Iterator[tuple[ValueType, Any]]:
        """Return what a value holds, each with its type, where these are known."""
        inside: Sequence[Any] = list(value.values()) if isinstance(value, dict) else value
        if self.fields:
            yield from zip(self.fields, inside, strict=True)
        elif self.items:
            yield from ((self.items, item) for item in inside)


@dataclass(frozen=True)
class _Kind:
    """One kind of value: in words, which JSON values are of it, and the one way they are kept."""

    says: str
    holds: Callable[[Any], bool]
    is_text: bool = False
    normalise: Callable[[Any], Any] = lambda value: value


def _is_float(value: Any) -> bool:
    # A whole number that no float can hold would arrive as another one.
    return is_number(value) and float(value) == value


def _is_read_by(read: Callable[[str], object]) -> Callable[[Any], bool]:
    def holds(value: Any) -> bool:
        try:
            return isinstance(value, str) and bool(read(value))
        except ValueError:
            return False

    return holds


KINDS: Mapping[str, _Kind] = {
    "int": _Kind("a whole number", lambda value: type(value) is int),
    "float": _Kind("a number", _is_float, normalise=float),
    "str": _Kind("text", lambda value: type(value) is str, is_text=True),
    "bool": _Kind("true or false", lambda value: type(value) is bool),
    "list": _Kind("a list", lambda value: type(value) is list),
    "tuple": _Kind("a list", lambda value: type(value) is list),
    "dict": _Kind("a mapping", lambda value: type(value) is dict),
    "date": _Kind(
        "a date such as 2026-01-31",
        _is_read_by(date.fromisoformat),
        is_text=True,
        normalise=lambda text: date.fromisoformat(text).isoformat(),
    ),
    "datetime": _Kind(
        "a time such as 2026-01-31T12:30",
        _is_read_by(datetime.fromisoformat),
        is_text=True,
        normalise=lambda text: datetime.fromisoformat(text).isoformat(),
    ),
    "path": _Kind("a path", lambda value: type(value) is str and value != "" and "\0" not in value, is_text=True),
    SECRET: _Kind(
        f"a reference to a secret ({FORMS_OF_REFERENCE})",
        lambda value: parse_reference(value) is not None,
        is_text=True,
    ),
}
# How a value stands in the notebook that JSON cannot hold.
_CODE = {
    "date": "{name}.fromisoformat({text})",
    "datetime": "{name}.fromisoformat({text})",
    "path": "{name}({text})",
    "tuple": "",
}
_JSON_KINDS = {int: "int", float: "float", str: "str", bool: "bool", list: "list", dict: "dict"}


def kind_of(value: Any) -> str | None:
    """Return the kind of a JSON value, None when no parameter can be declared with it."""
    return _JSON_KINDS.get(type(value))


def find_fault(type_: ValueType, value: Any) -> str | None:
    """Return what is wrong with a value, in words that follow `is`; None when it fits."""
    if value is not None and (not is_json(value) or len(json.dumps(value)) > LONGEST_VALUE):
        return f"not a finite JSON value of at most {LONGEST_VALUE:,} characters."
    # What was given for a secret may be the secret itself.
    shown = "no reference, and not shown" if type_.kind == SECRET and value is not None else _show(value)
    return None if type_.holds(value) else f"{shown}; expected {type_.expects}."


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _is_same(value: Any, choice: Any) -> bool:
    """True and 1 are different choices; 1 and 1.0 are the same number."""
    return bool(value == choice and (type(value) is type(choice) or (type(choice) is float and type(value) is int)))


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

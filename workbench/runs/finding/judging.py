"""Judging conditions of runs: names are found among what runs have, kinds are held against each other, then every run is judged.

A comparison with a value that a run does not have is neither true nor false, nor is what is made of it with `not`; a run is
chosen where the whole is true (Kleene's logic, as in SQL).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache, partial
from typing import Any

from workbench.runs.finding.conditions import (
    Comparison,
    Condition,
    Every,
    Has,
    Literal,
    Name,
    Not,
    Operand,
    Some,
    cannot_read,
    list_names,
    list_value_names,
    say_at,
)
from workbench.runs.finding.names import Rows, find_meanings, say_no_such_name
from workbench.runs.finding.outline import FIELDS, MISSING
from workbench.runs.run import RunState

Verdict = bool | None
Judge = Callable[[int], Verdict]
STATES = (*(str(state).lower() for state in RunState), "draft")
_ORDER = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}
_AGO = re.compile(r"(\d{1,6}) ?(s|min|h|d)(?: ago)?")
_MOMENT = re.compile(r"\d\d:\d\d:\d\d")
_IDS, _PIECE = ("id", "replay_of", "sweep"), re.compile(r"[0-9a-f]{1,11}")
_A_KIND = {
    "number": "a number",
    "text": "text",
    "flag": "true or false",
    "time": "a time",
    "list": "a list",
    "none": "none",
}


def choose_runs(condition: Condition, runs: Rows) -> Iterator[int]:
    """Yield the places of the runs of which a condition is true, as they are asked for.

    Raises UsageError, with every reason, for a name that no run has or that means several things, and for kinds that cannot
    be compared.
    """
    if not len(runs):
        return
    judge = _Judging(condition, runs).build(condition)
    yield from (place for place in range(len(runs)) if judge(place) is True)


class _Judging:
    """A condition over runs: one column of values for each name in it."""

    def __init__(self, condition: Condition, table: Rows) -> None:
        self._table = table
        names = {(name.of, name.key): name for name in reversed(list_names(condition))}
        values = {(name.of, name.key) for name in list_value_names(condition)}
        found = {key: find_meanings(name, table) for key, name in names.items()}
        faults = [
            f"{say_at(names[key].at)}: {say_no_such_name(names[key], meanings, table)}"
            f"{_hint_at_quotes(names[key]) if key in values and not meanings else ''}"
            for key, meanings in found.items()
            if len(meanings) != 1
        ]
        if faults:
            raise cannot_read(*dict.fromkeys(faults))
        self._meanings = {key: (of, names[key].key) for key, (of, *_) in found.items()}
        self._columns = {key: table.read(*meaning) for key, meaning in self._meanings.items()}

    def build(self, condition: Condition) -> Judge:
        """Return what judges one run by its place."""
        match condition:
            case Every(parts):
                return partial(_judge_every, [self.build(part) for part in parts])
            case Some(parts):
                return partial(_judge_some, [self.build(part) for part in parts])
            case Not(part):
                return partial(_judge_not, self.build(part))
            case Has(name):
                column = self._column(name)
                return lambda place: column[place] is not MISSING
            case Comparison(sign, left, right, at):
                return self._compare(sign, left, right, at)

    def _column(self, name: Name) -> Sequence[Any]:
        return self._columns[name.of, name.key]

    def _compare(self, sign: str, left: Operand, right: Operand, at: int) -> Judge:
        self._require_whole(sign, left, right)
        self._require_whole(sign, right, left)
        one, other = self._fit(left, right), self._fit(right, left)
        if fault := self._find_fault(sign, one, other):
            raise cannot_read(f"{say_at(at)}: {fault}")
        compare = _choose_comparison(sign)
        values, others = self._values(left, one), self._values(right, other)
        return lambda place: compare(values(place), others(place))

    def _fit(self, operand: Operand, beside: Operand) -> Operand:
        """Return a literal as what stands beside it understands it: a time, a state."""
        if not isinstance(operand, Literal) or not isinstance(beside, Name) or not isinstance(operand.value, str):
            return operand
        of, key = self._meanings[beside.of, beside.key]
        if of != "run":
            return operand
        if FIELDS[key].kind == "time":
            return Literal(_read_moment(operand), operand.at)
        return Literal(_read_state(operand), operand.at) if key == "state" else operand

    def _require_whole(self, sign: str, operand: Operand, beside: Operand) -> None:
        """Raise UsageError for a day that a moment, or a piece of an id that an id, is to be equal to: no run's ever is."""
        if sign not in ("=", "!=") or not isinstance(operand, Literal) or not isinstance(beside, Name):
            return
        (of, key), text = self._meanings[beside.of, beside.key], operand.value
        if of != "run" or not isinstance(text, str):
            return
        if FIELDS[key].kind == "time" and not _MOMENT.search(text):
            _read_moment(operand)
            raise cannot_read(f"{say_at(operand.at)}: {key} is a moment, never a whole day. Write {key} >= {text!r}.")
        if key in _IDS and _PIECE.fullmatch(text) and text not in self._column(beside):
            raise cannot_read(f"{say_at(operand.at)}: {text!r} is no whole id. Write {key} like '{text}%'.")

    def _values(self, operand: Operand, fitted: Operand) -> Callable[[int], Any]:
        if isinstance(operand, Name):
            return self._column(operand).__getitem__
        value = fitted.value if isinstance(fitted, Literal) else None
        return lambda _: value

    def _find_fault(self, sign: str, left: Operand, right: Operand) -> str | None:
        """Say why two operands are never compared, None where some run's can be."""
        one, other = self._list_kinds(left), self._list_kinds(right)
        if not one or not other:
            return None
        told = f"{self._say(left, one)}, {self._say(right, other)}"
        if sign in _ORDER:
            return None if one & other & {"number", "time"} else f"{sign} compares two numbers or two times; {told}."
        if sign == "contains" and "list" in one:
            return None
        if sign not in ("=", "!="):
            return None if "text" in one & other else f"{sign} compares two texts; {told}."
        if one & other:
            return None
        named = next((operand.text for operand in (left, right) if isinstance(operand, Name)), "")
        hint = f" A run without it is found by `not has {named}`." if "none" in one | other else ""
        return f"They are of different kinds: {told}.{hint}"

    def _list_kinds(self, operand: Operand) -> set[str]:
        values = self._column(operand) if isinstance(operand, Name) else [operand.value]
        return {_kind(value) for value in values if value is not MISSING}

    def _say(self, operand: Operand, kinds: set[str]) -> str:
        said = " or ".join(_A_KIND[kind] for kind in sorted(kinds))
        if isinstance(operand, Literal):
            return f"{_spell(operand.value)} is {said}"
        place = next(place for place, value in enumerate(self._column(operand)) if value is not MISSING)
        return f"{operand.text} is {said} ({_spell(self._column(operand)[place])} in {self._table.id_at(place)})"


def _judge_every(parts: Sequence[Judge], place: int) -> Verdict:
    verdict: Verdict = True
    for part in parts:
        match part(place):
            case False:
                return False
            case None:
                verdict = None
    return verdict


def _judge_some(parts: Sequence[Judge], place: int) -> Verdict:
    verdict: Verdict = False
    for part in parts:
        match part(place):
            case True:
                return True
            case None:
                verdict = None
    return verdict


def _judge_not(part: Judge, place: int) -> Verdict:
    verdict = part(place)
    return None if verdict is None else not verdict


# Comparing two values


def _choose_comparison(sign: str) -> Callable[[Any, Any], Verdict]:
    match sign:
        case "=" | "!=":
            return partial(_compare_equal, is_wanted=sign == "=")
        case "contains":
            return _contains
        case "like" | "ilike":
            return partial(_is_like, flags=re.DOTALL | (re.IGNORECASE if sign == "ilike" else 0))
    return partial(_compare_order, order=_ORDER[sign])


def _kind(value: Any) -> str:
    match value:
        case bool():
            return "flag"
        case int() | float():
            return "number"
        case str():
            return "text"
        case datetime():
            return "time"
        case None:
            return "none"
    return "list"


def _compare_equal(one: Any, other: Any, *, is_wanted: bool) -> Verdict:
    if one is MISSING or other is MISSING:
        return None
    return (_kind(one) == _kind(other) and one == other) is is_wanted


def _compare_order(one: Any, other: Any, *, order: Callable[[Any, Any], bool]) -> Verdict:
    kind = _kind(one)
    return order(one, other) if kind in ("number", "time") and kind == _kind(other) else None


def _contains(one: Any, other: Any) -> Verdict:
    if isinstance(one, list):
        return any(_compare_equal(each, other, is_wanted=True) for each in one)
    return other in one if isinstance(one, str) and isinstance(other, str) else None


def _is_like(one: Any, other: Any, *, flags: int) -> Verdict:
    """Match as SQL's LIKE does (% any characters, _ one), each piece at its first place: never longer than text times pattern."""
    if not isinstance(one, str) or not isinstance(other, str):
        return None
    first, *pieces = [_read_piece(piece, flags) for piece in other.split("%")]
    begun = first.match(one)
    if not pieces or begun is None:
        return begun is not None and first.fullmatch(one) is not None
    at = begun.end()
    for piece in pieces[:-1]:
        found = piece.search(one, at)
        if found is None:
            return False
        at = found.end()
    last = len(one) - len(other.rpartition("%")[2])
    return last >= at and pieces[-1].match(one, last) is not None


@lru_cache(maxsize=256)
def _read_piece(text: str, flags: int) -> re.Pattern[str]:
    return re.compile("".join("." if sign == "_" else re.escape(sign) for sign in text), flags)


# What literals mean beside some names


def _read_state(literal: Literal) -> str:
    state = str(literal.value).lower()
    if state not in STATES:
        raise cannot_read(f"{say_at(literal.at)}: {literal.value!r} is no state; there are {', '.join(STATES)}.")
    return state


def _read_moment(literal: Literal) -> datetime:
    """Return a time: ISO 8601, where it names no zone that of this machine, or how long ago (`2 d ago`)."""
    text, now = str(literal.value).strip(), datetime.now(UTC)
    try:
        if found := _AGO.fullmatch(text):
            return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
        if text in ("today", "yesterday"):
            midnight = datetime.now().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight - timedelta(days=text == "yesterday")
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        forms = "'2026-11-20', '2026-11-20 09:30', 'today', 'yesterday' or '2 d ago' (s, min, h, d)"
        raise cannot_read(f"{say_at(literal.at)}: {text[:40]!r} is no time; write {forms}.") from None


def _hint_at_quotes(name: Name) -> str:
    return "" if name.of else f" A text stands in quotes: '{name.key}'."


def _spell(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else repr(value)[:40]

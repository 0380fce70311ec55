"""A contract: the typed schema of a model's input and answers, and why rows do not keep it."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal, cast, get_args

from workbench.errors import UsageError
from workbench.records.digest import canonical_json, strict_json
from workbench.records.iso8601 import TimeType, count_time, find_time_type
from workbench.stats.task import FEWEST_CLASSES, MOST_CLASSES, Label, Response, Task, spell_class

FORMAT = 2
MOST_ROWS = 1_000
LONGEST_STRING = 1_000
LONGEST_CLASS = 100
LARGEST_INTEGER = 2**53 - 1
LARGEST_NUMBER = 3.4e38  # what a 32-bit float holds: compiled models and trees compute in it
MOST_PROBLEMS = 100
LARGEST_CONTRACT = 4 * 1024**2  # bytes; endpoints send it to whoever asks

# What contracts of format 1 held.
_FIRST_FIELDS, _FIRST_COLUMN = ("columns", "format", "positive_class", "task"), ("name", "nullable", "type")

# A whole number may be written as text, for readers of JSON that have only 53 bits for one.
ColumnType = Literal["number", "integer", "boolean", "string", "integer_text", "datetime", "duration"]
End = float | int | str
# Control characters, line separators and what turns the direction of text: in a terminal or a page they hide what is there.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

Missing = Literal["nan", "none"]


@dataclass(frozen=True)
class Answers:
    """What a model says of rows: a score for each (of several classes a list), and of classes the one it decides for.

    `scores` has shape (n,) or (n, classes); `labels` (n,) is None where there are no classes or nobody wrote them down.
    """

    scores: list[Any]
    labels: list[Label] | None = None


Predict = Callable[[Sequence[Mapping[str, Any]]], Answers]

_TYPES: tuple[str, ...] = get_args(ColumnType)
_TASKS: tuple[str, ...] = get_args(Task)
_EXPECTED: Mapping[str, str] = {
    "integer_text": 'a whole number of at most 64 bits as text, such as "9007199254740993"',
    "number": "a finite number",
    "integer": f"a whole number within ±{LARGEST_INTEGER}",
    "boolean": "true or false",
}


@dataclass(frozen=True)
class Column:
    """One input column; `nullable` allows null, which reaches the model as a missing value.

    `dtype` is pandas' name of the type the model was fitted on, `missing` what a missing value was there (`nan`, or `none` for
    Python's None), `categories` those of a column of categories, in their order, `longest` how many characters a text may have. An
    empty dtype: nobody wrote it down. `lowest` and `highest` are the ends of what was seen, spelled as a caller would, `values` the
    texts that were seen where there are few; what lies outside is answered as the model answers it.
    """

    name: str
    type: ColumnType
    nullable: bool = False
    dtype: str = ""
    missing: Missing = "nan"
    categories: tuple[Label, ...] | None = None
    ordered: bool = False
    longest: int = LONGEST_STRING
    lowest: End | None = None
    highest: End | None = None
    values: tuple[str, ...] | None = None

    @cached_property
    def time(self) -> TimeType | None:
        """How a column of dates or durations counts."""
        return find_time_type(self.dtype)

    @property
    def expected(self) -> str:
        """What a value must be, in words."""
        return self._expected + (" or null" if self.nullable else "")

    @property
    def _expected(self) -> str:
        if self.type == "string":
            return f"a string of at most {self.longest} characters"
        return _EXPECTED[self.type] if self.time is None else self.time.expected


@dataclass(frozen=True)
class RowProblem:
    """One reason why rows cannot be scored; `row` counts from 0; `row` or `column` is None when it is about none."""

    row: int | None
    column: str | None
    expected: str
    got: str


@dataclass(frozen=True)
class Threshold:
    """From where on a model decides for a label: `at` of what `response` says of it, that included."""

    label: Label
    at: float
    response: Response


@dataclass(frozen=True)
class Contract:
    """What a model takes and what its score means.

    For classification a score is the probability of `positive_class`, between 0 and 1, or by `response` its decision function or
    its class; of several classes there is one for each; for regression it is the prediction in the units of the target. `classes`
    are the labels in the order of the model, `threshold` is where a model decides that has one of its own, tuned or fixed. Where it
    `flags_unseen`, an answer names the columns whose value lies outside of what was seen.
    """

    task: Task
    columns: tuple[Column, ...]
    positive_class: Label | None = None
    classes: tuple[Label, ...] | None = None
    response: Response = "predict_proba"
    threshold: Threshold | None = None
    flags_unseen: bool = False
    format: int = FORMAT

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in the order the model was trained with."""
        return tuple(column.name for column in self.columns)

    @property
    def positive_place(self) -> int:
        """Where the positive class stands among the two classes: the second one where nobody named it."""
        return self.classes.index(self.positive_class) if self.classes and self.positive_class is not None else 1

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, in the format it was read in."""
        document = asdict(self)
        if self.format == 1:
            document = {name: document[name] for name in _FIRST_FIELDS}
            document["columns"] = [{name: each[name] for name in _FIRST_COLUMN} for each in document["columns"]]
        return canonical_json(document)


def parse_contract(content: bytes) -> Contract:
    """Read a contract from its canonical bytes; raises UsageError when they are of another format or damaged."""
    if len(content) > LARGEST_CONTRACT:
        raise UsageError(
            "The contract cannot be read.", why=f"It is {len(content):,} bytes; the limit is {LARGEST_CONTRACT:,}."
        )
    try:
        document = strict_json(content)
        if document["format"] not in (1, FORMAT) or isinstance(document["format"], bool):
            raise ValueError(f"format {document['format']}, this version reads 1 and {FORMAT}")
        if document["format"] == 1 and set(document) != set(_FIRST_FIELDS):
            raise ValueError("a contract of format 1 has other fields than expected")
        contract = _build(document)
        require_valid(contract)
        spelled = contract.to_bytes()  # half a character can be read from JSON, and not be written
    except (KeyError, TypeError, ValueError, RecursionError) as exc:
        raise UsageError("The contract cannot be read.", why=f"{type(exc).__name__}: {exc}") from exc
    if spelled != content:
        raise UsageError("The contract cannot be read.", why="Its bytes are not in canonical form.")
    return contract


def _build(document: Mapping[str, Any]) -> Contract:
    columns = tuple(
        Column(**{**column, **_tuples(column, "categories"), **_tuples(column, "values")})
        for column in document["columns"]
    )
    threshold = document.get("threshold")
    named = {"threshold": None if threshold is None else Threshold(**threshold)}
    return Contract(**{**document, **_tuples(document, "classes"), **named, "columns": columns})


def _tuples(document: Mapping[str, Any], name: str) -> dict[str, Any]:
    value = document.get(name)
    return {name: tuple(value)} if isinstance(value, list) else {}


def require_valid(contract: Contract) -> Contract:
    """Return a contract that can be kept; raises UsageError with everything that is wrong with it."""
    problems = sorted(_contract_problems(contract))
    if problems:
        raise UsageError("The contract cannot be used.", why=problems)
    return contract


def _contract_problems(contract: Contract) -> Iterator[str]:
    if contract.task not in _TASKS:
        yield f"Unknown task {contract.task!r}; known are {', '.join(_TASKS)}."
    yield from _class_problems(contract)
    if not isinstance(cast("object", contract.flags_unseen), bool):
        yield "It must flag what is unseen or not."
    if not contract.columns:
        yield "It has no columns."
    if len(set(contract.names)) != len(contract.columns):
        yield "Two columns have the same name."
    for column in contract.columns:
        yield from _column_problems(column)


def _class_problems(contract: Contract) -> Iterator[str]:
    classes, positive = cast("object", contract.classes), cast("object", contract.positive_class)
    if not isinstance(positive, str if contract.format == 1 else _LABELS) and positive is not None:
        yield "The positive class must be a label or absent."
    if contract.response not in get_args(Response):
        yield f"Unknown response {contract.response!r}."
    if classes is None and contract.task == "multiclass":
        yield "Several classes must be named."
    elif classes is not None and not (
        isinstance(classes, tuple) and all(isinstance(each, _LABELS) for each in classes)
    ):
        yield "The classes must be labels."
    elif classes is not None:
        yield from _named_problems(contract, cast("tuple[Label, ...]", classes))


def _named_problems(contract: Contract, classes: tuple[Label, ...]) -> Iterator[str]:
    yield from _count_problems(contract, classes)
    for each in classes:
        if isinstance(each, str) and (_UNSEEN.search(each) or not 0 < len(each) <= LONGEST_CLASS):
            yield f"Class {each[:60]!r} is empty, too long, or has characters in its name that nobody sees: rename it."
    if contract.positive_class is not None and contract.positive_class not in classes:
        yield f"The positive class {contract.positive_class!r} is none of {classes}."
    if contract.threshold is not None and not _is_threshold(contract.threshold, classes):
        yield "The threshold is no number of one of the classes."


_LABELS = (str, int, float, bool)


def _count_problems(contract: Contract, classes: tuple[Label, ...]) -> Iterator[str]:
    allowed = {"classification": range(2, 3), "multiclass": range(FEWEST_CLASSES, MOST_CLASSES + 1)}
    if min(len(set(classes)), len({spell_class(each) for each in classes})) < len(classes):
        yield "Two of the classes are the same."
    if len(classes) not in allowed.get(contract.task, ()):
        yield (
            f"There must be two different classes in classification, {FEWEST_CLASSES} to {MOST_CLASSES} in multiclass;"
            f" there are {len(classes)} in {contract.task}."
        )
    if contract.task == "multiclass" and contract.positive_class is not None:
        yield "Of several classes none is the positive one."


def _is_threshold(threshold: Threshold, classes: tuple[Label, ...]) -> bool:
    is_finite = type(threshold.at) in (int, float) and math.isfinite(threshold.at)
    return is_finite and threshold.label in classes and threshold.response in get_args(Response)


def _column_problems(column: Column) -> Iterator[str]:
    # What was read from JSON keeps no type by itself.
    name, nullable = cast("object", column.name), cast("object", column.nullable)
    if not isinstance(name, str) or not name:
        yield f"{name!r} cannot be a column's name: rename it before the model is fitted."
    elif unseen := _UNSEEN.search(name):
        yield f"Column {name!r} has {unseen.group()!r} in its name, which nobody sees or which moves what is shown: rename it."
    if column.type not in _TYPES:
        yield f"Column {name!r} has unknown type {column.type!r}."
    if not isinstance(cast("object", column.dtype), str) or column.missing not in get_args(Missing):
        yield f"Column {name!r} has no known dtype."
    if type(cast("object", column.longest)) is not int or column.longest < 0:
        yield f"Column {name!r} has no longest text."
    if not isinstance(nullable, bool):
        yield f"Column {name!r} must be nullable or not."
    yield from _seen_problems(column)


def _seen_problems(column: Column) -> Iterator[str]:
    is_time, is_duration = column.type in ("datetime", "duration"), column.type == "duration"
    if (column.time is not None) is not is_time or (column.time and column.time.is_duration is not is_duration):
        yield f"Column {column.name!r} has type {column.type} and dtype {column.dtype!r}."
    elif any(end is not None and not accepts(column, end) for end in (column.lowest, column.highest)):
        yield f"Column {column.name!r} was not seen from {column.lowest!r} to {column.highest!r}."
    elif (column.lowest is None) is not (column.highest is None):
        yield f"Column {column.name!r} has one end of what was seen, and not the other."
    if not all(value in (column.categories or ()) or isinstance(value, str) for value in column.values or ()):
        yield f"Column {column.name!r} has values that are no texts and no categories."


def find_row_problems(contract: Contract, rows: Any, *, most_rows: int = MOST_ROWS) -> list[RowProblem]:
    """Return why these rows, as parsed from JSON, cannot be scored; empty when they can.

    At most `MOST_PROBLEMS` are returned: a bad request must not cost more than a good one.
    """
    if not isinstance(rows, list) or not 1 <= len(rows) <= most_rows:
        got = f"an array of {len(rows)}" if isinstance(rows, list) else _json_type(rows)
        return [RowProblem(None, None, f"an array of 1 to {most_rows} rows", got)]
    problems: list[RowProblem] = []
    for index, row in enumerate(rows):
        problems += _row_problems(contract, index, row)
        if len(problems) >= MOST_PROBLEMS:
            break
    return problems[:MOST_PROBLEMS]


def _row_problems(contract: Contract, index: int, row: Any) -> list[RowProblem]:
    if not isinstance(row, dict):
        return [RowProblem(index, None, "an object", _json_type(row))]
    problems = [
        RowProblem(index, column.name, column.expected, _json_type(row.get(column.name, _ABSENT)))
        for column in contract.columns
        if not accepts(column, row.get(column.name, _ABSENT))
    ]
    if len(row) + len(problems) > len(contract.columns):
        unknown = sorted(set(row) - set(contract.names))
        problems += [RowProblem(index, name[:100], "no such column", "a value") for name in unknown[:MOST_PROBLEMS]]
    return problems


_ABSENT = object()


def accepts(column: Column, value: Any) -> bool:
    """True for a value, as parsed from JSON, that keeps the contract."""
    if value is None:
        return column.nullable
    if column.time is not None:
        return type(value) is str and count_time(value, column.time) is not None
    if column.type == "integer_text":
        return _is_integer_text(value, column.dtype)
    return _ACCEPTS[column.type](value) and (column.type != "string" or len(value) <= column.longest)


def _is_number(value: Any) -> bool:
    # type() and not isinstance(): True is an int in Python and a boolean in JSON.
    return type(value) in (float, int) and abs(value) <= LARGEST_NUMBER


def _is_integer(value: Any) -> bool:
    # As JSON Schema has it, 1.0 is an integer. Beyond 2^53 two readers may read two numbers (RFC 7493).
    return (type(value) is int or (type(value) is float and value.is_integer())) and abs(value) <= LARGEST_INTEGER


def _is_boolean(value: Any) -> bool:
    return type(value) is bool


def _is_string(value: Any) -> bool:
    # A lone surrogate and a null character are legal in JSON but cannot be handed to a model as text.
    return type(value) is str and (value.isascii() or is_encodable(value)) and "\0" not in value


def is_encodable(value: str) -> bool:
    """True for text without half a character, which JSON can spell and UTF-8 cannot."""
    return not any("\ud800" <= character <= "\udfff" for character in value)


def _is_integer_text(value: Any, dtype: str) -> bool:
    if type(value) is not str or not _DIGITS.fullmatch(value):
        return False
    return int(value) in (range(2**64) if dtype.lower() == "uint64" else range(-(2**63), 2**63))


_DIGITS = re.compile(r"0|-?[1-9][0-9]{0,19}")


def read_value(column: Column, value: Any) -> Any:
    """Return a value that keeps the contract as one that can be compared: texts of numbers, dates and durations as counts."""
    if column.time is not None:
        return count_time(value, column.time)
    return int(value) if column.type == "integer_text" else value


_ACCEPTS: Mapping[str, Callable[[Any], bool]] = {
    "number": _is_number,
    "integer": _is_integer,
    "boolean": _is_boolean,
    "string": _is_string,
}
_JSON_TYPES: Mapping[type, str] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number",
    str: "a string",
    list: "an array",
    dict: "an object",
}


def _json_type(value: Any) -> str:
    if value is _ABSENT:
        return "nothing"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is not finite"
    return _JSON_TYPES.get(type(value), "something else")

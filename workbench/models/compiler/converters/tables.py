"""What scikit-learn calls X, inside of a graph: columns side by side, each in some tensor of numbers or of texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Literal

from workbench.models.compiler.onnx_graph import Graph
from workbench.models.onnx_predictor import MISSING_TEXT as MISSING_TEXT  # noqa: PLC0414 - converters take it from here

Missing = Literal["nan", "none"]


class CannotCompileError(Exception):
    """What no converter here says exactly; the text says which part of the model it is, and why."""


@dataclass(frozen=True)
class Column:
    """One column: the tensor it stands in, and where.

    `single` says that scikit-learn computes on it in single precision, alone and beside columns that are `narrow`; `missing` what
    its frame holds where a text is missing; `wild` that it may be infinite, as a logarithm of nothing is; `unread` names what no
    converter reads, such as a date, and only passes over; `wraps` that it is of whole numbers, which overflow.
    """

    tensor: str
    place: int
    text: bool = False
    single: bool = False
    missing: Missing = "nan"
    wild: bool = False
    narrow: bool = False
    unread: str = ""
    wraps: bool = False


@dataclass(frozen=True)
class Table:
    """Columns in an order, wherever each of them stands."""

    graph: Graph
    columns: tuple[Column, ...]

    @property
    def width(self) -> int:
        """How many columns there are."""
        return len(self.columns)

    @property
    def is_text(self) -> bool:
        """Whether every column is text."""
        return bool(self.columns) and all(column.text for column in self.columns)

    def select(self, places: Iterable[int]) -> Table:
        """Return the table of the columns at these places, in that order."""
        return Table(self.graph, tuple(self.columns[place] for place in places))

    def require_read(self) -> None:
        """Raise where a column is among them whose values no converter reads."""
        for column in self.columns:
            if column.unread:
                raise CannotCompileError(f"a column of type {column.unread} is used, which has no place in ONNX")

    def numbers(self) -> str:
        """Return one tensor of finite doubles; raises where scikit-learn would compute in single precision."""
        is_single = all(column.single or column.narrow for column in self.columns)
        if is_single and any(column.single for column in self.columns):
            raise CannotCompileError("its numbers are of single precision, and scikit-learn computes in it")
        numbers = self.any_numbers()
        if any(column.wild for column in self.columns):
            self.graph.refuse_infinite(numbers)
        return numbers

    def any_numbers(self) -> str:
        """Return one tensor of doubles, for whoever does not compute but compare or round by itself."""
        self.require_read()
        if not self.columns or any(column.text for column in self.columns):
            raise CannotCompileError("text stands where a number is needed" if self.columns else "it has no columns")
        runs = [
            (tensor, [each.place for each in run]) for tensor, run in groupby(self.columns, lambda each: each.tensor)
        ]
        taken = [_take(self.graph, tensor, places) for tensor, places in runs]
        return taken[0] if len(taken) == 1 else self.graph.add("Concat", *taken, axis=1)

    def one(self, place: int) -> str:
        """Return one column of text or of numbers as a tensor of shape (rows, 1)."""
        return _take(self.graph, self.columns[place].tensor, [self.columns[place].place])


def _take(graph: Graph, tensor: str, places: Sequence[int]) -> str:
    is_whole = list(places) == list(range(graph.widths.get(tensor, 0)))
    return tensor if is_whole else graph.gather(tensor, places)


def spread(graph: Graph, tensor: str, width: int, like: Column | None = None) -> Table:
    """Return the columns of a tensor of shape (rows, width); texts where they are `like` a column of text."""
    graph.widths[tensor] = width
    first = replace(like, tensor=tensor) if like else Column(tensor, 0)
    return Table(graph, tuple(replace(first, place=place) for place in range(width)))


def spread_whole(table: Table, tensor: str) -> Table:
    """Return the columns of a tensor of numbers that numpy leaves whole where those of `table` are: they overflow as these do."""
    narrow, wraps = any(column.narrow for column in table.columns), any(column.wraps for column in table.columns)
    return spread(table.graph, tensor, table.width, Column(tensor, 0, narrow=narrow, wraps=wraps))


def spread_wild(graph: Graph, tensor: str, width: int) -> Table:
    """Return the columns of a tensor of numbers, some of which may be infinite."""
    return spread(graph, tensor, width, Column(tensor, 0, wild=True))


def join(graph: Graph, tables: Iterable[Table]) -> Table:
    """Return the columns of several tables side by side."""
    return Table(graph, tuple(column for table in tables for column in table.columns))


@dataclass(frozen=True)
class Responses:
    """What a fitted predictor answers, each a tensor in the graph or None where it has no such method.

    `value` (rows, outputs) is what a regressor predicts; `probabilities` (rows, classes); `decision` (rows, 1) for two classes,
    else (rows, classes); `label` (rows,) is the place of the predicted class among `classes`.
    """

    value: str | None = None
    probabilities: str | None = None
    decision: str | None = None
    label: str | None = None
    classes: int = 0
    outputs: int = 1


def require(tensor: str | None, what: str) -> str:
    """Return a tensor that must be there; raises where the predictor has no such answer."""
    if tensor is None:
        raise CannotCompileError(f"it has no {what}")
    return tensor


def label_of_largest(graph: Graph, scores: str) -> str:
    """Return the place of the largest score of each row, the first one of equals, as numpy's argmax does."""
    return graph.add("ArgMax", scores, axis=1, keepdims=0)


def label_above(graph: Graph, score: str, threshold: float, *, or_equal: bool = False) -> str:
    """Return 1 where a score of shape (rows, 1) is above a threshold, else 0, of shape (rows,)."""
    operator = "GreaterOrEqual" if or_equal else "Greater"
    above = graph.add(operator, score, graph.constant([threshold]))
    return graph.add("Reshape", graph.add("Cast", above, to=INT64), graph.constant([-1], "int64"))


INT64, DOUBLE, FLOAT, BOOL = 7, 11, 1, 9  # the element types of ONNX


def as_double(graph: Graph, tensor: str) -> str:
    """Return a tensor of flags or whole numbers as doubles."""
    return graph.add("Cast", tensor, to=DOUBLE)


def two_columns(graph: Graph, positive: str) -> str:
    """Return (1 - p, p) of a probability of shape (rows, 1), as scikit-learn writes it for two classes."""
    return graph.add("Concat", graph.add("Sub", graph.constant([1.0]), positive), positive, axis=1)

"""A metric of one's own: a plain function of truth, score and rows, judged on resamples as the built-in ones are.

`def metric(truth, score, rows)` gets truth (n,), score (n,) or (n, classes) and the columns of the holdout by name. What it returns
decides how it is resampled:

- an array (n,), what each row contributes: the metric is its mean, and resamples cost one product;
- one number: the function is asked again about the rows of each resample, a row that was drawn twice being there twice;
- with `each` naming a column, one number for the rows of one value of it (a query, a patient), None where it does not count: the
  metric is the mean over these groups, whose rows are drawn together.

So that they pass through everything that takes a score, row by row, the answers of a function are read as one (`read`): what a row
contributes, (n,); of a group its value over its size, and one over its size, (n, 2); of one number what the function needs to be
asked again, (n, classes + 2): the scores, and where each row stands in the holdout.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workbench.errors import UsageError
from workbench.stats.holdout_columns import HoldoutColumns
from workbench.stats.metrics import Floats, Metric
from workbench.stats.units import Units

# Given truth (n,), score (n,) or (n, classes) and the columns of the same rows: a number, or an array (n,).
Function = Callable[[Floats, Floats, Mapping[str, Any]], Any]
MOST_RESAMPLES = 2_000
# A place is kept so small that it is never what two scores differ by; whole numbers up to 2^52 come back as they were.
_SMALL = 2.0**-52
_GROUP = 2  # columns of what is read of groups

_NOBODY = HoldoutColumns(dict)


class Undefined(UsageError):
    """A metric of one's own is not defined on these rows, or its function failed; the reasons say where and how."""


@dataclass(frozen=True, eq=False)
class OwnMetric(Metric):
    """A metric that is a function of the project: from which `file`, and the sha256 of its bytes (`code`).

    The latter and its `sentence` are read from the file when they are asked for, executing nothing.

    `each` names the column whose equal values belong together. `columns` are those of the rows that are judged: see `on`.
    `declared` is the sha256 of how the project declares it: the same file may be read otherwise.
    """

    function: Function = field(kw_only=True, repr=False)
    file: str = ""
    find_code: Callable[[], str] = field(default=str, repr=False)
    each: str | None = None
    unit: str = ""
    tell: Callable[[], str] = field(default=str, repr=False)
    declared: str = ""
    columns: HoldoutColumns = field(default=_NOBODY, repr=False)

    @property
    def is_of_classes(self) -> bool:
        """False: what must stand among the truth is for the function to say."""
        return False

    @property
    def code(self) -> str | None:
        """The sha256 of the file its function stands in."""
        return self.find_code()

    @property
    def told(self) -> tuple[str | None, ...]:
        """Its name, its code, and how it is declared: which function of the file, which way is good, what it reads."""
        return (self.name, self.code, self.declared)

    @property
    def sentence(self) -> str:
        """What it is, as the first line of its docstring says."""
        return self.tell()

    def on(self, columns: HoldoutColumns) -> OwnMetric:
        """Return the metric as it judges rows with these columns."""
        bound = replace(self, columns=columns)
        return replace(
            bound,
            evaluate=lambda truth, judged, weights: _evaluate(bound, truth, judged, weights),
            influence=_find_influence,
        )

    def read(self, truth: Floats, score: Floats, columns: HoldoutColumns) -> Floats:
        """Return what is judged instead of the score, row by row, as the docstring of this file says; raises Undefined."""
        if self.each is not None:
            return _read_groups(self, truth, score, columns)
        answer = _answer(self, truth, score, columns)
        _require_no_order(self, answer, truth, score, columns)
        if isinstance(answer, float):
            places = np.arange(len(truth)) * _SMALL
            return np.column_stack([score, places, np.zeros(len(truth))])
        return answer

    def limit_resamples(self, judged: Floats, asked: int) -> int:
        """Return how many resamples are drawn: at most 2,000 where the function is asked about each."""
        return min(asked, MOST_RESAMPLES) if judged.ndim > 1 and judged.shape[1] > _GROUP else asked


def make_metric(name: str, function: Function, **told: Any) -> OwnMetric:
    """Return a metric of a plain function: name, `direction`, `tasks`, and as told `reads`, `each`, `unit` and the rest."""
    return OwnMetric(name=name, evaluate=_unbound, function=Guarded(name, function), **told).on(_NOBODY)


def _unbound(*_: Floats) -> Floats:
    raise AssertionError("a metric of one's own judges rows it was bound to")


# What a function is given, and what it may answer


class Guarded:
    """A function that cannot change what it is given, and whose every fault is told by name.

    The first time it is asked twice: what answers otherwise to the same rows measures nothing.
    """

    def __init__(self, name: str, function: Function) -> None:
        self._name, self._function, self._is_tried = name, function, False

    def __call__(self, truth: Floats, score: Floats, rows: Mapping[str, Any]) -> Any:
        """Return the answer of the function; raises Undefined where it raises anything."""
        answer = self._ask(truth, score, rows)
        if not self._is_tried:
            again = self._ask(truth, score, rows)
            if not _are_same(answer, again):
                raise undefined(
                    self._name,
                    f"Asked twice about the same {len(truth):,} rows it answered {_show(answer)}, then {_show(again)}.",
                    "Draw nothing at random in it, or from a generator with a fixed seed made inside of the function.",
                )
            self._is_tried = True
        return answer

    def _ask(self, truth: Floats, score: Floats, rows: Mapping[str, Any]) -> Any:
        try:
            return self._function(_lock(truth), _lock(score), rows)
        except UsageError:
            raise
        except (Exception, SystemExit) as exc:
            raise _raised(self._name, exc) from exc


def _lock(values: Floats) -> Floats:
    shown = np.array(values, dtype=np.float64)
    shown.flags.writeable = False
    return shown


def _raised(name: str, exc: BaseException) -> Undefined:
    what = exc.args[0] if isinstance(exc, KeyError) and exc.args else exc
    why = f"{_find_place(exc)}{type(exc).__name__}: {' '.join(str(what).split())[:300]}"
    step = "Correct the function; it is given truth, score and rows, and must answer for any rows of the holdout."
    if "read-only" in str(exc):
        step = "Work on a copy (`truth.copy()`): what it is given belongs to everybody who judges these rows."
    return undefined(name, why, step)


def _find_place(exc: BaseException) -> str:
    """Return the innermost line of the function's own file."""
    trace, place = exc.__traceback__, ""
    first: str | None = None
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not str(trace.tb_frame.f_globals.get("__name__")).startswith("workbench."):
            first = first or file
            place = f"{file.rpartition('/')[2]}, line {trace.tb_lineno}: " if file == first else place
        trace = trace.tb_next
    return place


def undefined(name: str, why: str, next_step: str) -> Undefined:
    """Return the error of a metric that is not defined."""
    return Undefined(f"The metric {name} is not defined on these rows.", why=why, next_step=next_step)


def _are_same(first: Any, second: Any) -> bool:
    try:
        return bool(np.array_equal(np.asarray(first, float), np.asarray(second, float), equal_nan=True))
    except (TypeError, ValueError):
        return True  # what is neither is told by what it is


def _show(answer: Any) -> str:
    values = np.asarray(answer, dtype=np.float64)
    return f"{float(values):.6g}" if values.ndim == 0 else f"an array that begins with {values.ravel()[:1].tolist()}"


_HOW = "Return one number, or an array with one number for each row."


def _answer(metric: OwnMetric, truth: Floats, score: Floats, columns: Mapping[str, Any]) -> float | Floats:
    """Return what the function says of rows: a number, or what each row contributes; raises Undefined for anything else."""
    answer = metric.function(truth, score, columns)
    try:
        values = np.asarray(answer)
        values = values.astype(np.float64) if values.dtype.kind in "fiub" else _refuse(metric, answer, truth)
    except (TypeError, ValueError) as exc:
        raise _refused(metric, answer, truth) from exc
    if values.ndim == 0:
        if not math.isfinite(values):
            raise undefined(metric.name, f"It returned {float(values)} for {len(truth):,} rows.", _FINITE)
        return float(values)
    if values.shape != truth.shape:
        raise _refused(metric, answer, truth)
    if wrong := int((~np.isfinite(values)).sum()):
        at = int(np.flatnonzero(~np.isfinite(values))[0])
        raise undefined(
            metric.name, f"For {wrong:,} of {len(truth):,} rows it is no finite number, first for row {at}.", _FINITE
        )
    return values


def _require_no_order(
    metric: OwnMetric, answer: float | Floats, truth: Floats, score: Floats, columns: HoldoutColumns
) -> None:
    """Raise Undefined where the order of the rows changes what the function says: resamples have none.

    It is asked again with the rows in the order of their truth, which says most where equal scores are told apart by their place.
    """
    order = np.argsort(-truth, kind="stable")
    again = _answer(metric, truth[order], score[order], columns.take(order))
    expected = answer if isinstance(answer, float) else answer[order]
    if np.shape(again) == np.shape(expected):
        differing = int((~np.isclose(again, expected, rtol=_ROUNDING, atol=_ROUNDING**2)).sum())
        if not differing:
            return
        said = (
            f"other numbers for {differing:,} of them" if np.ndim(again) else f"{_show(again)}, not {_show(expected)}"
        )
    else:
        said = "another kind of answer"
    why = f"Of the same {len(truth):,} rows in another order it says {said}."
    raise undefined(metric.name, why, _ORDERLESS)


# Sums in another order are rounded otherwise.
_ROUNDING = 1e-6
_ORDERLESS = (
    "Rows of one score must count alike, wherever they stand: see recall_at_5_percent in templates/metrics. Where only those of a "
    "constant prediction are tied, another --reference has none."
)
_FINITE = "Say in the function what such rows count for: a number that is finite."


def _refuse(metric: OwnMetric, answer: Any, truth: Floats) -> Floats:
    raise _refused(metric, answer, truth)


def _refused(metric: OwnMetric, answer: Any, truth: Floats) -> Undefined:
    shape = getattr(answer, "shape", None)
    said = f"an array of shape {shape}" if shape is not None else "nothing" if answer is None else _name(answer)
    return undefined(metric.name, f"For {len(truth):,} rows it returned {said}.", _HOW)


def _name(answer: Any) -> str:
    kind = type(answer).__name__
    return f"a {kind} of {len(answer):,}" if isinstance(answer, list | tuple) else f"a {kind}"


# Groups


def _read_groups(metric: OwnMetric, truth: Floats, score: Floats, columns: HoldoutColumns) -> Floats:
    """Return (n, 2): the value of the group each row is of, over its size, and one over its size; zeros where it does not count."""
    codes = find_groups(metric, columns)
    assert codes is not None
    order = np.argsort(codes, kind="stable")
    read = np.zeros((len(truth), _GROUP))
    for places in np.split(order, np.flatnonzero(np.diff(codes[order])) + 1):
        if (value := _ask_group(metric, truth[places], score[places], columns.take(places))) is not None:
            read[places] = value / len(places), 1 / len(places)
    if not read[:, 1].any():
        raise undefined(metric.name, f"It counts for none of the {codes.max() + 1:,} values of {metric.each}.", _HOW)
    return read


def _ask_group(metric: OwnMetric, truth: Floats, score: Floats, columns: HoldoutColumns) -> float | None:
    answer = metric.function(truth, score, columns)
    if answer is None:
        return None
    value = np.asarray(answer)
    if value.dtype.kind in "fiub" and not value.ndim and math.isfinite(value):
        _require_no_order(metric, float(value), truth, score, columns)
    if value.dtype.kind not in "fiub" or value.ndim:
        step = f"With each = {metric.each!r} it is given the rows of one {metric.each}: return one number, or None."
        raise undefined(
            metric.name, f"For the {len(truth):,} rows of one {metric.each} it returned {_name(answer)}.", step
        )
    if not math.isfinite(value):
        raise undefined(metric.name, f"It returned {float(value)} for the rows of one {metric.each}.", _FINITE)
    return float(value)


def find_groups(metric: Metric, columns: HoldoutColumns, units: Units | None = None) -> NDArray[np.int64] | None:
    """Return for each row the number of its group, shape (n,), where the rows of a group are judged together; else None.

    None also where rows are drawn by `units` of the holdout: the answers of groups then stand row by row, and are drawn with
    them. Raises Undefined where the holdout has no such column.
    """
    if not isinstance(metric, OwnMetric) or metric.each is None or units is not None:
        return None
    try:
        values = columns[metric.each]
    except KeyError as exc:
        raise undefined(metric.name, str(exc.args[0]), f"Log the holdout with its column {metric.each}.") from exc
    keys = np.array(["" if value is None else str(value) for value in values.tolist()])
    return np.unique(keys, return_inverse=True)[1].astype(np.int64)


def gather(
    groups: NDArray[np.int64] | None, truth: Floats, judged: Floats, other: Floats
) -> tuple[Floats, Floats, Floats]:
    """Return truth and what is judged of two sides, row by row, as rows that are drawn independently: of groups one for each.

    `groups` are those of `find_groups`, of these rows. What stands for the truth of a group tells nothing.
    """
    if groups is None:
        return truth, judged, other
    _, codes = np.unique(groups, return_inverse=True)
    summed = (np.stack([np.bincount(codes, part) for part in each.T], axis=1) for each in (judged, other))
    sides = [each.astype(np.float64) for each in summed]
    return np.zeros(len(sides[0])), sides[0], sides[1]


# On resamples


def _evaluate(metric: OwnMetric, truth: Floats, judged: Floats, weights: Floats) -> Floats:
    if judged.ndim == 1:
        return _ratio(judged, np.ones(len(judged)), weights)
    if judged.shape[1] == _GROUP:
        return _ratio(judged[:, 0], judged[:, 1], weights)
    several = weights.reshape(-1, weights.shape[-1])
    values = np.array([_ask_again(metric, truth, judged, each) for each in several])
    return values.reshape(weights.shape[:-1])


def _find_influence(_: Floats, judged: Floats) -> Floats:
    """Return how much each row changes the metric, (n,); NaN where the function is to be asked again."""
    if judged.ndim > 1 and judged.shape[1] > _GROUP:
        return np.full(len(judged), np.nan)
    parts, wholes = (judged, np.ones(len(judged))) if judged.ndim == 1 else (judged[:, 0], judged[:, 1])
    return (parts - wholes * parts.mean() / wholes.mean()) / wholes.mean()


def _ratio(parts: Floats, wholes: Floats, weights: Floats) -> Floats:
    """Return the sum of the parts over that of the wholes; NaN without any."""
    below = weights @ wholes
    return np.divide(weights @ parts, below, out=np.full(np.shape(below), np.nan), where=np.asarray(below) > 0)


def _ask_again(metric: OwnMetric, truth: Floats, judged: Floats, weights: Floats) -> float:
    """Return what the function says of the rows as often as they were drawn; NaN where that is not defined."""
    times = weights.astype(np.int64)
    if not times.any() or not np.array_equal(times, weights):
        return math.nan
    drawn = np.repeat(np.arange(len(truth)), times)
    scores = judged[drawn, :-2]
    places = np.rint(judged[drawn, -2] / _SMALL).astype(np.int64)
    try:
        answer = _answer(
            metric, truth[drawn], scores[:, 0] if scores.shape[1] == 1 else scores, metric.columns.take(places)
        )
    except Undefined:
        return math.nan
    return answer if isinstance(answer, float) else math.nan

"""What a run predicted for its holdout: a record, and the file it is kept in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, get_args

from workbench.errors import UsageError
from workbench.records.digest import canonical_json, strict_json
from workbench.stats.task import (
    LABEL,
    MOST_CLASSES,
    ROW,
    SCORE,
    SLICE,
    TASKS,
    TRUTH,
    Label,
    Response,
    Task,
    has_classes,
    score_columns,
    task_of_classes,
)
from workbench.stats.units import KINDS, Units

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.stats.holdout_columns import HoldoutColumns
    from workbench.stats.metrics import Metric

PREDICTIONS = "predictions.parquet"
HOW_TO_STORE = "Call `wb.log_predictions(rows, truth, score)` in the notebook and run it again."
FORMAT = 2  # of what a file says about itself; the first said nothing
_SAID = b"workbench"


def _no_columns() -> HoldoutColumns:
    from workbench.stats.holdout_columns import HoldoutColumns

    return HoldoutColumns(dict)


@dataclass(frozen=True)
class Predictions:
    """A run's predictions in the order of their row ids.

    `truth` has shape (n,): of classes their places, of two 1 for the positive one. `score` has shape (n,), of several classes
    (n, classes). `label` (n,) is what the model decides for, in the terms of the truth; None: nobody said. `classes` are in the
    order of the model; of old runs nothing but truth and score is known. `units` say which rows are of one group or time, where
    the holdout named such a column. `columns` are those of the holdout on the same rows, for metrics of a project's own; nothing
    is read before one is asked for.
    """

    rows: tuple[str, ...]
    truth: NDArray[np.float64]
    score: NDArray[np.float64]
    task: Task
    label: NDArray[np.float64] | None = None
    classes: tuple[Label, ...] | None = None
    positive_class: Label | None = None
    response: Response | None = None
    units: Units | None = None
    columns: HoldoutColumns = field(default_factory=_no_columns, compare=False, repr=False)

    @property
    def width(self) -> int:
        """How many classes there are; 1 of numbers."""
        return self.score.shape[1] if self.score.ndim > 1 else 2 if has_classes(self.task) else 1

    def take(self, places: NDArray[np.int64]) -> Predictions:
        """Return what was predicted for the rows at these places."""
        rows = tuple(self.rows[place] for place in places.tolist())
        return replace(_sort(self, places), rows=rows, columns=self.columns.take(places))

    def places(self) -> NDArray[np.float64]:
        """Return what the model decides for, shape (n,): what it said, or else the likeliest class."""
        if self.label is not None:
            return self.label
        if self.score.ndim > 1:
            return self.score.argmax(axis=1).astype(float)
        return (self.score > 0 if self.response == "decision_function" else self.score >= _HALF).astype(float)

    def read_by(self, metric: Metric) -> NDArray[np.float64]:
        """Return what a metric judges, row by row: the scores, or what was decided for as scores of 0 and 1.

        Of a metric of somebody's own what its function says of them; raises UsageError where that is not defined.
        """
        return metric.read(self.truth, self._read_scores(metric), self.columns)

    def measure(self, metric: Metric) -> float | None:
        """Return the metric over all rows, None where it is not defined; raises UsageError where somebody's own is not."""
        return metric.on(self.columns).score(self.truth, self.read_by(metric))

    def _read_scores(self, metric: Metric) -> NDArray[np.float64]:
        if metric.reads == "score" or not has_classes(self.task):
            return self.score
        return one_hot(self.places(), self.score.shape[1]) if self.score.ndim > 1 else self.places()

    def count_rarest(self) -> int | None:
        """Return how many rows the rarest class has, 0 where a class has none; None where the truth is a number."""
        import numpy as np

        if not has_classes(self.task):
            return None
        return int(np.bincount(self.truth.astype(np.int64), minlength=self.width).min())

    def named_classes(self) -> tuple[Label, ...]:
        """Return the classes in the order of their places; 0 and 1 where nobody named two."""
        if self.classes is None or self.task != "classification":
            return self.classes or (0, 1)
        return tuple(sorted(self.classes, key=lambda each: each == self.positive_class))


_HALF = 0.5


def one_hot(places: NDArray[np.float64], classes: int) -> NDArray[np.float64]:
    """Return places of classes as scores of 0 and 1, shape (n, classes)."""
    import numpy as np

    return np.eye(classes)[places.astype(np.int64)]


# Writing


def spell_predictions(predictions: Predictions, slices: Mapping[str, Sequence[str]]) -> bytes:
    """Return predictions as a file of Parquet, in the order they are given, with the slice of each row."""
    # Not through pandas: that costs more than the writing.
    import pyarrow as pa
    import pyarrow.parquet as pq

    numbers = {TRUTH: predictions.truth, **_score_arrays(predictions.score)}
    if predictions.label is not None:
        numbers[LABEL] = predictions.label
    columns = {ROW: pa.array(predictions.rows, pa.string())}
    columns |= {name: pa.array(values.tolist(), pa.float64()) for name, values in numbers.items()}
    if predictions.units is not None:
        columns[predictions.units.kind] = pa.array(predictions.units.labels.tolist(), pa.int64())
    columns |= {f"{SLICE}{name}": pa.array(values, pa.string()) for name, values in slices.items()}
    table = pa.table(columns)
    written = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({_SAID: canonical_json(_describe(predictions))}), written)
    return bytes(written.getvalue())


def _score_arrays(score: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    if score.ndim == 1:
        return {SCORE: score}
    return {f"{SCORE}_{place}": score[:, place] for place in range(score.shape[1])}


def _describe(predictions: Predictions) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "task": predictions.task,
        "classes": None if predictions.classes is None else list(predictions.classes),
        "positive_class": predictions.positive_class,
        "response": predictions.response,
    }


# Reading


def parse_predictions(content: bytes, name: str) -> Predictions:
    """Return what a file of predictions says, `name` being whose it is; raises UsageError when it cannot be scored."""
    import numpy as np

    table = _parse_table(content, name)
    rows, predictions = _read_rows(table), _read_outcome(table, name)
    if problems := [*_row_problems(rows), *_value_problems(predictions)]:
        raise unusable(name, problems)
    rows = rows.astype(str)
    return replace(_sort(predictions, np.argsort(rows, kind="stable")), rows=tuple(np.sort(rows, kind="stable")))


def parse_outcome(content: bytes, name: str) -> Predictions:
    """Return the same in the order of the file and without the names of the rows, for what looks at all of them at once."""
    table = _parse_table(content, name)
    predictions = _read_outcome(table, name)
    if problems := [*(["It has no rows."] if not table.num_rows else []), *_value_problems(predictions)]:
        raise unusable(name, problems)
    return predictions


def _read_outcome(table: Any, name: str) -> Predictions:
    import numpy as np

    scores = [_read_numbers(table, column) for column in score_columns(table.column_names)]
    return Predictions(
        rows=(),
        truth=_read_numbers(table, TRUTH),
        score=scores[0] if len(scores) == 1 else np.stack(scores, axis=1),
        label=_read_numbers(table, LABEL) if LABEL in table.column_names else None,
        units=_read_units(table),
        **_read_said(table, name),
    )


def _read_units(table: Any) -> Units | None:
    import numpy as np

    named = [kind for kind in KINDS if kind in table.column_names]
    return Units(named[0], np.array(table.column(named[0]).to_pylist(), dtype=np.int64)) if named else None


def _sort(predictions: Predictions, order: NDArray[np.int64]) -> Predictions:
    label = None if predictions.label is None else predictions.label[order]
    units = predictions.units and predictions.units.take(order)
    truth, score = predictions.truth[order], predictions.score[order]
    return replace(predictions, truth=truth, score=score, label=label, units=units)


def find_order(content: bytes, name: str) -> NDArray[np.int64]:
    """Return where in a file of predictions (and of feature rows) each row of `parse_predictions` stands, shape (n,)."""
    return _find_order(_parse_table(content, name))


def _find_order(table: Any) -> NDArray[np.int64]:
    import numpy as np

    return np.argsort(_read_rows(table).astype(str), kind="stable")


def parse_slices(content: bytes, name: str) -> dict[str, list[str]]:
    """Return the value of each slice for each row of `parse_predictions`, by the slice's name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(pa.BufferReader(content)) as file:
        names = [name for name in file.schema_arrow.names if name.startswith(SLICE)]
        table = file.read(columns=names)
    order = _find_order(_parse_table(content, name))
    # A name that stands twice would be read as either; it is left out, and a policy that names it sees no slice.
    own = [name for name in names if names.count(name) == 1]
    return {name.removeprefix(SLICE): [str(v) for v in table.column(name).take(order).to_pylist()] for name in own}


def _parse_table(content: bytes, name: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            known = file.schema_arrow.names
            # One that says nothing of itself is from before: what it has by these names is somebody's own.
            is_said = _SAID in (file.schema_arrow.metadata or {})
            more = [name for name in (LABEL, *(KINDS if is_said else ())) if name in known]
            wanted = [ROW, TRUTH, *score_columns(known), *more]
            table = file.read(columns=wanted)
    except (pa.ArrowException, OSError) as exc:
        raise unusable(name, [" ".join(str(exc).split())]) from exc
    kinds = {field.name: field.type for field in table.schema}
    wrong = [name for name in wanted if name not in kinds or not _holds(name, kinds[name])]
    if problems := list(_unit_problems(table)):
        raise unusable(name, problems)
    if wrong or len(table.schema) > len(wanted):
        found = ", ".join(f"{field.name} ({field.type})" for field in table.schema) or "none of them"
        raise unusable(name, [f"It needs one column row of text, truth and score of numbers; it has {found}."])
    return table


# Not pyarrow's `to_numpy`: it would import pandas, for which whoever opens a review would wait.
def _read_rows(table: Any) -> NDArray[Any]:
    import numpy as np

    return np.array(table.column(ROW).to_pylist(), dtype=object)


def _read_numbers(table: Any, name: str) -> NDArray[np.float64]:
    import numpy as np

    column = table.column(name).cast("float64", safe=False)
    values = column.to_numpy() if column.null_count else np.from_dlpack(column.combine_chunks())
    return np.asarray(values, dtype=np.float64)


def _holds(name: str, kind: Any) -> bool:
    import pyarrow as pa

    if name == ROW:
        return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _read_said(table: Any, name: str) -> dict[str, Any]:
    """Return what a file says about itself; of one that says nothing (as before there were tasks) the truth tells the task."""
    said = (table.schema.metadata or {}).get(_SAID)
    if said is None:
        truth = _read_numbers(table, TRUTH).tolist()
        return {"task": "classification" if set(truth) <= {0.0, 1.0} else "regression"}
    try:
        document = strict_json(said)
        if set(document) != {"format", "task", "classes", "positive_class", "response"} or document["format"] != FORMAT:
            raise ValueError("it says other things than expected")
        classes = document["classes"]
        if document["task"] not in TASKS or document["response"] not in (None, *get_args(Response)):
            raise ValueError(f"its task is {document['task']!r}, its response {document['response']!r}")
        return {
            "task": document["task"],
            "classes": None if classes is None else tuple(classes),
            "positive_class": document["positive_class"],
            "response": document["response"],
        }
    except (ValueError, TypeError) as exc:
        raise unusable(name, [f"What it says about itself cannot be read: {exc}"]) from exc


def _unit_problems(table: Any) -> Iterator[str]:
    named = [kind for kind in KINDS if kind in table.column_names]
    if len(named) > 1:
        yield "It names both groups and times."
    for name in named:
        column = table.column(name)
        if str(column.type) != "int64" or column.null_count:
            yield f"Its column {name} is no whole number in each row."


def _row_problems(rows: NDArray[Any]) -> Iterator[str]:
    if not len(rows):
        yield "It has no rows."
    if len(set(rows)) < len(rows):
        yield f"Rows are named more than once: {len(rows):,} rows, {len(set(rows)):,} names."


def _value_problems(predictions: Predictions) -> Iterator[str]:
    import numpy as np

    for name, values in ((TRUTH, predictions.truth), (SCORE, predictions.score)):
        if wrong := int((~np.isfinite(values)).sum()):
            yield f"{wrong:,} of {values.size:,} values of {name} are no finite number."
    yield from _class_problems(predictions)


def _class_problems(predictions: Predictions) -> Iterator[str]:
    """Yield why the truth and the labels cannot be places of the classes."""
    import numpy as np

    classes, width = predictions.classes, predictions.width
    is_several = predictions.score.ndim > 1
    if is_several != (predictions.task == "multiclass") or width > MOST_CLASSES:
        yield f"It has scores for {width} classes, and its task is {predictions.task}."
        return
    if not has_classes(predictions.task):
        return
    if (is_several and classes is None) or (classes is not None and len(set(classes)) != width):
        yield f"It names {len(classes or ())} classes and has scores for {width}."
    if is_several and task_of_classes(width) != "multiclass":
        yield f"It has scores for {width} classes; two have one score a row."
    for name, values in ((TRUTH, predictions.truth), (LABEL, predictions.label)):
        if values is not None and not set(np.unique(values).tolist()) <= set(range(width)):
            yield f"Its {name} is no place of one of {width} classes."


def unusable(name: str, why: Sequence[str]) -> UsageError:
    """Return the error of predictions that cannot be scored."""
    return UsageError(f"The predictions of run {name} cannot be used.", why=why, next_step=HOW_TO_STORE)

"""Comparing runs on their stored holdout predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import spool
from workbench.domain.comparison import ComparedRun, Comparison, Interval, corrected_level, decide_verdict, name_run
from workbench.domain.digest import sha256_hex
from workbench.domain.policy import MetricRule, Policy, Task
from workbench.domain.run import Run
from workbench.errors import UsageError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALPHA = 0.05
CONSTANT = "a constant prediction"
FolderOf = Callable[[Run], Path]


@dataclass(frozen=True)
class Predictions:
    """A run's predictions in the order of their row ids; truth and score have shape (n,)."""

    rows: tuple[str, ...]
    truth: NDArray[np.float64]
    score: NDArray[np.float64]
    task: Task


def read_predictions(folder: Path) -> Predictions:
    """Read what a run predicted for the holdout; raises UsageError when it stored nothing, or nothing that can be scored."""
    return parse_predictions(_read_stored(folder), folder.name)


def read_recorded(run: Run, folder: Path) -> Predictions:
    """Read what a finished run predicted; raises UsageError also where that is not what was recorded when it ended."""
    content = _read_stored(folder)
    if sha256_hex(content) != run.record.get("files", {}).get(spool.PREDICTIONS):
        raise _unusable(run.id, ["Its file is not the one that was recorded when the run ended."])
    return parse_predictions(content, run.id)


def _read_stored(folder: Path) -> bytes:
    path = folder / spool.PREDICTIONS
    if path.is_file():
        return _read(path)
    raise UsageError(
        f"Run {folder.name} stored no predictions.",
        why="Scores are only compared on stored predictions.",
        next_step=_HOW_TO_STORE,
    )


def parse_predictions(content: bytes, name: str) -> Predictions:
    """Return what a file of predictions says, `name` being whose it is; raises UsageError when it cannot be scored."""
    import numpy as np

    table = _parse_table(content, name)
    rows, truth, score = _read_rows(table), _read_numbers(table, "truth"), _read_numbers(table, "score")
    if problems := list(_value_problems(rows, truth, score)):
        raise _unusable(name, problems)
    rows = rows.astype(str)
    order = np.argsort(rows, kind="stable")
    task: Task = "classification" if set(np.unique(truth)) <= {0.0, 1.0} else "regression"
    return Predictions(tuple(rows[order]), truth[order], score[order], task)


def read_order(folder: Path) -> NDArray[np.int64]:
    """Return where in the file of predictions (and of feature rows) each row of `read_predictions` stands, shape (n,)."""
    return _find_order(_parse_table(_read(folder / spool.PREDICTIONS), folder.name))


def _find_order(table: Any) -> NDArray[np.int64]:
    import numpy as np

    return np.argsort(_read_rows(table).astype(str), kind="stable")


def parse_slices(content: bytes, name: str) -> dict[str, list[str]]:
    """Return the value of each slice for each row of `parse_predictions`, by the slice's name."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(pa.BufferReader(content)) as file:
        names = [name for name in file.schema_arrow.names if name.startswith(_SLICE)]
        table = file.read(columns=names)
    order = _find_order(_parse_table(content, name))
    # A name that stands twice would be read as either; it is left out, and a policy that names it sees no slice.
    own = [name for name in names if names.count(name) == 1]
    return {name.removeprefix(_SLICE): [str(v) for v in table.column(name).take(order).to_pylist()] for name in own}


_SLICE = "slice_"
_COLUMNS = ("row", "truth", "score")
_HOW_TO_STORE = "Call `wb.log_predictions(rows, truth, score)` in the notebook and run it again."


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise _unusable(path.parent.name, [str(exc)]) from exc


def _parse_table(content: bytes, name: str) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(pa.BufferReader(content)) as file:
            table = file.read(columns=list(_COLUMNS))
    except (pa.ArrowException, OSError) as exc:
        raise _unusable(name, [" ".join(str(exc).split())]) from exc
    kinds = {field.name: field.type for field in table.schema}
    wrong = [name for name in _COLUMNS if name not in kinds or not _holds(name, kinds[name])]
    if wrong or len(table.schema) > len(_COLUMNS):
        found = ", ".join(f"{field.name} ({field.type})" for field in table.schema) or "none of them"
        raise _unusable(name, [f"It needs one column row of text, truth and score of numbers; it has {found}."])
    return table


# Not pyarrow's `to_numpy`: it would import pandas, for which whoever opens a review would wait.
def _read_rows(table: Any) -> NDArray[Any]:
    import numpy as np

    return np.array(table.column("row").to_pylist(), dtype=object)


def _read_numbers(table: Any, name: str) -> NDArray[np.float64]:
    import numpy as np

    column = table.column(name).cast("float64", safe=False)
    values = column.to_numpy() if column.null_count else np.from_dlpack(column.combine_chunks())
    return np.asarray(values, dtype=np.float64)


def _holds(name: str, kind: Any) -> bool:
    import pyarrow as pa

    if name == "row":
        return pa.types.is_string(kind) or pa.types.is_large_string(kind)
    return pa.types.is_floating(kind) or pa.types.is_integer(kind)


def _value_problems(rows: NDArray[Any], truth: NDArray[Any], score: NDArray[Any]) -> Iterator[str]:
    import numpy as np

    if not len(rows):
        yield "It has no rows."
    if len(set(rows)) < len(rows):
        yield f"Rows are named more than once: {len(rows):,} rows, {len(set(rows)):,} names."
    for name, values in (("truth", truth), ("score", score)):
        if wrong := int((~np.isfinite(values)).sum()):
            yield f"{wrong:,} of {len(values):,} values of {name} are no finite number."


def _unusable(name: str, why: Sequence[str]) -> UsageError:
    return UsageError(f"The predictions of run {name} cannot be used.", why=why, next_step=_HOW_TO_STORE)


def find_holdout(run: Run) -> dict[str, Any] | None:
    """Return the holdout a run declared (name, digest, rows), None when it declared none."""
    return next((item for item in run.record.get("datasets", []) if item["role"] == "holdout"), None)


def holdout_digest(run: Run) -> str | None:
    """Return the digest of the holdout a run declared."""
    holdout = find_holdout(run)
    return holdout["digest"] if holdout else None


def runs_on_holdout_of(run: Run, runs: Iterable[Run]) -> list[Run]:
    """Return those of the runs, in their order, that declared the same holdout as this one."""
    digest = holdout_digest(run)
    return [other for other in runs if holdout_digest(other) == digest]


def find_scored(run: Run, runs: Iterable[Run]) -> list[Run]:
    """Return the runs, in their order, that showed a score on the holdout of this one: finished, or failed after that."""
    return [other for other in runs_on_holdout_of(run, runs) if other.is_finished or other.metrics]


def keep_distinct(scored: Sequence[Run]) -> list[Run]:
    """Return the runs, in their order, without those that predict to the byte what one before does, as a replay would.

    Of one that failed nobody has the predictions: it is another one when no other run shows its metrics.
    """
    shown = {_spell_metrics(run) for run in scored if run.is_finished}
    distinct: dict[Any, Run] = {}
    for run in scored:
        if run.is_finished:
            distinct.setdefault(run.record.get("files", {}).get(spool.PREDICTIONS, run.id), run)
        elif _spell_metrics(run) not in shown:
            distinct.setdefault(_spell_metrics(run), run)
    return list(distinct.values())


def _spell_metrics(run: Run) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(run.metrics.items()))


def count_tries(run: Run, runs: Iterable[Run]) -> int:
    """Return how many different predictions were made on the holdout of this run: each was a chance to be lucky."""
    return len(keep_distinct(find_scored(run, runs)))


@dataclass(frozen=True)
class Reference:
    """What runs are held against: the name people read, and what it predicts for each holdout row."""

    name: str
    predictions: Predictions


def constant_reference(predictions: Predictions) -> Reference:
    """Return the reference that predicts the same for every row."""
    from workbench.stats import constant_score

    return Reference(CONSTANT, replace(predictions, score=constant_score(predictions.truth, predictions.task)))


@dataclass(frozen=True)
class Scored:
    """One side of a comparison: a run and what it predicted."""

    run_id: str
    parameters: Mapping[str, Any]
    predictions: Predictions


def find_difference(ours: Predictions, theirs: Predictions) -> str | None:
    """Say why two runs cannot be paired row by row: other rows, or another truth for the same ones; None when they can."""
    if ours.rows != theirs.rows:
        shared = len(set(ours.rows) & set(theirs.rows))
        return f"One has {len(ours.rows):,} rows, the other {len(theirs.rows):,}, and {shared:,} are the same."
    differing = int((ours.truth != theirs.truth).sum())
    return f"The truth differs on {differing:,} of {len(ours.rows):,} rows." if differing else None


def compare_runs(
    runs: Sequence[Run],
    *,
    against: Run | None,
    policy: Policy,
    tried: int,
    folder_of: FolderOf,
    leave_out: bool = False,
) -> Comparison:
    """Compare finished runs that share one holdout with a run (None: a constant prediction); the best value comes first.

    Raises UsageError when they were scored on different rows or with another truth; with `leave_out`, runs that cannot be
    paired with most of the others are left out and counted.
    """
    _require_one_holdout([*runs, against] if against else runs)
    scored = _select_alike(runs, folder_of) if leave_out else [_read_scored(run, folder_of) for run in runs]
    first = scored[0].predictions
    other = Reference(name_run(against.id), read_recorded(against, folder_of(against))) if against else None
    compared = compare_scored(
        scored,
        holdout_digest=str(holdout_digest(runs[0])),
        reference=other or constant_reference(first),
        rule=policy.metrics[first.task],
        tried=tried,
    )
    return replace(compared, left_out=len(runs) - len(scored))


def _read_scored(run: Run, folder_of: FolderOf) -> Scored:
    return Scored(run.id, run.parameters, read_recorded(run, folder_of(run)))


def _select_alike(runs: Sequence[Run], folder_of: FolderOf) -> list[Scored]:
    """Return the runs that can be paired: on every holdout row, with the truth that most of them (or the oldest) hold."""
    alike: dict[Any, list[Scored]] = {}
    reasons = []
    for run in reversed(runs):
        try:
            scored = _read_scored(run, folder_of)
        except UsageError as exc:
            reasons.append(" ".join([exc.what, *exc.reasons]))
            continue
        predictions, rows = scored.predictions, (find_holdout(run) or {})["rows"]
        if len(predictions.rows) == rows:
            alike.setdefault((predictions.rows, tuple(predictions.truth)), []).append(scored)
        else:
            reasons.append(f"Run {run.id} has predictions for {len(predictions.rows):,} of {rows:,} rows.")
    if not alike:
        raise UsageError("No run on this holdout can be compared.", why=sorted(reasons), next_step=_HOW_TO_STORE)
    return max(alike.values(), key=len)


def compare_scored(
    scored: Sequence[Scored], *, holdout_digest: str, reference: Reference, rule: MetricRule, tried: int
) -> Comparison:
    """Compare predictions on one holdout with a reference; raises UsageError when their rows or their truth differ."""
    from workbench.stats import METRICS

    metric = METRICS[rule.name]
    first = scored[0].predictions
    compared = [_compare_one(each, reference, rule, tried) for each in scored]
    return Comparison(
        metric=rule.name,
        direction=metric.direction,
        margin=rule.margin,
        holdout_digest=holdout_digest,
        rows=len(first.rows),
        reference=reference.name,
        reference_value=metric.value(first.truth, reference.predictions.score),
        tried=tried,
        runs=tuple(sorted(compared, key=lambda run: (-metric.sign * run.value, run.run_id))),
    )


def _compare_one(scored: Scored, reference: Reference, rule: MetricRule, tried: int) -> ComparedRun:
    from workbench.stats import METRICS, paired_bootstrap

    metric, predictions = METRICS[rule.name], scored.predictions
    if difference := find_difference(predictions, reference.predictions):
        raise UsageError(
            f"Run {scored.run_id} and {reference.name} were not scored alike.",
            why=difference,
            next_step="Log every row of the holdout with its own truth (`wb.log_predictions`) and run the notebook again.",
        )
    advantage: Interval | None = paired_bootstrap(
        predictions.truth, predictions.score, reference.predictions.score, metric, level=corrected_level(ALPHA, tried)
    )
    value = metric.value(predictions.truth, predictions.score)
    return ComparedRun(scored.run_id, scored.parameters, value, advantage, decide_verdict(advantage, rule.margin))


def _require_one_holdout(runs: Sequence[Run]) -> None:
    digests = {holdout_digest(run) for run in runs}
    if len(digests) != 1 or None in digests:
        raise UsageError(
            "These runs cannot be compared.",
            why=[f"Run {run.id} was scored on holdout {(holdout_digest(run) or 'none')[:12]}." for run in runs],
            next_step="Compare runs that declare the same rows with `wb.log_dataset(holdout, role='holdout')`.",
        )

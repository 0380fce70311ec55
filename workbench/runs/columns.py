"""The columns of a run's holdout beside its predictions, as it was logged: what metrics of a project's own may read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from workbench.errors import UsageError
from workbench.models.predictions import Predictions
from workbench.records.digest import sha256_hex, strict_json
from workbench.runs.folder import HOLDOUT
from workbench.runs.run import Run
from workbench.runs.tables import parse_texts, path_of_table, read_table

# Returns the bytes of a file of a run by its path, None where it is gone.
ReadFile = Callable[[str], bytes | None]


def add_columns(predictions: Predictions, run: Run, read_file: ReadFile) -> Predictions:
    """Return predictions with the columns of the rows they are on; no file is read before a column is asked for."""
    from workbench.stats.holdout_columns import HoldoutColumns

    read = partial(_read_columns, run, predictions.rows, read_file)
    return replace(predictions, columns=HoldoutColumns(read))


def _read_columns(run: Run, rows: Sequence[str], read_file: ReadFile) -> Mapping[str, Sequence[str]]:
    """Return the columns in the order of the predictions; raises UsageError where they are not what was recorded."""
    if run.holdout is None:
        raise _unreadable(run, "It logged no holdout.")
    path = path_of_table("holdout", run.holdout["name"])
    contents = [_read_recorded(run, name, read_file) for name in (path, HOLDOUT)]
    try:
        table = read_table(path, strict_json(contents[0]))
    except (ValueError, KeyError, TypeError) as exc:
        raise _unreadable(run, f"{path} cannot be read: {exc}") from exc
    return order_columns(run, table.row_ids, contents[1], rows)


def order_columns(run: Run, row_ids: Sequence[str], content: bytes, rows: Sequence[str]) -> Mapping[str, Sequence[str]]:
    """Return the columns of a kept holdout, whose rows have these ids, in the order of others; raises UsageError as above."""
    columns, places = parse_texts(content), {name: place for place, name in enumerate(row_ids)}
    if columns is None or any(len(texts) != len(row_ids) for texts in columns.values()):
        raise _unreadable(run, f"{HOLDOUT} does not have its {len(row_ids):,} rows.")
    if missing := [row for row in rows if row not in places]:
        raise _unreadable(
            run, f"Of {len(rows):,} scored rows {len(missing):,} are none of it, such as {missing[0]!r:.60}."
        )
    order = [places[row] for row in rows]
    return {name: [texts[place] for place in order] for name, texts in columns.items()}


def _read_recorded(run: Run, path: str, read_file: ReadFile) -> bytes:
    try:
        content = read_file(path)
    except (OSError, ValueError) as exc:
        raise _unreadable(run, f"{path}: {getattr(exc, 'strerror', None) or exc}.") from exc
    if content is None:
        raise _unreadable(run, f"{path} is gone.")
    if sha256_hex(content) != run.record.get("files", {}).get(path):
        raise _unreadable(run, f"{path} is not the one that was recorded when the run ended.")
    return content


def _unreadable(run: Run, why: str) -> UsageError:
    return UsageError(
        f"The columns of the holdout of run {run.id} cannot be read.",
        why=why,
        next_step="Log it with `wb.log_dataset(holdout, role='holdout')` before the predictions, and run the notebook again.",
    )

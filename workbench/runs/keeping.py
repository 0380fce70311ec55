"""Keeping: what a run left behind is read once, whole, or its predictions or the names of its rows alone."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from workbench.files.trees import digest_tree, read_tree
from workbench.models.predictions import Predictions, parse_predictions, parse_slices, unusable
from workbench.records.digest import sha256_hex, strict_json
from workbench.runs.columns import add_columns
from workbench.runs.folder import KEPT, PREDICTIONS
from workbench.runs.kept_run import KeptRun, require_recorded
from workbench.runs.logged_calls import read_plain_file
from workbench.runs.run import Run
from workbench.runs.tables import names_its_rows, path_of_table, read_table

# Of what a notebook keeps under names of its own: it is searched for what nobody should show, and nothing else.
MOST_HELD_BYTES = 256 * 1024**2


def read_kept_run(run: Run, folder: Path) -> KeptRun:
    """Read every file of a run, each once; raises Refused for what is no plain file, Unavailable when the disk does not answer."""
    own = read_tree(folder, left_out=KEPT)
    kept = {f"{KEPT}/{path}": each for path, each in digest_tree(folder / KEPT, held_bytes=MOST_HELD_BYTES).items()}
    held = {path: each.content for path, each in kept.items() if each.content is not None}
    return KeptRun(run, {**own, **held}, {path: each.digest for path, each in kept.items() if path not in held})


def read_row_ids(run: Run, folder: Path) -> tuple[str, ...] | None:
    """Read which rows the holdout of a run has, sorted; None where that is no longer kept, or was not part of its digest."""
    if run.holdout is None:
        return None
    path = path_of_table("holdout", run.holdout["name"])
    with suppress(OSError, ValueError, KeyError, TypeError):
        content = read_plain_file(folder / path)
        table = read_table(path, strict_json(content))
        is_recorded = (
            sha256_hex(content) == run.record["files"].get(path) and table.fact.digest == run.holdout["digest"]
        )
        if is_recorded and names_its_rows(table):
            return tuple(sorted(table.row_ids))
    return None


def read_recorded(run: Run, folder: Path) -> Predictions:
    """Read what a finished run predicted, and nothing else; raises UsageError also where that is not what was recorded."""
    return _add_columns(parse_predictions(_read_recorded(run, folder), run.id), run, folder)


def read_recorded_slices(run: Run, folder: Path) -> tuple[Predictions, dict[str, list[str]]]:
    """Return what a finished run predicted with the slices it named, row by row; raises the same."""
    content = _read_recorded(run, folder)
    return _add_columns(parse_predictions(content, run.id), run, folder), parse_slices(content, run.id)


def _add_columns(predictions: Predictions, run: Run, folder: Path) -> Predictions:
    return add_columns(predictions, run, lambda path: read_plain_file(folder / path))


def _read_recorded(run: Run, folder: Path) -> bytes:
    try:
        content = read_plain_file(folder / PREDICTIONS)
    except FileNotFoundError:
        content = None
    except (OSError, ValueError) as exc:
        raise unusable(run.id, [str(exc)]) from exc
    return require_recorded(run, content)

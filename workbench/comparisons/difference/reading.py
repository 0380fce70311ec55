"""Reading the two runs of a difference: what of their folders is compared, each file once and held against its record."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from workbench.comparisons.difference.pair import Side
from workbench.errors import UsageError
from workbench.models.model_files import CONTRACT_FILE, SKOPS_FILE
from workbench.models.predictions import Predictions, parse_predictions
from workbench.models.skops_numbers import ModelNumbers, read_model_numbers
from workbench.notebooks.notebook import find_notebook_fault
from workbench.records.digest import sha256_hex, strict_json
from workbench.runs.folder import HOLDOUT, JOURNAL, MODEL, NOTEBOOK, PREDICTIONS, TRAINING
from workbench.runs.logged_calls import read_plain_file
from workbench.runs.run import Run
from workbench.runs.tables import path_of_table

# A larger file is not compared but by its digest, and that is said.
LARGEST_BYTES = 64 * 1024**2
_MODEL_FILE, _CONTRACT = f"{MODEL}/{SKOPS_FILE}", f"{MODEL}/{CONTRACT_FILE}"


def read_sides(a: tuple[Run, Path], b: tuple[Run, Path]) -> tuple[Side, Side]:
    """Return two runs with the files that can tell how they differ; of what is the same by its digest nothing is read.

    What is gone, too large or not as it was recorded is no error: the side says so.
    """
    same = _list_same(a[0], b[0])
    # Of a holdout that both have the second tells what stands in its rows.
    return _read_side(*a, same), _read_side(*b, same - {HOLDOUT, *_list_tables(b[0], "holdout")})


def _list_same(one: Run, other: Run) -> set[str]:
    """Return the files whose recorded bytes are the same, and that nobody needs to say how two runs differ."""
    ours, theirs = (run.record.get("files", {}) for run in (one, other))
    return {path for path in ours if ours[path] == theirs.get(path)} - {PREDICTIONS, NOTEBOOK}


def _read_side(run: Run, folder: Path, same: set[str]) -> Side:
    asked = [NOTEBOOK, PREDICTIONS, HOLDOUT, TRAINING, JOURNAL, _MODEL_FILE, _CONTRACT, *_list_tables(run)]
    files, faults = _read_files(run, folder, [path for path in asked if path not in same])
    notebook = _parse_notebook(files.pop(NOTEBOOK, None), run, faults)
    predictions = _parse_predictions(files.get(PREDICTIONS), run, faults)
    columns = _read_columns(run, folder)
    numbers = _read_numbers(columns, files, faults)
    return Side(run.id, run, files, faults, notebook, predictions, numbers.settings, numbers.coefficients, columns)


def _list_tables(run: Run, *roles: str) -> list[str]:
    """Return the files of the tables a run logged, in these roles or (none) in any."""
    tables = run.record.get("datasets", ())
    return [path_of_table(table["role"], table["name"]) for table in tables if not roles or table["role"] in roles]


def _read_numbers(columns: Sequence[str], files: Mapping[str, bytes], faults: dict[str, str]) -> ModelNumbers:
    """Return what a model's file says of it; why it does not say all of it is a fault of the model."""
    if _MODEL_FILE not in files:
        numbers = ModelNumbers(untold=faults.get(_MODEL_FILE, ""))
    else:
        numbers = read_model_numbers(files[_MODEL_FILE], columns)
    if numbers.untold:
        faults[MODEL] = numbers.untold
    return numbers


def _read_files(run: Run, folder: Path, paths: Iterable[str]) -> tuple[dict[str, bytes], dict[str, str]]:
    files: dict[str, bytes] = {}
    faults: dict[str, str] = {}
    for path in paths:
        try:
            files[path] = _read_file(run, folder, path)
        except FileNotFoundError:
            if path in run.record.get("files", {}):
                faults[path] = f"{path} of run {run.id} is gone from its folder."
        except (OSError, ValueError) as exc:
            faults[path] = f"{path} of run {run.id} cannot be used: {exc}."
    return files, faults


def _read_file(run: Run, folder: Path, path: str) -> bytes:
    """Return a file as it was recorded; of a run that did not finish, which seals nothing, as it lies there."""
    size = (folder / path).lstat().st_size
    if size > LARGEST_BYTES:
        raise ValueError(f"it has {size:,} bytes; up to {LARGEST_BYTES:,} are compared")
    content, recorded = read_plain_file(folder / path), run.record.get("files", {})
    if run.is_finished and sha256_hex(content) != recorded.get(path):
        raise ValueError(
            "it is not the file that was recorded when the run ended"
            if path in recorded
            else "it was not there when the run ended"
        )
    return content


def _parse_notebook(content: bytes | None, run: Run, faults: dict[str, str]) -> Mapping[str, Any] | None:
    if content is None:
        return None
    try:
        document = decode_notebook(content)
        fault = find_notebook_fault(document)
    except (ValueError, RecursionError) as exc:
        document, fault = None, f"It is not JSON: {exc}."
    if fault:
        faults[NOTEBOOK] = f"The notebook of run {run.id} cannot be read. {fault}"
        return None
    return document if isinstance(document, dict) else None


def decode_notebook(content: bytes) -> Any:
    """Return a JSON document: three times as fast where it is one by the standard, which knows no NaN."""
    try:
        return msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError):
        return json.loads(content)


def _parse_predictions(content: bytes | None, run: Run, faults: dict[str, str]) -> Predictions | None:
    if content is None:
        return None
    try:
        return parse_predictions(content, run.id)
    except UsageError as exc:
        faults[PREDICTIONS] = exc.in_one_line
        return None


def _read_columns(run: Run, folder: Path) -> list[str]:
    """Return the columns a model takes, by its contract; none where that tells none."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        return [str(column["name"]) for column in strict_json(_read_file(run, folder, _CONTRACT))["columns"]]
    return []

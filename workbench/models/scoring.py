"""Scoring: what a frozen model answers to rows, asked as its endpoint would be, in a confined process; nothing is fitted again.

As a program it is that process: it reads one JSON request from standard input and writes one JSON answer, a `Scoring`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.errors import Refused, WorkbenchError
from workbench.files.trees import write_tree
from workbench.models.confinement import (
    OF_OTHERS,
    Limits,
    forbid_side_effects,
    open_answer,
)
from workbench.models.confining import read_answer, run_confined
from workbench.models.contract import MOST_ROWS, parse_contract
from workbench.models.model_files import CONTRACT_FILE, find_refused_files
from workbench.models.own_modules import read_modules
from workbench.models.served_model import FILES, load_served
from workbench.models.serving_trial import is_finite
from workbench.models.spelled_rows import read_spelled, require_rows

_COLUMNS, _MODEL = "columns.json", "model"


@dataclass(frozen=True)
class ScoringRequest:
    """What to ask: a folder with the model's files and one with the rows; the child ends with `parent`."""

    folder: str
    output: str
    served_as: str
    parent: int
    limits: Limits


@dataclass(frozen=True)
class Scoring:
    """What a model answers, row by row: its scores, of several classes a list each, and its labels; or why it has no answers."""

    scores: tuple[Any, ...] = ()
    labels: tuple[Any, ...] | None = None
    fault: str | None = None


def score_rows(
    files: Mapping[str, bytes],
    served_as: str,
    columns: Mapping[str, Sequence[str]],
    *,
    allows_own_code: bool = False,
    limits: Limits | None = None,
) -> Scoring:
    """Return what a model answers to rows, given by column as they were spelled when they were digested.

    `files` are the model's, which somebody vouches for, `served_as` is which of them answer. Whatever the model does, the outcome
    is a record: `fault` says it in words.
    """
    if fault := _find_fault(files, served_as, allows_own_code=allows_own_code):
        return Scoring(fault=fault)
    limits = limits or Limits()
    with tempfile.TemporaryDirectory(prefix="scoring-") as scratch:
        folder, output = Path(scratch) / "asked", Path(scratch) / "output"
        output.mkdir()
        asked = {f"{_MODEL}/{name}": content for name, content in files.items()}
        write_tree({**asked, _COLUMNS: json.dumps(dict(columns)).encode()}, folder)
        request = ScoringRequest(str(folder), str(output), served_as, os.getpid(), limits)
        try:
            return read_answer(
                *run_confined("workbench.models.scoring", request, output, wall_s=limits.wall_s), Scoring
            )
        except subprocess.TimeoutExpired:
            return Scoring(fault=f"Loading and predicting took longer than {limits.wall_s} s and was stopped.")
        except Refused as exc:
            return Scoring(fault=exc.what)


def _find_fault(files: Mapping[str, bytes], served_as: str, *, allows_own_code: bool) -> str | None:
    missing = [name for name in (CONTRACT_FILE, *FILES.get(served_as, ())) if name not in files]
    if served_as not in FILES or missing:
        return f"It is served as {served_as or 'nothing'}, and has no {' and no '.join(missing) or 'files for that'}."
    if find_refused_files(files):
        return "It has files that are not allowed and was not opened."
    if not allows_own_code and (own := read_modules(files)):
        return f"It holds own code, which its policy does not allow, and was not loaded: {own.describe()}."
    return None


# In the confined process


def main() -> None:
    """Answer the request on standard input."""
    fields = json.load(sys.stdin)
    request = ScoringRequest(**{**fields, "limits": Limits(**fields["limits"])})
    answer = open_answer(request.parent, request.limits)
    _import_libraries(request.served_as)
    files = {path.name: path.read_bytes() for path in (Path(request.folder) / _MODEL).iterdir()}
    forbid_side_effects(request.output, also=OF_OTHERS if read_modules(files) else ())
    with answer:
        json.dump(asdict(_score(files, request)), answer)


def _import_libraries(served_as: str) -> None:
    """Import what answering needs while programs may still be asked; what is compiled whole needs little."""
    from workbench.models.inspection_child import import_libraries
    from workbench.models.onnx_predictor import import_runtime

    if served_as == "onnx":
        import_runtime()
    else:
        import_libraries()


def _score(files: Mapping[str, bytes], request: ScoringRequest) -> Scoring:
    try:
        return _ask(files, request)
    except WorkbenchError as exc:
        return Scoring(fault=exc.in_one_line)
    # A model may fail in any way; each is a fact about it and none is an error of ours.
    except Exception as exc:
        return Scoring(fault=f"{type(exc).__name__}: {' '.join(str(exc).split())[:500]}")


def _ask(files: Mapping[str, bytes], request: ScoringRequest) -> Scoring:
    contract = parse_contract(files[CONTRACT_FILE])
    rows = read_spelled(json.loads((Path(request.folder) / _COLUMNS).read_bytes()), contract)
    require_rows(rows, contract)
    predict = load_served(request.served_as, files, contract, read_modules(files))
    answers = [predict(rows[at : at + MOST_ROWS]) for at in range(0, len(rows), MOST_ROWS)]
    labels = None if contract.classes is None else tuple(label for each in answers for label in each.labels or ())
    scores = tuple(score for each in answers for score in each.scores)
    if not all(map(is_finite, scores)):
        raise Refused("Its scores are not all numbers.")
    return Scoring(scores, labels)


if __name__ == "__main__":
    main()

"""The inspected model's process: it loads, predicts, compiles and compares, with its rights taken away.

Reads one JSON request from standard input and writes one JSON answer, a `Trial`, to standard output.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workbench.domain.contract import MOST_ROWS, Contract, Predict, find_row_problems, parse_contract
from workbench.domain.facts import CostFact, NumericsFact
from workbench.errors import Refused, WorkbenchError
from workbench.packaging.confinement import Limits, forbid_side_effects, leave_network, limit_resources
from workbench.packaging.serving_trial import Disturbed, ask_singly, choose_rows, disturb, measure_cost

ANSWERS_FILE = "answers.npy"


@dataclass(frozen=True)
class Request:
    """What to inspect: paths of files, all read; `output` is an empty folder, the only place that may be written."""

    model: str
    contract: str
    features: str
    scores: str
    output: str
    largest_difference: float
    limits: Limits


@dataclass(frozen=True)
class Trial:
    """What the process saw; the first fields are those of `ModelFact`, the others None when no model was tried.

    The answers to what was disturbed are in `answers.npy` of the output folder, one line each, in the order of `disturbed`.
    """

    untrusted_types: tuple[str, ...] = ()
    served_as: str | None = None
    largest_difference: float | None = None
    load_error: str | None = None
    numerics: NumericsFact | None = None
    disturbed: tuple[Disturbed, ...] | None = None
    cost: CostFact | None = None


def main() -> None:
    """Answer the request on standard input."""
    fields = json.load(sys.stdin)
    request = Request(**{**fields, "limits": Limits(**fields["limits"])})
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    # Whatever a library prints must not be taken for the answer.
    os.dup2(2, 1)
    limit_resources(request.limits)
    leave_network()
    _import_libraries()
    forbid_side_effects(request.output)
    with answer:
        json.dump(asdict(_try_model(request)), answer)


def _import_libraries() -> None:
    """Import what inspecting needs while programs may still be asked, as some libraries do at import."""
    import onnxruntime  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import skl2onnx  # noqa: F401
    import skops.io  # noqa: F401

    import workbench.packaging.skops_predictor  # noqa: F401


def _try_model(request: Request) -> Trial:
    from workbench.packaging.advice import advise_on
    from workbench.packaging.skops_loader import find_untrusted_types, load_model

    try:
        content = Path(request.model).read_bytes()
        untrusted = find_untrusted_types(content)
        if untrusted:
            said = f"It holds types that are not trusted and was not loaded. {advise_on(untrusted)}"
            return Trial(untrusted_types=untrusted, load_error=said)
        contract = parse_contract(Path(request.contract).read_bytes())
        return _try_served(_compare(load_model(content), contract, request), contract, content, request)
    except WorkbenchError as exc:
        return Trial(load_error=str(exc))
    # A model may fail in any way; each is a fact about it and none is an error of ours.
    except Exception as exc:
        return Trial(load_error=f"{type(exc).__name__}: {' '.join(str(exc).split())[:500]}")


def _compare(model: Any, contract: Contract, request: Request) -> Trial:
    from workbench.packaging.skops_predictor import predictor_of

    batches = list(_read_batches(request, contract))
    expected = _read_scores(Path(request.scores))
    own = _largest_difference(predictor_of(model, contract), batches, expected)
    compiled = _compile(model, contract, batches, expected, request)
    if compiled is not None:
        return Trial(served_as="onnx", largest_difference=compiled)
    return Trial(served_as="skops", largest_difference=own)


def _try_served(trial: Trial, contract: Contract, content: bytes, request: Request) -> Trial:
    """Ask what will be served in every way nobody can ask a file; a failure here leaves what was not measured None."""
    import numpy as np

    served = (Path(request.output) / "model.onnx").read_bytes() if trial.served_as == "onnx" else content
    rows = [row for batch in _read_batches(request, contract) for row in batch]
    load = _loader(trial, served, contract)
    try:
        predict = load()
        numerics = ask_singly(predict, rows)
        disturbed, answers = disturb(predict, contract, [rows[at] for at in choose_rows(len(rows))])
        np.save(Path(request.output) / ANSWERS_FILE, np.array(answers, dtype=float), allow_pickle=False)
        cost = measure_cost(load, rows, len(served))
    # The model answered every row before; that it does not now is no reason to call it one that does not load.
    except Exception:
        return trial
    return replace(trial, numerics=numerics, disturbed=tuple(disturbed), cost=cost)


def _loader(trial: Trial, served: bytes, contract: Contract) -> Callable[[], Predict]:
    if trial.served_as == "onnx":
        from workbench.packaging.onnx_predictor import load_onnx_predictor

        return lambda: load_onnx_predictor(served, contract)
    from workbench.packaging.skops_predictor import load_skops_predictor

    return lambda: load_skops_predictor(served, contract)


def _compile(
    model: Any, contract: Contract, batches: list[list[dict[str, Any]]], expected: Any, request: Request
) -> float | None:
    """Write the first compiled spelling that keeps the tolerance and return its difference; None when there is none."""
    from workbench.packaging.onnx_compiler import compile_spellings

    for _, compiled in compile_spellings(model, contract):
        if isinstance(compiled, str):
            continue
        difference = _try_compiled(compiled, contract, batches, expected)
        if difference <= request.largest_difference:
            (Path(request.output) / "model.onnx").write_bytes(compiled)
            return difference
    return None


def _try_compiled(compiled: bytes, contract: Contract, batches: list[list[dict[str, Any]]], expected: Any) -> float:
    from workbench.packaging.onnx_predictor import load_onnx_predictor

    try:
        return _largest_difference(load_onnx_predictor(compiled, contract), batches, expected)
    # onnxruntime raises its own errors, also as late as while it runs: then this spelling is no good.
    except Exception:
        return float("inf")


def _largest_difference(predict: Predict, batches: list[list[dict[str, Any]]], expected: Any) -> float:
    import numpy as np

    scores = np.array([score for batch in batches for score in predict(batch)], dtype=float)
    if scores.shape != expected.shape:
        raise Refused(
            "The model's scores do not fit the stored ones.", why=f"{scores.shape[0]} scores for {expected.shape[0]}."
        )
    difference = float(np.abs(scores - expected).max())
    if not np.isfinite(difference):
        raise Refused("The model's scores are not all numbers.")
    return difference


def _read_batches(request: Request, contract: Contract) -> Iterator[list[dict[str, Any]]]:
    """Yield the holdout as rows, the way a caller would send them, in requests of the largest size allowed."""
    import pandas as pd

    frame = pd.read_parquet(request.features)
    if list(frame.columns) != list(contract.names):
        raise Refused(
            "The holdout has other columns than the contract.", why=sorted({*frame.columns} ^ {*contract.names})
        )
    for start in range(0, len(frame), MOST_ROWS):
        part = frame.iloc[start : start + MOST_ROWS]
        rows = part.astype(object).where(part.notna(), None).to_dict("records")
        problems = find_row_problems(contract, rows)
        if problems:
            first = problems[0]
            row = start + (first.row or 0)
            raise Refused(
                "The holdout does not keep the contract.",
                why=f"Row {row}, column {first.column!r}: expected {first.expected}, got {first.got}.",
            )
        yield rows


def _read_scores(path: Path) -> Any:
    import numpy as np
    import pandas as pd

    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False).astype(float).ravel()
    return pd.read_parquet(path, columns=["score"])["score"].to_numpy(dtype=float)


if __name__ == "__main__":
    main()

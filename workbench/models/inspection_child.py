"""The inspected model's process: it loads, predicts, compiles and compares, with its rights taken away.

Reads one JSON request from standard input and writes one JSON answer, a `Trial`, to standard output.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from workbench.errors import Refused, WorkbenchError
from workbench.models.compiler.compile_worker import Compiler
from workbench.models.confinement import (
    OF_OTHERS,
    Limits,
    forbid_side_effects,
    open_answer,
)
from workbench.models.contract import Contract, Predict, find_row_problems, parse_contract
from workbench.models.disturbance import Disturbed, choose_rows
from workbench.models.frames import Rows, to_rows
from workbench.models.model_facts import CostFact, FormFact, NumericsFact, ServingFact
from workbench.models.model_files import ONNX_FILE, SKOPS_FILE
from workbench.models.own_modules import OwnModules, read_modules
from workbench.models.served_model import FILES, load_served
from workbench.models.serving_trial import ask_all, ask_labels, ask_singly, disturb, measure_cost
from workbench.models.spelled_rows import require_rows
from workbench.stats.task import LABEL, score_columns

ANSWERS_FILE = "answers.npy"
_NOT_COMPILED = FormFact("compiled", False, "It holds own code, which nothing can compile.")


@dataclass(frozen=True)
class Request:
    """What to inspect: paths of files (`training` is there only where there are such rows).

    `output` is an empty folder, the only place that may be written. Beside `model` lie the own modules that it may import. A
    compiled form is served only if its scores are within `largest_difference` of the model's, and within `largest_batch_difference`
    of themselves alone and among others, in units of the scores' spread. The child ends with `parent`.
    """

    model: str
    contract: str
    features: str
    training: str
    scores: str
    output: str
    largest_difference: float
    largest_batch_difference: float
    parent: int
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
    differing_labels: int | None = None
    serving: ServingFact | None = None
    numerics: NumericsFact | None = None
    disturbed: tuple[Disturbed, ...] | None = None
    cost: CostFact | None = None


def main() -> None:
    """Answer the request on standard input."""
    fields = json.load(sys.stdin)
    request = Request(**{**fields, "limits": Limits(**fields["limits"])})
    answer = open_answer(request.parent, request.limits)
    import_libraries()
    own = _read_own(request)
    # Own code is served by itself, and gets no second process.
    compiler = None if own else Compiler(lambda: _load(request, own), request.output, request.limits)
    forbid_side_effects(request.output, also=OF_OTHERS if own else ())
    try:
        with answer:
            json.dump(asdict(_try_model(request, own, compiler)), answer)
    finally:
        if compiler:
            compiler.stop()


def import_libraries() -> None:
    """Import what inspecting needs while programs may still be asked, as some libraries do at import."""
    import onnxruntime  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    import skops.io  # noqa: F401

    import workbench.models.skops_predictor  # noqa: F401


def _read_own(request: Request) -> OwnModules:
    return read_modules({path.name: path.read_bytes() for path in Path(request.model).parent.iterdir()})


def _load(request: Request, own: OwnModules) -> tuple[Any, Contract]:
    from workbench.models.skops_loader import load_model

    return load_model(Path(request.model).read_bytes(), own), parse_contract(Path(request.contract).read_bytes())


def _try_model(request: Request, own: OwnModules, compiler: Compiler | None) -> Trial:
    from workbench.models.advice import advise_on
    from workbench.models.skops_loader import find_untrusted_types

    try:
        untrusted = find_untrusted_types(Path(request.model).read_bytes(), own)
        if untrusted:
            said = f"It holds types that are not trusted and was not loaded. {advise_on(untrusted)}"
            return Trial(untrusted_types=untrusted, load_error=said)
        return _try_served(*_choose(*_load(request, own), compiler, request), request, own)
    except WorkbenchError as exc:
        return Trial(load_error=str(exc))
    # A model may fail in any way; each is a fact about it and none is an error of ours.
    except Exception as exc:
        return Trial(load_error=f"{type(exc).__name__}: {' '.join(str(exc).split())[:500]}")


# Choosing what is served


def _choose(
    model: Any, contract: Contract, compiler: Compiler | None, request: Request
) -> tuple[Trial, Contract, Rows]:
    """Return the trial of the first compiled form that is the model on every row made for it, else of the model itself."""
    from workbench.models.compiler.choosing import choose_form
    from workbench.models.compiler.proof import find_spread
    from workbench.models.skops_predictor import predictor_of

    holdout = _read_rows(request.features, contract)
    stored = _read_scores(Path(request.scores))
    difference = _largest_difference(predictor_of(model, contract), holdout, stored) / find_spread(stored)
    if compiler:
        compiler.start()
    choice = choose_form(
        model,
        contract,
        (holdout, _read_training(request, contract)),
        compiler.forms() if compiler else (),
        largest=request.largest_difference,
        largest_batch=request.largest_batch_difference,
    )
    if choice.form is not None and choice.form.content is not None:
        (Path(request.output) / ONNX_FILE).write_bytes(choice.form.content)
    serving = choice.serving if compiler else replace(choice.serving, tried=(_NOT_COMPILED,))
    trial = Trial(served_as=choice.served_as, largest_difference=difference, serving=serving)
    return trial, contract, holdout


def _largest_difference(predict: Predict, rows: Rows, expected: Any) -> float:
    import numpy as np

    scores = np.array(ask_all(predict, rows), dtype=float)
    if scores.shape != expected.shape:
        raise Refused(
            "The model's scores do not fit the stored ones.",
            why=f"{_spell_shape(scores.shape)} for {_spell_shape(expected.shape)}.",
        )
    difference = float(np.abs(scores - expected).max())
    if not np.isfinite(difference):
        raise Refused("The model's scores are not all numbers.")
    return difference


def _spell_shape(shape: tuple[int, ...]) -> str:
    return f"{shape[0]} scores" if len(shape) < 2 else f"{shape[0]} rows of {shape[1]} scores"


# Trying it


def _try_served(trial: Trial, contract: Contract, rows: Rows, request: Request, own: OwnModules) -> Trial:
    """Ask what will be served in every way nobody can ask a file; a failure here leaves what was not measured None."""
    import numpy as np

    files = _read_served(trial, request)
    size = sum(map(len, files.values()))

    def load() -> Predict:
        return load_served(str(trial.served_as), files, contract, own)

    try:
        predict = load()
        stored = _read_scores(Path(request.scores))
        spread = trial.serving.spread if trial.serving else 1.0
        largest = _largest_difference(predict, rows, stored) / spread
        labels = _count_differing_labels(predict, rows, contract, _read_labels(Path(request.scores)))
        numerics = ask_singly(predict, rows, spread)
        disturbed, answers = disturb(predict, contract, [rows[at] for at in choose_rows(len(rows))])
        np.save(Path(request.output) / ANSWERS_FILE, np.array(answers, dtype=float), allow_pickle=False)
        cost = measure_cost(load, rows, size)
    # The model answered every row before; that it does not now is no reason to call it one that does not load.
    except Exception:
        return trial
    tried = replace(trial, largest_difference=largest, differing_labels=labels, numerics=numerics)
    return replace(tried, disturbed=tuple(disturbed), cost=cost)


def _count_differing_labels(predict: Predict, rows: Rows, contract: Contract, stored: Any) -> int | None:
    """Count rows on which another class is decided for than was kept; None where none was, or the model gives no labels."""
    classes = contract.classes
    labels = ask_labels(predict, rows) if stored is not None and classes else []
    if classes is None or not labels or len(labels) != len(stored):
        return None
    if contract.task == "multiclass":
        return sum(classes[int(place)] != label for place, label in zip(stored.tolist(), labels, strict=True))
    positive = classes[contract.positive_place]
    return sum((label == positive) != (place == 1) for place, label in zip(stored.tolist(), labels, strict=True))


def _read_served(trial: Trial, request: Request) -> dict[str, bytes]:
    places = {ONNX_FILE: Path(request.output) / ONNX_FILE, SKOPS_FILE: Path(request.model)}
    return {name: places[name].read_bytes() for name in FILES[str(trial.served_as)]}


def _read_rows(path: str, contract: Contract) -> list[dict[str, Any]]:
    """Return the holdout as rows, the way a caller would send them; raises Refused where one does not keep the contract."""
    import pandas as pd

    frame = pd.read_parquet(path)
    if list(frame.columns) != list(contract.names):
        raise Refused(
            "The holdout has other columns than the contract.", why=sorted({*frame.columns} ^ {*contract.names})
        )
    rows = to_rows(frame, contract)
    require_rows(rows, contract)
    return rows


def _read_training(request: Request, contract: Contract) -> list[dict[str, Any]]:
    """Return the training rows that were kept, those that keep the contract; none where none were."""
    import pandas as pd

    if not Path(request.training).is_file():
        return []
    frame = pd.read_parquet(request.training)
    if list(frame.columns) != list(contract.names):
        return []
    rows = to_rows(frame, contract)
    return [row for row in rows if not find_row_problems(contract, [row])]


def _read_scores(path: Path) -> Any:
    import numpy as np
    import pandas as pd
    import pyarrow.parquet as pq

    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False).astype(float).ravel()
    columns = score_columns(pq.read_schema(path).names)
    scores = pd.read_parquet(path, columns=columns)[columns].to_numpy(dtype=float)
    return scores if len(columns) > 1 else scores.ravel()


def _read_labels(path: Path) -> Any:
    """Return the places of the labels that were kept with the predictions; None where none were."""
    import pandas as pd
    import pyarrow.parquet as pq

    if path.suffix == ".npy" or LABEL not in pq.read_schema(path).names:
        return None
    return pd.read_parquet(path, columns=[LABEL])[LABEL].to_numpy(dtype=float)


if __name__ == "__main__":
    main()

"""The trial of boosters, where their libraries are: `python -m tests.soak.boosters_trial N` prints what it found as JSON."""

from __future__ import annotations

import json
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import polars
import xgboost
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import make_column_transformer
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

import workbench as wb
from tests.soak.proof import SEED
from workbench.errors import UsageError
from workbench.models.boosters.booster import UNIT, allow_rounding
from workbench.models.boosters.watching import LIMIT
from workbench.models.compiler.onnx_compiler import compile_own
from workbench.models.compiler.proof import ask, find_spread
from workbench.models.contract import parse_contract
from workbench.models.frames import to_rows
from workbench.models.model_inspection import HoldoutFiles, Tolerance, try_model
from workbench.models.onnx_predictor import load_onnx_predictor
from workbench.models.skops_loader import load_model
from workbench.models.skops_predictor import predictor_of

TRAINED, NUMBERS, KINDS = 600, ["a", "b", "c", "d"], ["red", "green", "blue", "grey"]
SINGLE_LIMIT = 1e-6  # what the review asks, where a part before the booster hides the rows it rounds
_TARGETS: Mapping[str, Callable[[Any], Any]] = {
    "binary": lambda y: (y > 0).astype(int),
    "text": lambda y: np.where(y > 0, "yes", "no"),
    "multi": lambda y: np.digitize(y, [-0.7, 0.7]),
    "regression": lambda y: y,
    "count": lambda y: np.floor(np.exp(y)),
}


@dataclass(frozen=True)
class Case:
    """An estimator, what it learns, and whether its table has gaps, zeros and a column of text."""

    target: str
    make: Callable[[], Any]
    gaps: bool = True
    zeros: bool = False
    text: bool = False
    held_out: bool = False


def xgb(kind: str = "Classifier", **settings: Any) -> Any:
    return getattr(xgboost, f"XGB{kind}")(n_estimators=60, n_jobs=1, random_state=SEED, **settings)


def lgb(kind: str = "Classifier", **settings: Any) -> Any:
    usual = {"n_estimators": 60, "n_jobs": 1, "random_state": SEED, "verbose": -1}
    return getattr(lightgbm, f"LGBM{kind}")(**usual, **settings)


def cat(kind: str = "Classifier", **settings: Any) -> Any:
    usual = {"iterations": 60, "thread_count": 1, "random_seed": SEED, "verbose": 0, "allow_writing_files": False}
    return getattr(catboost, f"CatBoost{kind}")(**usual, **settings)


def after_columns(booster: Any) -> Any:
    """A pipeline: numbers scaled, text as columns of zeros and ones, the rest as it is."""
    prepare = make_column_transformer(
        (StandardScaler(), ["a", "b"]), (OneHotEncoder(handle_unknown="ignore"), ["kind"]), remainder="passthrough"
    )
    return make_pipeline(prepare, booster)


def after_numbering(booster: Any) -> Any:
    """A pipeline: text as numbers, which the booster takes for categories."""
    number = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    return make_pipeline(make_column_transformer((number, ["kind"]), remainder="passthrough"), booster)


CASES: Mapping[str, Case] = {
    "xgboost binary": Case("binary", xgb, gaps=False),
    "xgboost multi": Case("multi", xgb),
    "xgboost regression": Case("regression", lambda: xgb("Regressor")),
    "xgboost count": Case("count", lambda: xgb("Regressor", objective="count:poisson")),
    "xgboost early": Case("binary", lambda: xgb(early_stopping_rounds=3), held_out=True),
    "xgboost dart": Case("binary", lambda: xgb(booster="dart", rate_drop=0.3)),
    "xgboost forest": Case("binary", lambda: xgb("RFClassifier")),
    "xgboost zero is missing": Case("binary", lambda: xgb(missing=0.0), zeros=True),
    "xgboost pipeline": Case("binary", lambda: after_columns(xgb()), text=True),
    "xgboost categories": Case(
        "binary",
        lambda: after_numbering(xgb(feature_types=["c", *"qqqq"], enable_categorical=True, max_cat_to_onehot=2)),
        text=True,
    ),
    "xgboost calibrated": Case("binary", lambda: CalibratedClassifierCV(xgb(), cv=3)),
    "lightgbm binary": Case("text", lgb, gaps=False),
    "lightgbm multi": Case("multi", lgb),
    "lightgbm regression": Case("regression", lambda: lgb("Regressor")),
    "lightgbm square root": Case("regression", lambda: lgb("Regressor", reg_sqrt=True)),
    "lightgbm early": Case("binary", lambda: lgb(early_stopping_round=3), held_out=True),
    "lightgbm dart": Case("binary", lambda: lgb(boosting_type="dart")),
    "lightgbm forest": Case("binary", lambda: lgb(boosting_type="rf", bagging_freq=1, bagging_fraction=0.7)),
    "lightgbm zero is missing": Case("binary", lambda: lgb(zero_as_missing=True), zeros=True),
    "lightgbm pipeline": Case("text", lambda: after_columns(lgb()), text=True),
    "lightgbm categories": Case("binary", lambda: after_numbering(lgb(categorical_feature=[0])), text=True),
    "lightgbm search": Case("binary", lambda: GridSearchCV(lgb(), {"num_leaves": [5, 9]}, cv=3)),
    "catboost binary": Case("text", cat, gaps=False),
    "catboost multi": Case("multi", cat),
    "catboost regression": Case("regression", lambda: cat("Regressor")),
    "catboost early": Case("binary", lambda: cat(early_stopping_rounds=3, learning_rate=0.5), held_out=True),
    "catboost lossguide": Case("binary", lambda: cat(grow_policy="Lossguide")),
    "catboost missing is large": Case("binary", lambda: cat(nan_mode="Max")),
    "catboost pipeline": Case("text", lambda: after_columns(cat()), text=True),
}
INSPECTED = ("xgboost pipeline", "lightgbm pipeline", "catboost pipeline")  # in the process that reviews models, too


def make_table(case: Case, rows: int, generator: np.random.Generator) -> tuple[pd.DataFrame, Any]:
    """Return a table and what is learned of it."""
    table = pd.DataFrame(generator.normal(size=(rows, len(NUMBERS))), columns=NUMBERS)
    table["d"] = table["d"].mul(2).round()
    signal = table["a"] + table["b"].abs() * np.where(table["d"] % 2 == 0, 1, -1)
    noise = generator.normal(size=rows) * 0.3
    if case.zeros:
        table = table.mask(generator.random(table.shape) < 0.2, 0.0)
    if case.gaps:
        table = table.mask(generator.random(table.shape) < 0.1)
    if case.text:
        table["kind"] = generator.choice(KINDS, rows)
        signal = signal + (table["kind"] == "red")
    return table, _TARGETS[case.target]((signal + noise).to_numpy())


def fit(case: Case, generator: np.random.Generator) -> tuple[Any, pd.DataFrame, pd.DataFrame]:
    """Return a fitted model, the rows it was fitted on, and others."""
    (table, target), (held_out, truth) = (make_table(case, TRAINED, generator) for _ in range(2))
    model = case.make()
    if case.held_out:
        quiet = {"verbose": 0} if type(model).__module__.startswith("xgboost") else {}
        model.fit(table, target, eval_set=[(held_out, truth)], **quiet)
    else:
        model.fit(table, target)
    return model, table, held_out


def log(model: Any, table: pd.DataFrame, held_out: pd.DataFrame, folder: Path) -> None:
    os.environ["WORKBENCH_SPOOL"] = str(folder)
    wb.log_dataset(table, role="train")
    wb.log_model(model, held_out)


def make_fresh(case: Case, text: Any, rows: int, generator: np.random.Generator) -> pd.DataFrame:
    """Return rows nobody saw; in a third of them a number stands on a threshold of the booster, or a step beside it."""
    table, _ = make_table(case, rows, generator)
    if not hasattr(text, "find_splits"):
        return table
    features, values = text.find_splits()
    for row in range(0, rows, 3):
        at = generator.integers(len(values))
        value, single = values[at], np.float32(values[at])
        near = [np.nextafter(value, -np.inf), value, np.nextafter(value, np.inf)]
        near += [single, *(np.nextafter(single, np.float32(way)) for way in (-np.inf, np.inf))]
        table.iloc[row, features[at]] = float(near[generator.integers(len(near))])
    return table


def compare(
    name: str, case: Case, model: Any, folder: Path, rows: int, generator: np.random.Generator
) -> Iterator[str]:
    """Yield where the text or its compiled form answers otherwise than the library."""
    contract = parse_contract((folder / "model" / "contract.json").read_bytes())
    text = load_model((folder / "model" / "model.skops").read_bytes())
    fresh = make_fresh(case, text, rows, generator)
    if contract.task != "regression":
        labels = np.ravel(model.predict(fresh)) != text.predict(fresh)
        yield from ([f"{name}: {labels.sum()} labels of the text"] if labels.any() else [])
    method = "predict" if contract.task == "regression" else "predict_proba"
    theirs, ours = getattr(model, method)(fresh), getattr(text, method)(fresh)
    wrong = ~(np.abs(ours - theirs) <= allow(name, text, theirs, fresh))
    yield from (
        [f"{name}: {wrong.sum()} scores of the text, by {np.abs(ours - theirs).max():.3g}"] if wrong.any() else []
    )
    yield from compare_compiled(name, text, contract, to_rows(fresh))


def allow(name: str, text: Any, theirs: Any, fresh: pd.DataFrame) -> Any:
    spread = find_spread(np.asarray(theirs, dtype=float).ravel())
    if not name.startswith("xgboost"):
        return LIMIT * spread
    if not hasattr(text, "booster"):
        return SINGLE_LIMIT * spread
    allowed = allow_rounding(text.booster, fresh.to_numpy(dtype=float)) + UNIT
    return allowed if np.ndim(theirs) == 2 else allowed[:, 0] + UNIT * np.abs(theirs)


def compare_compiled(name: str, text: Any, contract: Any, rows: list[dict[str, Any]]) -> Iterator[str]:
    theirs, their_labels = ask(predictor_of(text, contract), rows)
    ours, our_labels = ask(load_onnx_predictor(compile_own(text, contract), contract), rows)
    wrong = ~(np.abs(ours - theirs) <= LIMIT * find_spread(theirs))
    if wrong.any() or our_labels != their_labels:
        yield f"{name}: {wrong.sum()} scores or some labels of the compiled form"


def inspect(name: str, model: Any, held_out: pd.DataFrame, folder: Path) -> Iterator[str]:
    """Yield it when the process that reviews models does not choose the compiled form."""
    np.save(folder / "scores.npy", model.predict_proba(held_out)[:, 1])
    data = HoldoutFiles(folder / "features.parquet", folder / "scores.npy", folder / "training.parquet")
    found = try_model(folder / "model", data=data, tolerance=Tolerance(), onnx_path=folder / "model.onnx")
    if found.model.served_as != "onnx" or found.model.load_error:
        yield f"{name}: the review says {found.model.load_error or found.serving}"


def ask_polars() -> Iterator[str]:
    """Yield it when a frame of polars is not refused with what to hand over."""
    frame = polars.DataFrame({"a": [1.0, 2.0]})
    with tempfile.TemporaryDirectory() as folder:
        os.environ["WORKBENCH_SPOOL"] = folder
        for call in (lambda: wb.log_dataset(frame, role="train"), lambda: wb.log_model(xgb("Regressor"), frame)):
            try:
                call()
            except UsageError as exc:
                if "polars" in str(exc) and "use .to_pandas()" in str(exc):
                    continue
            yield "a polars frame is not refused with what to hand over"


def main(rows: int) -> None:
    """Try every case, and say how many rows were asked and what was false."""
    warnings.simplefilter("ignore")
    generator, failures = np.random.default_rng(SEED), [*ask_polars()]
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as place:
            try:
                model, table, held_out = fit(case, generator)
                log(model, table, held_out, Path(place))
                failures += compare(name, case, model, Path(place), rows, generator)
                failures += inspect(name, model, held_out, Path(place)) if name in INSPECTED else []
            # Whatever went wrong with a case, the others are tried.
            except Exception as exc:
                failures.append(f"{name}: {type(exc).__name__}: {exc}")
    details = f"{len(CASES)} models, {rows:,} rows each, many beside thresholds; {len(INSPECTED)} reviewed in a confined process"
    sys.stdout.write(json.dumps({"n": len(CASES) * rows, "failures": failures, "details": details}) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))

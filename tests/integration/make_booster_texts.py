"""Writes `booster_texts/*.json`: small boosters as their library wrote them, and what the library answered to the rows beside them.

Needs XGBoost, LightGBM and CatBoost, which the tests do not: `python -m tests.integration.make_booster_texts`. Each file says with
which versions and seed it was made.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from workbench.models.boosters.booster import NEARLY_ZERO
from workbench.models.boosters.watching import watch

FOLDER = Path(__file__).with_name("booster_texts")
SEED = 20_261
PACKAGES = {"xgboost": ("xgboost", "xgboost-cpu"), "lightgbm": ("lightgbm",), "catboost": ("catboost",)}
TRAINED, ASKED, SPLITS, COLUMNS = 300, 12, 12, 3


def make_rows(rows: int, *, zeros: bool = False) -> Any:
    """Return rows of three numbers, the last one whole from 0 to 4, one in ten missing; one in four zero where that is asked."""
    generator = np.random.default_rng(SEED + rows)
    table = generator.normal(size=(rows, COLUMNS))
    table[:, 2] = generator.integers(0, 5, rows)
    if zeros:
        table[generator.random(table.shape) < 0.25] = 0.0
    table[generator.random(table.shape) < 0.1] = np.nan
    return table


def make_target(table: Any, kind: str) -> Any:
    """Return what is learned: two classes, those as text, three classes, a number or a count."""
    seen = np.nan_to_num(table, nan=-0.3)
    signal = seen[:, 0] + np.abs(seen[:, 1]) * np.where(seen[:, 2] % 2 == 0, 1, -1)
    noise = np.random.default_rng(SEED).normal(size=len(table)) * 0.3
    made: Mapping[str, Callable[[Any], Any]] = {
        "two": lambda y: (y > 0).astype(int),
        "text": lambda y: np.where(y > 0, "yes", "no"),
        "three": lambda y: np.digitize(y, [-0.7, 0.7]),
        "number": lambda y: 3 * y,
        "count": lambda y: np.floor(np.exp(y)),
    }
    return made[kind](signal + noise)


def _xgb(kind: str = "Classifier", trees: int = 4, **settings: Any) -> Any:
    import xgboost

    made = getattr(xgboost, f"XGB{kind}")
    return made(n_estimators=trees, max_depth=3, learning_rate=0.7, n_jobs=1, random_state=SEED, **settings)


def _lgb(kind: str = "Classifier", trees: int = 4, **settings: Any) -> Any:
    import lightgbm

    made = getattr(lightgbm, f"LGBM{kind}")
    usual = {"n_estimators": trees, "num_leaves": 6, "learning_rate": 0.7, "min_child_samples": 5}
    return made(**usual, n_jobs=1, random_state=SEED, verbose=-1, **settings)


def _cat(kind: str = "Classifier", trees: int = 4, **settings: Any) -> Any:
    import catboost

    made = getattr(catboost, f"CatBoost{kind}")
    usual = {"iterations": trees, "depth": 3, "border_count": 8, "thread_count": 1, "random_seed": SEED}
    return made(**usual, verbose=0, allow_writing_files=False, **settings)


# By name: what is learned, and the estimator.
MODELS: Mapping[str, tuple[str, Callable[[], Any]]] = {
    "xgboost_two_classes": ("two", _xgb),
    "xgboost_three_classes": ("three", lambda: _xgb(trees=2)),
    "xgboost_number": ("number", lambda: _xgb("Regressor")),
    "xgboost_count": ("count", lambda: _xgb("Regressor", objective="count:poisson")),
    "xgboost_dart": ("two", lambda: _xgb(booster="dart", rate_drop=0.5)),
    "xgboost_forest": ("two", lambda: _xgb("RFClassifier", trees=3)),
    "xgboost_stopped_early": ("two", lambda: _xgb(trees=30, early_stopping_rounds=2)),
    "xgboost_zero_is_missing": ("two", lambda: _xgb(missing=0.0)),
    "xgboost_categories": ("two", lambda: _xgb(feature_types=["q", "q", "c"], enable_categorical=True, max_cat_to_onehot=2)),
    "lightgbm_two_classes": ("text", _lgb),
    "lightgbm_three_classes": ("three", lambda: _lgb(trees=2)),
    "lightgbm_one_vs_all": ("three", lambda: _lgb(trees=2, objective="multiclassova")),
    "lightgbm_number": ("number", lambda: _lgb("Regressor")),
    "lightgbm_square_root": ("number", lambda: _lgb("Regressor", reg_sqrt=True)),
    "lightgbm_count": ("count", lambda: _lgb("Regressor", objective="poisson")),
    "lightgbm_dart": ("two", lambda: _lgb(boosting_type="dart", drop_rate=0.9, skip_drop=0.0)),
    "lightgbm_forest": ("two", lambda: _lgb(boosting_type="rf", bagging_freq=1, bagging_fraction=0.7)),
    "lightgbm_stopped_early": ("two", lambda: _lgb(trees=30, early_stopping_round=2)),
    "lightgbm_zero_is_missing": ("two", lambda: _lgb(zero_as_missing=True)),
    "lightgbm_missing_is_zero": ("two", lambda: _lgb(use_missing=False)),
    "lightgbm_categories": ("two", lambda: _lgb(categorical_feature=[2], min_data_per_group=5, cat_smooth=1)),
    "catboost_two_classes": ("text", _cat),
    "catboost_three_classes": ("three", lambda: _cat(trees=2)),
    "catboost_number": ("number", lambda: _cat("Regressor")),
    "catboost_count": ("count", lambda: _cat("Regressor", loss_function="Poisson")),
    "catboost_lossguide": ("two", lambda: _cat(grow_policy="Lossguide", max_leaves=6)),
    "catboost_missing_is_large": ("two", lambda: _cat(nan_mode="Max")),
    "catboost_stopped_early": ("two", lambda: _cat(trees=9, early_stopping_rounds=2, learning_rate=0.9)),
}  # fmt: skip


def main() -> None:
    """Fit every model, ask it, and write both."""
    FOLDER.mkdir(exist_ok=True)
    for name, (kind, make) in MODELS.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            content = json.dumps(describe(name, kind, make()), separators=(",", ":"))
        (FOLDER / f"{name}.json").write_text(f"{content}\n", encoding="utf-8")
        sys.stdout.write(f"{name}: {len(content):,} bytes\n")


def describe(name: str, kind: str, estimator: Any) -> dict[str, Any]:
    """Return a fitted estimator's text, rows, and the library's own answers to them."""
    zeros = "zero" in name
    table, asked = make_rows(TRAINED, zeros=zeros), make_rows(TRAINED + 1, zeros=zeros)
    _fit(name, estimator, table, make_target(table, kind), (asked, make_target(asked, kind)))
    text = watch(estimator).stand_in
    rows = np.vstack([asked[:ASKED], beside_thresholds(text, asked)])
    library = text.library
    answers = {"predict": _plain(estimator.predict(rows))}
    if hasattr(estimator, "predict_proba"):
        answers["predict_proba"] = _plain(estimator.predict_proba(rows))
    return {
        "made_by": {library: next(_version(each) for each in PACKAGES[library] if _version(each)), "seed": SEED},
        "library": library,
        "missing": text.missing,
        "classes": _plain(text.classes_) if hasattr(text, "classes_") else None,
        "text": text.text.decode(),
        "rows": [[None if value != value else value for value in row] for row in rows.tolist()],
        "answers": answers,
    }


def _fit(name: str, estimator: Any, table: Any, target: Any, held_out: tuple[Any, Any]) -> None:
    if "early" in name:
        quiet = {"verbose": 0} if "xgboost" in name else {}
        estimator.fit(table, target, eval_set=[held_out], **quiet)
    else:
        estimator.fit(table, target)


def beside_thresholds(text: Any, asked: Any) -> Any:
    """Return rows with a value on a threshold, a step of double or of single precision beside it, at zero, and very large ones."""
    features, values = text.find_splits()
    chosen = np.random.default_rng(SEED).permutation(len(values))[:SPLITS]
    changes = [
        (feature, change)
        for feature, value in zip(features[chosen].tolist(), values[chosen].tolist(), strict=True)
        for change in _beside(value)
    ]
    changes += [
        (at, value) for at in range(COLUMNS) for value in (0.0, -0.0, 1e-36, -NEARLY_ZERO, 1e30, -1e30, float("nan"))
    ]
    rows = asked[np.arange(len(changes)) % len(asked)].copy()
    for row, (feature, value) in zip(rows, changes, strict=True):
        row[feature] = value
    return rows


def _beside(value: float) -> list[float]:
    single = np.float32(value)
    steps = [np.nextafter(single, np.float32(way)) for way in (-np.inf, np.inf)]
    return [value, *(float(np.nextafter(value, way)) for way in (-np.inf, np.inf)), float(single), *map(float, steps)]


def _plain(values: Any) -> Any:
    found = np.asarray(values)
    return (found.ravel() if found.ndim == 2 and found.shape[1] == 1 else found).tolist()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except ModuleNotFoundError:
        return None


if __name__ == "__main__":
    main()

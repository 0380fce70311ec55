"""Putting texts in place of boosters when a model is logged, and proving on the rows at hand that they answer the same.

Here, and only here, the library is at work: it writes its own text and is asked for its own answers.
"""

from __future__ import annotations

import copy
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import Refused, UsageError
from workbench.packaging.boosters.booster import UNIT, allow_rounding
from workbench.packaging.boosters.catboost_json import keep_what_answers
from workbench.packaging.boosters.forest import Real
from workbench.packaging.boosters.lightgbm_text import END
from workbench.packaging.boosters.stand_ins import BoostedClassifier, BoostedRegressor, rows_of
from workbench.packaging.model_parts import parts_of

LIMIT = 1e-9  # of the spread of the library's answers, where it adds up in double precision
_PLAIN_METHODS = ("predict_proba", "predict")


def put_texts_for_boosters(model: Any, *tables: Any) -> Any:
    """Return the model with a text in place of each booster; one without boosters as it is. The model itself is not changed.

    `tables` are frames the model answers: on all their rows each text must answer as its booster does, to the bounds
    `differ_from` states, and labels must be the same. Raises UsageError naming the setting that is not supported, or the numbers.
    """
    boosters = [part for part in parts_of(model) if _find_library(part)]
    if not boosters:
        return model
    try:
        watched = {id(each): _watch(each) for each in boosters}
    except Refused as exc:
        raise _cannot_log([exc.what, *exc.reasons], exc.next_step) from exc
    trial = copy.deepcopy(model, dict(watched))
    for table in tables:
        _ask(trial, table)
    faults = [fault for each in watched.values() for fault in each.faults]
    if faults:
        raise _cannot_log(faults, "Log the settings above as they are by default, or report this model.")
    return copy.deepcopy(trial, {id(each): each.stand_in for each in watched.values()})


def _cannot_log(why: list[str], next_step: str) -> UsageError:
    return UsageError("The model cannot be logged.", why=why, next_step=next_step)


def _find_library(part: Any) -> str | None:
    """Return the library of a booster that is an estimator of its own; a class of somebody else's computes what it likes."""
    library = type(part).__module__.partition(".")[0]
    is_estimator = hasattr(part, "get_params") and hasattr(part, "predict")
    return library if library in _WRITERS and is_estimator else None


def _ask(model: Any, table: Any) -> None:
    """Ask every way the model answers; those who watch see what reaches the boosters."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in _PLAIN_METHODS:
            if hasattr(model, name):
                try:
                    getattr(model, name)(table)
                # Whatever a model raises on the rows it is logged with, it cannot be logged with them.
                except Exception as exc:
                    said = f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
                    raise _cannot_log([f"It does not answer the rows it is logged with. {said}"], "") from exc


# Writing


def _write_xgboost(estimator: Any) -> bytes:
    booster, best = estimator.get_booster(), getattr(estimator, "best_iteration", None)
    used = booster if best is None else booster[: best + 1]
    return bytes(used.save_raw("json"))


def _write_lightgbm(estimator: Any) -> bytes:
    if estimator.booster_.pandas_categorical:
        raise Refused(
            "LightGBM's categories of a pandas column cannot be served.",
            next_step="Instead: number them by an OrdinalEncoder in a Pipeline and say categorical_feature=[0, …].",
        )
    # Behind the trees stand parameters of fitting, names of files among them.
    text, _, _ = estimator.booster_.model_to_string().partition(f"\n{END}\n")
    return f"{text}\n{END}\n".encode()


def _write_catboost(estimator: Any) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.json"
        estimator.save_model(str(path), format="json")
        return keep_what_answers(path.read_bytes())


_WRITERS: Mapping[str, Callable[[Any], bytes]] = {
    "catboost": _write_catboost,
    "lightgbm": _write_lightgbm,
    "xgboost": _write_xgboost,
}


def _is_fitted(estimator: Any, library: str) -> bool:
    if library == "catboost":
        return bool(estimator.is_fitted())
    return bool(estimator.__sklearn_is_fitted__())


# Watching


class _Watching:
    """Answers as the text does, and keeps what is wrong with that beside the booster it was written from."""

    original: Any
    stand_in: Any
    faults: list[str]

    def watch(self, original: Any, stand_in: Any) -> Any:
        """Compare from now on."""
        self.original, self.stand_in, self.faults = original, stand_in, []
        return self

    def predict(self, table: Any) -> Any:
        """Return the text's labels or values."""
        return self._compare("predict", table)

    def _compare(self, name: str, table: Any) -> Any:
        theirs = getattr(self.original, name)(table)
        self._note_table(table)
        ours = getattr(self.stand_in, name)(table)
        fault = differ_from(self.original, self.stand_in, name, theirs, ours, table)
        self.faults += [fault] if fault and fault not in self.faults else []
        return ours

    def _note_table(self, table: Any) -> None:
        if hasattr(table, "columns"):
            self.stand_in.feature_names_in_ = np.array([str(each) for each in table.columns], dtype=object)
        if hasattr(table, "toarray") and self.stand_in.library == "xgboost":
            # What a sparse table does not write down is missing to XGBoost, and zero to everybody else.
            if self.stand_in.missing not in (None, 0.0):
                raise ValueError(f"missing={self.stand_in.missing} cannot be told from what a sparse table leaves out.")
            self.stand_in.missing = 0.0


class _WatchedClassifier(_Watching, BoostedClassifier):
    def predict_proba(self, table: Any) -> Any:
        """Return the text's probabilities."""
        return self._compare("predict_proba", table)


class _WatchedRegressor(_Watching, BoostedRegressor):
    pass


def _watch(estimator: Any) -> Any:
    library = str(_find_library(estimator))
    is_classifier = hasattr(estimator, "predict_proba")
    made, watched = (BoostedClassifier, _WatchedClassifier) if is_classifier else (BoostedRegressor, _WatchedRegressor)
    if not _is_fitted(estimator, library):
        return watched(library).watch(estimator, made(library))
    missing = getattr(estimator, "missing", None) if library == "xgboost" else None
    text = _WRITERS[library](estimator)
    stand_in = made(library, text, None if missing is None or missing != missing else float(missing))
    watching = watched(library, text)
    if isinstance(stand_in, BoostedClassifier) and isinstance(watching, BoostedClassifier):
        stand_in.classes_ = watching.classes_ = _read_classes(estimator, stand_in.booster.classes)
    return watching.watch(estimator, stand_in)


def _read_classes(estimator: Any, classes: int) -> Any:
    found = np.asarray(estimator.classes_)
    if len(found) != classes or found.ndim != 1:
        raise Refused(
            f"{type(estimator).__name__} gives no probability of each of its classes.",
            why=f"It has {len(found)} classes, its text {classes or 'none'}.",
            next_step="Fit it with the objective of its library for two or for several classes.",
        )
    return found


# Comparing


def differ_from(original: Any, stand_in: Any, name: str, theirs: Any, ours: Any, table: Any) -> str | None:
    """Say how the text answers otherwise than its booster; None where it does not.

    Labels must be equal. An answer may differ by 1e-9 of the spread of the library's answers where it adds up in double precision,
    and, where it does so in single precision (XGBoost), by what that rounding can do to this row (`booster.allow_rounding`).
    """
    expected = np.asarray(theirs)
    if name == "predict" and isinstance(stand_in, BoostedClassifier):
        wrong = np.asarray([a != b for a, b in zip(expected.ravel().tolist(), ours.tolist(), strict=True)], dtype=bool)
        return _describe(original, f"{int(wrong.sum())} of {len(wrong)} labels") if wrong.any() else None
    allowed = _allow(stand_in, name, expected, table)
    gaps = np.abs(ours - expected.reshape(ours.shape))
    wrong = ~(gaps <= allowed)
    if not wrong.any():
        return None
    worst = np.unravel_index(np.argmax(np.where(wrong, gaps, -1)), gaps.shape)
    limit = float(np.broadcast_to(allowed, gaps.shape)[worst])
    return _describe(
        original, f"{int(wrong.sum())} of {wrong.size} answers, by {gaps[worst]:.3g} where {limit:.3g} is allowed"
    )


def _allow(stand_in: Any, name: str, expected: Any, table: Any) -> Real:
    from workbench.packaging.proof import find_spread

    booster = stand_in.booster
    if not booster.sums_single:
        return np.full(
            (1,) * (2 if name == "predict_proba" else 1), LIMIT * find_spread(expected.astype(float).ravel())
        )
    allowed = allow_rounding(booster, rows_of(table, booster.features))
    if name == "predict":
        return allowed[:, 0]
    # Of two classes the first one's is what is left of 1, rounded once more.
    return np.column_stack([allowed + UNIT, allowed]) if booster.link == "sigmoid" else allowed


def _describe(original: Any, what: str) -> str:
    settings = ", ".join(f"{name}={str(value)[:40]}" for name, value in _settings_of(original))
    kind = type(original).__name__
    return f"The text of {kind} answers otherwise than itself: {what}. Its settings: {settings or 'the default'}."


def _settings_of(original: Any) -> Iterator[tuple[str, Any]]:
    usual = type(original)().get_params()
    for name, value in sorted(original.get_params().items()):
        if value is not None and repr(value) != repr(usual.get(name)):
            yield name, value

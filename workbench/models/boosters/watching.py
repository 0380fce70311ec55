"""A stand-in that answers as the text does, and compares with what the booster answers to the same rows while that is there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from workbench.errors import Refused
from workbench.models.boosters.booster import UNIT, allow_rounding
from workbench.models.boosters.forest import Real
from workbench.models.boosters.stand_ins import BoostedClassifier, BoostedRegressor, WhereItDecides, rows_of
from workbench.models.boosters.writing import find_library, write_text

LIMIT = 1e-9  # of the spread of the library's answers, where it adds up in double precision


class Watching:
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


class _WatchedClassifier(Watching, BoostedClassifier):
    def predict_proba(self, table: Any) -> Any:
        """Return the text's probabilities."""
        return self._compare("predict_proba", table)

    @WhereItDecides
    def decision_function(self, table: Any) -> Any:
        """Return the text's sums."""
        return self._compare("decision_function", table)


class _WatchedRegressor(Watching, BoostedRegressor):
    pass


def watch(estimator: Any) -> Any:
    """Return what stands in for an estimator and compares; raises Refused, naming the setting, for what cannot be served."""
    library, text = str(find_library(estimator)), write_text(estimator)
    is_classifier = hasattr(estimator, "predict_proba")
    made, watched = (BoostedClassifier, _WatchedClassifier) if is_classifier else (BoostedRegressor, _WatchedRegressor)
    if text is None:
        return watched(library).watch(estimator, made(library))
    facts = (library, text, _find_missing(estimator, library), hasattr(estimator, "decision_function"))
    stand_in, watching = made(*facts), watched(*facts)
    if isinstance(stand_in, BoostedClassifier) and isinstance(watching, BoostedClassifier):
        stand_in.classes_ = watching.classes_ = _read_classes(estimator, stand_in.booster.classes)
    return watching.watch(estimator, stand_in)


def _find_missing(estimator: Any, library: str) -> float | None:
    """Return the value that XGBoost was told to take for missing, besides NaN."""
    missing = getattr(estimator, "missing", None) if library == "xgboost" else None
    return None if missing is None or missing != missing else float(missing)


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
    from workbench.models.compiler.proof import find_spread

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

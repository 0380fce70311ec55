"""What stands in a model in place of a booster: its text and a few facts, and the answers of its trees."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from types import MethodType
from typing import Any

import numpy as np

from workbench.errors import Refused
from workbench.models.boosters.booster import Booster, add_margins, answer, prepare_rows
from workbench.models.boosters.catboost_json import read_catboost
from workbench.models.boosters.forest import Real
from workbench.models.boosters.lightgbm_text import read_lightgbm
from workbench.models.boosters.xgboost_json import read_xgboost

LARGEST_TEXT = 256 * 1024**2
READERS: Mapping[str, Callable[[bytes], Booster]] = {
    "catboost": read_catboost,
    "lightgbm": read_lightgbm,
    "xgboost": read_xgboost,
}


@lru_cache(maxsize=8)
def read_booster(library: str, text: bytes, missing: float | None) -> Booster:
    """Return the booster in a text of one of the libraries; raises Refused for what cannot be read or is not computed here.

    `missing` is a value that stands for a missing one, besides NaN.
    """
    if len(text) > LARGEST_TEXT:
        raise Refused(
            "The booster's text is too large.", why=f"It is {len(text):,} bytes; the limit is {LARGEST_TEXT:,}."
        )
    try:
        found = READERS[library](text)
    # What is no such text breaks in any way when it is read.
    except (ArithmeticError, LookupError, RecursionError, TypeError, ValueError, AttributeError) as exc:
        said = f"{type(exc).__name__}: {' '.join(str(exc).split())[:200]}"
        raise Refused("The booster's text is not sound.", why=said) from exc
    return found if missing is None else replace(found, missing=float(np.float32(missing)))


_PARAMETERS = ("library", "text", "missing", "decides")


class _BoosterText:
    """The text of a booster in place of the estimator that was fitted; without text it was a template nobody fitted."""

    def __init__(self, library: str, text: bytes = b"", missing: float | None = None, decides: bool = False) -> None:
        self.library, self.text, self.missing, self.decides = library, text, missing, decides
        if text:
            self.n_features_in_ = self.booster.features

    @property
    def booster(self) -> Booster:
        """The booster as its text says it; raises Refused when it cannot be read."""
        return read_booster(self.library, self.text, self.missing)

    def fit(self, *_: Any, **__: Any) -> Any:
        """Refuse: a text is not fitted again. scikit-learn asks every last step for this method."""
        raise Refused("A booster that was logged cannot be fitted again.", next_step="Fit the library's own estimator.")

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002 - as scikit-learn calls it
        """Return what it was made with."""
        return {name: getattr(self, name) for name in _PARAMETERS}

    def __sklearn_is_fitted__(self) -> bool:
        return bool(self.text)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import ClassifierTags, InputTags, RegressorTags, Tags, TargetTags

        is_classifier = isinstance(self, BoostedClassifier)
        return Tags(
            estimator_type="classifier" if is_classifier else "regressor",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags() if is_classifier else None,
            regressor_tags=None if is_classifier else RegressorTags(),
            input_tags=InputTags(sparse=True, allow_nan=True),
        )

    def _answer(self, table: Any) -> Real:
        rows = self._read(table)
        return answer(self.booster, rows)

    def _read(self, table: Any) -> Real:
        if not self.text:
            raise Refused("A booster that was never fitted has no answers.")
        return rows_of(table, self.booster.features, getattr(self, "feature_names_in_", None))

    def find_splits(self) -> tuple[Any, Any]:
        """Return every threshold of the trees: the features asked, and the values."""
        forest = self.booster.forest
        asks = ~forest.is_leaf() & np.isfinite(forest.threshold)
        asks[list(forest.members)] = False
        return forest.feature[asks], forest.threshold[asks]


class WhereItDecides:
    """A method that is there only if the library's estimator has a decision function, for parts of scikit-learn prefer it."""

    def __init__(self, method: Callable[[Any, Any], Any]) -> None:
        self._method = method

    def __get__(self, text: Any, kind: Any = None) -> Any:
        if text is None:
            return self
        if not text.decides:
            raise AttributeError(self._method.__name__)
        return MethodType(self._method, text)


class BoostedClassifier(_BoosterText):
    """A classifier of XGBoost, LightGBM or CatBoost as text; `classes_` are its labels in the order of the probabilities."""

    classes_: Any

    def predict_proba(self, table: Any) -> Real:
        """Return the probability of each class, shape (rows, classes)."""
        found = self._answer(table)
        return np.column_stack([1 - found, found]) if self.booster.link == "sigmoid" else found

    @WhereItDecides
    def decision_function(self, table: Any) -> Real:
        """Return the sums themselves, shape (rows,) of two classes; where the library's estimator has none, it is not there."""
        rows = self._read(table)
        found = add_margins(self.booster, prepare_rows(self.booster, rows))
        return found[:, 0] if self.booster.targets == 1 else found

    def predict(self, table: Any) -> Any:
        """Return the label of the most probable class of each row, the first of equals."""
        places = np.argmax(self.predict_proba(table), axis=1)
        return np.asarray(self.classes_)[places]


class BoostedRegressor(_BoosterText):
    """A regressor or ranker of XGBoost, LightGBM or CatBoost as text."""

    def predict(self, table: Any) -> Real:
        """Return the prediction of each row, shape (rows,)."""
        return self._answer(table)[:, 0]


def rows_of(table: Any, features: int, names: Any = None) -> Real:
    """Return a table of numbers as rows of doubles; raises ValueError for other columns than it was fitted on."""
    if hasattr(table, "toarray"):
        table = table.toarray()
    if hasattr(table, "columns"):
        _require_columns(table, names)
        rows = table.to_numpy(dtype=np.float64, na_value=np.nan)
    else:
        rows = np.asarray(table)
        if rows.dtype.kind not in "fiubO":
            raise ValueError(f"The booster takes numbers, not {rows.dtype}.")
        rows = rows.astype(np.float64)
    if rows.ndim != 2 or rows.shape[1] != features:
        raise ValueError(f"The booster takes {features} columns, not a table of shape {rows.shape}.")
    return np.asarray(rows)


def _require_columns(frame: Any, names: Any) -> None:
    if names is not None and [str(each) for each in frame.columns] != [str(each) for each in names]:
        raise ValueError("The booster was fitted on other columns, or in another order.")
    texts = [
        str(name) for name, dtype in frame.dtypes.items() if dtype.kind not in "fiub" or hasattr(dtype, "categories")
    ]
    if texts:
        raise ValueError(f"The booster takes numbers; columns {', '.join(texts)[:200]} hold others.")


# What a file may say of one


_STATES = {"library": str, "text": bytes, "missing": float | None, "decides": bool, "n_features_in_": int}
_ARRAYS = ("classes_", "feature_names_in_")


def find_text_faults(part: _BoosterText) -> Iterator[str]:
    """Yield what is wrong with a stand-in that was loaded: attributes not its own, or a text that does not fit them."""
    state = vars(part)
    for name, value in state.items():
        if (name in _STATES and not isinstance(value, _STATES[name])) or name not in (*_STATES, *_ARRAYS):
            yield f"A booster's {name[:50]} is not what it should be."
            return
    if not {*_PARAMETERS} <= {*state} or part.library not in READERS:
        yield "A booster does not say what wrote it."
    elif part.text:
        yield from _find_misfits(part)


def _find_misfits(part: _BoosterText) -> Iterator[str]:
    if part.missing is not None and not math.isfinite(part.missing):
        yield "A booster's missing value is no number."
        return
    try:
        booster = part.booster
    except Refused as exc:
        yield " ".join(["A booster's text cannot be read:", *(exc.reasons or (exc.what,))])
        return
    if vars(part).get("n_features_in_") != booster.features:
        yield "A booster was fitted to another number of features."
    for name, length in (("classes_", booster.classes or None), ("feature_names_in_", booster.features)):
        found = vars(part).get(name)
        if found is not None and (not isinstance(found, np.ndarray) or found.shape != (length,)):
            yield f"A booster's {name} are not as many as its text says."
    if isinstance(part, BoostedClassifier) != ("classes_" in vars(part)):
        yield "A booster's labels are missing, or it has no classes."

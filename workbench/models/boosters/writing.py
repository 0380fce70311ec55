"""What each library writes of a fitted estimator: its own text, of what decides the answers and nothing else.

The estimator is given, so none of the libraries is imported.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from workbench.errors import Refused
from workbench.models.boosters.catboost_json import keep_what_answers
from workbench.models.boosters.lightgbm_text import END


def find_library(part: Any) -> str | None:
    """Return the library of a booster that is an estimator of its own; a class of somebody else's computes what it likes."""
    library = type(part).__module__.partition(".")[0]
    is_estimator = hasattr(part, "get_params") and hasattr(part, "predict")
    return library if library in _WRITERS and is_estimator else None


def write_text(estimator: Any) -> bytes | None:
    """Return the text of an estimator, the trees it answers with only; None where it was never fitted.

    Raises Refused, naming the setting, where the text would not say how it answers.
    """
    library = str(find_library(estimator))
    is_fitted = estimator.is_fitted() if library == "catboost" else estimator.__sklearn_is_fitted__()
    return _WRITERS[library](estimator) if is_fitted else None


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

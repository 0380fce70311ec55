"""Answering with the scikit-learn model itself, for models that cannot be compiled exactly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workbench.domain.contract import Answers, Contract, Label, Predict
from workbench.errors import Refused
from workbench.packaging.frames import Rows, build_frame
from workbench.packaging.own_modules import OwnModules
from workbench.packaging.skops_loader import load_model


def load_skops_predictor(content: bytes, contract: Contract, own: OwnModules) -> Predict:
    """Return the function from rows to answers of the model in these bytes; raises Refused as `load_model` does."""
    return predictor_of(load_model(content, own), contract)


def predictor_of(model: Any, contract: Contract) -> Predict:
    """Return the function from rows to answers of a fitted scikit-learn model.

    Raises Refused when the model cannot give the score its task asks for.
    """
    if contract.task == "regression":
        return lambda rows: Answers([float(value) for value in model.predict(build_frame(rows, contract)).ravel()])
    _require_response(model, contract)
    prepare, last = _split(model)

    def predict(rows: Rows) -> Answers:
        table = prepare(build_frame(rows, contract))
        return Answers(_score(last, table, contract), _find_labels(last, table, contract))

    return predict


def _require_response(model: Any, contract: Contract) -> None:
    if not hasattr(model, contract.response) or len(model.classes_) != 2:
        asked = "predict_proba" if contract.response == "predict_proba" else contract.response
        raise Refused("The model gives no probability of one class.", why=f"It needs {asked} and exactly two classes.")


def _split(model: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return what prepares a frame and what then answers, so that it is prepared once for the score and the label."""
    if type(model).__name__ != "Pipeline" or len(model.steps) < 2:
        return (lambda frame: frame), model
    *steps, (_, last) = model.steps
    return model[: len(steps)].transform, last


def _score(last: Any, table: Any, contract: Contract) -> list[float]:
    if contract.response == "predict_proba":
        return [float(value) for value in last.predict_proba(table)[:, contract.positive_place]]
    if contract.response == "decision_function":
        sign = 1 if contract.positive_place else -1
        return [sign * float(value) for value in last.decision_function(table)]
    positive = last.classes_[contract.positive_place]
    return [float(value) for value in last.predict(table) == positive]


def _find_labels(last: Any, table: Any, contract: Contract) -> list[Label] | None:
    return None if contract.classes is None else native(last.predict(table))


def native(labels: Any) -> list[Label]:
    """Return labels as JSON has them."""
    return [label.item() if hasattr(label, "item") else label for label in labels]

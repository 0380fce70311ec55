"""Answering with the scikit-learn model itself, for models that cannot be compiled exactly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.domain.contract import Column, Contract, Predict
from workbench.errors import Refused
from workbench.packaging.skops_loader import load_model

_DTYPES = {"number": "float64", "integer": "int64", "boolean": "bool", "string": "str"}


def load_skops_predictor(content: bytes, contract: Contract) -> Predict:
    """Return the function from rows to scores of the model in these bytes; raises Refused as `load_model` does."""
    return predictor_of(load_model(content), contract)


def predictor_of(model: Any, contract: Contract) -> Predict:
    """Return the function from rows to scores of a fitted scikit-learn model.

    Raises Refused when the model cannot give the score its task asks for.
    """
    if contract.task == "regression":
        return lambda rows: [float(value) for value in model.predict(_frame(rows, contract)).ravel()]
    if not hasattr(model, "predict_proba") or len(model.classes_) != 2:
        raise Refused(
            "The model gives no probability of one class.", why="It needs predict_proba and exactly two classes."
        )
    return lambda rows: model.predict_proba(_frame(rows, contract))[:, 1].tolist()


def _frame(rows: Sequence[Mapping[str, Any]], contract: Contract) -> Any:
    import pandas as pd

    # All at once: a frame that grows column by column is fragmented.
    columns = {
        column.name: pd.Series([row[column.name] for row in rows], dtype=_dtype(column)) for column in contract.columns
    }
    return pd.DataFrame(columns, columns=list(contract.names))


def _dtype(column: Column) -> str:
    # A missing whole number makes a float column in a training table, a missing boolean an object column.
    if column.nullable and column.type in ("integer", "boolean"):
        return "float64" if column.type == "integer" else "object"
    return _DTYPES[column.type]

"""Compiling a fitted scikit-learn model to ONNX: the fastest spelling that answers exactly like the model is served."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from workbench.domain.contract import Column, Contract

_ENSEMBLE_ATTRIBUTES = "nodes_missing_value_tracks_true"


@dataclass(frozen=True)
class Spelling:
    """One way to hand rows to a compiled model: as one table or column by column, in double or single precision."""

    table: bool
    double: bool

    @property
    def name(self) -> str:
        """The spelling in words."""
        return f"{'one table' if self.table else 'column by column'}, {'double' if self.double else 'single'} precision"


# Double precision first: it differs from scikit-learn in the last bits only. One table before columns: fewer copies.
SPELLINGS = tuple(Spelling(table, double) for double in (True, False) for table in (True, False))


def compile_spellings(model: Any, contract: Contract) -> Iterator[tuple[Spelling, bytes | str]]:
    """Yield each way the model can be compiled with the ONNX bytes, or why it cannot, the preferred way first.

    That it compiles does not say that it answers the same: the caller compares on the holdout before it serves.
    """
    if any(column.nullable and column.type == "string" for column in contract.columns):
        yield SPELLINGS[0], "ONNX has no missing strings."
        return
    has_strings = any(column.type == "string" for column in contract.columns)
    for spelling in SPELLINGS:
        if not (spelling.table and has_strings):
            yield spelling, _compile_or_explain(model, contract, spelling)


def _compile_or_explain(model: Any, contract: Contract, spelling: Spelling) -> bytes | str:
    try:
        return compile_onnx(model, contract, spelling)
    # skl2onnx and onnx raise whatever they meet; a model that does not compile is served as it is.
    except Exception as exc:
        return f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}"


def compile_onnx(model: Any, contract: Contract, spelling: Spelling) -> bytes:
    """Return the ONNX bytes of a fitted model with one output: class probabilities, or predictions.

    Raises what skl2onnx raises when it has no converter for a part of the model.
    """
    import skl2onnx
    from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs

    is_classifier = contract.task == "classification"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compiled = skl2onnx.convert_sklearn(
            model,
            name="model",
            initial_types=_initial_types(contract, spelling),
            options={id(model): {"zipmap": False}} if is_classifier else None,
            custom_conversion_functions=_conversions(),
        )
        score = compiled.graph.output[-1 if is_classifier else 0].name
        return bytes(select_model_inputs_outputs(compiled, outputs=[score]).SerializeToString(deterministic=True))


def _initial_types(contract: Contract, spelling: Spelling) -> list[tuple[str, Any]]:
    from skl2onnx.common.data_types import DoubleTensorType, FloatTensorType

    real = DoubleTensorType if spelling.double else FloatTensorType
    if spelling.table:
        return [("rows", real([None, len(contract.columns)]))]
    return [(column.name, _column_type(column, real)([None, 1])) for column in contract.columns]


def _column_type(column: Column, real: Any) -> Any:
    from skl2onnx.common.data_types import BooleanTensorType, Int64TensorType, StringTensorType

    if column.type == "string":
        return StringTensorType
    if column.type == "number" or column.nullable:
        return real
    return Int64TensorType if column.type == "integer" else BooleanTensorType


def _conversions() -> dict[type, Callable[..., None]]:
    """Return our own converters for what skl2onnx 1.20 or onnxruntime lacks."""
    from skl2onnx.common._registration import get_converter
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
    from sklearn.impute import SimpleImputer

    gradient_boosting = {
        kind: _with_whole_number_flags(get_converter(f"Sklearn{kind.__name__}"))
        for kind in (HistGradientBoostingClassifier, HistGradientBoostingRegressor)
    }
    return {**gradient_boosting, SimpleImputer: _imputer_conversion(get_converter("SklearnSimpleImputer"))}


class _WholeNumberFlags:
    """A conversion container that turns boolean node attributes into 0 and 1: protobuf 7 refuses booleans there."""

    def __init__(self, container: Any) -> None:
        self._container = container

    def __getattr__(self, name: str) -> Any:
        return getattr(self._container, name)

    def add_node(self, *arguments: Any, **attributes: Any) -> Any:
        """Add a node to the graph."""
        flags = attributes.get(_ENSEMBLE_ATTRIBUTES)
        if flags is not None:
            attributes[_ENSEMBLE_ATTRIBUTES] = [int(flag) for flag in flags]
        return self._container.add_node(*arguments, **attributes)


def _with_whole_number_flags(convert: Callable[..., None]) -> Callable[..., None]:
    return lambda scope, operator, container: convert(scope, operator, _WholeNumberFlags(container))


def _imputer_conversion(convert: Callable[..., None]) -> Callable[..., None]:
    """Return a converter of SimpleImputer in double precision, which onnxruntime's Imputer does not have."""

    def convert_imputer(scope: Any, operator: Any, container: Any) -> None:
        import numpy as np
        from skl2onnx.common.data_types import DoubleTensorType

        imputer = operator.raw_operator
        fills_nan = isinstance(imputer.missing_values, float) and np.isnan(imputer.missing_values)
        is_plain = not imputer.add_indicator and np.isfinite(np.asarray(imputer.statistics_, dtype=float)).all()
        types = {type(each.type) for each in operator.inputs}
        if types == {DoubleTensorType} and fills_nan and is_plain:
            _add_imputer(scope, operator, container)
        else:
            convert(scope, operator, container)

    return convert_imputer


def _add_imputer(scope: Any, operator: Any, container: Any) -> None:
    """Add where(isnan(x), statistic, x)."""
    import numpy as np
    from onnx import numpy_helper
    from skl2onnx.common._apply_operation import apply_concat

    rows = operator.inputs[0].full_name
    if len(operator.inputs) > 1:
        rows = scope.get_unique_variable_name("columns")
        apply_concat(scope, [each.full_name for each in operator.inputs], rows, container, axis=1)
    statistics, is_missing = (scope.get_unique_variable_name(name) for name in ("statistics", "is_missing"))
    values = np.asarray(operator.raw_operator.statistics_, dtype=np.float64).reshape(1, -1)
    container.add_initializer(statistics, None, None, numpy_helper.from_array(values, statistics))
    container.add_node("IsNaN", rows, is_missing, op_version=13, name=scope.get_unique_operator_name("IsNaN"))
    container.add_node(
        "Where",
        [is_missing, statistics, rows],
        operator.outputs[0].full_name,
        op_version=9,
        name=scope.get_unique_operator_name("Where"),
    )

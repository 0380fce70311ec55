"""The files that answer, by the form a model is served in, and how they are loaded."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.domain.contract import Contract, Predict
from workbench.packaging.model_files import ONNX_FILE, SKOPS_FILE

# Compiled whole, the model itself, or its last step behind a compiled preparation.
FILES: Mapping[str, tuple[str, ...]] = {
    "onnx": (ONNX_FILE,),
    "skops": (SKOPS_FILE,),
    "onnx+skops": (ONNX_FILE, SKOPS_FILE),
}


def load_served(served_as: str, files: Mapping[str, bytes], contract: Contract) -> Predict:
    """Return the function from rows to answers of a model's files; raises Refused as the loaders of both formats do.

    A model that was compiled whole needs neither scikit-learn nor pandas.
    """
    if served_as == "onnx":
        from workbench.packaging.onnx_predictor import load_onnx_predictor

        return load_onnx_predictor(files[ONNX_FILE], contract)
    from workbench.packaging.skops_predictor import load_prepared_predictor, load_skops_predictor

    if served_as == "onnx+skops":
        return load_prepared_predictor(files[SKOPS_FILE], files[ONNX_FILE], contract)
    return load_skops_predictor(files[SKOPS_FILE], contract)

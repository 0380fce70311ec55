"""The files that answer, by the form a model is served in, and how they are loaded."""

from __future__ import annotations

from collections.abc import Mapping

from workbench.models.contract import Contract, Predict
from workbench.models.model_files import ONNX_FILE, SKOPS_FILE
from workbench.models.own_modules import OwnModules

# Compiled whole, the model itself, or its last step behind a compiled preparation.
FILES: Mapping[str, tuple[str, ...]] = {
    "onnx": (ONNX_FILE,),
    "skops": (SKOPS_FILE,),
    "onnx+skops": (ONNX_FILE, SKOPS_FILE),
}
_NOTHING = OwnModules()


def load_served(served_as: str, files: Mapping[str, bytes], contract: Contract, own: OwnModules = _NOTHING) -> Predict:
    """Return the function from rows to answers of a model's files; raises Refused as the loaders of both formats do.

    A model that was compiled whole needs neither scikit-learn nor pandas, and imports no `own` modules.
    """
    if served_as == "onnx":
        from workbench.models.onnx_predictor import load_onnx_predictor

        return load_onnx_predictor(files[ONNX_FILE], contract)
    from workbench.models.skops_predictor import load_prepared_predictor, load_skops_predictor

    if served_as == "onnx+skops":
        return load_prepared_predictor(files[SKOPS_FILE], files[ONNX_FILE], contract, own)
    return load_skops_predictor(files[SKOPS_FILE], contract, own)

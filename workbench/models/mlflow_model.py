"""A model as MLflow's own tools read it: the files beside it that say what it takes, answers and needs, and who loads it.

They are a view for whoever looks, and no authority: what is reviewed, signed and served never reads them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from workbench.models.contract import Column, Contract
from workbench.models.model_files import SKOPS_FILE

MLMODEL, REQUIREMENTS = "MLmodel", "requirements.txt"
LOADER = "workbench.models.mlflow_loading"
# What reading and asking a model takes; of more MLflow would make a larger environment than it needs.
NEEDED = ("mlflow", "numpy", "pandas", "scikit-learn", "scipy", "skops", "workbench")
_LABELS: Mapping[type, str] = {bool: "boolean", int: "long", float: "double"}
# MLflow makes values of the type it is told before a model sees them; where that would change one it is told nothing.
_PLAIN: Mapping[str, str] = {
    **dict.fromkeys(("float64", "float32", "float16"), "double"),
    **dict.fromkeys(("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32"), "long"),
    **dict.fromkeys(("datetime64[ns]", "datetime64[us]"), "datetime"),
    **dict.fromkeys(("str", "object", "string"), "string"),
    "bool": "boolean",
}
_UNTOLD = "any"


def describe_model(
    contract: Contract, packages: Mapping[str, str], *, python: str, trusted_types: Sequence[str], run: str
) -> dict[str, str]:
    """Return the texts of `MLmodel`, `requirements.txt` and the environments of MLflow, by file name.

    `packages` are the versions that are pinned, by name; `trusted_types` those MLflow's own loader of skops is told to make.
    """
    pinned = [f"{name}=={packages[name]}" for name in NEEDED if name in packages]
    flavors = {
        "python_function": {
            "loader_module": LOADER,
            "python_version": python,
            "env": {"conda": "conda.yaml", "virtualenv": "python_env.yaml"},
        },
        "sklearn": {
            "code": None,
            "pickled_model": SKOPS_FILE,
            "serialization_format": "skops",
            "sklearn_version": packages.get("scikit-learn", ""),
            "skops_trusted_types": list(trusted_types),
        },
    }
    model = {
        "artifact_path": "model",
        "flavors": flavors,
        "metadata": {"workbench.run": run},
        "mlflow_version": packages.get("mlflow", ""),
        "signature": describe_signature(contract),
    }
    conda = ["pip", {"pip": pinned}]
    environment = {"python": python, "build_dependencies": ["pip"], "dependencies": [f"-r {REQUIREMENTS}"]}
    return {
        MLMODEL: yaml.safe_dump(model),
        REQUIREMENTS: "".join(f"{line}\n" for line in pinned),
        "python_env.yaml": yaml.safe_dump(environment),
        "conda.yaml": yaml.safe_dump({"name": "model", "dependencies": [f"python={python}", *conda]}),
    }


def describe_signature(contract: Contract) -> dict[str, str]:
    """Return the signature of a model in MLflow's words: its columns, and for each row `scores` and `labels` as endpoints do."""
    inputs = [{"name": each.name, "type": _find_type(each), "required": True} for each in contract.columns]
    outputs = [{"name": "scores", **_describe_scores(contract), "required": True}]
    if contract.classes is not None:
        kinds = {_LABELS.get(type(label), "string") for label in contract.classes}
        outputs.append({"name": "labels", "type": kinds.pop() if len(kinds) == 1 else _UNTOLD, "required": True})
    return {"inputs": json.dumps(inputs), "outputs": json.dumps(outputs)}


def _find_type(column: Column) -> str:
    told = _PLAIN.get(column.dtype, _UNTOLD)
    is_changed = column.type == "integer_text" or (column.nullable and told in ("long", "boolean"))
    # A column of objects may hold anything.
    is_other = (told == "string") is not (column.type == "string")
    return _UNTOLD if is_changed or is_other else told


def _describe_scores(contract: Contract) -> dict[str, Any]:
    return {"type": "map", "values": {"type": "double"}} if contract.task == "multiclass" else {"type": "double"}

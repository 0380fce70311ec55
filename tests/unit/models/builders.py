"""Contracts of given columns, and the bundle of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.models.contract import Column, ColumnType, Contract
from workbench.policies.policy import Task
from workbench.records.digest import canonical_json, sha256_hex
from workbench.reviews.bundle import MANIFEST

MODEL_FILES: Mapping[str, bytes] = {
    "workbench/serving/guard.py": b'"""The code that serves."""\n',
    "release/model/model.onnx": b"\x08\x09onnx logistic regression weights",
    "release/model/contract.json": b'{"columns":["mean radius","mean texture"]}',
}


def build_bundle_files() -> dict[str, bytes]:
    """Return the files of a bundle with the manifest that lists them."""
    listed = {path: sha256_hex(content) for path, content in MODEL_FILES.items()}
    return {**MODEL_FILES, MANIFEST: canonical_json(listed)}


_TYPES: Mapping[str, ColumnType] = {"f": "number", "i": "integer", "b": "boolean", "O": "string"}


def build_contract(
    columns: Sequence[tuple[str, str, bool]], task: Task, *, positive_class: str | None = None
) -> Contract:
    """Return the contract of columns given as name, numpy's letter for their kind, and whether they may be missing."""
    return Contract(task, tuple(Column(name, _TYPES[kind], gaps) for name, kind, gaps in columns), positive_class)

"""Contracts of given columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workbench.models.contract import Column, ColumnType, Contract
from workbench.policies.policy import Task

_TYPES: Mapping[str, ColumnType] = {"f": "number", "i": "integer", "b": "boolean", "O": "string"}


def build_contract(
    columns: Sequence[tuple[str, str, bool]], task: Task, *, positive_class: str | None = None
) -> Contract:
    """Return the contract of columns given as name, numpy's letter for their kind, and whether they may be missing."""
    return Contract(task, tuple(Column(name, _TYPES[kind], gaps) for name, kind, gaps in columns), positive_class)

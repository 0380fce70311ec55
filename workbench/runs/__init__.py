"""A run from its start to its record; in a notebook `wb.runs()` shows all runs, to search, sort, choose and group them.

    wb.runs(*, notebook=None, where=None, columns=(), sort="", group_by=(), all_but=(), mlflow=None)

notebook    only runs of this one: its path, or its name where one alone is called so
where       a condition: only runs of which it is true, such as "roc_auc > 0.9 and family = 'forest'"
columns     what to show: names of metrics, parameters, tags, or facts such as "run.state"
sort        a name to sort by; with a minus before it ("-roc_auc") the largest comes first
group_by    one row for all runs that have the same of these
all_but     one row for all runs that differ in these parameters alone, such as "seed"
mlflow      the address of an MLflow tracking store: its runs, whoever logged them

It returns a view; `wb.runs(...).to_frame()` is a DataFrame of what it shows, all rows. `workbench help runs` has all conditions.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Any


class _Chapter(ModuleType):
    """This chapter, which `wb.runs()` in a notebook calls: its name is that of the view of runs."""

    def __call__(
        self,
        *,
        notebook: str | None = None,
        where: str | None = None,
        columns: str | Sequence[str] = (),
        sort: str = "",
        group_by: str | Sequence[str] = (),
        all_but: str | Sequence[str] = (),
        mlflow: str | None = None,
    ) -> Any:
        """Show all runs of the project, or of an MLflow tracking store by its address, to search, sort, choose and group them."""
        return import_module("workbench.interactive").runs(
            notebook=notebook,
            where=where,
            columns=columns,
            sort=sort,
            group_by=group_by,
            all_but=all_but,
            mlflow=mlflow,
        )


sys.modules[__name__].__class__ = _Chapter

"""A run from its start to its record: its folder, what was logged, where it is kept."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Chapter(ModuleType):
    """This chapter, which `wb.runs()` in a notebook calls: its name is that of the view of runs."""

    def __call__(self, **question: Any) -> Any:
        """Show all runs to search, sort, choose and group them, see `workbench.interactive.runs`."""
        return import_module("workbench.interactive").runs(**question)


sys.modules[__name__].__class__ = _Chapter

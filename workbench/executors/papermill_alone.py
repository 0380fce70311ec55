"""papermill with its own engines alone: those of other packages may import a second of what no run of ours needs.

Import this before papermill. Who asks for another engine afterwards gets it.
"""

from __future__ import annotations

from workbench.executors import quick_jsonschema  # noqa: F401 - before nbformat imports it in its own way

# isort: split
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

entrypoints: Any = import_module("entrypoints")
_GROUP = "papermill.engine"


@contextmanager
def _without_entry_points() -> Iterator[None]:
    find = entrypoints.get_group_all
    entrypoints.get_group_all = lambda group, *rest, **more: [] if group == _GROUP else find(group, *rest, **more)
    try:
        yield
    finally:
        entrypoints.get_group_all = find


def _register_when_asked(engines: Any) -> None:
    """Look for the engines of other packages when one is asked for that is not there."""
    find_engine = engines.get_engine

    def get_engine(name: str | None = None) -> Any:
        if name not in engines._engines:
            engines.get_engine = find_engine
            engines.register_entry_points()
        return find_engine(name)

    engines.get_engine = get_engine


if "papermill.engines" not in sys.modules:
    with _without_entry_points():
        from papermill.engines import papermill_engines
    _register_when_asked(papermill_engines)

"""Importing: which files of the user's own a notebook imports, found by reading it and them; nothing of them is run."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.executors.preloads import find_imported, is_installed
from workbench.models.own_code_source import find_imports, parents_of, parse_source


def find_local_modules(notebook: Path, document: Mapping[str, Any], project: Path) -> list[Path]:
    """Return the files that a notebook imports, and those they import, that are neither installed nor standard library; sorted.

    They are looked for beside the notebook, in the folders above it up to the project, in `src` of each, and where this
    environment has them from elsewhere (an editable install). What is imported under a name that is computed is not seen.
    """
    places = _list_places(notebook.parent, project)
    waiting, found = sorted(find_imported(document)), dict[Path, None]()
    while waiting:
        whole = waiting.pop()
        for name in (*parents_of(whole), whole):
            path = _locate(name, places)
            if path is not None and path not in found:
                found[path] = None
                waiting += _read_imports(path, name)
    return sorted(found)


def _list_places(folder: Path, project: Path) -> list[Path]:
    above = [each for each in folder.parents if each.is_relative_to(project)]
    return [place for each in (folder, *above) for place in (each, each / "src")]


def _locate(name: str, places: Sequence[Path]) -> Path | None:
    """Return the file a module is: the one beside the notebook, else one elsewhere that nothing installed stands before."""
    top, *inner = name.split(".")
    beside, *others = places
    if top not in sys.stdlib_module_names and not is_installed(top):
        others += _find_elsewhere(top)
    elif _find_file(beside, [top]) is None:
        return None
    found = (path for place in (beside, *others) if (path := _find_file(place, [top, *inner])))
    return next((path.resolve() for path in found), None)


def _find_file(place: Path, parts: Sequence[str]) -> Path | None:
    below = place.joinpath(*parts)
    return next((path for path in (below / "__init__.py", below.with_name(f"{below.name}.py")) if path.is_file()), None)


def _find_elsewhere(top: str) -> list[Path]:
    """Return the folders in which this environment finds a module that is not installed."""
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return []
    folders = [Path(each) for each in (spec.submodule_search_locations or ())] if spec else []
    return [folder.parent for folder in folders] or ([Path(spec.origin).parent] if spec and spec.origin else [])


def _read_imports(path: Path, name: str) -> Iterable[str]:
    """Return what a source imports; nothing of one that is no Python, which no notebook could import."""
    try:
        tree = parse_source(path.read_bytes())
    except (OSError, ValueError, SyntaxError, RecursionError, MemoryError):
        return []
    taken = find_imports(tree, name, is_package=path.name == "__init__.py")
    return [each for base, names in taken if base for each in (base, *(f"{base}.{member}" for member in names))]

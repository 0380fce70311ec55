"""Locating: whether a notebook is there, and what it is called in its project."""

from __future__ import annotations

from pathlib import Path

from workbench.errors import NotFound


def require_notebook(path: Path) -> None:
    """Raise NotFound where there is no such notebook."""
    if not path.is_file():
        raise NotFound(f"There is no notebook {path}.", next_step="Give the path of an .ipynb file.")


def name_notebook(path: Path, project: Path) -> str:
    """Return what a notebook is called: its path in the project, or its whole path outside; raises NotFound where there is none."""
    require_notebook(path)
    resolved = path.resolve()
    return str(resolved.relative_to(project) if resolved.is_relative_to(project) else resolved)

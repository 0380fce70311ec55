"""Which notebook is meant: by its path, or by as much of the end of it as names one alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import PurePath

from workbench.errors import UsageError

_SUFFIX = ".ipynb"
_MOST_NAMED = 5


def find_notebook(asked: str, known: Iterable[str]) -> str:
    """Return the path of the notebook that is meant: `people` and `people.ipynb` are `notebooks/people.ipynb`.

    What is itself a path of one of the `known`, or names none of them, is returned as it is. Raises UsageError where it names
    several.
    """
    every = {*known}
    parts = _parts_of(asked)
    found = sorted(path for path in every if parts and _parts_of(path)[-len(parts) :] == parts)
    if asked in every or not found:
        return asked
    if len(found) > 1:
        raise UsageError(
            f"{asked!r} names {len(found):,} notebooks.",
            why=f"There are {name_notebooks(found)}.",
            next_step=f"Give one of them whole: --notebook {found[0]}",
        )
    return found[0]


def name_notebooks(paths: Collection[str]) -> str:
    """Return the first of these paths, and how many there are besides."""
    more = f" and {len(paths) - _MOST_NAMED:,} more" if len(paths) > _MOST_NAMED else ""
    return f"{', '.join(sorted(paths)[:_MOST_NAMED])}{more}"


def shorten_notebooks(notebooks: Sequence[str]) -> list[str]:
    """Return what tells notebooks apart: their paths without the folders that all have, and without the suffix."""
    paths = [PurePath(notebook) for notebook in notebooks]
    parents = paths[0].parents if paths else ()
    common = next((parent for parent in parents if all(parent in path.parents for path in paths)), PurePath())
    return [str(path.relative_to(common).with_suffix("")) for path in paths]


def _parts_of(path: str) -> tuple[str, ...]:
    """Return the folders and the name of a notebook, without its suffix."""
    return PurePath(path.removesuffix(_SUFFIX)).parts

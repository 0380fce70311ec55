"""Surveying: what is there for a notebook to run with: modules, files beside it, kernels, what packages take."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from workbench.config import Settings
from workbench.errors import UsageError
from workbench.readiness import file_calls, locating
from workbench.readiness.module_attributes import list_module_attributes
from workbench.readiness.notebook_code import NotebookCode, list_styles
from workbench.readiness.surroundings import Refusal, Surroundings

# Of these packages `random_state=None` means NumPy's own state; others draw from a seed that is always the same.
_DRAW_BY_NUMPY = ("sklearn", "imblearn")
_MOVES = re.compile(r"sys\s*\.\s*path|addsitedir|sys\s*\.\s*meta_path|import_path")


def survey(document: Mapping[str, Any], code: NotebookCode, folder: Path, settings: Settings) -> Surroundings:
    """Look up what a notebook in a folder needs; nothing of it, and nothing it imports, is imported or run."""
    refusals, is_other = _ask_kernel(document)
    missing = frozenset() if is_other else frozenset(_find_missing(code, folder))
    moves = any(_MOVES.search(cell.source) for cell in code.cells)
    return Surroundings(
        refusals=tuple(refusals),
        missing_modules=frozenset() if moves else missing,
        missing_names={} if is_other else dict(_find_lacking(code, missing, folder)),
        missing_attributes={} if is_other else dict(_find_lacking_attributes(code, missing, folder)),
        missing_styles={} if is_other else dict(_find_missing_styles(code)),
        missing_files=frozenset(_find_missing_files(code, folder)),
        beside=frozenset(top for top in {each.top for each in code.imports} if locating.is_beside(top, folder)),
        draws={} if is_other else dict(_find_draws(code)),
        output_bytes=settings.limits.output_bytes,
        unknown=tuple(_list_unknown(missing if moves else frozenset(), is_other)),
    )


def _ask_kernel(document: Mapping[str, Any]) -> tuple[list[Refusal], bool]:
    """Return why it has no kernel, and whether its kernel is of another Python than this."""
    from workbench.executors.papermill_kernels import find_kernel, is_own_python

    try:
        return [], not is_own_python(find_kernel(document))
    except UsageError as exc:
        return [Refusal(exc.in_one_line, exc.next_step)], False


def _find_missing(code: NotebookCode, folder: Path) -> Iterator[str]:
    made = file_calls.list_made_files(code)
    for each in code.imports:
        if f"{each.top}.py" in made:
            continue
        if not locating.is_there(each.top, folder):
            yield each.top
        elif not locating.is_there(each.module, folder):
            yield each.module


def _find_lacking(code: NotebookCode, missing: frozenset[str], folder: Path) -> Iterator[tuple[str, str]]:
    for each in code.imports:
        if {each.top, each.module} & missing or locating.is_beside(each.top, folder):
            continue
        if lacking := locating.find_lacking(each.module, each.member):
            yield each.full_name, lacking


def _find_lacking_attributes(code: NotebookCode, missing: frozenset[str], folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the attributes that modules were imported with once, and do not have (any more)."""
    for each in list_module_attributes(code):
        top = each.module.partition(".")[0]
        if {top, each.module} & missing or locating.is_beside(top, folder):
            continue
        if found := locating.find_lacking_attribute(each.module, each.path):
            yield found


def _find_missing_styles(code: NotebookCode) -> Iterator[tuple[str, str]]:
    """Yield the named styles that the installed Matplotlib does not have; files, addresses and packages' own are left out."""
    for _, name in list_styles(code):
        if not re.search(r"[./\\]", name) and (lacking := locating.find_lacking_style(name)):
            yield name, lacking


def _find_missing_files(code: NotebookCode, folder: Path) -> Iterator[str]:
    """Yield the files that are read and not there; nothing where the notebook may make them or move to another folder."""
    if file_calls.makes_unseen_files(code):
        return
    made = file_calls.list_made_files(code)
    for read in file_calls.read_files(code):
        path = Path(read.path)
        is_made = any(path == Path(each) or path.is_relative_to(each) for each in made if each)
        if not is_made and not _is_file(folder / path.expanduser()):
            yield read.path


def _is_file(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _find_draws(code: NotebookCode) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name in {call.name for call in code.calls if call.name}:
        defaults = locating.find_defaults(name) if name.partition(".")[0] in _DRAW_BY_NUMPY else None
        if defaults and defaults.get("random_state", ...) is None:
            yield name, defaults


def _list_unknown(missing: frozenset[str], is_other: bool) -> Iterator[str]:
    if is_other:
        yield "Its kernel is of another Python: whether what it imports is there was not looked at."
    if missing:
        named = ", ".join(sorted(missing))
        yield f"It changes where modules are looked for: whether {named} will be found was not looked at."

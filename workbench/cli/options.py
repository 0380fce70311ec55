"""What the commands share: options, and how their texts are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from workbench.cli import terminal
from workbench.cli.links import lead_to
from workbench.config import MARKER, expand_path, find_project_of, is_shipped_name, override_settings, read_settings
from workbench.errors import UsageError

if TYPE_CHECKING:
    from workbench.workflow import Workbench

JSON = click.option("--json", "as_json", is_flag=True, help="Print the whole record as JSON.")

PAGE = click.Path(path_type=Path, dir_okay=False)

WHERE = click.option(
    "--where",
    metavar="CONDITION",
    help="Only runs of which this is true, e.g. \"roc_auc > 0.9 and family = 'forest'\".",
)


def _split(_context: click.Context, _option: click.Parameter, given: Sequence[str]) -> tuple[str, ...]:
    """Return names that were given one by one or with commas between; one with a comma in it stands in backticks."""
    found = (name.strip() for text in given for name in re.findall(r"(?:`[^`]*`|[^,])+", text))
    return tuple(filter(None, found))


def names_option(option: str, says: str) -> Callable[[Any], Any]:
    """Return an option that takes names."""
    return click.option(option, multiple=True, metavar="NAME,…", callback=_split, help=says)


def typed_policy(name: str | None) -> str | None:
    """Return a policy as it was typed: a bare name, or the file it leads to from the current folder."""
    return name if name is None or is_shipped_name(name) else str(Path.cwd() / expand_path(name))


POLICY = click.option(
    "--policy",
    callback=lambda _, __, name: typed_policy(name),
    help="A policy file, or the name of one in templates/policies.",
)


def open_bench() -> Workbench:
    """Open the workbench of the current folder."""
    return open_with()


def open_with(**overrides: Any) -> Workbench:
    """Open the workbench with some settings given on the command line."""
    from workbench.workflow import Workbench

    return _lead(Workbench.open(override_settings(read_settings(), overrides)))


def open_for(notebook: Path, **overrides: Any) -> Workbench:
    """Open the workbench of the project a notebook lies in, and say which where that is not the current folder's."""
    from workbench.notebooks.locating import require_notebook

    require_notebook(notebook)
    return _open_at(notebook.resolve().parent, **overrides)


def open_new() -> Workbench:
    """Open the workbench of the current folder's project, for a notebook that is to be made there."""
    return _open_at(Path.cwd())


def _open_at(folder: Path, **overrides: Any) -> Workbench:
    from workbench.workflow import Workbench
    from workbench.workflow.starting import mark_project

    made = mark_project(folder)
    settings = read_settings(find_project_of(folder, Path.cwd()))
    if made:
        terminal.note(f"{made} is a project now ({MARKER}); what it keeps lies in {near(settings.home_folder)}.")
    elif not Path.cwd().is_relative_to(settings.project):
        terminal.note(f"The notebook lies in the project {settings.project}, and is run there.")
    return _lead(Workbench.open(override_settings(settings, overrides)))


def _lead(bench: Workbench) -> Workbench:
    """Let the ids of its runs that are printed lead to their reports."""
    lead_to(bench.settings.runs_folder)
    return bench


def pairs(given: Sequence[str], what: str) -> dict[str, str]:
    """Split NAME=VALUE texts; raises UsageError listing those that are not, and names given twice."""
    pairs = [text.partition("=") for text in given]
    problems = [f"{text!r} is not NAME=VALUE." for text, (_, sign, _) in zip(given, pairs, strict=True) if not sign]
    names = [name for name, _, _ in pairs]
    problems += [f"{name} is given more than once." for name in sorted({n for n in names if names.count(n) > 1})]
    if problems:
        raise UsageError(f"The {what} cannot be read.", why=problems)
    return {name: value for name, _, value in pairs}


def near(path: Path) -> str:
    """Return a path as one would type it here."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)

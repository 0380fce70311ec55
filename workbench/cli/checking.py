"""The command that reads a notebook before it runs: check."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from workbench.cli import terminal
from workbench.cli.options import JSON, near
from workbench.config import find_project_of, read_settings

if TYPE_CHECKING:
    from workbench.readiness.hindrance import Hindrance, Readiness

Key = TypeVar("Key", bound=Hashable)
_TITLES = {
    "stops": "[bold red]It stops unattended[/]",
    "differs": "[bold yellow]It may come out otherwise elsewhere, or another time[/]",
    "burdens": "[bold yellow]Its runs are heavy to read[/]",
    "bars": "[bold yellow]Before it is swept, nominated or served[/]",
}
_MOST_PLACES = 5
_WIDTH = 80


@click.command()
@click.argument("notebook", type=click.Path(path_type=Path))
@JSON
def check(notebook: Path, as_json: bool) -> None:
    """Read a notebook, without running it, and say what will stop it unattended, differ, or keep it from being served."""
    from workbench.readiness.checking import check_file

    # Without a workbench, which would make its store: reading leaves nothing behind.
    found = check_file(notebook, read_settings(find_project_of(notebook.resolve().parent, Path.cwd())))
    terminal.print_json(_to_record(found)) if as_json else print_readiness(found)
    if not found.runs_unattended:
        raise click.exceptions.Exit(1)
    terminal.suggest(f"workbench run {near(notebook)}")


def _to_record(readiness: Readiness) -> dict[str, object]:
    return {**terminal.to_plain(readiness), "runs_unattended": readiness.runs_unattended}


def print_readiness(readiness: Readiness) -> None:
    """Print what was found in one sentence, then by what it does, each thing once with its places and what to do."""
    from workbench.readiness.hindrance import headline

    _print_wrapped(f"[bold]{terminal.escape(headline(readiness))}[/]")
    for effect, found in groupby(readiness.hindrances, key=lambda each: each.effect):
        terminal.open_console().print(f"\n{_TITLES[effect]}")
        for (_, advice), alike in _group(found, lambda each: (each.kind, each.advice)):
            for _, same in _group(alike, lambda each: each.what):
                _print_thing(same)
            _print_wrapped(f"→ {terminal.escape(advice)}", "    ")
    for unknown in readiness.unknown:
        _print_wrapped(f"? {terminal.escape(unknown)}")


def _group(found: Iterable[Hindrance], key: Callable[[Hindrance], Key]) -> Iterator[tuple[Key, list[Hindrance]]]:
    """Put together what is alike, in the order it was met."""
    groups: dict[Key, list[Hindrance]] = {}
    for each in found:
        groups.setdefault(key(each), []).append(each)
    yield from groups.items()


def _print_thing(same: Sequence[Hindrance]) -> None:
    """Print one thing that was found, and the first of the places it stands in."""
    _print_wrapped(f"- [bold]{terminal.escape(same[0].kind)}[/]: {terminal.escape(same[0].what)}")
    for each in same[:_MOST_PLACES]:
        if each.cell is not None:
            _print_line(f"    [dim]cell {each.cell}, line {each.line}:[/] {terminal.escape(each.code)}")
    if len(same) > _MOST_PLACES:
        _print_line(f"    and {len(same) - _MOST_PLACES} places more; --json shows all")


def _print_wrapped(markup: str, indent: str = "") -> None:
    """Print a text in lines of 80 columns; those after the first begin two columns further in."""
    from rich.text import Text

    console = terminal.open_console()
    for number, line in enumerate(Text.from_markup(markup).wrap(console, _WIDTH - len(indent) - 2)):
        line.rstrip()
        console.print(Text(indent if number == 0 else f"{indent}  ") + line, soft_wrap=True)


def _print_line(markup: str) -> None:
    """Print a text in one line of 80 columns, cut where it is longer."""
    from rich.text import Text

    line = Text.from_markup(markup)
    line.truncate(_WIDTH, overflow="ellipsis")
    terminal.open_console().print(line, soft_wrap=True)


COMMANDS = (check,)

"""The difference of two runs on a terminal: the sentence, what differs with its tables and lines, then what is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.cli.terminal import escape, new_table, open_console, say
from workbench.comparisons.difference.run_difference import RunDifference
from workbench.words.differences import difference_state

_MOST_ROWS, _MOST_EXCERPTS, _MOST_LINES = 8, 6, 24
_COLOURS = {"good": "green", "fair": "cyan", "open": "yellow", "plain": "dim"}
_LINES = {"added": "green", "removed": "red", "same": "dim"}


def print_difference(difference: RunDifference) -> None:
    """Print how two runs differ, the most consequential first; of long tables and texts the beginning."""
    state, console = difference_state(difference), open_console()
    console.print(f"[bold]{escape(state['headline'])}[/]", soft_wrap=True)
    for run in state["runs"]:
        say(f"{run['key']}: {run['id']}, {run['text']}{f'. {error}' if (error := run['error']) else ''}")
    for part in state["parts"]:
        _print_part(part)
    if state["same"]:
        console.print("\n[bold]The same[/]")
    for part in state["same"]:
        say(f"{part['title']}: {part['says']}")
        _print_unknown(part["unknown"])


def _print_part(part: Mapping[str, Any]) -> None:
    status, console = part["status"], open_console()
    colour = _COLOURS[status["tone"]]
    heading = f"[bold]{escape(part['title'])}[/] [{colour}]{status['shape']} {escape(status['word'].lower())}[/]"
    console.print(f"\n{heading}  {escape(part['says'])}", soft_wrap=True)
    for table in part["tables"]:
        _print_table(table)
    for excerpt in part["excerpts"][:_MOST_EXCERPTS]:
        _print_excerpt(excerpt)
    if len(part["excerpts"]) > _MOST_EXCERPTS:
        console.print(f"[dim]and {len(part['excerpts']) - _MOST_EXCERPTS:,} texts more; --json shows all[/]")
    _print_unknown(part["unknown"])


def _print_unknown(lines: Sequence[Mapping[str, Any]]) -> None:
    for line in lines:
        open_console().print(f"[yellow]?[/] {escape(line['text'])}", soft_wrap=True)


def _print_table(table: Mapping[str, Any]) -> None:
    console = open_console()
    if table["is_headed"]:
        console.print(f"[bold dim]{escape(table['title'])}[/]")
    kinds = [("right" if column["kind"] == "number" else "wrap") for column in table["columns"]]
    drawn = new_table(
        *zip((column["label"] for column in table["columns"]), kinds, strict=True), is_dense=len(kinds) > 5
    )
    for row in table["rows"][:_MOST_ROWS]:
        drawn.add_row(*map(escape, row))
    console.print(drawn)
    more = len(table["rows"]) - _MOST_ROWS
    left = max(more, 0) + table["left_out"]
    if left:
        shown = "; --json shows more" if more > 0 else ""
        console.print(f"[dim]and {left:,} more{shown}[/]")
    if table["note"]:
        console.print(f"[dim]{escape(table['note'])}[/]")


def _print_excerpt(excerpt: Mapping[str, Any]) -> None:
    console = open_console()
    console.print(f"[bold dim]{escape(excerpt['title'])}[/]")
    for line in excerpt["lines"][:_MOST_LINES]:
        console.print(f"[{_LINES[line['kind']]}]{line['mark']} {escape(line['text'])}[/]", soft_wrap=True)
    left = len(excerpt["lines"]) - _MOST_LINES
    cut = " ".join(filter(None, [f"{left:,} lines more." if left > 0 else "", excerpt["cut"]]))
    if cut:
        console.print(f"[dim]{escape(cut)}[/]")

"""The difference of two runs on a terminal: the sentence, what differs with its tables and lines, then what is the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.cli.terminal import escape, new_table, open_console, say
from workbench.comparisons.difference.run_difference import RunDifference
from workbench.words.differences import difference_state, say_columns_left

_MOST_ROWS, _MOST_EXCERPTS, _MOST_LINES = 8, 6, 24
# More columns stand closer; longer texts among what stands in a row are folded.
_MOST_WIDE, _FOLDED = 5, 16
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
    columns, rows = table["columns"], table["rows"][:_MOST_ROWS]
    shown = _count_fitting(columns, rows, console.width)
    kinds = [(column["label"], "right" if column["kind"] == "number" else "wrap") for column in columns[:shown]]
    drawn = new_table(*kinds, is_dense=len(kinds) > _MOST_WIDE)
    for row in rows:
        drawn.add_row(*map(escape, row[:shown]))
    console.print(drawn)
    for line in filter(None, [_say_rows_left(table), _say_columns_left(table, shown), table["note"]]):
        console.print(f"[dim]{escape(line)}[/]")


def _say_rows_left(table: Mapping[str, Any]) -> str:
    more = len(table["rows"]) - _MOST_ROWS
    left = max(more, 0) + table["left_out"]
    return f"and {left:,} more{'; --json shows more' if more > 0 else ''}" if left else ""


def _say_columns_left(table: Mapping[str, Any], shown: int) -> str:
    return say_columns_left(table["values"] - sum("is_value" in column for column in table["columns"][:shown]))


def _count_fitting(columns: Sequence[Mapping[str, Any]], rows: Sequence[Sequence[str]], width: int) -> int:
    """Return how many of the columns fit beside each other; those that say what stands in a row are spared, the last first."""
    cells = [[column["label"], *(row[place] for row in rows)] for place, column in enumerate(columns)]
    widths = [
        min(max(map(len, texts)), _FOLDED if column["kind"] == "text" else width)
        for column, texts in zip(columns, cells, strict=True)
    ]
    shown = len(columns)
    while shown and "is_value" in columns[shown - 1]:
        if sum(widths[:shown]) + (shown - 1) * (1 if shown > _MOST_WIDE else 2) <= width:
            break
        shown -= 1
    return shown


def _print_excerpt(excerpt: Mapping[str, Any]) -> None:
    console = open_console()
    console.print(f"[bold dim]{escape(excerpt['title'])}[/]")
    for line in excerpt["lines"][:_MOST_LINES]:
        console.print(f"[{_LINES[line['kind']]}]{line['mark']} {escape(line['text'])}[/]", soft_wrap=True)
    left = len(excerpt["lines"]) - _MOST_LINES
    cut = " ".join(filter(None, [f"{left:,} lines more." if left > 0 else "", excerpt["cut"]]))
    if cut:
        console.print(f"[dim]{escape(cut)}[/]")

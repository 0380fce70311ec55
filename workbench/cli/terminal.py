"""How records look on a terminal of 80 columns; the only place that prints."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table


_EMPTY_TAG = "[none][/none]"


def open_console(*, err: bool = False) -> Console:
    """Return the console for results, or for what is said beside them (`err`)."""
    from rich.console import Console

    return Console(stderr=err, highlight=False, soft_wrap=False, emoji=False, quiet=_VOICE.muted and not err)


def escape(text: object) -> str:
    """Return a text safe to print: no markup, no control characters."""
    return re.sub(r"(\\*)(\[|$)", _break_tag, make_printable(text))


def make_printable(text: object) -> str:
    """Return a text with no control characters in it."""
    return "".join(c if c.isprintable() else " " for c in str(text))


def _break_tag(found: re.Match[str]) -> str:
    """Rich's own escape loses backslashes; between an empty tag and the next a bracket or a backslash is only itself."""
    backslashes, bracket = found.groups()
    before = f"{backslashes * 2}{_EMPTY_TAG}" if backslashes else ""
    return before + (f"{bracket}{_EMPTY_TAG}" if bracket else "")


@dataclass
class _Voice:
    muted: bool = False


_VOICE = _Voice()


@contextmanager
def only_commands() -> Iterator[None]:
    """Print nothing but commands and errors, while it lasts."""
    before, _VOICE.muted = _VOICE.muted, True
    try:
        yield
    finally:
        _VOICE.muted = before


def print_heading(text: str, elapsed_s: float) -> None:
    """Print the heading of a step, with the time so far."""
    open_console().print(f"\n[bold]{escape(text)}[/] [dim]({elapsed_s:.0f} s)[/]", soft_wrap=True)


def print_facts(facts: Mapping[str, str]) -> None:
    """Print names and what is to be said of them, in two columns."""
    table = new_table(("", ""), ("", "wrap"))
    table.show_header = False
    for name, text in facts.items():
        table.add_row(escape(name), escape(text))
    open_console().print(table)


def say(text: str) -> None:
    """Print one line of a result."""
    open_console().print(escape(text), soft_wrap=True)


def print_command(lines: Sequence[str]) -> None:
    """Print a command as one would type it, muted or not."""
    console = open_console()
    console.quiet = False
    for line in lines:
        console.print(f"[bold cyan]{escape(line)}[/]", soft_wrap=True)


def print_markdown(text: str) -> None:
    """Print a page of Markdown as text: of its tables every word whole, however narrow a column is."""
    from rich.markdown import Markdown, TableElement
    from rich.table import Table

    class FoldedTable(TableElement):
        def __rich_console__(self, *asked: Any) -> Iterator[Any]:
            for part in super().__rich_console__(*asked):
                for column in part.columns if isinstance(part, Table) else ():
                    column.overflow = "fold"
                yield part

    class Page(Markdown):
        elements: ClassVar = {**Markdown.elements, "table_open": FoldedTable}

    # Neither a ground of its own nor hidden addresses: it reads the same on dark and light, and in a file.
    open_console().print(Page(text, code_theme="bw", hyperlinks=False))


def note(text: str) -> None:
    """Say something beside the result."""
    open_console(err=True).print(escape(text), soft_wrap=True)


def suggest(command: str) -> None:
    """Print the likely next command; only for people."""
    if sys.stdout.isatty() or sys.stderr.isatty():
        open_console(err=True).print(f"[dim]Next: {escape(command)}[/]", soft_wrap=True)


def print_error(error: WorkbenchError) -> None:
    """Print what happened, why, and what to do next."""
    console = open_console(err=True)
    console.print(f"[bold red]{escape(error.what)}[/]", soft_wrap=True)
    for reason in error.reasons:
        console.print(f"  - {escape(reason)}", soft_wrap=True)
    if error.next_step:
        advise(error.next_step)


def advise(next_step: str) -> None:
    """Print what to do about what went wrong, beside the result."""
    open_console(err=True).print(f"  Next: {escape(next_step)}", soft_wrap=True)


def print_json(value: Any) -> None:
    """Print a record completely, as JSON with stable keys."""
    print(json.dumps(to_plain(value), indent=2, ensure_ascii=False))


def to_plain(value: Any) -> Any:
    """Return a record as plain JSON values; mappings that forbid copying are copied too, what is not a number is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return to_plain({name: getattr(value, name) for name in value.__dataclass_fields__})
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def new_table(*columns: tuple[str, str], is_dense: bool = False) -> Table:
    """Return an empty table; each column is a name and how it is set: `right`, `wrap` or empty for left.

    Between columns are two blanks, one where it `is_dense`.
    """
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
        padding=(0, 0 if is_dense else 1, 0, 0),
        collapse_padding=True,
    )
    for name, side in columns:
        table.add_column(
            escape(name), justify="right" if side == "right" else "left", overflow="fold", no_wrap=side != "wrap"
        )
    return table


def format_number(value: float) -> str:
    """Return a number with four significant digits, from ten thousand to ten billion as a whole one."""
    return f"{value:,.0f}" if 10_000 <= abs(value) < 1e10 else f"{value:.4g}"


def format_age(time_text: str | None) -> str:
    """Return how long ago a time was, in the largest fitting unit."""
    if not time_text:
        return ""
    seconds = (datetime.now(UTC) - datetime.fromisoformat(time_text)).total_seconds()
    for unit, length in _UNITS:
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return f"{seconds:.0f} s ago" if seconds >= _JUST_NOW_S else "just now"


def format_duration(seconds: float | None) -> str:
    """Return how long something took: to the second below two minutes, then in the largest fitting unit; nothing of None."""
    if seconds is None:
        return ""
    if seconds < _EXACT_BELOW_S:
        return f"{seconds:.0f} s" if seconds >= 1 else f"{max(seconds, 0):.1f} s"
    unit, length = next(each for each in _UNITS if seconds >= each[1])
    return f"{f'{seconds / length:.1f}'.removesuffix('.0')} {unit}"


_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60))
_JUST_NOW_S, _EXACT_BELOW_S = 3, 120

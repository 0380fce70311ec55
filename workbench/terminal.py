"""How records look on a terminal of 80 columns; with cli.py the only place that prints."""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from workbench.workflow.running import Progress

_SLOW_S = 2.0
_EMPTY_TAG = "[none][/none]"


def open_console(*, err: bool = False) -> Console:
    """Return the console for results, or for what is said beside them (`err`)."""
    from rich.console import Console

    return Console(stderr=err, highlight=False, soft_wrap=False, emoji=False, quiet=_VOICE.muted and not err)


def escape(text: object) -> str:
    """Return a text safe to print: no markup, no control characters."""
    clean = "".join(c if c.isprintable() else " " for c in str(text))
    return re.sub(r"(\\*)(\[|$)", _break_tag, clean)


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
        console.print(f"  Next: {escape(error.next_step)}", soft_wrap=True)


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


def new_table(*columns: tuple[str, str]) -> Table:
    """Return an empty table; each column is a name and how it is set: `right`, `wrap` or empty for left."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        box=SIMPLE_HEAD,
        pad_edge=False,
        show_edge=False,
        header_style="bold",
        padding=(0, 1, 0, 0),
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
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{seconds // length:.0f} {unit} ago"
    return f"{max(seconds, 0):.0f} s ago"


@contextmanager
def show_progress(title: str) -> Iterator[Callable[[Progress], None]]:
    """Show how far a batch of runs is: a bar on a terminal, otherwise one plain line a finished run."""
    if sys.stderr.isatty():
        with _progress_bar(title) as update:
            yield update
        return
    told = [0]

    def tell(progress: Progress) -> None:
        ended = progress.finished + progress.failed
        if ended > told[0]:
            told[0] = ended
            failed = f", {progress.failed} failed" if progress.failed else ""
            print(f"{title}: {ended} of {progress.total} ended{failed}", file=sys.stderr, flush=True)

    yield tell


@contextmanager
def _progress_bar(title: str) -> Iterator[Callable[[Progress], None]]:
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=open_console(err=True), transient=True) as bar:
        task = bar.add_task(escape(title), total=None)

        def update(progress: Progress) -> None:
            failed = f", [red]{progress.failed} failed[/]" if progress.failed else ""
            text = f"{escape(title)}: {progress.finished} of {progress.total} finished{failed}"
            bar.update(task, description=text, completed=progress.cells, total=progress.all_cells)

        yield update


@contextmanager
def show_waiting(text: str) -> Iterator[None]:
    """Say that something takes a while: a spinner on a terminal, otherwise how long it took when it was slow."""
    if sys.stderr.isatty():
        with open_console(err=True).status(escape(text)):
            yield
        return
    started = time.monotonic()
    yield
    taken = time.monotonic() - started
    if taken > _SLOW_S:
        print(f"{text}: {taken:.0f} s", file=sys.stderr, flush=True)

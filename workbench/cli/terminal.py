"""How records look on a terminal of 80 columns; the only place that prints."""

from __future__ import annotations

import json
import math
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, is_dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from workbench.errors import WorkbenchError

if TYPE_CHECKING:
    from rich.console import Console, Group
    from rich.table import Table

    from workbench.runs.batch import Progress

_SLOW_S = 2.0
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


@contextmanager
def show_progress(title: str) -> Iterator[Callable[[Progress], None]]:
    """Show how far a batch of runs is: a bar on a terminal, otherwise a plain line when a run ended; then how fast it was."""
    console = open_console(err=True)
    pace = _Pace(time.monotonic())
    shown = _show_bar if sys.stderr.isatty() and not console.is_dumb_terminal else _show_lines
    try:
        with shown(title, pace, console) as show:
            yield lambda progress: show(pace.note(progress, time.monotonic()))
    finally:
        if pace.summary:
            print(f"{make_printable(title)}: {pace.summary}", file=sys.stderr, flush=True)


@dataclass
class _Pace:
    """How far a batch is and how fast it goes; what was done before this began says nothing about how fast it is."""

    started_s: float
    noted_s: float = 0.0
    first: Progress | None = None
    last: Progress | None = None

    def note(self, progress: Progress, now_s: float) -> Progress:
        self.first, self.last, self.noted_s = self.first or progress, progress, now_s
        return progress

    def left_s(self, now_s: float) -> float | None:
        """Return the seconds until the end; None before the first run ended."""
        if self.first is None or self.last is None or self.ended == 0:
            return None
        done = self.last.cells - self.first.cells
        left_s = (self.noted_s - self.started_s) * (self.last.all_cells - self.last.cells) / max(done, 1)
        return max(left_s - (now_s - self.noted_s), 0.0)

    @property
    def ended(self) -> int:
        """How many runs ended since this began."""
        if self.first is None or self.last is None:
            return 0
        return self.last.finished + self.last.failed - self.first.finished - self.first.failed

    @property
    def summary(self) -> str:
        """What is to be said at the end; nothing about a single run."""
        if self.last is None or self.last.total == 1 or not self.ended:
            return ""
        taken_s = self.noted_s - self.started_s
        return f"{_count(self.ended, 'run')} in {_clock(taken_s)}, {taken_s / self.ended:.3g} s a run"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02}:{rest:02}" if minutes >= 60 else f"{minutes}:{rest:02}"


_MOST_LINES = 100
# A log that said nothing for so long says where it is; later the pauses grow with the time, and a long log stays short.
_QUIET_S = 10.0


@contextmanager
def _show_lines(title: str, pace: _Pace, _console: Console) -> Iterator[Callable[[Progress], None]]:
    lines = _Lines(pace.started_s)

    def tell(progress: Progress) -> None:
        is_step, is_quiet = lines.judge(progress, pace.noted_s)
        if is_step or is_quiet:
            ended = f"{progress.finished + progress.failed} of {progress.total} ended"
            facts = [ended, *_failed(progress), *_best(progress), *(() if is_step else _running(progress))]
            print(f"{make_printable(title)}: {', '.join(facts)}", file=sys.stderr, flush=True)

    yield tell


@dataclass
class _Lines:
    """When a log is told how far a batch is: of at most a hundred runs when each ends, and where long nothing was told."""

    started_s: float
    ended: int = 0
    told_s: float = field(init=False)

    def __post_init__(self) -> None:
        self.told_s = self.started_s

    def judge(self, progress: Progress, now_s: float) -> tuple[bool, bool]:
        ended, step = progress.finished + progress.failed, -(-progress.total // _MOST_LINES)
        is_step = ended > self.ended and (ended // step > self.ended // step or ended == progress.total)
        pause_s = max(_QUIET_S, (self.told_s - self.started_s) / 2)
        is_quiet = ended < progress.total and now_s - self.told_s >= pause_s
        if is_step or is_quiet:
            self.ended, self.told_s = ended, now_s
        return is_step, is_quiet


def _running(progress: Progress) -> list[str]:
    if progress.total == 1:
        return [_say_single(progress, 0)]
    return [f"{progress.running} running"] if progress.running else []


def _failed(progress: Progress) -> list[str]:
    return [f"{progress.failed} failed"] if progress.failed else []


def _best(progress: Progress) -> list[str]:
    return [f"best {make_printable(progress.best[0])} {format_number(progress.best[1])}"] if progress.best else []


@contextmanager
def _show_bar(title: str, pace: _Pace, console: Console) -> Iterator[Callable[[Progress], None]]:
    from rich.live import Live

    def render() -> Group:
        return _bar(title, pace, time.monotonic(), console.width)

    # What is printed meanwhile to a pipe is not for this terminal.
    with Live(get_renderable=render, console=console, transient=True, redirect_stdout=sys.stdout.isatty()):
        yield lambda _: None


def _bar(title: str, pace: _Pace, now_s: float, width: int) -> Group:
    """Return two lines no wider than the terminal: the bar, counting cells, and what there is to say."""
    from rich.cells import set_cell_size
    from rich.console import Group
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    cells, all_cells = (pace.last.cells, pace.last.all_cells) if pace.last else (0, 1)
    name = make_printable(title)
    name = name if len(name) <= width // 3 else set_cell_size(name, max(width // 3 - 1, 0)) + "…"
    line = Table.grid(padding=(0, 1), expand=True)
    line.add_column(no_wrap=True)
    line.add_column(ratio=1)
    line.add_column(no_wrap=True, justify="right")
    line.add_row(Text(name), ProgressBar(all_cells, cells), Text(f"{100 * cells // max(all_cells, 1):>3} %"))
    return Group(line, Text(_facts(pace, now_s, width), no_wrap=True, overflow="ellipsis", style="dim"))


def _facts(pace: _Pace, now_s: float, width: int) -> str:
    """Return what there is to say about a batch in one line; where it is too long, the least important goes first."""
    from rich.cells import cell_len

    clock = _clock(now_s - pace.started_s)
    if pace.last is None:
        return f"starting · {clock}"
    if pace.last.total == 1:
        return f"{_say_single(pace.last, now_s - pace.noted_s)} · {clock}"
    left_s = pace.left_s(now_s)
    facts = {
        "finished": [f"{pace.last.finished} of {pace.last.total} finished"],
        "running": [f"{pace.last.running} running"] if pace.last.running else [],
        "failed": _failed(pace.last),
        "best": _best(pace.last),
        "left": [clock if left_s is None else "nearly done" if left_s < 1 else f"{_clock(left_s)} left"],
    }
    for least in ("running", "left", "best", ""):
        line = " · ".join(fact for found in facts.values() for fact in found)
        if cell_len(line) <= width:
            break
        facts.pop(least, None)
    return line


def _say_single(progress: Progress, since_s: float) -> str:
    """Return where a single run is; what was noted is `since_s` old."""
    current = progress.current
    if current and current.cell:
        return f"cell {current.cell} of {current.cells}, {current.for_s + since_s:.0f} s"
    # The last step is not a cell: writing down how the run ended.
    cells = max(progress.all_cells - 1, 0)
    done = f"{min(progress.cells, cells)} of {_count(cells, 'cell')} done"
    return f"{done}, keeping the results" if progress.cells == cells else done


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

"""How far something is, said while it goes on: a bar on a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from workbench.cli.terminal import escape, format_number, make_printable, open_console

if TYPE_CHECKING:
    from rich.console import Console, Group

    from workbench.runs.batch import Progress

_SLOW_S = 2.0


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

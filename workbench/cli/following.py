"""Following a run on a terminal or in a log: its cells, what they print, its metrics, as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from workbench.cli.terminal import make_printable, open_console
from workbench.runs.seen import Kind, Seen

if TYPE_CHECKING:
    from workbench.runs.batch import Progress
    from workbench.runs.following import Follower
    from workbench.workflow import Workbench

_STYLES = {Kind.CELL: "bold", Kind.STDERR: "yellow", Kind.ERROR: "red", Kind.METRIC: "green"}
_MARKS = {Kind.CELL: "cell ", Kind.METRIC: "metric "}


class Transcript:
    """Prints what is seen of a run; a line that goes on is gone on with, everything else begins a new one."""

    def __init__(self, *, err: bool = False) -> None:
        self._console = open_console(err=err)
        self._goes_on: Kind | None = None

    def tell(self, seen: Iterable[Seen]) -> None:
        """Print it; whatever a notebook shows, no terminal takes it for a command."""
        for each in seen:
            is_stream = each.kind in (Kind.STDOUT, Kind.STDERR)
            self._start_line(each.kind if is_stream else None)
            lines = f"{_MARKS.get(each.kind, '')}{each.text}".removesuffix("\n").split("\n")
            for number, line in enumerate(lines):
                is_open = number == len(lines) - 1 and is_stream and not each.text.endswith("\n")
                self._print(line, each.kind, goes_on=is_open)

    def close(self) -> None:
        """End a line that goes on."""
        self._start_line(None)

    def _start_line(self, kind: Kind | None) -> None:
        if self._goes_on and self._goes_on != kind:
            self._console.out()
            self._goes_on = None

    def _print(self, line: str, kind: Kind, *, goes_on: bool) -> None:
        # What a carriage return would write over is passed over.
        _, is_over, last = line.rpartition("\r")
        if is_over:
            self._start_line(None)
        self._console.out(make_printable(last), style=_STYLES.get(kind), highlight=False, end="" if goes_on else "\n")
        self._goes_on = kind if goes_on else None


@contextmanager
def follow_own(bench: Workbench, *, err: bool) -> Iterator[Callable[[Progress], None]]:
    """Print what the one run of a batch shows, whenever something is told of the batch, and the rest of it at the end."""
    transcript = Transcript(err=err)
    followers: list[Follower] = []

    def tell(progress: Progress) -> None:
        if progress.current and not followers:
            followers.append(bench.follow(progress.current.run_id))
        for follower in followers:
            transcript.tell(follower.read_new())

    try:
        yield tell
    finally:
        for follower in followers:
            transcript.tell(follower.read_new())
        transcript.close()


def follow(bench: Workbench, run_id: str, *, err: bool) -> None:
    """Print what a run shows until it ended, whichever process runs it."""
    transcript = Transcript(err=err)
    try:
        for seen in bench.follow(run_id):
            transcript.tell(seen)
    finally:
        transcript.close()

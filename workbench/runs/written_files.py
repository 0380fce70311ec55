"""Written files: what a run wrote beside its own folder, and which of these files several runs wrote, one over the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from workbench.runs.run import Run


@dataclass(frozen=True)
class WrittenFile:
    """A file beside the run's folder that its kernel opened to write, or renamed another to, as it lay there when the run ended.

    `path` is as that of a file that was read. `digest` is None for a large one, and one that changed meanwhile; `appended` is true
    where the run only ever added to its end.
    """

    path: str
    bytes: int
    digest: str | None
    appended: bool = False


@dataclass(frozen=True)
class Overwritten:
    """A file that several runs wrote: their ids as they began; `in_turn` where none began before the one before had ended."""

    path: str
    runs: tuple[str, ...]
    in_turn: bool

    def __str__(self) -> str:
        each = (
            f"each over the one before; what the last, run {self.runs[-1]}, wrote is left"
            if self.in_turn
            else "some of them at the same time; what one of them wrote is left"
        )
        return (
            f"{self.path} was written by {len(self.runs):,} runs, {each}. Written below wb.folder it is kept with each."
        )


def read_written_files(record: Mapping[str, Any]) -> list[WrittenFile]:
    """Return what the record of a run says it wrote beside its folder; nothing of a run of before that was told."""
    return [WrittenFile(**each) for each in record.get("written_files", ())]


def find_overwritten(runs: Iterable[Run]) -> list[Overwritten]:
    """Return the files that more than one of these runs wrote, by path; one that only grew by each is not overwritten.

    Nor is one that runs wrote in turn and left with the same bytes each.
    """
    writers: dict[str, list[tuple[Run, WrittenFile]]] = {}
    for run in sorted(runs, key=lambda each: (each.started or each.created, each.id)):
        for file in read_written_files(run.record):
            if not file.appended:
                writers.setdefault(file.path, []).append((run, file))
    found = (_judge(path, each) for path, each in sorted(writers.items()) if len(each) > 1)
    return [each for each in found if each is not None]


def _judge(path: str, writers: Sequence[tuple[Run, WrittenFile]]) -> Overwritten | None:
    runs, digests = [run for run, _ in writers], {file.digest for _, file in writers}
    in_turn = all(one.ended is not None and one.ended <= (other.started or "") for one, other in pairwise(runs))
    if in_turn and len(digests) == 1 and None not in digests:
        return None
    return Overwritten(path, tuple(run.id for run in runs), in_turn)

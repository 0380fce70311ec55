"""Written files: what a run wrote beside its own folder, and which of these files several runs wrote, one over the other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from workbench.runs.kept_files import read_kept_files
from workbench.runs.local_files import SeenBy
from workbench.runs.run import Run


@dataclass(frozen=True)
class WrittenFile:
    """A file beside the run's folder that was opened to be written, or another was renamed to, as it lay there when the run ended.

    Where the system told so, not the kernel, a native writer of the run did it, or another program meanwhile. `path` is as that of
    a file that was read; `appended` is true where the run only ever added to its end. What is in it is not looked at: the kernels
    of other runs would take that for a reader.
    """

    path: str
    bytes: int
    appended: bool = False
    seen_by: SeenBy = SeenBy.KERNEL


@dataclass(frozen=True)
class Overwritten:
    """A file that at least these runs wrote, by their ids as they began; `in_turn` where each began after the one before had ended.

    `is_told` is true where their kernels said so; false where the system saw it being written while they ran.
    """

    path: str
    runs: tuple[str, ...]
    in_turn: bool
    is_told: bool

    def __str__(self) -> str:
        count = f"{len(self.runs):,} runs"
        if not self.is_told:
            return f"{self.path}, while each of {count} went on, by them or another program"
        if not self.in_turn:
            return f"{self.path}, by {count}, some at the same time: what is left is of one of them"
        return f"{self.path}, by {count}, one after the other: what is left is of the last, run {self.runs[-1]}"


HOW_TO_KEEP = "What is written below wb.folder is kept with each run."


def read_written_files(record: Mapping[str, Any]) -> list[WrittenFile]:
    """Return what the record of a run says it wrote beside its folder; nothing of a run of before that was told."""
    return [WrittenFile(**{**each, "seen_by": SeenBy(each["seen_by"])}) for each in record.get("written_files", ())]


def find_overwritten(runs: Iterable[Run]) -> list[Overwritten]:
    """Return the files that more than one of these runs wrote, by path; one that only grew by each is not overwritten.

    Nor is one that runs wrote one after the other and that each kept, by its name and size.
    """
    writers: dict[str, list[tuple[Run, WrittenFile]]] = {}
    for run in sorted(runs, key=lambda each: (each.ended or each.created, each.id)):
        for file in read_written_files(run.record):
            if not file.appended:
                writers.setdefault(file.path, []).append((run, file))
    judged = ((_judge(path, each), each) for path, each in sorted(writers.items()))
    return [one for one, each in judged if len(one.runs) > 1 and not (one.in_turn and all(map(_is_kept, each)))]


def _is_kept(writer: tuple[Run, WrittenFile]) -> bool:
    run, file = writer
    name = file.path.rpartition("/")[2]
    return any((each.path.rpartition("/")[2], each.bytes) == (name, file.bytes) for each in read_kept_files(run.record))


def _judge(path: str, writers: Sequence[tuple[Run, WrittenFile]]) -> Overwritten:
    """Return who surely wrote a file: whose kernel said so, and of the others as many as the system cannot take for each other.

    Of runs that went on at the same time one may have written what was seen in both; taken by their ends, those that were not
    beside each other are as many as there can be.
    """
    told = [run for run, file in writers if file.seen_by is SeenBy.KERNEL]
    sure = list(told)
    for run, _ in writers:
        if run not in sure and not any(_are_beside(run, other) for other in sure):
            sure.append(run)
    sure.sort(key=lambda run: (run.started or run.created, run.id))
    in_turn = not any(_are_beside(one, other) for one, other in pairwise(sure))
    return Overwritten(path, tuple(run.id for run in sure), in_turn, len(sure) == len(told))


def _are_beside(one: Run, other: Run) -> bool:
    """True for runs that went on at the same time, and where nobody can tell."""
    spans = [(run.started, run.ended) for run in (one, other)]
    (first, first_end), (second, second_end) = spans
    if not (first and first_end and second and second_end):
        return True
    return first < second_end and second < first_end

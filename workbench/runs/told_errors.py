"""Errors among what a notebook said on stderr: warnings, logs and progress bars stand there too, and are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

_LONGEST_PREFIX = 100  # what stands before the level in a line of a log: time, name, process
_TRACEBACK = re.compile(r"[\s|+]*(?:Exception Group )?Traceback \(most recent call last\)")
_INDENTED = re.compile(r"\s|$")
_LEVEL = re.compile(r"(?<![\w.-])(?:ERROR|CRITICAL|FATAL)(?![\w.-])")
_RAISED = re.compile(
    r"(?:[\w.]*(?:Error|Exception|Interrupt)(?::|$)|Exception (?:ignored )?in|(?:\w+: )?(?:fatal|error): )"
)


def split_errors(text: str) -> list[tuple[bool, str]]:
    """Return the text in pieces, and of each whether it tells an error: a traceback, an exception, a log's line of that level."""
    lines = zip(_tell_lines(text.splitlines(keepends=True)), text.splitlines(keepends=True), strict=True)
    return [(told, "".join(line for _, line in piece)) for told, piece in groupby(lines, key=lambda each: each[0])]


def _tell_lines(lines: list[str]) -> Iterator[bool]:
    traced = False
    for line in lines:
        starts = _TRACEBACK.match(line) is not None
        ends = traced and not starts and _INDENTED.match(line) is None
        yield traced or starts or _tells_error(line)
        traced = (traced or starts) and not ends


def _tells_error(line: str) -> bool:
    return _RAISED.match(line.rstrip()) is not None or _LEVEL.search(line[:_LONGEST_PREFIX]) is not None


def keep_last_states(text: str) -> str:
    """Return the text as a terminal shows it in the end: of a line that was written over again and again, the last state."""
    if "\r" not in text:
        return text
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)

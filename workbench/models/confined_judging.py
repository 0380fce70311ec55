"""Executing metrics of somebody's own where nobody vouches for them: the process of `judging`, whose rights are taken away.

It reads one JSON request from standard input, then questions: a line of JSON each, followed by the bytes of its arrays. It answers
each with a line of JSON, and an array's bytes; nobody who asks for a minute ends it.
"""

from __future__ import annotations

import ast
import json
import select
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO

import numpy as np

from workbench.errors import UsageError
from workbench.models.confinement import OF_OTHERS, Limits, forbid_side_effects, open_answer
from workbench.policies.own_metrics import Declared
from workbench.policies.registering import load_function
from workbench.stats.holdout_columns import HoldoutColumns
from workbench.stats.own_metric import Guarded

_IDLE_S = 60


@dataclass(frozen=True)
class Judged:
    """What is executed: a metric as it was declared, the text of its file, and the one folder that may be written."""

    declared: Mapping[str, Any]
    source: str
    output: str
    parent: int
    limits: Limits


def main() -> None:
    """Answer questions until nobody asks any more."""
    asked = sys.stdin.buffer
    fields = json.loads(asked.readline())
    request = Judged(**{**fields, "limits": Limits(**fields["limits"])})
    with open_answer(request.parent, request.limits) as answer:
        source, declared = request.source.encode(), Declared(**request.declared)
        _import_named(source)
        forbid_side_effects(request.output, also=OF_OTHERS)
        judge = _Judge(declared, source)
        _write(answer.buffer, {"ready": True})
        while (line := _wait(asked)) is not None:
            _reply(answer.buffer, judge.answer(json.loads(line), asked))


def _import_named(source: bytes) -> None:
    """Import the installed packages that the file names, which may need rights that it has not."""
    tree = ast.parse(source)
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    named += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    for name in named:
        with suppress(Exception):  # it is told where the file imports it
            import_module(name)


def _wait(asked: BinaryIO) -> bytes | None:
    ready, _, _ = select.select([asked], [], [], _IDLE_S)
    return (asked.readline() or None) if ready else None


class _Judge:
    """The function with the columns that were sent last."""

    def __init__(self, declared: Declared, source: bytes) -> None:
        self._declared, self._source = declared, source
        self._columns = HoldoutColumns(dict)
        self._function: Guarded | None = None

    def answer(self, question: Mapping[str, Any], asked: BinaryIO) -> Any:
        """Return what the function says, or the error that it is, in its three parts."""
        if "columns" in question:
            self._columns = HoldoutColumns(lambda: _read_columns(question["columns"]))
        rows, width = question["rows"], question["width"]
        truth, score = (
            _read(asked, np.float64, (rows,)),
            _read(asked, np.float64, (rows, width) if width else (rows,)),
        )
        columns = self._columns.take(_read(asked, np.int64, (rows,))) if question["placed"] else self._columns
        try:
            if self._function is None:
                self._function = Guarded(self._declared.name, load_function(self._declared, self._source))
            return self._function(truth, score, columns)
        except UsageError as exc:
            return exc


def _read_columns(said: Any) -> Mapping[str, Sequence[str]]:
    if isinstance(said, dict):
        return said
    what, why, next_step = said
    raise UsageError(what, why=why, next_step=next_step)


def _read(asked: BinaryIO, kind: type, shape: tuple[int, ...]) -> Any:
    return np.frombuffer(asked.read(8 * int(np.prod(shape))), dtype=kind).reshape(shape)


def _reply(answer: BinaryIO, said: Any) -> None:
    """Write an answer; what is neither a number, nothing nor an array of numbers is named by its kind, and refused there."""
    if isinstance(said, UsageError):
        _write(answer, {"fault": [said.what, list(said.reasons), said.next_step]})
        return
    if said is None:
        _write(answer, {"nothing": True})
        return
    with suppress(TypeError, ValueError):
        values = np.asarray(said)
        if values.dtype.kind in "fiub":
            _write(answer, {"shape": values.shape}, values.astype(np.float64).tobytes())
            return
    _write(answer, {"kind": type(said).__name__})


def _write(answer: BinaryIO, said: Mapping[str, Any], content: bytes = b"") -> None:
    answer.write(json.dumps(said).encode() + b"\n" + content)
    answer.flush()


if __name__ == "__main__":
    main()

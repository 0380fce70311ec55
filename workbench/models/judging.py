"""Judging: a metric of somebody's own is executed in a confined process where others decide by it, from the bytes that are frozen.

Whoever nominates, reviews or promotes runs no line of it with their own rights. The process is asked again and again, for a
function that returns one number is asked about each resample.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from workbench.errors import UsageError
from workbench.files.python_processes import python_command
from workbench.models.confinement import Limits
from workbench.models.confining import child_environment
from workbench.policies.own_metrics import Declared, FrozenMetric
from workbench.policies.registering import build_metric

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.stats.holdout_columns import HoldoutColumns
    from workbench.stats.own_metric import Function, OwnMetric

_MODULE = "workbench.models.confined_judging"
_START_S = 60  # to import what it needs, on a busy machine


def confine_frozen(frozen: FrozenMetric | None) -> OwnMetric | None:
    """Return the same of a frozen metric, None where there is none."""
    return confine_metric(frozen.declared, frozen.source) if frozen else None


def confine_metric(declared: Declared, source: bytes, limits: Limits | None = None) -> OwnMetric:
    """Return a metric that is executed in a process without rights, started when it is first asked, and ended with this one."""
    return build_metric(declared, lambda: source, cast("Function", _Confined(declared, source, limits or Limits())))


class _Confined:
    """A function in another process; what it raises and answers is what it would here."""

    def __init__(self, declared: Declared, source: bytes, limits: Limits) -> None:
        self._declared, self._source, self._limits = declared, source, limits
        self._process: _Process | None = None
        self._sent: HoldoutColumns | None = None

    def __call__(self, truth: NDArray[np.float64], score: NDArray[np.float64], rows: HoldoutColumns) -> Any:
        try:
            return self._ask(truth, score, rows)
        except (BrokenPipeError, EOFError, ValueError):
            how = self._process.describe_end() if self._process else "ended"
            self._process = None
            step = f"Make {self._declared.function} faster, or let it return one number for each row."
            why = f"Its process {how} (limits: {self._limits.cpu_s} s of processor, {self._limits.wall_s} s an answer)."
            raise self._fault(why, step) from None

    def _ask(self, truth: NDArray[np.float64], score: NDArray[np.float64], rows: HoldoutColumns) -> Any:
        import numpy as np

        if self._process is None or not self._process.is_alive:
            self._process, self._sent = _Process(self._declared, self._source, self._limits), None
        question: dict[str, Any] = {"rows": len(truth), "width": 0 if score.ndim == 1 else score.shape[1]}
        arrays = [np.asarray(truth, np.float64), np.asarray(score, np.float64)]
        if self._sent is not rows.whole:
            question["columns"], self._sent = _spell(rows), rows.whole
        question["placed"] = rows.places is not None
        arrays += [] if rows.places is None else [rows.places.astype(np.int64)]
        said, values = self._process.ask(question, [array.tobytes() for array in arrays])
        return self._read(said, values)

    def _read(self, said: Mapping[str, Any], values: bytes) -> Any:
        import numpy as np

        if "fault" in said:
            from workbench.stats.own_metric import Undefined

            what, why, step = said["fault"]
            raise Undefined(str(what), why=map(str, why), next_step=str(step))
        if "kind" in said:
            raise self._fault(f"It returned a {said['kind']}.", "Return one number, or an array with one for each row.")
        return None if "nothing" in said else np.frombuffer(values, np.float64).reshape(said["shape"])

    def _fault(self, why: str, step: str) -> UsageError:
        from workbench.stats.own_metric import undefined

        return undefined(self._declared.name, why, step)


def _spell(rows: HoldoutColumns) -> Any:
    """Return the columns as they are sent; where they cannot be read, why, for a function that asks for one."""
    try:
        return {name: list(texts) for name, texts in rows.whole.spell().items()}
    except UsageError as exc:
        return [exc.what, list(exc.reasons), exc.next_step]


class _Process:
    """A confined process that is asked question after question."""

    def __init__(self, declared: Declared, source: bytes, limits: Limits) -> None:
        scratch = tempfile.TemporaryDirectory(prefix="judging-")
        self._limits = limits
        self._child = subprocess.Popen(
            python_command(_MODULE),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=scratch.name,
            env=child_environment(Path(scratch.name), _MODULE),
            start_new_session=True,
        )
        weakref.finalize(self, partial(_end, self._child, scratch))
        told = {"declared": asdict(declared), "source": source.decode(), "output": scratch.name, "parent": os.getpid()}
        self.ask({**told, "limits": asdict(limits)}, [], more_s=_START_S)

    @property
    def is_alive(self) -> bool:
        """True until it ended, because nobody asked or for what it did."""
        return self._child.poll() is None

    def ask(
        self, question: Mapping[str, Any], arrays: list[bytes], more_s: float = 0
    ) -> tuple[Mapping[str, Any], bytes]:
        """Return what it answers and the bytes of an array; raises EOFError or BrokenPipeError where it ends instead."""
        late = threading.Timer(self._limits.wall_s + more_s, self._child.kill)
        late.daemon = True
        late.start()
        try:
            asked, answered = _pipe(self._child.stdin), _pipe(self._child.stdout)
            asked.write(b"".join([json.dumps(question).encode(), b"\n", *arrays]))
            asked.flush()
            said = json.loads(answered.readline() or _raise_end())
            size = 8
            for length in said.get("shape", ()):
                size *= int(length)
            content = answered.read(size) if "shape" in said else b""
            return said, content if len(content) == (size if "shape" in said else 0) else _raise_end()
        finally:
            late.cancel()

    def describe_end(self) -> str:
        """Say how it ended."""
        with suppress(subprocess.TimeoutExpired):
            code = self._child.wait(5)
            return f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
        return "gave no answer that can be read"


def _raise_end() -> bytes:
    raise EOFError


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise EOFError
    return stream


def _end(child: subprocess.Popen[bytes], scratch: tempfile.TemporaryDirectory[str]) -> None:
    child.kill()
    for stream in (child.stdin, child.stdout):
        with suppress(OSError):
            _pipe(stream).close()
    child.wait()
    scratch.cleanup()

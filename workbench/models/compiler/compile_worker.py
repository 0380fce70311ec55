"""Compiling in a process of its own, for it can take for ever, or all memory, without anything being wrong with the model.

The worker is forked before the model is looked at, compiles one form each time it is asked, and dies with whoever asks.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

from workbench.models.compiler.onnx_compiler import Form
from workbench.models.confinement import Limits, die_with_parent, forbid_side_effects, limit_resources
from workbench.models.contract import Contract

LONGEST_S = 20.0  # for each form; a worker that is late with one makes no other
_HEADER = struct.Struct("<II")


class Compiler:
    """A worker that compiles one model; `forms` yields what it makes, one after the other, until it is stopped."""

    def __init__(self, load: Callable[[], tuple[Any, Contract]], writable: str, limits: Limits) -> None:
        asks, self._ask = os.pipe()
        self._answers, answers = os.pipe()
        parent = os.getpid()
        self._process = os.fork()
        if not self._process:
            os.close(self._ask)
            os.close(self._answers)
            die_with_parent(parent)
            _work(load, writable, limits, asks, answers)
        os.close(asks)
        os.close(answers)

    def start(self) -> None:
        """Let the worker make the next form, while whoever asked does something else."""
        with contextlib.suppress(BrokenPipeError):  # it is gone, and `forms` says so
            os.write(self._ask, b"\n")

    def forms(self) -> Iterator[Form]:
        """Yield the forms in order; the worker makes the next one when it is asked for, the first at `start`."""
        while form := self._receive(time.monotonic() + LONGEST_S):
            yield form
            self.start()

    def _receive(self, deadline: float) -> Form | None:
        header = self._read(_HEADER.size, deadline)
        if header is None:
            return self._give_up(deadline)
        described, size = _HEADER.unpack(header)
        if not described:
            return None
        fields, content = self._read(described, deadline), self._read(size, deadline)
        if fields is None or content is None:
            return self._give_up(deadline)
        return Form(**json.loads(fields), content=content or None)

    def _give_up(self, deadline: float) -> Form | None:
        if not self._process:
            return None
        late = time.monotonic() >= deadline
        self.stop()
        why = f"was given up after {LONGEST_S:g} s" if late else "ended without an answer, for want of memory or time"
        return Form("compiling", None, f"Compiling {why}.")

    def _read(self, size: int, deadline: float) -> bytes | None:
        content = bytearray()
        while self._process and len(content) < size:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            piece = os.read(self._answers, min(size - len(content), 1 << 20)) if ready else b""
            if not piece:
                return None
            content += piece
        return bytes(content) if self._process or not size else None

    def stop(self) -> None:
        """End the worker, whatever it does."""
        if self._process:
            os.kill(self._process, signal.SIGKILL)
            os.waitpid(self._process, 0)
            self._process = 0


def _work(load: Callable[[], tuple[Any, Contract]], writable: str, limits: Limits, asks: int, answers: int) -> None:
    """Be the worker; does not return."""
    try:
        _leave_streams()
        limit_resources(limits)
        forbid_side_effects(writable)
        _answer_asks(load, asks, answers)
    # Whatever happened, the end of the pipe says it.
    finally:
        os._exit(0)


def _leave_streams() -> None:
    # Whoever waits for the end of the parent's output must not wait for the worker.
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)


def _answer_asks(load: Callable[[], tuple[Any, Contract]], asks: int, answers: int) -> None:
    from workbench.models.compiler.onnx_compiler import compile_forms

    os.read(asks, 1)
    for form in compile_forms(*load()):
        content = form.content or b""
        fields = json.dumps({key: value for key, value in asdict(form).items() if key != "content"}).encode()
        _write(answers, _HEADER.pack(len(fields), len(content)) + fields + content)
        if not os.read(asks, 1):
            return
    _write(answers, _HEADER.pack(0, 0))


def _write(file: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(file, view) :]

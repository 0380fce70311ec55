"""Something done in a child of its own that may be killed at any moment: forked, so that nothing is imported again."""

from __future__ import annotations

import os
import pickle
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any


def in_child(do: Callable[[], Any], *, kill_after_s: float | None = None) -> tuple[int, Any]:
    """Do something in a forked child and return its exit code with what it returned (None when it did not return).

    An exception that it did not catch is returned as text with exit code 1. With `kill_after_s` it is killed then.
    """
    child, wait = start_child(do)
    if kill_after_s is not None:
        time.sleep(kill_after_s)
        os.kill(child, signal.SIGKILL)
    return wait()


def start_child(do: Callable[[], Any]) -> tuple[int, Callable[[], tuple[int, Any]]]:
    """Start something in a forked child; return its process id, and what waits for its end as `in_child` does."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _answer(do, writing)
    os.close(writing)

    def wait() -> tuple[int, Any]:
        with os.fdopen(reading, "rb") as answers:
            answer = answers.read()
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        return code, pickle.loads(answer) if answer and code in (0, 1) else None

    return child, wait


def _answer(do: Callable[[], Any], writing: int) -> None:
    code = 0
    try:
        answer = do()
    except BaseException:
        code, answer = 1, traceback.format_exc()
    try:
        content = pickle.dumps(answer)
        while content:
            content = content[os.write(writing, content) :]
    finally:
        os._exit(code)

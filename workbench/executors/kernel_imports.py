"""Measures, within a kernel, how long its imports take; sent to it as text, and only where that is asked for."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any


def time_imports(file: str, end: str) -> None:
    """Measure the seconds of the main thread's imports, those within others counted once, and write them into a file at the end."""
    bootstrap: Any = sys.modules["importlib._bootstrap"]
    find, main_thread, spent, depth = bootstrap._find_and_load, threading.main_thread(), [0.0], [0]

    def _find_and_load(name: str, import_: Any) -> Any:
        if threading.current_thread() is not main_thread:
            return find(name, import_)
        started = time.perf_counter()
        depth[0] += 1
        try:
            return find(name, import_)
        finally:
            depth[0] -= 1
            if not depth[0]:
                spent[0] += time.perf_counter() - started

    def hear(event: str, _: tuple[Any, ...]) -> None:
        if event == end:
            with open(file, "w", encoding="utf-8") as written:  # noqa: PTH123 - pathlib may not be imported here
                written.write(repr(spent[0]))

    bootstrap._find_and_load = _find_and_load
    sys.addaudithook(hear)

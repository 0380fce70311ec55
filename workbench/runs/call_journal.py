"""The file of a run's MLflow calls while the notebook runs, as its kernel and the processes it starts see it."""

from __future__ import annotations

import fcntl
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import UsageError
from workbench.runs.logged_calls import LARGEST_BYTES


class CallJournal:
    """The file of calls: each line whole or not at all, by whichever process of the kernel."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._offset = 0
        self._labels: list[str] = []
        self._calls: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def append(self, calls: Iterable[Mapping[str, Any]]) -> None:
        """Add calls at the end, all of one turn together; raises UsageError when the file would grow too long."""
        content = "".join(json.dumps(call, allow_nan=False) + "\n" for call in calls).encode()
        if not content:
            return
        self._path.parent.mkdir(exist_ok=True)
        with self._path.open("ab", buffering=0) as file:
            if file.tell() + len(content) > LARGEST_BYTES:
                raise UsageError(
                    "This run cannot log more with MLflow.",
                    why=f"It logged {file.tell():,} of at most {LARGEST_BYTES:,} bytes.",
                    next_step="Log a metric every so many steps, and long texts as artifacts.",
                )
            file.write(content)

    def read(self, kind: str, label: str) -> list[dict[str, Any]]:
        """Return the calls of one kind that one of the notebook's runs has made, in their order."""
        with self._lock:
            self._refresh()
            return list(self._calls.get((kind, label), ()))

    def labels(self) -> list[str]:
        """Return the names of the notebook's further runs, in their order."""
        with self._lock:
            self._refresh()
            return list(self._labels)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let no other process or thread choose a label meanwhile."""
        self._path.parent.mkdir(exist_ok=True)
        with self._lock, self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _refresh(self) -> None:
        try:
            size = self._path.stat().st_size
        except FileNotFoundError:
            return
        if size > self._offset:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
            end = content.rfind(b"\n") + 1
            self._offset += end
            self._sort(map(json.loads, content[:end].splitlines()))

    def _sort(self, calls: Iterable[dict[str, Any]]) -> None:
        for call in calls:
            if call["call"] == "run":
                self._labels.append(call["run"])
            kind = "tag" if call["call"] == "tag removed" else call["call"]
            self._calls.setdefault((kind, call.get("run", "")), []).append(call)

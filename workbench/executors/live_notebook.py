"""A notebook that is being executed, kept in its run's folder again and again for whoever looks on."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from workbench.files.whole_files import open_folder, replace_file
from workbench.notebooks.redacting import redact_document
from workbench.secrets.redaction import Redactor

_LEAST_S = 1.0
# However large the notebook is, keeping it takes at most a twentieth of a core.
_PAUSE_PER_COST = 20


class LiveNotebook:
    """Writes the notebook that `read` returns to `path` when it changed, without the secrets, from a thread.

    Each time all of it is written, so the pauses grow with what that costs. What cannot be written is tried again, and harms no
    run. In the thread that receives a kernel's messages it would make them wait, and lose some.
    """

    def __init__(self, path: Path, secrets: Sequence[str], read: Callable[[], Mapping[str, Any] | None]) -> None:
        self._path, self._secrets, self._read = path, secrets, read
        self._is_changed = False
        self._over = threading.Event()
        self._last_bytes = 0
        self.bytes = 0

    @cached_property
    def _redactor(self) -> Redactor:
        return Redactor(self._secrets)  # of a run that is over in a moment nobody needs it

    def note(self) -> None:
        """Note that the notebook changed."""
        self._is_changed = True

    @contextmanager
    def keeping(self, *, to_the_end: Callable[[], bool]) -> Iterator[None]:
        """Keep the notebook while the context lasts; as it is in the end only where that is asked for, and nobody else does."""
        thread = threading.Thread(target=self._keep, name="live notebook", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()
            if to_the_end():
                with suppress(Exception):
                    self._write(goes_on=False)

    def _keep(self) -> None:
        pause_s = _LEAST_S
        while not self._over.wait(pause_s):
            pause_s = pause_after(self._keep_changed())

    def _keep_changed(self) -> float:
        """Write what changed; return what that cost, in seconds of processor time."""
        started = time.thread_time()
        if self._is_changed:
            self._is_changed = False
            try:
                self._write(goes_on=True)
            except Exception:  # it changed under our hands, or the disk is full, which the run will be told itself
                self._is_changed = True
        return time.thread_time() - started

    def _write(self, *, goes_on: bool) -> None:
        document = self._read()
        if document is None:
            return
        shown = redact_document(_copy(document), self._redactor, goes_on=goes_on)
        content = json.dumps(shown, ensure_ascii=False).encode(errors="backslashreplace")
        # Said before: who measures the folder may meet the old one and the new one.
        self.bytes, self._last_bytes = self._last_bytes + len(content), len(content)
        folder = open_folder(self._path.parent)
        try:
            replace_file(folder, self._path.name, content)
        finally:
            os.close(folder)


def pause_after(cost_s: float) -> float:
    """Return how long to wait after what cost so much processor time."""
    return max(_LEAST_S, _PAUSE_PER_COST * cost_s)


def _copy(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy down to the outputs, of which the texts that are written on are replaced and never changed."""
    cells = [
        {**cell, "outputs": list(map(dict, cell["outputs"]))} if "outputs" in cell else cell
        for cell in document["cells"]
    ]
    return {**document, "cells": cells}

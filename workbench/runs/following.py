"""Following a run from whatever process can read its folder: nothing is asked of the one that runs it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from workbench.notebooks.notebook import find_notebook_fault
from workbench.runs.folder import LOGGED_METRICS, NOTEBOOK
from workbench.runs.logged_calls import CALLS, read_logged_calls, read_plain_file
from workbench.runs.project import Project
from workbench.runs.redacting import find_known
from workbench.runs.run import FINAL_STATES
from workbench.runs.seen import Seen, SeenMetrics, SeenNotebook

_LEAST_S = 0.5
_PAUSE_PER_COST = 10
# What a folder holds while its run goes on was checked by nobody.
_DAMAGED = (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, StopIteration, RecursionError)


class Follower:
    """Reads again and again what a run has shown and measured so far; `run` is how it stood when it was read the last time."""

    def __init__(self, project: Project, run_id: str) -> None:
        self._store = project.store
        self.run = self._store.find_run(run_id)
        self._folder = project.settings.runs_folder / self.run.id
        self.notebook, self.metrics = SeenNotebook(), SeenMetrics()
        settings = project.settings
        self._redactor = find_known(
            self.run.parameters, os.environ, project=settings.project, names=settings.secret_variables
        )
        self._read: dict[str, Any] = {}
        self.pause_s = _LEAST_S

    @property
    def is_over(self) -> bool:
        """True when the run had ended before it was read the last time: there is nothing more to come."""
        return self.run.state in FINAL_STATES

    def read_new(self) -> list[Seen]:
        """Return what is new; what cannot be read (it is being written, or the notebook damaged it) is passed over."""
        started = time.thread_time()
        self.run = self._store.find_run(self.run.id)
        seen: list[Seen] = []
        for read in (self._read_notebook, self._read_metrics):
            with suppress(*_DAMAGED):
                seen.extend(read())
        self.pause_s = max(_LEAST_S, _PAUSE_PER_COST * (time.thread_time() - started))
        return seen

    def __iter__(self) -> Iterator[list[Seen]]:
        """Yield what is new until the run ended; reading never takes more than a tenth of the time."""
        while True:
            yield self.read_new()
            if self.is_over:
                return
            time.sleep(self.pause_s)

    def _read_notebook(self) -> Iterator[Seen]:
        if self._is_new(NOTEBOOK):
            document = json.loads(read_plain_file(self._folder / NOTEBOOK))
            if find_notebook_fault(document) is None:
                yield from self.notebook.look(document)

    def _read_metrics(self) -> Iterator[Seen]:
        if self._is_new(LOGGED_METRICS, CALLS):
            logged = read_logged_calls(self._folder, self.run.parameters, own=LOGGED_METRICS)
            for each in self.metrics.look(logged.points if logged else ()):
                yield Seen(each.kind, self._redactor.redact_text(each.text))

    def _is_new(self, *names: str) -> bool:
        """True when one of the files is another one than when this was asked before."""
        found = tuple(_identify(self._folder / name) for name in names)
        if self._read.get(names[0]) == found:
            return False
        self._read[names[0]] = found
        return any(found)


def _identify(path: Path) -> tuple[int, ...]:
    try:
        found = path.lstat()
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns

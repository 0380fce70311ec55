"""Showing: the report of a run while it runs, and of one that was stopped, from the notebook as far as it was executed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.config import find_template
from workbench.files.whole_files import open_folder, replace_file
from workbench.notebooks.notebook import find_notebook_fault
from workbench.runs.collecting import RunFolder, describe_metrics
from workbench.runs.folder import LOGGED_METRICS, NOTEBOOK, REPORT
from workbench.runs.logged_calls import read_logged_calls, read_plain_file
from workbench.runs.nbconvert_report import render_report
from workbench.runs.run import Run
from workbench.secrets.redaction import Redactor

_LEAST_S = 2.0
# Of all runs of a batch together: the process that runs them has other things to do.
_PAUSE_PER_COST = 20
# A larger notebook has a report when it ended: drawing it again and again would take minutes.
LARGEST_BYTES = 5_000_000


class LiveReports:
    """Writes the reports of what runs anew when their notebooks went on: every two seconds, and for a twentieth of the time."""

    def __init__(self) -> None:
        self._due_s = 0.0
        self._shown: dict[str, object] = {}

    def refresh(self, running: Iterable[tuple[Run, RunFolder, Redactor]]) -> None:
        """Write those of which the notebook is another than before; what cannot be written harms no run."""
        started = time.monotonic()
        if started < self._due_s:
            return
        for run, folder, redactor in running:
            with suppress(Exception):
                if folder.is_ours() and self._is_new(run, folder.path):
                    _write_report(run, folder.path, redactor)
        self._due_s = time.monotonic() + max(_LEAST_S, _PAUSE_PER_COST * (time.monotonic() - started))

    def _is_new(self, run: Run, folder: Path) -> bool:
        found = (folder / NOTEBOOK).lstat()
        before = self._shown.get(run.id)
        self._shown[run.id] = (found.st_ino, found.st_mtime_ns)
        return self._shown[run.id] != before


def finish_report(run: Run, folder: Path, redactor: Redactor) -> None:
    """Leave no report that says a run goes on: that of how far it came, where its notebook can be shown, else none."""
    with suppress(OSError):
        (folder / REPORT).unlink()
    with suppress(Exception):
        _write_report(run, folder, redactor)


def _write_report(run: Run, folder: Path, redactor: Redactor) -> None:
    content = read_plain_file(folder / NOTEBOOK)
    document = json.loads(content) if len(content) <= LARGEST_BYTES else None
    if document is None or find_notebook_fault(document):
        return
    shown = replace(run, record={**run.record, **_describe_so_far(run, folder, redactor)})
    page = render_report(document, shown, find_template("report")).encode(errors="replace")
    opened = open_folder(folder)
    try:
        replace_file(opened, REPORT, page)
    finally:
        os.close(opened)


def _describe_so_far(run: Run, folder: Path, redactor: Redactor) -> dict[str, Any]:
    logged = read_logged_calls(folder, run.parameters, own=LOGGED_METRICS)
    described: dict[str, Any] = redactor.redact_json(describe_metrics(logged)) if logged else {}
    return described

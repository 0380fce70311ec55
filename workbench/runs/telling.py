"""Telling people how runs ended."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Any

from workbench.config import Settings
from workbench.notifying.notice import Notice, Ways
from workbench.notifying.notifying import notify
from workbench.runs.run import Run

_LOG = logging.getLogger(__name__)
_MOST_LINES = 20


def tell_end(settings: Settings, runs: Sequence[Run], *, took_s: float) -> None:
    """Tell how runs of one notebook ended, in every way the settings name; what does not work is logged as a warning."""
    ways = Ways(
        project=settings.project,
        command=settings.notify,
        mail_to=settings.notify_mail_to,
        mail_from=settings.notify_mail_from,
        mail_host=settings.notify_mail_host,
        mail_user=settings.notify_mail_user,
        mail_password=settings.notify_mail_password,
    )
    for fault in notify(describe_end(settings, runs, took_s=took_s), ways):
        _LOG.warning("%s", fault)


def describe_end(settings: Settings, runs: Sequence[Run], *, took_s: float) -> Notice:
    """Return what is told of runs that ended: their states, in a line, and each with its metrics or its error."""
    notebook, first = runs[0].notebook, runs[0]
    if len(runs) == 1:
        title = f"Run {first.id} of {notebook}: {first.state.lower()}"
    else:
        states = Counter(run.state.lower() for run in runs)
        title = f"{len(runs)} runs of {notebook}: {', '.join(f'{count} {state}' for state, count in states.items())}"
    title = "".join(character if character.isprintable() else " " for character in title)
    lines = [_say_run(run) for run in runs[:_MOST_LINES]]
    more = [f"and {len(runs) - _MOST_LINES} more"] if len(runs) > _MOST_LINES else []
    text = "\n".join([*lines, *more, f"It took {took_s:.0f} s; {settings.runs_folder}"])
    described = [_describe_run(run, settings) for run in runs]
    return Notice(title, text, {"title": title, "text": text, "took_s": round(took_s, 3), "runs": described})


def _say_run(run: Run) -> str:
    metrics = ", ".join(f"{name} {value:.4g}" for name, value in run.metrics.items())
    return f"{run.id} {run.state.lower()}: {run.error or metrics or 'no metrics'}"


def _describe_run(run: Run, settings: Settings) -> dict[str, Any]:
    names = ("id", "notebook", "state", "error", "parameters", "metrics", "sweep", "started", "ended")
    return {**{name: getattr(run, name) for name in names}, "folder": str(settings.runs_folder / run.id)}

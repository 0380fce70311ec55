"""Intents: what somebody at the panel or the launcher may want, by name; what a browser sends is trusted in nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workbench.errors import UsageError
from workbench.jupyterlab.answering import Panels
from workbench.jupyterlab.opening_cards import open_card
from workbench.jupyterlab.panel_state import panel_state

Request = Mapping[str, Any]


def _run(panels: Panels, request: Request) -> None:
    panels.run(_text(request, "path"), _texts(request, "values"))


def _sweep(panels: Panels, request: Request) -> None:
    trials = _text(request, "trials").strip()
    if trials and not (trials.isascii() and trials.isdigit() and len(trials) < 6):
        raise UsageError(f"{trials!r} is no number of runs.", next_step="Write a whole number.")
    panels.sweep(
        _text(request, "path"),
        _texts(request, "values"),
        search=_text(request, "search"),
        trials=int(trials) if trials else None,
    )


def _stop_run(panels: Panels, request: Request) -> None:
    panels.stop_run(_text(request, "path"), _text(request, "id"))


def _stop_sweep(panels: Panels, request: Request) -> None:
    panels.stop_sweep(_text(request, "path"), _text(request, "id"))


INTENTS: Mapping[str, Callable[[Panels, Request], None]] = {
    "run": _run,
    "sweep": _sweep,
    "stop_run": _stop_run,
    "stop_sweep": _stop_sweep,
}


def act_on(panels: Panels, request: Request) -> dict[str, Any]:
    """Do what is wanted and return what the panel shows then; raises UsageError for what is no intent."""
    kind = _text(request, "kind")
    if kind not in INTENTS:
        raise UsageError(f"The panel sent {kind!r}, which is no intent.", why=f"There are: {', '.join(INTENTS)}.")
    INTENTS[kind](panels, request)
    return panel_state(panels.look(_text(request, "path")))


def open_in(panels: Panels, request: Request) -> dict[str, Any]:
    """Open a card in a folder of JupyterLab and return the path of the notebook there, and what is to be done and told."""
    opened = open_card(_text(request, "card"), panels.find_path(_text(request, "folder")))
    return {"path": panels.name_path(opened.path), "runs": opened.runs, "said": opened.said}


def _text(request: Request, key: str) -> str:
    value = request.get(key)
    if not isinstance(value, str):
        raise UsageError(f"The panel sent no {key}.", next_step="Load the page anew.")
    return value


def _texts(request: Request, key: str) -> dict[str, str]:
    values = request.get(key)
    if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
        raise UsageError(f"The panel sent no {key}.", next_step="Load the page anew.")
    return dict(values)

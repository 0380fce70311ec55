"""Opening: where a run's report, notebook, folder and page in MLflow are, and showing them in a browser where there is one."""

from __future__ import annotations

import json
import os
import socket
import sys
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit

from workbench.config import Settings
from workbench.errors import NotFound, Unavailable
from workbench.runs.finding.drafting import read_draft
from workbench.runs.folder import NOTEBOOK, REPORT
from workbench.runs.project import Project
from workbench.runs.run import Run

What = Literal["report", "notebook", "folder", "mlflow"]
# Where `workbench lab` says that it runs.
LAB = "lab.json"
_FILES: Mapping[What, str] = {"report": REPORT, "notebook": NOTEBOOK, "folder": ""}
_CONNECT_S = 0.5


@dataclass(frozen=True)
class Place:
    """Where something of a run is: its path, empty where it has none, and the address that a browser opens."""

    run: str
    path: str
    address: str


def find_place(project: Project, run: Run, what: What, environment: Mapping[str, str]) -> Place:
    """Return where something of a run is; raises NotFound where it is not there, Unavailable where nobody serves it.

    `environment` says whether this is a terminal of JupyterLab, whose addresses its browser can open.
    """
    if what == "mlflow":
        return Place(run.id, "", _find_mlflow_page(project, run))
    path = project.settings.runs_folder / run.id / _FILES[what]
    if not path.exists():
        why = f"It is {run.state.lower()}, and there is no {path}."
        raise NotFound(
            f"Run {run.id} has no {what}.", why=why, next_step=f"`workbench show {run.id}` says what it has."
        )
    return Place(run.id, str(path), _find_jupyter_address(project.settings, path, what, environment) or path.as_uri())


def place_draft(settings: Settings, folder: Path, what: What, environment: Mapping[str, str]) -> Place:
    """Return where the notebook of a draft is, else the folder of what it logged: it has no report."""
    if what != "notebook":
        return Place(
            folder.name, str(folder), _find_jupyter_address(settings, folder, "folder", environment) or folder.as_uri()
        )
    path = settings.project / read_draft(folder, settings.project).notebook
    if not path.is_file():
        why = f"There is no {path}." if path != settings.project else "Nobody knows which it was."
        raise NotFound(f"The notebook of draft {folder.name} is not there.", why=why)
    return Place(
        folder.name, str(path), _find_jupyter_address(settings, path, "notebook", environment) or path.as_uri()
    )


def _find_jupyter_address(settings: Settings, path: Path, what: What, environment: Mapping[str, str]) -> str:
    """Return a file as JupyterLab shows it; a notebook by the lab that runs, else only in a terminal of JupyterLab."""
    server, root = environment.get("JUPYTER_SERVER_URL", ""), environment.get("JUPYTER_SERVER_ROOT", "")
    if what == "notebook" and not server:
        server, root = _read_lab(settings).get("jupyter", ""), str(settings.project)
    if not server or not root or not path.is_relative_to(root):
        return ""
    shows = {"report": "files", "notebook": "lab/tree", "folder": "lab/tree"}[what]
    return f"{server.rstrip('/')}/{shows}/{quote(str(path.relative_to(root)))}"


def _find_mlflow_page(project: Project, run: Run) -> str:
    tracking = project.tracker.address
    address = tracking if tracking.startswith("http") else _read_lab(project.settings).get("mlflow", "")
    if not address:
        why = f"It records in {tracking}, and no page of it is served from here."
        raise Unavailable("MLflow's page does not run.", why=why, next_step="`workbench lab` serves it.")
    page = project.tracker.find_page(str(run.tracked_as)) if run.tracked_as else None
    if page is None:
        raise NotFound(f"MLflow has no run {run.id}.", why="Somebody deleted it there, or it was never told.")
    return f"{address.rstrip('/')}/#/{page}"


def _read_lab(settings: Settings) -> Mapping[str, str]:
    """Return the addresses of the lab that runs; nothing where none does."""
    with suppress(OSError, ValueError, KeyError, TypeError):
        said = json.loads((settings.home_folder / LAB).read_bytes())
        found = {name: str(said[name]) for name in ("jupyter", "mlflow")}
        return {name: address for name, address in found.items() if _is_listening(address)}
    return {}


def _is_listening(address: str) -> bool:
    parts = urlsplit(address)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 80), _CONNECT_S).close()
    except OSError:
        return False
    return True


def has_browser() -> bool:
    """True on a desktop; a browser in the terminal would take the place of what is said there."""
    return sys.platform == "darwin" or bool({"BROWSER", "DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ))


def open_address(address: str) -> bool:
    """Open the browser of a desktop; False where there is none, or it did not start."""
    return has_browser() and webbrowser.open(address)

"""Links: a run's id leads to its report, on terminals that know links (OSC 8)."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from workbench.cli.terminal import escape
from workbench.runs.folder import REPORT

# What terminals that show links call themselves; others would print the address, or worse.
_KNOWN = ("iTerm.app", "WezTerm", "vscode", "Hyper", "ghostty", "Tabby", "mintty", "tmux")
_SAY_SO = ("KITTY_WINDOW_ID", "WT_SESSION", "KONSOLE_VERSION", "DOMTERM", "ALACRITTY_WINDOW_ID", "JUPYTER_SERVER_URL")
_TERMS = re.compile(r"(alacritty|foot|xterm-kitty|xterm-ghostty|contour)\b.*")
_FIRST_VTE = 5000


@dataclass
class _Leading:
    folder: Path | None = None


_LEADING = _Leading()


def lead_to(runs_folder: Path) -> None:
    """Let the ids of runs that are printed from now on lead into this folder."""
    _LEADING.folder = runs_folder


def mark_run(run_id: str) -> str:
    """Return a run's id as markup, which leads to its report where there is one and the terminal knows links."""
    folder = _LEADING.folder
    if folder is None or not can_link(os.environ) or not (folder / run_id / REPORT).is_file():
        return escape(run_id)
    return f"[link={find_address(folder / run_id / REPORT, os.environ)}]{escape(run_id)}[/link]"


def can_link(environment: Mapping[str, str]) -> bool:
    """True for a terminal that is known to show links, or where FORCE_HYPERLINK says so (0: that it does not)."""
    if forced := environment.get("FORCE_HYPERLINK"):
        return forced != "0"
    vte = environment.get("VTE_VERSION", "")
    return (
        environment.get("TERM_PROGRAM") in _KNOWN
        or any(environment.get(name) for name in _SAY_SO)
        or (vte.isdigit() and int(vte) >= _FIRST_VTE)
        or _TERMS.fullmatch(environment.get("TERM", "")) is not None
    )


def find_address(path: Path, environment: Mapping[str, str]) -> str:
    """Return the address of a file: JupyterLab's in a terminal of it, else with this machine's name, as others may look at it."""
    server, root = environment.get("JUPYTER_SERVER_URL", ""), environment.get("JUPYTER_SERVER_ROOT", "")
    if server and root and path.is_relative_to(root):
        return f"{server.rstrip('/')}/files/{quote(str(path.relative_to(root)))}"
    return f"file://{socket.gethostname()}{quote(str(path))}"

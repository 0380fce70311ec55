"""Voilà as a server of one nominee's review: on loopback, with a token, until Ctrl-C."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack, suppress
from html import escape
from pathlib import Path

from workbench.config import Settings, find_template, settings_variables
from workbench.errors import Unavailable
from workbench.files.python_processes import python_command, python_variables
from workbench.serving.bentoml_server import require_free_port
from workbench.workflow.local_server import run_server
from workbench.workflow.opening import has_browser, open_address

_HOST = "127.0.0.1"
_START_S = 90
_IDLE_S = 60
# What the page may load: itself. Its own widgets need inline script, style and modules made from text.
_CONTENT_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob: data:; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self' ws: blob: data:; frame-ancestors 'none'"
)


def open_review(subject: str, settings: Settings, *, port: int, say: Callable[[str], None]) -> None:
    """Serve one nominee's review until Ctrl-C; raises Unavailable when Voilà does not start or ends by itself."""
    require_free_port(_HOST, port)
    settings.home_folder.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(24)
    log = settings.home_folder / "review.log"
    with tempfile.TemporaryDirectory(prefix="workbench-review-") as name, ExitStack() as ends:
        folder = Path(name)
        command = python_command("voila", str(_prepare(folder, port, token)), "--no-browser")
        server = ends.enter_context(run_server(command, _environment(subject, settings, folder), cwd=folder, log=log))
        _await_start(server, f"http://{_HOST}:{port}/static/", log)
        address = f"http://{_HOST}:{port}/?token={token}"
        say(f"Review of {subject}: {address}")
        say("It answers on this machine only, to whoever has this address. Ctrl-C stops it.")
        _open_browser(address, folder)
        with suppress(KeyboardInterrupt):
            server.wait()
            raise Unavailable("Voilà ended by itself.", next_step=f"Read {log}.")
    say("Stopped.")


def _prepare(folder: Path, port: int, token: str) -> Path:
    """Write the notebook and Voilà's settings into a folder of our own: a token on a command line is anybody's to read."""
    notebook = folder / "notebook" / "review.ipynb"
    notebook.parent.mkdir()
    shutil.copy(find_template("review", "review.ipynb"), notebook)
    voila = {
        "ip": _HOST,
        "port": port,
        "port_retries": 0,
        "token": token,
        "tornado_settings": {"headers": {"Content-Security-Policy": _CONTENT_POLICY}},
    }
    # A page that is loaded anew or left leaves its kernel behind.
    kernels = {"cull_idle_timeout": _IDLE_S, "cull_interval": 30}
    settings = {
        "Voila": voila,
        "MappingKernelManager": kernels,
        "VoilaConfiguration": {"template": "review", "show_tracebacks": True},
    }
    (folder / "voila.json").write_text(json.dumps(settings), encoding="utf-8")
    return notebook


def _environment(subject: str, settings: Settings, folder: Path) -> dict[str, str]:
    templates = [str(find_template("review")), *filter(None, [os.environ.get("JUPYTER_PATH")])]
    return {
        # The kernel is ours too, and takes a passphrase: it works in the project and imports nothing of it.
        **python_variables(os.environ),
        **settings_variables(settings),
        "WORKBENCH_PROJECT": str(settings.project),
        "WORKBENCH_SUBJECT": subject,
        **{f"JUPYTER_{kind}_DIR": str(folder) for kind in ("CONFIG", "DATA", "RUNTIME")},
        "JUPYTER_PATH": os.pathsep.join(templates),
    }


def _await_start(server: subprocess.Popen[bytes], address: str, log: Path) -> None:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()  # noqa: S310 - loopback
        except urllib.error.HTTPError:
            return  # any answer is one
        except OSError:
            time.sleep(0.1)
        else:
            return
    ended = server.poll()
    why = f"It gave no answer within {_START_S} s." if ended is None else f"It ended with {ended}."
    raise Unavailable("Voilà did not start.", why=why, next_step=f"Read {log}.")


def _open_browser(address: str, folder: Path) -> None:
    """Open the browser of a desktop; a browser in the terminal would take the place of what is said there.

    It gets a page that only we can read and that leads to the address: on its command line the token would be anybody's.
    """
    if has_browser():
        page = folder / "open.html"
        page.touch(mode=0o600)
        lead = f'<meta http-equiv="refresh" content="0;url={escape(address)}">'
        link = f'<a href="{escape(address)}">Open the review</a>'
        page.write_text(f'<!doctype html><meta charset="utf-8"><title>Review</title>{lead}{link}\n', encoding="utf-8")
        open_address(page.as_uri())

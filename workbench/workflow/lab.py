"""JupyterLab and MLflow's page side by side, on loopback."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from workbench.config import Settings
from workbench.errors import Unavailable
from workbench.serving.bentoml_server import require_free_port

_HOST = "127.0.0.1"
_STOP_TIMEOUT_S = 10


def run_lab(settings: Settings, *, port: int, mlflow_port: int, say: Callable[[str], None]) -> None:
    """Start both, say their addresses, and stop both when one ends or Ctrl-C comes; raises Unavailable for a port in use."""
    for wanted in (port, mlflow_port):
        require_free_port(_HOST, wanted)
    settings.home_folder.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(24)
    servers = [
        _start(_jupyter(settings, port), settings, token),
        _start(_mlflow(settings, mlflow_port), settings, token),
    ]
    say(f"JupyterLab: http://{_HOST}:{port}/lab?token={token}")
    say(f"MLflow:     http://{_HOST}:{mlflow_port}")
    say(f"Logs are in {settings.home_folder / 'lab.log'}. Ctrl-C stops both.")
    try:
        while all(server.poll() is None for server in servers):
            time.sleep(0.5)
        raise Unavailable("A server ended by itself.", next_step=f"Read {settings.home_folder / 'lab.log'}.")
    except KeyboardInterrupt:
        say("Stopped.")
    finally:
        for server in servers:
            _stop(server)


def _jupyter(settings: Settings, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "jupyterlab", "--no-browser", f"--ServerApp.root_dir={settings.project}"),
        *(f"--ServerApp.ip={_HOST}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        *("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        *(("--allow-root",) if os.getuid() == 0 else ()),
    ]


def _mlflow(settings: Settings, port: int) -> list[str]:
    return [
        *(sys.executable, "-m", "mlflow", "server", "--host", _HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", settings.tracking_address),
        *("--default-artifact-root", settings.artifacts_folder.as_uri()),
    ]


def _start(command: list[str], settings: Settings, token: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "JUPYTER_TOKEN": token,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    }
    with Path(settings.home_folder / "lab.log").open("ab") as log:
        return subprocess.Popen(
            command, stdout=log, stderr=log, env=environment, cwd=settings.project, start_new_session=True
        )


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(_STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()

"""JupyterLab and MLflow's page side by side, on loopback."""

from __future__ import annotations

import json
import os
import secrets
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from workbench.config import Settings
from workbench.errors import Unavailable
from workbench.files.python_processes import python_command, python_variables
from workbench.serving.bentoml_server import require_free_port
from workbench.workflow.local_server import run_server
from workbench.workflow.opening import LAB

_HOST = "127.0.0.1"
JUPYTER_PORT, MLFLOW_PORT = 8888, 5000
_PORTS_TRIED = 50


def run_lab(
    settings: Settings, *, port: int | None, mlflow_port: int | None, say: Callable[[str], None], page: str = ""
) -> None:
    """Start both, say their addresses, and stop both when one ends or Ctrl-C comes; `page` is which of MLflow's pages to open.

    A port that is None is the usual one, or the next that is free, which is said; raises Unavailable where one asked for is taken.
    """
    port = _choose_port(port, JUPYTER_PORT, "--port", say)
    mlflow_port = _choose_port(mlflow_port, MLFLOW_PORT, "--mlflow-port", say, taken=port)
    settings.home_folder.mkdir(parents=True, exist_ok=True)
    token = secrets.token_urlsafe(24)
    log = settings.home_folder / "lab.log"
    commands = (
        # JupyterLab's kernels are the user's, and inherit what it is given.
        (_jupyter(settings, port), _environment(JUPYTER_TOKEN=token, **_find_tracking(mlflow_port))),
        (_mlflow(settings, mlflow_port), python_variables(_environment())),
    )
    try:
        with ExitStack() as ends:
            # Both take settings, and one takes modules, from the folder they start in: it is an empty one and not the project.
            nowhere = Path(ends.enter_context(tempfile.TemporaryDirectory(prefix="workbench-lab-")))
            servers = [
                ends.enter_context(run_server(command, variables, cwd=nowhere, log=log))
                for command, variables in commands
            ]
            ends.enter_context(_say_where(settings, port, mlflow_port))
            say(f"JupyterLab: http://{_HOST}:{port}/lab?token={token}")
            say(f"MLflow:     http://{_HOST}:{mlflow_port}/{page}")
            say(f"Logs are in {log}. Ctrl-C stops both.")
            while all(server.poll() is None for server in servers):
                time.sleep(0.5)
            raise Unavailable("A server ended by itself.", next_step=f"Read {log}.")
    except KeyboardInterrupt:
        say("Stopped.")


def _choose_port(asked: int | None, usual: int, option: str, say: Callable[[str], None], taken: int = 0) -> int:
    if asked is not None:
        require_free_port(_HOST, asked, option)
        return asked
    for port in range(usual, usual + _PORTS_TRIED):
        with suppress(Unavailable):
            require_free_port(_HOST, port, option)
            if port != taken:
                if port != usual:
                    say(f"Port {usual} is taken: it is {port} this time.")
                return port
    last = usual + _PORTS_TRIED - 1
    raise Unavailable(f"Ports {usual} to {last} on {_HOST} are all taken.", next_step=f"Choose another with {option}.")


@contextmanager
def _say_where(settings: Settings, port: int, mlflow_port: int) -> Iterator[None]:
    """Let `workbench open` find both while they run."""
    said = {"jupyter": f"http://{_HOST}:{port}", "mlflow": f"http://{_HOST}:{mlflow_port}"}
    path = settings.home_folder / LAB
    path.write_text(json.dumps(said), encoding="utf-8")
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _jupyter(settings: Settings, port: int) -> list[str]:
    from workbench.executors.warm_kernels import KERNEL_NAME

    return python_command(
        *("jupyterlab", "--no-browser", f"--ServerApp.root_dir={settings.project}"),
        *(f"--ServerApp.ip={_HOST}", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"),
        f"--MultiKernelManager.default_kernel_name={KERNEL_NAME}",
        *("--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"),
        *(("--allow-root",) if os.getuid() == 0 else ()),
    )


def _mlflow(settings: Settings, port: int) -> list[str]:
    return python_command(
        *("mlflow", "server", "--host", _HOST, "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", _find_database(settings)),
        *("--default-artifact-root", settings.artifacts_folder.as_uri()),
    )


def _find_database(settings: Settings) -> str:
    """Return where MLflow records, said so that it is the same from every folder."""
    address, scheme = settings.tracking_address, "sqlite:///"
    return f"{scheme}{settings.project / address.removeprefix(scheme)}" if address.startswith(scheme) else address


def _find_tracking(port: int) -> dict[str, str]:
    """Return where plain MLflow calls of a notebook that is opened by hand go: without it, to a database beside that notebook."""
    name = "MLFLOW_TRACKING_URI"
    return {name: os.environ.get(name) or f"http://{_HOST}:{port}"}


def _environment(**others: str) -> dict[str, str]:
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return {**os.environ, **quiet, **others}

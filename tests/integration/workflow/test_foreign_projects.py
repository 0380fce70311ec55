"""A project's files are data to whoever looks at it: no process of ours imports them, whatever they are called."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.canaries import lay_canaries
from tests.conftest import COMMAND, NOTEBOOKS, examples, own_environment, wait_until
from workbench.config import Settings
from workbench.errors import Unavailable
from workbench.workflow.lab import run_lab


@pytest.fixture
def imported(project: Path) -> Path:
    """Where the modules of a project are named that were imported, which lie where commands are typed."""
    (project / "notebooks").mkdir()
    return lay_canaries(project)


def run_typed(project: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=project,
        env=own_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def show_a_policy(project: Path, *command: str, **environment: str) -> None:
    done = run_typed(project, *command, "policy", "show", "minimal", "--json", **environment)
    assert json.loads(done.stdout)["name"] == "minimal", done.stderr


def test_a_command_imports_nothing_that_lies_where_it_is_typed(project: Path, imported: Path) -> None:
    show_a_policy(project, COMMAND)
    assert not imported.exists(), imported.read_text()


@pytest.mark.parametrize("path", examples(["", ".", ":", "src"], ["."]))
def test_nor_does_it_when_python_was_told_to_search_there(project: Path, imported: Path, path: str) -> None:
    for name in (
        "sitecustomize",
        "usercustomize",
        "typing",
        "workbench",
    ):  # Python imports these before anything of ours
        (project / f"{name}.py").unlink()
    shutil.copytree(project, project / "src", ignore=shutil.ignore_patterns("runs"))
    show_a_policy(project, sys.executable, "-m", "workbench", PYTHONPATH=path)
    assert not imported.exists(), imported.read_text()


@pytest.mark.soak
def test_nor_do_the_kernels_and_processes_that_a_run_and_a_nomination_start(project: Path, imported: Path) -> None:
    shutil.copy(NOTEBOOKS / "logs_everything.ipynb", project / "notebooks")
    run = json.loads(run_typed(project, COMMAND, "run", "notebooks/logs_everything.ipynb", "--json").stdout)
    assert run["state"] == "FINISHED"
    done = run_typed(project, COMMAND, "nominate", run["id"], "--model", "shop", "--json")
    assert json.loads(done.stdout)["evidence"], done.stderr
    assert not imported.exists(), imported.read_text()


@contextmanager
def running_lab(project: Path, *ports: int) -> Iterator[subprocess.Popen[str]]:
    options = [
        word for name, port in zip(("--port", "--mlflow-port"), ports, strict=True) for word in (name, str(port))
    ]
    process = subprocess.Popen(
        [COMMAND, "lab", *options], cwd=project, env=own_environment(), stdout=subprocess.PIPE, text=True
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def answers(address: str) -> bool:
    try:
        urllib.request.urlopen(address, timeout=5).close()
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


SEARCHES = """
import json, os, sys, time
from importlib.util import find_spec
said = [os.listdir("."), *(find_spec(name).origin for name in ("jupyterlab", "mlflow", "tornado", "uvicorn"))]
with open(sys.argv[1], "a") as told:
    told.write(json.dumps(said) + "\\n")
while len(open(sys.argv[1]).readlines()) < 2:
    time.sleep(0.02)
"""


def test_jupyterlab_and_mlflow_are_started_where_nothing_lies_and_find_what_is_installed(
    project: Path, imported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, python = project.with_name("told"), project.with_name("python")
    options = 'while [ "$1" != -m ]; do options="$options $1"; shift; done'
    python.write_text(
        f"#!/bin/sh\n{options}\nexec {sys.executable} $options -c '{SEARCHES}' {told}\n", encoding="utf-8"
    )
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with pytest.raises(Unavailable, match="ended by itself"):
        run_lab(Settings(project), port=free_ports(2)[0], mlflow_port=free_ports(2)[1], say=lambda _: None)
    for lying, *found in map(json.loads, told.read_text().splitlines()):
        assert lying == []
        assert [origin for origin in found if "site-packages" not in origin] == []


@pytest.mark.soak
def test_jupyterlab_and_mlflow_import_nothing_of_the_project_they_are_opened_for(project: Path, imported: Path) -> None:
    jupyter, mlflow = free_ports(2)
    with running_lab(project, jupyter, mlflow) as lab:
        wait_until(lambda: lab.poll() is not None or answers(f"http://127.0.0.1:{jupyter}/api"))
        wait_until(lambda: lab.poll() is not None or answers(f"http://127.0.0.1:{mlflow}/health"))
        assert lab.poll() is None
    assert not imported.exists(), imported.read_text()

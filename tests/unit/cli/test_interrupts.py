"""Ctrl-C is heard wherever it comes up, and told as every other: each in a real process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return tmp_path


SWALLOWS = """
import gc, signal, sys, time
from workbench.cli.main import main, run_command

signal.signal(signal.SIGINT, signal.default_int_handler)  # what starts us may have it ignored

class Leaves:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)

def collected(phase, info):
    gc.callbacks.remove(collected)
    signal.raise_signal(signal.SIGINT)

@main.command()
def destructor():
    Leaves()
    time.sleep(60)

@main.command()
def collector():
    gc.callbacks.append(collected)
    gc.collect()
    time.sleep(60)

sys.exit(run_command(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", ["destructor", "collector"])
def test_ctrl_c_is_heard_where_python_drops_it(project, command):
    done = subprocess.run(
        [sys.executable, "-c", SWALLOWS, command], cwd=project, capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 1
    assert done.stderr.lstrip().startswith("Stopped.\n")
    assert "ignored" not in done.stderr


def test_what_else_python_drops_is_told_as_before(project):
    code = SWALLOWS.replace("signal.raise_signal(signal.SIGINT)", "raise ValueError('odd')").replace("60", "0")
    done = subprocess.run(
        [sys.executable, "-c", code, "destructor"], cwd=project, capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 0
    assert "ValueError: odd" in done.stderr


INTERRUPTED_QUERY = """
import signal, sys
from workbench.cli.main import main, run_command

class Interrupted:
    def close(self):
        signal.raise_signal(signal.SIGINT)

@main.command()
def query():
    from sqlalchemy import create_engine

    with create_engine("sqlite://").connect() as connection:
        try:
            connection._safe_close_cursor(Interrupted())
        except KeyboardInterrupt:
            connection._safe_close_cursor(None)
            raise

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run_command(["query"]))
"""


def test_ctrl_c_in_the_middle_of_a_query_is_told_without_a_traceback(project):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED_QUERY], cwd=project, capture_output=True, text=True, check=False, timeout=50
    )
    assert done.returncode == 1
    assert "Stopped.\n" in done.stderr
    assert "Traceback" not in done.stderr


SERVED = """
import signal, sys, threading, time
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from workbench.cli import main, releasing

class Served(nullcontext):
    url, log = "http://127.0.0.1:1", ""

    def wait(self, tell):
        for _ in range(40):  # in turns, as a server is waited for
            threading.Event().wait(1)

def swallow(endpoint):
    # As an import does that goes on without what it tried.
    print("publishing", flush=True)
    try:
        time.sleep(40)
    except BaseException:
        pass
    time.sleep(40)
    return []

settings = SimpleNamespace(signers_file=Path("signers"), least_principals=2)
releasing.open_bench = lambda: SimpleNamespace(
    serve=lambda endpoint, port: Served(), find_served=lambda endpoint: "shop/1", settings=settings, mend_alias=swallow
)
sys.exit(main.run_command(["serve", "shop"]))
"""


def test_what_swallows_an_interrupt_while_mlflow_is_told_keeps_no_endpoint_alive(project):
    with subprocess.Popen([sys.executable, "-c", SERVED], cwd=project, stdout=subprocess.PIPE, text=True) as process:
        lines = iter(process.stdout.readline, "")
        assert any("publishing" in line for line in lines)
        process.terminate()
        assert process.wait(20) == 0
        assert "Stopped." in process.stdout.read()

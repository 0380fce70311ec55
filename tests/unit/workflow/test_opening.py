"""Where a run's report, notebook, folder and page are: as a path, as JupyterLab's address, as MLflow's."""

from __future__ import annotations

import json
import socket
import webbrowser
from contextlib import closing
from dataclasses import replace

import pytest

from tests.contract.memory_tracker import MemoryTracker
from tests.contract.stores import build_run
from workbench.config import Settings
from workbench.errors import NotFound, Unavailable
from workbench.runs.sqlalchemy_store import Store
from workbench.workflow import Workbench
from workbench.workflow.lab import _say_where
from workbench.workflow.opening import find_place, open_address
from workbench.workflow.workbench import list_known


@pytest.fixture
def bench(tmp_path):
    with closing(Store("sqlite://")) as store:
        yield Workbench(Settings(tmp_path / "a b", author="ada@example.org"), store, MemoryTracker(), list_known)


@pytest.fixture
def run(bench):
    run = build_run()
    run = replace(run, tracked_as=bench.tracker.start_run(run))
    bench.store.add_run(run)
    folder = bench.settings.runs_folder / run.id
    folder.mkdir(parents=True)
    for name in ("report.html", "notebook.ipynb"):
        (folder / name).write_text("{}", encoding="utf-8")
    return run


@pytest.fixture
def port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_report_is_a_file_that_a_browser_opens(bench, run):
    place = find_place(bench, run, "report", {})
    assert place.path == str(bench.settings.runs_folder / run.id / "report.html")
    assert place.address.startswith("file:///")
    assert place.address.endswith(f"/a%20b/runs/by-id/{run.id}/report.html")


def test_in_a_terminal_of_jupyterlab_its_own_addresses_are_said(bench, run, tmp_path):
    inside = {"JUPYTER_SERVER_URL": "http://localhost:8888/", "JUPYTER_SERVER_ROOT": str(tmp_path)}
    shown = f"a%20b/runs/by-id/{run.id}"
    found = {what: find_place(bench, run, what, inside).address for what in ("report", "notebook", "folder")}
    assert found["report"] == f"http://localhost:8888/files/{shown}/report.html"
    assert found["notebook"] == f"http://localhost:8888/lab/tree/{shown}/notebook.ipynb"
    assert found["folder"].startswith(f"http://localhost:8888/lab/tree/{shown}")
    elsewhere = {**inside, "JUPYTER_SERVER_ROOT": str(tmp_path / "other")}
    assert find_place(bench, run, "report", elsewhere).address.startswith("file:///")


def test_what_is_not_there_is_told_with_what_there_is(bench, run):
    (bench.settings.runs_folder / run.id / "report.html").unlink()
    with pytest.raises(NotFound, match="has no report") as caught:
        bench.find_place(run.id)
    assert "queued" in caught.value.reasons[0]


def test_the_page_of_a_lab_that_runs_is_found_and_no_other(bench, run, port):
    bench.settings.home_folder.mkdir(exist_ok=True)
    with _say_where(bench.settings, port, port):
        assert (
            bench.find_place(run.id, "mlflow").address
            == f"http://127.0.0.1:{port}/#/experiments/1/runs/{run.tracked_as}"
        )
        assert find_place(bench, run, "notebook", {}).address.startswith(
            f"http://127.0.0.1:{port}/lab/tree/runs/by-id/"
        )
        bench.tracker.delete_run(run.tracked_as)
        with pytest.raises(NotFound, match="MLflow has no run"):
            bench.find_place(run.id, "mlflow")
    with pytest.raises(Unavailable, match="does not run") as caught:
        bench.find_place(run.id, "mlflow")
    assert "workbench lab" in caught.value.next_step


def test_a_lab_that_was_killed_is_not_believed(bench, run, port):
    path = bench.settings.home_folder / "lab.json"
    for said in ("{", json.dumps({"jupyter": "http://127.0.0.1:1", "mlflow": "http://127.0.0.1:1"})):
        path.write_text(said, encoding="utf-8")
        with pytest.raises(Unavailable):
            bench.find_place(run.id, "mlflow")


def test_a_browser_is_opened_on_a_desktop_alone(monkeypatch):
    opened = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or True)
    for name in ("BROWSER", "DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert open_address("file:///report.html") is False
    monkeypatch.setenv("DISPLAY", ":0")
    assert open_address("file:///report.html") is True
    assert opened == ["file:///report.html"]

"""Metrics over steps: whatever a notebook logs in whichever way, the run's value and history are those MLflow would show."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import workbench as wb
from tests.conftest import AUTHOR
from tests.unit.evidence.builders import build_execution
from tests.unit.people import ENDED
from workbench.cli.main import run_command
from workbench.config import Settings
from workbench.executors.jobs import Outcome
from workbench.replays.replay import Sameness
from workbench.runs import spool
from workbench.runs.collecting import RunFolder, collect_run
from workbench.runs.logged_calls import read_logged_calls, spool_address
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.run import Run, RunState, new_run_id
from workbench.workflow import Workbench

# Held against MLflow's own answer


@dataclass(frozen=True)
class Call:
    """One point of a metric, and whether it is logged with MLflow or with the workbench."""

    name: str
    value: float
    step: int
    time_ms: int
    is_plain: bool


_finite = st.sampled_from([-1.5, 0.25, 0.5, 1e300])
_calls = st.builds(
    Call, st.sampled_from(["loss", "auc"]), _finite, st.integers(-2, 2), st.integers(0, 2), st.booleans()
)
_no_numbers = st.builds(
    Call, st.just("loss"), st.sampled_from([math.nan, math.inf]), st.integers(1, 2), st.integers(0, 2), st.just(True)
)


@dataclass(frozen=True)
class Desk:
    """A real MLflow, and a place for the folders of runs."""

    tracker: MlflowTracker
    folder: Path

    def shown(self, tracked_as: str) -> dict[str, Any]:
        """Return what MLflow shows of a run: the value of each metric, and all its points."""
        client = self.tracker._client
        metrics = client.get_run(tracked_as).data.metrics
        courses = {name: client.get_metric_history(tracked_as, name) for name in metrics}
        return {
            name: (repr(value), sorted((each.step, each.timestamp, repr(each.value)) for each in courses[name]))
            for name, value in metrics.items()
        }


@pytest.fixture
def desk(tmp_path: Path, blank_tracking: Path) -> Desk:
    database = tmp_path / "mlflow.db"
    database.write_bytes(blank_tracking.read_bytes())
    return Desk(MlflowTracker(f"sqlite:///{database}", tmp_path / "artifacts"), tmp_path)


def begin(desk: Desk) -> Run:
    run = Run(new_run_id(), "steps.ipynb", "ab" * 32, {}, {}, AUTHOR, ENDED, state=RunState.RUNNING)
    return replace(run, tracked_as=desk.tracker.start_run(run), ended=ENDED)


def log_with_mlflow_alone(desk: Desk, calls: list[Call]) -> str:
    tracked_as = str(begin(desk).tracked_as)
    for call in calls:
        desk.tracker._client.log_metric(tracked_as, call.name, call.value, timestamp=call.time_ms, step=call.step)
    return tracked_as


def log_in_a_run(desk: Desk, calls: list[Call]) -> Run:
    """Log the calls as a kernel does, each in its own way, and return the run as it ended and MLflow was told."""
    from mlflow.tracking import MlflowClient

    run = begin(desk)
    folder = RunFolder.make(desk.folder / run.id)
    address = spool_address(folder.path, str(run.tracked_as))
    client = MlflowClient(address, address)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(spool.FOLDER_VARIABLE, str(folder.path))
        for call in calls:
            patch.setattr(spool._CLOCK, "stamp", lambda _, call=call: call.time_ms)
            if call.is_plain:
                client.log_metric(run.tracked_as, call.name, call.value, timestamp=call.time_ms, step=call.step)
            else:
                wb.log_metrics({call.name: call.value}, step=call.step)
    run = collect_run(
        run, Outcome({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}, build_execution(), None), folder
    )
    for _ in range(2):
        assert desk.tracker.finish_run(run, logged=read_logged_calls(folder.path, {}, own=spool.LOGGED_METRICS))
    return run


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_calls | _calls | _no_numbers, min_size=1, max_size=8))
def test_any_points_in_both_ways_give_what_mlflow_itself_gives_for_them(desk: Desk, calls: list[Call]) -> None:
    theirs = desk.shown(log_with_mlflow_alone(desk, calls))
    run = log_in_a_run(desk, calls)
    assert run.is_finished
    assert desk.shown(str(run.tracked_as)) == theirs
    values = {name: float(value) for name, (value, _) in theirs.items()}
    assert run.metrics == {name: value for name, value in values.items() if abs(value) < 1.7e308}
    assert {name: run.record.get("history", {}).get(name, {"points": 1})["points"] for name in run.metrics} == {
        name: len(theirs[name][1]) for name in run.metrics
    }


def test_thousands_of_points_in_both_ways_arrive_in_mlflow(desk: Desk) -> None:
    calls = [Call("loss", 1.0 / (step + 1), step, 1_000 + step // 7, step % 10 == 0) for step in range(3_000)]
    run = log_in_a_run(desk, calls)
    ((value, points),) = desk.shown(str(run.tracked_as)).values()
    assert (run.metrics["loss"], run.record["history"]["loss"]) == (1 / 3_000, {"step": 2_999, "points": 3_000})
    assert (value, points) == (repr(1 / 3_000), [(call.step, call.time_ms, repr(call.value)) for call in calls])


# From the notebook to MLflow's page


@pytest.fixture
def bench(project: Path) -> Any:
    opened = Workbench.open(Settings(project, author=AUTHOR))
    yield opened
    opened.store.close()


STEPS = """
import workbench as wb
wb.log_metrics({"loss": 0.9}, step=1)
wb.log_metrics({"loss": 0.1}, step=10)
wb.log_metrics({"loss": 0.5}, step=5)
"""


COURSE = [(1, 0.9), (5, 0.5), (10, 0.1)]


def write_notebook(project: Path, cell: str) -> Path:
    """Write a notebook of one cell after its parameters."""
    from nbformat import v4

    declared = v4.new_code_cell("seed: int = 0", metadata={"tags": ["parameters"]})
    document = v4.new_notebook(cells=[declared, v4.new_code_cell(cell)])
    document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    path = project / "steps.ipynb"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def history(bench: Workbench, run: Run) -> list[tuple[int, float]]:
    points = bench.tracker._client.get_metric_history(run.tracked_as, "loss")
    return sorted((point.step, point.value) for point in points)


@pytest.fixture(scope="module")
def stepped(tmp_path_factory: pytest.TempPathFactory, make_project: Any) -> Any:
    """A run of the three calls, made once."""
    project = make_project(tmp_path_factory.mktemp("steps") / "project")
    opened = Workbench.open(Settings(project, author=AUTHOR))
    yield opened, opened.run(write_notebook(project, STEPS), {})
    opened.store.close()


def test_the_value_of_a_run_is_that_of_its_largest_step_in_its_record_in_mlflow_and_among_others(stepped: Any) -> None:
    bench, run = stepped
    assert (run.metrics, run.record["history"]) == ({"loss": 0.1}, {"loss": {"step": 10, "points": 3}})
    assert history(bench, run) == COURSE
    assert bench.tracker._client.get_run(run.tracked_as).data.metrics == {"loss": 0.1}
    assert bench.list_runs()[0].metrics == run.metrics


def test_that_there_are_more_points_is_said_in_the_report_and_by_show_and_all_are_in_its_json(
    stepped: Any, capsys: Any, monkeypatch: Any
) -> None:
    bench, run = stepped
    report = (bench.settings.runs_folder / run.id / "report.html").read_text(encoding="utf-8")
    assert "0.1 at step 10 (3 points)" in report
    monkeypatch.chdir(bench.settings.project)
    assert run_command(["show", run.id]) == 0
    assert "0.1 at step 10 (3 points)" in capsys.readouterr().out
    assert run_command(["show", run.id, "--json"]) == 0
    points = json.loads(capsys.readouterr().out)["points"]["loss"]
    assert [(point["step"], point["value"]) for point in points] == COURSE
    shown = bench.tracker._client.get_metric_history(run.tracked_as, "loss")
    assert {point["time_ms"] for point in points} == {point.timestamp for point in shown}


def test_a_replay_compares_every_point(stepped: Any) -> None:
    bench, run = stepped
    replay = bench.replay(run.id)
    (line,) = [line for line in replay.lines if line.kind == "history"]
    assert (line.sameness, line.now, replay.is_clean) == (Sameness.IDENTICAL, "3 points", True)


MIXED = """
import mlflow
import workbench as wb
wb.log_metrics({"loss": 0.9}, step=1)
mlflow.log_metric("loss", 0.1, step=10)
wb.log_metrics({"loss": 0.5}, step=5)
for value in (3.0, 1.0, 2.0):
    mlflow.log_metric("last", value)
try:
    mlflow.log_metric("loss", 0.2, step=10.5)
except mlflow.exceptions.MlflowException as exc:
    assert "a step is a whole number" in str(exc), exc
else:
    raise AssertionError("half a step was taken")
"""


def test_both_ways_in_one_run_are_one_history_also_when_mlflow_is_told_later(
    bench: Workbench, monkeypatch: Any
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(bench.tracker, "finish_run", lambda *_, **__: (_ for _ in ()).throw(OSError("MLflow is away")))
        run = bench.run(write_notebook(bench.settings.project, MIXED), {})
    assert run.metrics == {"loss": 0.1, "last": 2.0}
    assert history(bench, run) == []
    assert (bench.publish_pending(), bench.publish_pending()) == (1, 0)
    assert history(bench, run) == COURSE
    assert bench.tracker._client.get_run(run.tracked_as).data.metrics == run.metrics


RETRIED = """
import os, signal
from pathlib import Path
import workbench as wb
first = not Path("tried").exists()
Path("tried").touch()
for step in range(5 if first else 2):
    wb.log_metrics({"loss": 1 / (step + 1)}, step=step)
if first:
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_run_that_was_tried_again_has_the_points_of_its_last_attempt_alone(project: Path) -> None:
    bench = Workbench.open(Settings(project, author=AUTHOR, retries=1))
    run = bench.run(write_notebook(project, RETRIED), {})
    assert (run.attempt, run.metrics, history(bench, run)) == (2, {"loss": 0.5}, [(0, 1.0), (1, 0.5)])
    bench.store.close()

"""What every tracker keeps: the real MLflow (SQLite) and the one in memory alike."""

from __future__ import annotations

import inspect
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.memory_tracker import MemoryTracker
from tests.contract.tracked_runs import build_run, finish, start
from tests.unit.people import AUTHOR
from workbench.config import Settings
from workbench.errors import Unavailable
from workbench.runs.logged_calls import LoggedCalls, parse_spool_address
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.run import FINAL_STATES, RunState
from workbench.runs.sqlalchemy_store import Store
from workbench.workflow import Workbench
from workbench.workflow.workbench import list_known

# Runs


def test_a_tracker_answers(tracking):
    tracking.tracker.require_answer()


def test_a_started_run_is_shown_as_running_with_its_parameters_as_text(tracking):
    run = start(
        tracking.tracker, parameters={"strength": 0.5, "family": "ridge", "scale": True, "depth": None, "tags": [1]}
    )
    shown = tracking.window.look(run.tracked_as)
    assert shown.status == "RUNNING"
    assert shown.parameters == {"strength": "0.5", "family": "ridge", "scale": "True", "depth": "None", "tags": "[1]"}
    assert (shown.tags["workbench.run"], shown.tags["mlflow.user"]) == (run.id, AUTHOR)


def test_a_run_that_was_stopped_before_its_parameters_were_logged_has_them_when_it_has_ended(tracking):
    run = build_run(parameters={"strength": 0.5, "text": "x" * 7_000})
    run = replace(run, tracked_as=tracking.tracker.start_run(run))
    assert tracking.tracker.finish_run(finish(run, RunState.KILLED), logged=LoggedCalls(parameters={"strength": "9"}))
    shown = tracking.window.look(run.tracked_as)
    assert shown.parameters == {"strength": "0.5", "text": "x" * 6_000}


def test_every_run_gets_a_name_of_its_own(tracking):
    ids = {start(tracking.tracker).tracked_as for _ in range(3)}
    assert len(ids) == 3


@pytest.mark.parametrize("state", sorted(FINAL_STATES))
def test_a_run_is_shown_as_it_ended(tracking, state):
    run = start(tracking.tracker)
    assert tracking.tracker.finish_run(finish(run, state)) is True
    expected = "FAILED" if state is RunState.LOST else str(state)
    assert tracking.window.look(run.tracked_as).status == expected


def test_a_finished_run_shows_its_metrics_and_files(tracking, tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "report.html").write_text("<p>", encoding="utf-8")
    (tmp_path / "model" / "model.skops").write_bytes(b"PK")
    run = start(tracking.tracker)
    described = {"MLmodel": "flavors: {}\n", "requirements.txt": "numpy==2.4.6\n"}
    tracking.tracker.finish_run(finish(run, roc_auc=0.99517, loss=-1e-9), files=tmp_path, described=described)
    shown = tracking.window.look(run.tracked_as)
    assert shown.metrics == {"roc_auc": 0.99517, "loss": -1e-9}
    assert {"report.html", "model/model.skops", "model/MLmodel", "model/requirements.txt"} <= shown.files


def test_telling_the_end_again_changes_nothing(tracking):
    run = start(tracking.tracker)
    ended = finish(run, roc_auc=0.9)
    assert tracking.tracker.finish_run(ended)
    first = tracking.window.look(run.tracked_as)
    assert tracking.tracker.finish_run(ended)
    again = tracking.window.look(run.tracked_as)
    assert (again.status, again.metrics) == (first.status, first.metrics)


def test_a_run_that_somebody_deleted_is_not_there_to_be_finished(tracking):
    run = start(tracking.tracker)
    tracking.window.delete(run.tracked_as)
    assert tracking.tracker.finish_run(finish(run)) is False


def test_a_run_that_never_was_is_not_there_to_be_finished(tracking):
    assert tracking.tracker.finish_run(finish(build_run(tracked_as="ab" * 16))) is False


def test_long_and_many_parameters_are_kept_as_far_as_they_go(tracking):
    parameters = {f"p{number}": number for number in range(250)} | {"text": "x" * 7_000, "words": "größe ☃ \x00 '; --"}
    shown = tracking.window.look(start(tracking.tracker, parameters=parameters).tracked_as)
    assert len(shown.parameters) == 252
    assert shown.parameters["text"] == "x" * 6_000
    assert shown.parameters["words"] == "größe ☃ \x00 '; --"


def test_many_metrics_are_all_kept(tracking):
    metrics = {f"m{number}": float(number) for number in range(1_200)}
    run = start(tracking.tracker)
    tracking.tracker.finish_run(finish(run, **metrics))
    assert tracking.window.look(run.tracked_as).metrics == metrics


@pytest.mark.parametrize("notebook", ["a/b/01.ipynb", "größe.ipynb", "a b%2F..ipynb", "..ipynb", "x" * 200 + ".ipynb"])
def test_a_notebook_of_any_name_can_be_recorded(tracking, notebook):
    run = start(tracking.tracker, notebook=notebook)
    assert tracking.tracker.finish_run(finish(run))


def test_a_kernel_is_told_where_to_log_in_plain_text(tracking, tmp_path):
    folder = tmp_path / "größe? 100%"
    variables = tracking.tracker.kernel_variables(folder, "ab" * 16)
    assert variables["MLFLOW_RUN_ID"] == "ab" * 16
    assert parse_spool_address(variables["MLFLOW_TRACKING_URI"]) == (folder.resolve(), "ab" * 16)
    assert all(isinstance(text, str) for pair in variables.items() for text in pair)


# MLflow's word on how a run ended


@pytest.mark.parametrize("said", ["RUNNING", "FINISHED", "FAILED", "KILLED"])
def test_a_status_somebody_changed_is_found_and_set_right(tracking, said):
    ended = [finish(start(tracking.tracker), state) for state in sorted(FINAL_STATES)]
    for run in ended:
        tracking.tracker.finish_run(run)
        tracking.window.set_status(run.tracked_as, said)
    expected = {run.id: "FAILED" if run.state is RunState.LOST else str(run.state) for run in ended}
    wrong = tracking.tracker.repair_statuses(ended)
    assert {run.id for run in wrong} == {run_id for run_id, status in expected.items() if status != said}
    assert {run.id: tracking.window.look(run.tracked_as).status for run in ended} == expected
    assert tracking.tracker.repair_statuses(ended) == []


def test_a_run_that_goes_on_and_one_that_somebody_deleted_need_no_repair(tracking):
    running, deleted = start(tracking.tracker), start(tracking.tracker)
    tracking.window.delete(deleted.tracked_as)
    assert tracking.tracker.repair_statuses([running, finish(deleted, RunState.FAILED)]) == []
    assert tracking.window.look(running.tracked_as).status == "RUNNING"


# The two of them


def test_the_fake_has_every_public_method_of_the_real_one_with_the_same_parameters():
    public = [name for name, _ in inspect.getmembers(MlflowTracker, inspect.isfunction) if not name.startswith("_")]
    for name in public:
        real, fake = getattr(MlflowTracker, name), getattr(MemoryTracker, name)
        assert list(inspect.signature(real).parameters) == list(inspect.signature(fake).parameters), name
    assert {"start_run", "finish_run", "register_version", "point_alias", "read_alias"} <= set(public)


def test_the_fake_serves_the_workflow(tmp_path):
    """A run that was killed before anybody could be told is told when the workbench next looks."""
    store, tracker = Store(f"sqlite:///{tmp_path / 'workbench.db'}"), MemoryTracker()
    run = build_run()
    store.add_run(run)
    run = replace(run, tracked_as=tracker.start_run(run))
    store.move_run(replace(run, state=RunState.RUNNING))
    store.move_run(replace(run, state=RunState.KILLED, error="Stopped from outside."))
    bench = Workbench(Settings(tmp_path), store, tracker, list_known)
    assert bench.publish_pending() == 1
    assert [recorded.status for recorded in tracker.runs.values()] == ["KILLED"]
    assert bench.publish_pending() == 0
    store.close()


# Where MLflow keeps files


@pytest.mark.parametrize("name", ["Default", "moved"])
def test_files_land_below_home_whatever_experiment_has_the_name_already(tmp_path, blank_tracking, name):
    shutil.copy(blank_tracking, tmp_path / "mlflow.db")
    address = f"sqlite:///{tmp_path / 'mlflow.db'}"
    MlflowTracker(address, tmp_path / "before").start_run(build_run(notebook="moved.ipynb"))
    tracker = MlflowTracker(address, tmp_path / "here")
    for _ in range(2):
        run = tracker._client.get_run(tracker.start_run(build_run(notebook=f"{name}.ipynb")))
        assert run.info.artifact_uri.startswith((tmp_path / "here").as_uri())
    names = [experiment.name for experiment in tracker._client.search_experiments()]
    assert sorted(names) == sorted(["Default", "moved", f"{name} (workbench)"])


FIRST = """
import sys
from pathlib import Path
from workbench.runs.mlflow_tracker import MlflowTracker

folder = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
MlflowTracker(f"sqlite:///{folder / 'mlflow.db'}", folder).require_answer()
"""


@pytest.mark.soak
def test_two_first_commands_make_one_database(tmp_path):
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", FIRST, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        process.stdout.readline()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    said = [process.communicate(timeout=120)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    MlflowTracker(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path).start_run(build_run())


# When MLflow is not there


@pytest.mark.parametrize("address", ["http://127.0.0.1:1", "https://mlflow.invalid"])
def test_a_server_that_is_not_there_is_told_in_three_parts(tmp_path, address):
    with pytest.raises(Unavailable) as caught:
        MlflowTracker(address, tmp_path).require_answer()
    assert address in caught.value.what
    assert caught.value.reasons[0]
    assert caught.value.next_step


def test_a_file_that_is_no_database_is_told_in_three_parts(tmp_path):
    path: Path = tmp_path / "mlflow.db"
    path.write_bytes(b"not a database at all, but long enough to look at" * 100)
    with pytest.raises(Unavailable) as caught:
        MlflowTracker(f"sqlite:///{path}", tmp_path).require_answer()
    assert caught.value.reasons == ("(sqlite3.DatabaseError) file is not a database",)
    assert caught.value.next_step


def test_a_long_exception_of_mlflow_is_told_by_its_first_line_and_cut(own_mlflow):
    with pytest.raises(Unavailable) as caught, own_mlflow._answers():
        raise ConnectionError("words " * 100 + "\n[SQL: SELECT 1]")
    reason = caught.value.reasons[0]
    assert (len(reason) <= 160, reason[-7:], "SQL" in reason) == (True, "words …", False)

"""What every tracker keeps: the real MLflow (SQLite) and the one in memory alike."""

from __future__ import annotations

import errno
import inspect
import os
import secrets
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.contract.memory_tracker import MemoryTracker, Recorded
from tests.unit.people import AUTHOR, ENDED
from workbench.config import Settings
from workbench.errors import Unavailable
from workbench.runs.logged_calls import LoggedCalls, parse_spool_address
from workbench.runs.mlflow_tracker import MlflowTracker, describe_model
from workbench.runs.points import Point
from workbench.runs.run import FINAL_STATES, Run, RunState, new_run_id
from workbench.runs.sqlalchemy_store import Store
from workbench.workflow import Workbench
from workbench.workflow.workbench import list_known


class MlflowWindow:
    """MLflow as its own tools see it."""

    def __init__(self, tracker: MlflowTracker) -> None:
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient(tracker.address, tracker.address)

    def look(self, tracked_as: str) -> Recorded:
        run = self._client.get_run(tracked_as)
        files = {item.path for folder in ("", "model") for item in self._client.list_artifacts(tracked_as, folder)}
        return Recorded(run.info.status, run.data.params, run.data.tags, run.data.metrics, files)

    def history(self, tracked_as: str, name: str) -> list[tuple[int, float, int]]:
        points = self._client.get_metric_history(tracked_as, name)
        return sorted((point.step, point.value, point.timestamp) for point in points)

    def delete(self, tracked_as: str) -> None:
        self._client.delete_run(tracked_as)

    def delete_model(self, model: str) -> None:
        self._client.delete_registered_model(model)

    def set_status(self, tracked_as: str, status: str) -> None:
        self._client.update_run(tracked_as, status=status)


class MemoryWindow:
    """The memory, seen in the same way."""

    def __init__(self, tracker: MemoryTracker) -> None:
        self._runs = tracker.runs
        self.look = tracker.runs.__getitem__
        self.delete = tracker.delete_run
        self.delete_model = tracker.delete_model
        self.set_status = tracker.set_status

    def history(self, tracked_as: str, name: str) -> list[tuple[int, float, int]]:
        points = self._runs[tracked_as].points.get(name, [])
        return sorted((point.step, point.value, point.time_ms) for point in points)


@pytest.fixture(scope="module", params=["mlflow", "memory"])
def tracking(request, tmp_path_factory) -> SimpleNamespace:
    """A tracker and a window on what it recorded; all tests of the module share the database, as users do."""
    if request.param == "memory":
        memory = MemoryTracker()
        return SimpleNamespace(tracker=memory, window=MemoryWindow(memory))
    folder = tmp_path_factory.mktemp("mlflow")
    tracker = MlflowTracker(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")
    tracker.require_answer()
    return SimpleNamespace(tracker=tracker, window=MlflowWindow(tracker))


@pytest.fixture
def own_mlflow(tmp_path_factory, blank_tracking) -> MlflowTracker:
    """MLflow with nothing in it, for what only MLflow itself can show."""
    folder = tmp_path_factory.mktemp("own")
    shutil.copy(blank_tracking, folder / "mlflow.db")
    return MlflowTracker(f"sqlite:///{folder / 'mlflow.db'}", folder / "artifacts")


@pytest.fixture
def model() -> str:
    """A name no other test uses."""
    return f"model-{secrets.token_hex(4)}"


def build_run(**changes) -> Run:
    facts = {
        "id": new_run_id(),
        "notebook": "notebooks/01_train.ipynb",
        "notebook_digest": "ab" * 32,
        "parameters": {"strength": 0.5, "family": "ridge"},
        "provenance": {"git_commit": None},
        "author": AUTHOR,
        "created": ENDED,
    }
    return Run(**{**facts, **changes})


def start(tracker, **changes) -> Run:
    run = build_run(**changes)
    run = replace(run, state=RunState.RUNNING, tracked_as=tracker.start_run(run))
    tracker.log_parameters(run)
    return run


def finish(run: Run, state: RunState = RunState.FINISHED, **metrics: float) -> Run:
    return replace(run, state=state, record={"metrics": metrics})


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
    mlmodel = describe_model(python="3.11.2", sklearn="1.9.1", trusted_types=["numpy.dtype"])
    tracking.tracker.finish_run(finish(run, roc_auc=0.99517, loss=-1e-9), files=tmp_path, mlmodel=mlmodel)
    shown = tracking.window.look(run.tracked_as)
    assert shown.metrics == {"roc_auc": 0.99517, "loss": -1e-9}
    assert {"report.html", "model/model.skops", "model/MLmodel"} <= shown.files


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


# What the notebook logged with MLflow itself


def test_what_was_logged_with_mlflow_is_shown_beside_what_the_workbench_knows(tracking, tmp_path):
    (tmp_path / "report.html").write_text("<p>", encoding="utf-8")
    for path in ("artifacts/notes.txt", "artifacts/report.html", "runs/second/notes.txt"):
        file = tmp_path / "mlflow-spool" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(path, encoding="utf-8")
    calls = LoggedCalls(
        points=[Point("loss", 0.5, 0, 1_000), Point("loss", 0.25, 1, 2_000), Point("auc", 0.1, 0, 1_000)],
        parameters={"depth": "3", "family": "lasso"},
        tags={"team": "blue"},
        further=["second"],
    )
    run = start(tracking.tracker, parameters={"family": "ridge"})
    assert tracking.tracker.finish_run(finish(run, loss=0.25, auc=0.9), files=tmp_path, logged=calls)
    shown = tracking.window.look(run.tracked_as)
    assert shown.metrics == {"loss": 0.25, "auc": 0.9}
    assert shown.parameters == {"depth": "3", "family": "ridge"}
    assert shown.tags["team"] == "blue"
    files = {path for path in shown.files if not path.startswith("mlflow-spool")}
    assert files == {"report.html", "notes.txt"}


def test_every_value_of_a_metric_is_kept_with_its_step_and_time(tracking):
    points = [Point("loss", 1 / (step + 1), step, 1_000 + step) for step in range(2_500)]
    run = start(tracking.tracker)
    calls = LoggedCalls(points, tags={f"t{number}": "x" for number in range(250)})
    assert tracking.tracker.finish_run(finish(run, loss=points[-1].value), logged=calls)
    assert tracking.window.history(run.tracked_as, "loss") == [
        (point.step, point.value, point.time_ms) for point in points
    ]
    assert len([tag for tag in tracking.window.look(run.tracked_as).tags if tag.startswith("t")]) == 250


POINTS = {
    "the largest step": [(0.9, 1, 1_000), (0.1, 10, 2_000), (0.5, 5, 3_000)],
    "of one step the latest": [(0.1, 5, 3_000), (0.2, 5, 4_000), (0.3, 5, 2_000)],
    "at one time the largest": [(0.1, 5, 3_000), (0.3, 5, 3_000), (0.2, 5, 3_000)],
    "a step below zero": [(0.2, -1, 4_000), (0.1, -3, 5_000)],
    "no number is zero": [(0.1, 5, 3_000), (float("nan"), 5, 3_000), (-0.1, 5, 3_000)],
}


@pytest.mark.parametrize(("rule", "value"), [*zip(POINTS, [0.1, 0.2, 0.3, 0.2, 0.1], strict=True)])
def test_the_value_of_a_metric_is_that_of_one_of_its_points(tracking, rule, value):
    calls = LoggedCalls([Point("loss", *point) for point in POINTS[rule]])
    run = start(tracking.tracker)
    tracking.tracker.finish_run(finish(run, loss=calls.metrics["loss"]), logged=calls)
    assert calls.metrics == {"loss": value} == tracking.window.look(run.tracked_as).metrics
    assert len(tracking.window.history(run.tracked_as, "loss")) == len(calls.points)


def test_telling_again_what_was_logged_doubles_nothing(tracking):
    calls = LoggedCalls([Point("loss", 0.5, 0, 1_000), Point("loss", 0.25, 1, 2_000)], {"depth": "3"}, {"a": "b"})
    run = replace(finish(start(tracking.tracker), loss=0.25, auc=0.9), ended=ENDED)
    for _ in range(2):
        assert tracking.tracker.finish_run(run, logged=calls)
    assert [len(tracking.window.history(run.tracked_as, name)) for name in ("loss", "auc")] == [2, 1]


def test_points_that_say_another_value_than_the_record_are_not_shown(tracking):
    calls = LoggedCalls([Point("loss", 0.5, 1, 1_000), Point("loss", 0.25, 2, 2_000), Point("auc", 0.9, 3, 1_000)])
    run = start(tracking.tracker)
    tracking.tracker.finish_run(finish(run, loss=0.5, auc=0.9), logged=calls)
    shown = tracking.window.look(run.tracked_as)
    assert shown.metrics == {"loss": 0.5, "auc": 0.9}
    assert [len(tracking.window.history(run.tracked_as, name)) for name in ("loss", "auc")] == [1, 1]


def test_a_parameter_that_has_another_value_already_is_noted_and_stops_nothing(own_mlflow):
    run = start(own_mlflow)
    for depth in ("3", "4"):
        assert own_mlflow.finish_run(finish(run, auc=0.9), logged=LoggedCalls(parameters={"depth": depth}))
    shown = own_mlflow._client.get_run(run.tracked_as)
    assert shown.data.params["depth"] == "3"
    assert "depth" in shown.data.tags["workbench.notes"]


def test_datasets_that_were_logged_are_shown(own_mlflow):
    facts = {"name": "tumours", "digest": "abcd", "source_type": "code", "source": "{}", "schema": "", "profile": ""}
    run = start(own_mlflow)
    assert own_mlflow.finish_run(finish(run), logged=LoggedCalls(inputs=[{**facts, "context": "train"}]))
    (shown,) = own_mlflow._client.get_run(run.tracked_as).inputs.dataset_inputs
    assert (shown.dataset.name, shown.dataset.digest, shown.dataset.schema) == ("tumours", "abcd", None)
    assert [(tag.key, tag.value) for tag in shown.tags] == [("mlflow.data.context", "train")]


def test_files_are_shown_without_being_copied_and_what_is_no_file_is_not(own_mlflow, tmp_path):
    folder = tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "model.skops").write_bytes(b"PK")
    (folder / "model" / "MLmodel").write_bytes(b"the notebook's own")
    (folder / "link").symlink_to("/nowhere")
    run = start(own_mlflow)
    for _ in range(2):
        assert own_mlflow.finish_run(finish(run), files=folder, mlmodel="flavors: {}\n")
    kept = Path(own_mlflow._client.download_artifacts(run.tracked_as, ""))
    assert {path.name for path in kept.rglob("*") if path.is_file()} == {"model.skops", "MLmodel"}
    assert (kept / "model" / "model.skops").samefile(folder / "model" / "model.skops")
    assert (kept / "model" / "MLmodel").read_text(encoding="utf-8") == "flavors: {}\n"
    assert (folder / "model" / "MLmodel").read_bytes() == b"the notebook's own"


def test_on_another_file_system_files_are_copied(own_mlflow, tmp_path, monkeypatch):
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", refuse)
    (tmp_path / "report.html").write_text("<p>", encoding="utf-8")
    run = start(own_mlflow)
    assert own_mlflow.finish_run(finish(run), files=tmp_path)
    assert Path(own_mlflow._client.download_artifacts(run.tracked_as, "report.html")).read_text() == "<p>"


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


# Versions and aliases


def test_versions_of_a_model_are_counted_from_one(tracking, model):
    versions = [tracking.tracker.register_version(model, start(tracking.tracker), after=0) for _ in range(3)]
    assert versions == [1, 2, 3]
    assert tracking.tracker.register_version(f"{model}-other", start(tracking.tracker), after=0) == 1


def test_the_same_run_may_become_two_versions(tracking, model):
    run = start(tracking.tracker)
    assert [tracking.tracker.register_version(model, run, after=0) for _ in range(2)] == [1, 2]


def test_an_alias_points_where_it_was_last_pointed(tracking, model):
    tracker = tracking.tracker
    for _ in range(2):
        tracker.register_version(model, start(tracker), after=0)
    assert tracker.read_alias(model, "champion") is None
    for version in (1, 2, 1):
        tracker.point_alias(model, "champion", version)
        assert tracker.read_alias(model, "champion") == version
    assert tracker.read_alias(model, "challenger") is None


def test_a_model_that_is_not_there_has_no_alias(tracking, model):
    assert tracking.tracker.read_alias(model, "champion") is None


@pytest.mark.parametrize("version", [2, 0])
def test_an_alias_never_points_to_a_version_that_is_not_there(tracking, model, version):
    tracking.tracker.register_version(model, start(tracking.tracker), after=0)
    with pytest.raises(Unavailable) as caught:
        tracking.tracker.point_alias(model, "champion", version)
    assert caught.value.reasons
    assert caught.value.next_step
    assert tracking.tracker.read_alias(model, "champion") is None


def test_a_number_is_not_given_again_where_somebody_deleted_the_model(tracking, model):
    run = start(tracking.tracker)
    for after in range(3):
        tracking.tracker.register_version(model, run, after=after)
    tracking.window.delete_model(model)
    assert tracking.tracker.register_version(model, run, after=3) == 4
    assert tracking.tracker.register_version(model, run, after=4) == 5


def test_a_version_that_somebody_deleted_with_its_model_is_made_anew_and_can_be_pointed_to(tracking, model):
    run = start(tracking.tracker)
    for after in range(2):
        tracking.tracker.register_version(model, run, after=after)
    tracking.window.delete_model(model)
    for _ in range(2):
        assert tracking.tracker.restore_version(model, run, 2) is True
    tracking.tracker.point_alias(model, "champion", 2)
    assert tracking.tracker.read_alias(model, "champion") == 2


def test_a_version_is_not_made_anew_below_one_that_was_given_since(tracking, model):
    run = start(tracking.tracker)
    tracking.tracker.register_version(model, run, after=2)
    assert tracking.tracker.restore_version(model, run, 2) is False
    assert tracking.tracker.register_version(model, run, after=3) == 4


# Many at once


def at_once(*calls) -> list:
    """Run the calls in threads that begin together; return what they returned, or raise what they raised."""
    barrier = threading.Barrier(len(calls))

    def call(function):
        barrier.wait()
        return function()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call, function) for function in calls]]


def sibling(tracker):
    """Another process's tracker of the same records, as far as one process can have it."""
    return MlflowTracker(tracker.address, tracker._artifacts_folder) if isinstance(tracker, MlflowTracker) else tracker


def test_two_may_start_the_first_runs_of_a_notebook_at_once(tracking):
    trackers = [sibling(tracking.tracker) for _ in range(4)]
    for tracker in trackers:
        tracker.require_answer()
    run = build_run(notebook=f"notebooks/{secrets.token_hex(4)}.ipynb")
    assert len(set(at_once(*(lambda tracker=tracker: tracker.start_run(run) for tracker in trackers)))) == 4


def test_two_may_register_the_first_versions_of_a_model_at_once(tracking, model):
    trackers = [sibling(tracking.tracker) for _ in range(4)]
    for tracker in trackers:
        tracker.require_answer()
    run = start(tracking.tracker)
    versions = at_once(*(lambda tracker=tracker: tracker.register_version(model, run, after=0) for tracker in trackers))
    assert sorted(versions) == [1, 2, 3, 4]


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

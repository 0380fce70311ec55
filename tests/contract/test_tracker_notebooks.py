"""What a notebook logged with MLflow itself is shown beside what the workbench knows of its run."""

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.tracked_runs import finish, start
from tests.unit.people import ENDED
from workbench.runs.logged_calls import LoggedCalls
from workbench.runs.points import Point


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


def test_the_page_of_a_run_is_that_of_its_notebook_in_the_mode_of_models_that_are_trained(own_mlflow):
    run = start(own_mlflow)
    (mine,) = [each for each in own_mlflow._client.search_experiments() if each.name == "01_train"]
    assert mine.tags == {"mlflow.experimentKind": "custom_model_development"}
    assert own_mlflow.find_start_page(run) == f"#/experiments/{mine.experiment_id}?workflowType=machine_learning"
    own_mlflow._client.delete_run(run.tracked_as)
    assert (
        own_mlflow.find_start_page(run)
        == own_mlflow.find_start_page(None)
        == "#/experiments?workflowType=machine_learning"
    )


def test_an_experiment_from_before_is_marked_as_one_of_models_and_what_somebody_says_of_it_stays(own_mlflow):
    client, kinds = own_mlflow._client, []
    for name, kind in (("old", None), ("theirs", "genai_development")):
        location = (own_mlflow._artifacts_folder / name).as_uri()
        made = client.create_experiment(name, location, tags={"mlflow.experimentKind": kind} if kind else None)
        start(own_mlflow, notebook=f"{name}.ipynb")
        kinds.append(client.get_experiment(made).tags["mlflow.experimentKind"])
    assert kinds == ["custom_model_development", "genai_development"]


def test_mlflows_own_experiment_keeps_its_files_below_home_too(tmp_path):
    from workbench.runs.mlflow_tracker import MlflowTracker

    tracker = MlflowTracker(f"sqlite:///{tmp_path / 'mlflow.db'}", tmp_path / "artifacts")
    default = tracker._client.get_experiment("0")
    assert default.artifact_location == (tmp_path / "artifacts" / "0").as_uri()


@pytest.mark.parametrize(
    ("provenance", "record", "shown"),
    [
        ({"git_commit": "c" * 40, "git_dirty": False}, {}, ("c" * 40, "false")),
        ({"git_commit": "c" * 40, "git_dirty": True}, {}, ("c" * 40, "true")),
        ({"git_commit": "c" * 40, "git_dirty": None}, {}, ("c" * 40, None)),
        (
            {"git_commit": "c" * 40, "git_dirty": False},
            {"local_files": {"modules": [{"standing": "changed"}]}},
            ("c" * 40, "true"),
        ),
        ({"git_commit": None, "git_dirty": None}, {}, (None, None)),
    ],
    ids=["clean", "changed notebook", "nobody can tell", "changed module", "no git"],
)
def test_source_and_commit_are_shown_where_they_are_known(own_mlflow, provenance, record, shown):
    run = finish(start(own_mlflow, provenance={"notebook_path": "notebooks/01_train.ipynb", **provenance}))
    own_mlflow.finish_run(replace(run, record={**run.record, **record}))
    tags = own_mlflow._client.get_run(run.tracked_as).data.tags
    assert (tags.get("mlflow.source.git.commit"), tags.get("mlflow.source.git.dirty")) == shown
    assert (tags["mlflow.source.type"], tags["mlflow.source.name"]) == ("NOTEBOOK", "notebooks/01_train.ipynb")


def test_a_table_is_found_by_its_own_name_and_by_its_role_and_is_there_once(own_mlflow):
    facts = {"name": "churn.csv", "role": "holdout", "digest": "ab" * 32, "rows": 30, "columns": 4}
    run = replace(finish(start(own_mlflow)), record={"metrics": {}, "datasets": [facts]})
    for _ in range(2):
        own_mlflow.finish_run(run)
    client = own_mlflow._client
    experiments = [client.get_run(run.tracked_as).info.experiment_id]
    for condition in ("datasets.name = 'churn.csv'", "datasets.context = 'evaluation'"):
        assert [each.info.run_id for each in client.search_runs(experiments, condition)] == [run.tracked_as]
    (kept,) = client.get_run(run.tracked_as).inputs.dataset_inputs
    assert {tag.key: tag.value for tag in kept.tags} == {
        "mlflow.data.context": "evaluation",
        "workbench.role": "holdout",
    }


def test_files_are_shown_without_being_copied_and_what_is_no_file_is_not(own_mlflow, tmp_path):
    folder = tmp_path / "run"
    (folder / "model").mkdir(parents=True)
    (folder / "model" / "model.skops").write_bytes(b"PK")
    (folder / "model" / "MLmodel").write_bytes(b"the notebook's own")
    (folder / "link").symlink_to("/nowhere")
    run = start(own_mlflow)
    for _ in range(2):
        assert own_mlflow.finish_run(finish(run), files=folder, described={"MLmodel": "flavors: {}\n"})
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

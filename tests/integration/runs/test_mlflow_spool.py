"""Plain MLflow calls of a notebook: written into its run's folder by its kernel, shown in MLflow when it has ended."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import AUTHOR, own_environment
from workbench.config import Settings
from workbench.errors import UsageError
from workbench.runs import call_journal, spool
from workbench.runs.logged_calls import ARTIFACTS, CALLS, LoggedCalls, note_models, read_logged_calls, spool_address
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.points import Point
from workbench.runs.run import Run, RunState
from workbench.workflow import Workbench

OWN = {"C": 0.5, "rounds": 2}
TRACKED_AS = "ab" * 16


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run whose kernel is about to start."""
    folder = tmp_path / "a {strange} place, 100%? away"
    folder.mkdir()
    (folder / "parameters.json").write_text(json.dumps(OWN), encoding="utf-8")
    return folder


@pytest.fixture
def client(folder: Path, blank_tracking: Path) -> Any:
    """MLflow's client as the kernel of that run has it; MLflow is imported by then, with its warnings."""
    from mlflow.tracking import MlflowClient

    address = spool_address(folder, TRACKED_AS)
    return MlflowClient(address, address)


def execute(folder: Path, code: str) -> str:
    """Run code as a kernel would, from its start to its end, and return what it printed."""
    variables = MlflowTracker("sqlite://", folder).kernel_variables(folder, TRACKED_AS)
    environment = own_environment(**variables, MPLBACKEND="agg", MPLCONFIGDIR=str(folder.parent))
    command = [sys.executable, "-c", textwrap.dedent(code)]
    done = subprocess.run(command, env=environment, cwd=folder.parent, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def read(folder: Path) -> LoggedCalls:
    calls = read_logged_calls(folder, OWN, own=spool.LOGGED_METRICS)
    assert calls is not None
    return calls


def files_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# The kernel's side


def test_what_the_fluent_calls_log_is_in_the_folder_and_nowhere_else(folder: Path) -> None:
    said = execute(
        folder,
        """
        import mlflow
        mlflow.set_experiment("any name")
        with mlflow.start_run(run_name="mine") as run:
            mlflow.log_params({"depth": 3, "rounds": 2})
            for step in range(3):
                mlflow.log_metric("loss", 1 / (step + 1), step=step)
            mlflow.set_tags({"team": "blue", "mlflow.note.content": "why", "mlflow.user": "root", "workbench.run": "0"})
            mlflow.log_text("hello", "notes.txt")
            mlflow.log_dict({"a": 1}, "deep/er.json")
            import matplotlib.pyplot
            mlflow.log_figure(matplotlib.pyplot.figure(), "figure.png")
            shown = mlflow.get_run(mlflow.active_run().info.run_id)
            print(shown.info.run_id, shown.data.params, shown.data.metrics)
        """,
    )
    params, metrics = {"C": "0.5", "rounds": "2", "depth": "3"}, {"loss": 1 / 3}
    assert said == f"{TRACKED_AS} {params} {metrics}\n"
    calls = read(folder)
    assert [(point.name, point.value, point.step) for point in calls.points] == [
        ("loss", 1 / (step + 1), step) for step in range(3)
    ]
    assert (calls.parameters, calls.tags) == ({"depth": "3"}, {"team": "blue", "mlflow.note.content": "why"})
    assert files_below(folder / ARTIFACTS) == {"notes.txt", "deep/er.json", "figure.png"}
    assert {"experiment 'any name'", "the name 'mine'"} == {
        note.split(" is")[0].split(" of")[0] for note in calls.notes
    }
    assert {path.name for path in folder.parent.iterdir() if "mlruns" in path.name or path.suffix == ".db"} == set()


def test_autologging_keeps_everything_but_a_model(folder: Path) -> None:
    execute(
        folder,
        """
        import mlflow
        from sklearn.datasets import make_classification
        from sklearn.ensemble import RandomForestClassifier
        from sklearn.linear_model import LogisticRegression
        features, labels = make_classification(200, random_state=0)
        mlflow.sklearn.autolog(log_models=True)
        LogisticRegression(C=2.0).fit(features, labels)
        RandomForestClassifier(5).fit(features, labels)
        mlflow.log_metric("after", 3)
        """,
    )
    calls = read(folder)
    assert {"training_accuracy_score", "run-2/training_accuracy_score", "after"} <= set(calls.metrics)
    assert (calls.parameters["solver"], calls.parameters["n_estimators"]) == ("lbfgs", "5")
    assert calls.tags["estimator_name"] == "LogisticRegression"
    assert calls.tags["run-2/estimator_name"] == "RandomForestClassifier"
    assert "C" not in calls.parameters  # the run was started with another
    assert all(text in str(calls.notes) for text in ("keep the values they had: C", "wb.log_evaluation(model, holdout"))
    names = {Path(path).name for path in files_below(folder)}
    assert "training_confusion_matrix.png" in names
    assert {name for name in names if name == "MLmodel" or name.endswith((".pkl", ".skops"))} == set()


def test_a_model_logged_with_mlflow_is_a_file_and_a_note_and_never_in_the_registry(folder: Path) -> None:
    said = execute(
        folder,
        """
        import mlflow
        from mlflow.exceptions import MlflowException
        from sklearn.linear_model import LogisticRegression
        model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
        with mlflow.start_run():
            info = mlflow.sklearn.log_model(model, name="mine", pip_requirements=["scikit-learn"])
            try:
                mlflow.register_model(info.model_uri, "theirs")
            except MlflowException as exc:
                print(exc)
        """,
    )
    assert "cannot touch the model registry" in said
    assert {"mine/MLmodel", "mine/model.skops"} <= files_below(folder / ARTIFACTS)
    kept = {str(path.relative_to(folder)) for path in folder.rglob("*")}
    assert ["'mine' was logged with MLflow" in note for note in note_models(kept)] == [True]


def test_what_a_server_keeps_is_refused_in_plain_words_and_a_trace_stops_nothing(folder: Path) -> None:
    said = execute(
        folder,
        """
        import mlflow
        from mlflow.exceptions import MlflowException
        for call in (mlflow.search_runs, lambda: mlflow.get_run("f" * 32), lambda: mlflow.delete_run("f" * 32)):
            try:
                call()
            except MlflowException as exc:
                print(exc)
        print(mlflow.trace(lambda: "went on")())
        """,
    )
    assert said.count("MLflow only records what this notebook logs") == 3
    assert said.endswith("went on\n")


def test_nested_and_further_runs_are_kept_inside_of_the_one_run(client: Any, folder: Path) -> None:
    client.log_metric(TRACKED_AS, "loss", 0.5)
    client.log_param(TRACKED_AS, "depth", 3)
    nested = client.create_run("0", tags={"mlflow.parentRunId": TRACKED_AS}, run_name="fold one").info
    second, third = (client.create_run("0").info for _ in range(2))
    for run in (nested, second, third):
        client.log_metric(run.run_id, "loss", 0.25)
        client.log_param(run.run_id, "depth", 4)
        client.log_text(run.run_id, run.run_name, "notes.txt")
    client.log_metric(second.run_id, "own", 1)
    client.log_param(second.run_id, "C", 9)
    calls = read(folder)
    labels = ["fold one", "run-3", "run-4"]
    assert calls.metrics == {"loss": 0.5, "own": 1} | {f"{label}/loss": 0.25 for label in labels}
    assert calls.parameters == {"depth": "3", "run-3/C": "9"} | {f"{label}/depth": "4" for label in labels}
    assert list(calls.further) == labels
    assert client.get_run(third.run_id).data.metrics == {"loss": 0.25}


def test_a_status_a_notebook_claims_is_passed_over(client: Any, folder: Path) -> None:
    client.log_metric(TRACKED_AS, "loss", 0.5)
    client.set_terminated(TRACKED_AS, "KILLED")
    assert client.get_run(TRACKED_AS).info.status == "RUNNING"
    assert read(folder) == LoggedCalls(
        points=read(folder).points, parameters={}, tags={}, inputs=[], notes=[], further=()
    )


@pytest.mark.parametrize("name", ["C", "depth"])
def test_a_parameter_cannot_be_given_another_value(client: Any, name: str) -> None:
    from mlflow.exceptions import MlflowException

    client.log_param(TRACKED_AS, "depth", 3)
    with pytest.raises(MlflowException, match="not allowed"):
        client.log_param(TRACKED_AS, name, "other")


@pytest.mark.parametrize("name", ["", "a//b", "../a", "a#b", "/a", "x" * 251, "a\n"])
def test_a_name_that_mlflow_does_not_take_is_refused_at_once(client: Any, folder: Path, name: str) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException):
        client.log_metric(TRACKED_AS, name, 1.0)
    assert not (folder / CALLS).exists()


def test_what_threads_log_at_once_is_all_there(client: Any, folder: Path) -> None:
    from mlflow.entities import Metric

    def log(thread: int) -> None:
        for step in range(50):
            client.log_batch(TRACKED_AS, metrics=[Metric(f"m{thread}", float(step), 1_000 + step, step)])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(log, range(4)))
    assert read(folder).metrics == {f"m{thread}": 49.0 for thread in range(4)}
    assert len(read(folder).points) == 200


def test_another_process_sees_what_was_logged_and_further_runs_do_not_mix(client: Any, folder: Path) -> None:
    first = client.create_run("0").info.run_id
    said = execute(
        folder,
        f"""
        import mlflow
        client = mlflow.MlflowClient()
        print(client.get_run({first!r}).info.run_name, client.create_run("0").info.run_name)
        """,
    )
    assert said.split() == ["run-2", "run-3"]
    assert client.create_run("0").info.run_name == "run-4"


def test_a_dataset_is_kept_with_what_it_was_used_for(client: Any, folder: Path) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    dataset = Dataset("tumours", "abcd", "code", "{}", schema=None, profile="{}")
    client.log_inputs(TRACKED_AS, [DatasetInput(dataset, [InputTag("mlflow.data.context", "train")])])
    (kept,) = read(folder).inputs
    assert (kept["name"], kept["digest"], kept["schema"], kept["context"]) == ("tumours", "abcd", "", "train")


def test_more_than_a_run_may_log_is_refused_while_it_can_still_be_told(
    client: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(call_journal, "LARGEST_BYTES", 300)
    with pytest.raises(UsageError, match="cannot log more"):
        for step in range(10):
            client.log_metric(TRACKED_AS, "loss", 1.0, step=step)
    assert 0 < len(read(folder).points) < 10


# From the notebook to MLflow


@pytest.fixture
def bench(project: Path) -> Any:
    opened = Workbench.open(Settings(project, author=AUTHOR))
    yield opened
    opened.store.close()


@pytest.fixture
def notebook(tmp_path: Path) -> Callable[..., Path]:
    """Return what writes a notebook with a parameters cell and the given cells."""

    def write(*cells: str, parameters: str = "rounds: int = 2") -> Path:
        import nbformat.v4 as v4

        declared = v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})
        document = v4.new_notebook(cells=[declared, *(v4.new_code_cell(textwrap.dedent(cell)) for cell in cells)])
        document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path = tmp_path / "logs.ipynb"
        path.write_text(json.dumps(document), encoding="utf-8")
        return path

    return write


LOGS = """
import mlflow, workbench as wb
with mlflow.start_run():
    for step in range(3):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"auc": 0.1, "broken": float("nan"), "a:b": 1})
    mlflow.log_param("depth", 3)
    mlflow.set_tag("team", "blue")
    mlflow.log_text("hello", "deep/notes.txt")
    mlflow.log_text("mine", "report.html")
    mlflow.log_artifacts("full")
wb.log_metrics({"auc": 0.9})
"""


def test_what_a_notebook_logs_with_mlflow_is_in_the_record_and_in_mlflow(bench: Workbench, notebook: Any) -> None:
    run = bench.run(notebook("import os; os.makedirs('full/empty', exist_ok=True)", LOGS), {})
    assert run.metrics == {"auc": 0.9, "loss": 1 / 3}
    assert run.record["notes"] == ["metric broken is left out", "metric a:b is left out"]
    assert CALLS in run.record["files"]
    client = bench.tracker._client
    shown = client.get_run(run.tracked_as)
    assert shown.info.status == "FINISHED"
    assert {**shown.data.metrics, "broken": None} == {**run.metrics, "a:b": 1, "broken": None}
    assert [each.step for each in client.get_metric_history(run.tracked_as, "loss")] == [0, 1, 2]
    assert (shown.data.params, shown.data.tags["team"]) == ({"rounds": "2", "depth": "3"}, "blue")
    assert "<html" in Path(client.download_artifacts(run.tracked_as, "report.html")).read_text(encoding="utf-8")
    kept = Path(client.download_artifacts(run.tracked_as, ""))
    assert (kept / "deep" / "notes.txt").read_text(encoding="utf-8") == "hello"
    assert (kept / "mlflow-spool" / "artifacts" / "report.html").read_text(encoding="utf-8") == "mine"


def test_a_run_that_failed_shows_what_it_logged_before(bench: Workbench, notebook: Any) -> None:
    from workbench.errors import RunFailed

    with pytest.raises(RunFailed):
        bench.run(notebook('import mlflow; mlflow.log_metric("loss", 0.5); mlflow.end_run("FINISHED")', "1 / 0"), {})
    (run,) = bench.list_runs()
    shown = bench.tracker._client.get_run(run.tracked_as)
    assert (shown.info.status, shown.data.metrics) == ("FAILED", {"loss": 0.5})


FORGED = {
    "half": b'{"call": "metric"',
    "other": b'{"call": "metric", "run": "", "name": "a", "value": "much", "step": 0, "time_ms": 0}\n',
    "pickle": b"\x80\x04\x95.",
}


@pytest.mark.parametrize("kind", FORGED)
def test_a_forged_file_of_calls_fails_its_run_with_a_reason_and_mlflow_agrees(
    bench: Workbench, notebook: Any, kind: str
) -> None:
    from workbench.errors import RunFailed

    forge = f"""
    import os, pathlib
    folder = pathlib.Path(os.environ["WORKBENCH_SPOOL"], "mlflow-spool")
    folder.mkdir()
    (folder / "calls.jsonl").write_bytes({FORGED[kind]!r})
    """
    with pytest.raises(RunFailed):
        bench.run(notebook(forge), {})
    (run,) = bench.list_runs()
    assert "What the notebook logged cannot be read" in str(run.error)
    assert bench.store.list_unpublished_runs() == []
    assert bench.tracker._client.get_run(run.tracked_as).info.status == "FAILED"


# MLflow's word on how a run ended


def test_the_doctor_sets_right_what_somebody_made_mlflow_say(bench: Workbench, notebook: Any) -> None:
    runs: list[Run] = [bench.run(notebook("print(rounds)"), {"rounds": rounds}) for rounds in (1, 2)]
    client = bench.tracker._client
    client.update_run(runs[0].tracked_as, status="RUNNING")
    symptom = next(found for found in bench.examine() if found.part == "MLflow")
    assert symptom.is_well
    assert runs[0].id in symptom.found and runs[1].id not in symptom.found
    assert {str(client.get_run(run.tracked_as).info.status) for run in runs} == {RunState.FINISHED}
    again = next(found for found in bench.examine() if found.part == "MLflow")
    assert runs[0].id not in again.found


def test_a_kernel_that_does_not_use_mlflow_never_imports_it(bench: Workbench, notebook: Any) -> None:
    run = bench.run(
        notebook("import sys, workbench as wb; wb.log_metrics({'mlflow': int('mlflow' in sys.modules)})"), {}
    )
    assert run.metrics == {"mlflow": 0}
    assert not (bench.settings.runs_folder / run.id / "mlflow-spool").exists()


def test_values_of_one_step_and_millisecond_keep_both_and_the_largest_is_shown_as_in_mlflow(
    client: Any, folder: Path
) -> None:
    for value in (3.0, 1.0, 2.0):
        client.log_metric(TRACKED_AS, "loss", value, timestamp=1_000)
    assert read(folder).points == [Point("loss", value, 0, 1_000) for value in (3.0, 1.0, 2.0)]
    assert read(folder).metrics == client.get_run(TRACKED_AS).data.metrics == {"loss": 3.0}


def test_of_values_without_a_step_the_one_logged_last_is_shown(client: Any, folder: Path) -> None:
    for value in (3.0, 1.0, 2.0):
        client.log_metric(TRACKED_AS, "loss", value)
    assert read(folder).metrics == client.get_run(TRACKED_AS).data.metrics == {"loss": 2.0}


def test_half_a_step_is_refused_at_once_with_advice(client: Any, folder: Path) -> None:
    with pytest.raises(Exception, match=r"loss has step 0\.5: a step is a whole number\. Count batches"):
        client.log_metric(TRACKED_AS, "loss", 1.0, step=0.5)
    assert not (folder / CALLS).exists()

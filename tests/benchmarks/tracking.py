"""What recording a fitted model costs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.line import Line


def measure(folder: Path) -> Iterator[Line]:
    """Record the same forest: our way, and with `mlflow.sklearn.log_model` as its documentation shows."""
    import mlflow
    from sklearn.datasets import load_breast_cancer
    from sklearn.ensemble import RandomForestClassifier

    from tests.benchmarks.line import Line, alternate
    from workbench.runs import spool
    from workbench.runs.mlflow_tracker import MlflowTracker
    from workbench.runs.run import Run, RunState

    data = load_breast_cancer(as_frame=True)
    model = RandomForestClassifier(100, random_state=0).fit(data.data, data.target)
    tracker = MlflowTracker(f"sqlite:///{folder / 'track.db'}", folder / "artifacts")
    metrics = {f"metric {number}": number / 7 for number in range(20)}
    run = Run(
        "00000000",
        "bench.ipynb",
        "0" * 64,
        {f"parameter_{number}": number for number in range(5)},
        {},
        "bench@example",
        "2026-01-01",
        state=RunState.FINISHED,
        record={"metrics": metrics},
    )
    trusted = ["sklearn.tree._tree.Tree"]

    def ours() -> None:
        from dataclasses import replace
        from os import environ

        logged = folder / "logged"
        logged.mkdir(exist_ok=True)
        environ[spool.FOLDER_VARIABLE] = str(logged)
        spool.log_metrics(metrics)
        spool.log_predictions(data.data.index, data.target, data.target)
        spool.log_model(model, data.data)
        del environ[spool.FOLDER_VARIABLE]
        started = replace(run, tracked_as=tracker.start_run(run))
        tracker.log_parameters(started)
        tracker.finish_run(started, files=logged, described={"MLmodel": "flavors: {}\n"})

    mlflow.set_tracking_uri(tracker.address)
    experiment = mlflow.create_experiment("beside", artifact_location=(folder / "beside").as_uri())

    predictions = data.data[[]].assign(truth=data.target, score=data.target)

    def theirs() -> None:
        with mlflow.start_run(experiment_id=experiment):
            mlflow.log_params(dict(run.parameters))
            mlflow.log_metrics(metrics)
            mlflow.log_table(predictions, "predictions.json")
            mlflow.sklearn.log_model(model, name="model", input_example=data.data.head(), skops_trusted_types=trusted)

    own, other = alternate(ours, theirs, 2)
    yield Line(
        "record a run: 5 parameters, 20 metrics, predictions, a random forest",
        own,
        "mlflow.sklearn.log_model with an input example",
        other,
    )

"""Runs as a tracker is told of them, and what may be seen of them in MLflow and in the memory."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.memory_tracker import MemoryTracker, Recorded
from tests.unit.people import AUTHOR, ENDED
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.run import Run, RunState, new_run_id


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

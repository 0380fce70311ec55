"""The database that these tests ask: a file of each test alone. And trackers, with a window on what they recorded."""

from __future__ import annotations

import secrets
import shutil
from types import SimpleNamespace

import pytest

from tests.contract.memory_tracker import MemoryTracker
from tests.contract.stores import address, change, path, store  # noqa: F401
from tests.contract.tracked_runs import MemoryWindow, MlflowWindow
from workbench.runs.mlflow_tracker import MlflowTracker


@pytest.fixture(scope="module", params=["mlflow", "memory"])
def tracking(request, tmp_path_factory, blank_tracking) -> SimpleNamespace:
    """A tracker and a window on what it recorded; all tests of the module share the database, as users do."""
    if request.param == "memory":
        memory = MemoryTracker()
        return SimpleNamespace(tracker=memory, window=MemoryWindow(memory))
    folder = tmp_path_factory.mktemp("mlflow")
    shutil.copy(blank_tracking, folder / "mlflow.db")
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

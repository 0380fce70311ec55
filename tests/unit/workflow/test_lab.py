"""Where plain MLflow calls of a notebook that is opened by hand go."""

from __future__ import annotations

import pytest

from workbench.workflow.lab import _find_tracking


def test_plain_mlflow_calls_by_hand_go_to_the_mlflow_that_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert _find_tracking(5001) == {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5001"}


def test_who_says_where_they_go_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    assert _find_tracking(5001) == {"MLFLOW_TRACKING_URI": "https://mlflow.example.org"}

"""Where plain MLflow calls of a notebook that is opened by hand go."""

from __future__ import annotations

import socket

import pytest

from workbench.errors import Unavailable
from workbench.workflow.lab import _choose_port, _find_tracking


def test_where_the_usual_port_is_taken_the_next_free_one_is_said_and_one_that_was_asked_for_is_refused() -> None:
    said = list[str]()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        chosen = _choose_port(None, port, "--mlflow-port", said.append, taken=port + 1)
        assert chosen > port + 1
        assert said == [f"Port {port} is taken: it is {chosen} this time."]
        with pytest.raises(Unavailable) as caught:
            _choose_port(port, 5000, "--mlflow-port", said.append)
        assert caught.value.next_step == "Choose another with --mlflow-port."


def test_plain_mlflow_calls_by_hand_go_to_the_mlflow_that_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert _find_tracking(5001) == {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5001"}


def test_who_says_where_they_go_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "https://mlflow.example.org")
    assert _find_tracking(5001) == {"MLFLOW_TRACKING_URI": "https://mlflow.example.org"}

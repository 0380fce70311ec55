"""Cells with their outputs, and what is kept of a run."""

from __future__ import annotations

from workbench.notebooks.cell_output import Shown, read_outputs
from workbench.replays.replay import (
    Facts,
    Predicted,
)
from workbench.runs.run import RunState

# Outputs


def code(source: str, *outputs: dict, tags: tuple[str, ...] = (), started: str | None = "2026-01-01T00:00:00") -> dict:
    metadata = {"tags": list(tags), "papermill": {"status": "completed", "start_time": started}}
    return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": list(outputs)}


def stream(text, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": text}


def outputs(*cells: dict, own_names=()) -> dict[str, Shown]:
    return read_outputs({"cells": list(cells)}, own_names=own_names)


# Replays


def build_facts(**changes) -> Facts:
    values = {
        "run_id": "aaaa1111",
        "state": RunState.FINISHED,
        "error": None,
        "notebook_digest": "d" * 64,
        "parameters": {"strength": 1.0},
        "metrics": {"roc_auc": 0.9},
        "datasets": {"train train": "a" * 64, "holdout holdout": "b" * 64},
        "predictions": {"1": Predicted(0.0, 0.25), "2": Predicted(1.0, 0.75)},
        "predictions_digest": "c" * 64,
        "outputs": {"cell 2 stdout": Shown("auc 0.9")},
        "model": {"model/model.skops": "e" * 64, "model/contract.json": "f" * 64},
    }
    return Facts(**{**values, **changes})


def again(**changes) -> Facts:
    return build_facts(run_id="bbbb2222", **changes)

"""What runs logged as MLflow's own entities, in pieces that it takes in one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from workbench.runs.logged_calls import LoggedCalls, choose_points
from workbench.runs.run import Run

# What MLflow takes in one call.
_MOST_METRICS, _MOST_TEXTS = 800, 100


def batch_entries(
    metrics: Sequence[Any], params: Sequence[Any], tags: Sequence[Any]
) -> Iterator[tuple[Sequence[Any], Sequence[Any], Sequence[Any]]]:
    """Yield the entries in pieces that MLflow takes in one call, as few as possible."""
    for number in count():
        texts, values = number * _MOST_TEXTS, number * _MOST_METRICS
        piece = (
            metrics[values : values + _MOST_METRICS],
            params[texts : texts + _MOST_TEXTS],
            tags[texts : texts + _MOST_TEXTS],
        )
        if not any(piece):
            return
        yield piece


def spell_texts(texts: Mapping[str, str], kind: str) -> list[Any]:
    """Return texts as MLflow's entities of a kind: Param or RunTag."""
    from mlflow import entities

    return [getattr(entities, kind)(name, value) for name, value in texts.items()]


def spell_points(run: Run, calls: LoggedCalls) -> list[Any]:
    """Return the metrics of a run, point by point, as MLflow's entities."""
    from mlflow.entities import Metric

    ended_ms = int((datetime.fromisoformat(run.ended) if run.ended else datetime.now(UTC)).timestamp() * 1000)
    points = choose_points(run, calls, ended_ms=ended_ms)
    return [Metric(each.name, each.value, each.time_ms, each.step) for each in points]


def facts_of_call(call: Mapping[str, str]) -> dict[str, Any]:
    """Return a dataset that a call of MLflow logged as what describes one."""
    facts = {name: value or None for name, value in call.items() if name != "context"}
    return {**facts, "tags": {"mlflow.data.context": call["context"]} if call["context"] else {}}


def spell_input(described: Mapping[str, Any]) -> Any:
    """Return a described dataset as an input of MLflow's."""
    from mlflow.entities import Dataset, DatasetInput, InputTag

    facts = {name: value for name, value in described.items() if name != "tags"}
    return DatasetInput(Dataset(**facts), [InputTag(name, value) for name, value in described["tags"].items()])

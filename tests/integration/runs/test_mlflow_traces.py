"""What a notebook traces is kept as files of its run; what is said of traces elsewhere is refused with words."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from workbench.runs.logged_calls import ARTIFACTS, FURTHER, read_logged_calls, spool_address
from workbench.runs.spool import LOGGED_METRICS

TRACKED_AS = "ab" * 16


@pytest.fixture
def store(tmp_path: Path, blank_tracking: Path) -> Any:
    """The store that MLflow in a kernel writes to; MLflow is imported by then, with its warnings."""
    from workbench.runs.mlflow_spool import SpoolStore

    return SpoolStore(spool_address(tmp_path, TRACKED_AS))


def trace(trace_id: str, run_id: str | None = None) -> Any:
    from mlflow.entities import TraceInfo, TraceLocation, TraceState

    metadata = {"mlflow.sourceRun": run_id} if run_id else {}
    location = TraceLocation.from_experiment_id("0")
    return TraceInfo(trace_id, location, 1_000, TraceState.OK, trace_metadata=metadata, tags={})


def test_a_trace_lies_with_the_run_it_is_of_and_its_tags_with_it(store: Any, tmp_path: Path) -> None:
    further = store.create_run("0", run_name="further").info.run_id
    places = {"tr-1": ARTIFACTS, "tr-2": ARTIFACTS, "tr-3": f"{FURTHER}/further"}
    for trace_id, run_id in zip(places, (None, TRACKED_AS, further), strict=True):
        kept = store.start_trace(trace(trace_id, run_id))
        place = tmp_path / places[trace_id] / "traces" / trace_id
        assert kept.tags["mlflow.artifactLocation"] == place.as_uri()
        store.set_trace_tag(trace_id, "team", "blue")
        store.set_trace_tag(trace_id, "left", "out")
        store.delete_trace_tag(trace_id, "left")
        assert json.loads((place / "info.json").read_text(encoding="utf-8"))["tags"] == {"team": "blue"}
        assert store.get_trace_info(trace_id) is kept
    calls = read_logged_calls(tmp_path, {}, own=LOGGED_METRICS)
    assert calls is not None
    assert [note for note in calls.notes if "traces are kept as files" in note] == list(calls.notes)


@pytest.mark.parametrize("trace_id", ["../away", "", "a/b"])
def test_a_trace_cannot_lie_elsewhere(store: Any, trace_id: str, tmp_path: Path) -> None:
    from mlflow.exceptions import MlflowException

    with pytest.raises(MlflowException, match="cannot name a trace"):
        store.start_trace(trace(trace_id))
    assert [*tmp_path.iterdir()] == []


def test_traces_of_others_and_what_is_said_of_traces_are_refused_with_words(store: Any) -> None:
    from mlflow.exceptions import MlflowException

    for call in (store.search_traces, store.delete_traces, store.create_assessment, store.link_traces_to_run):
        with pytest.raises(MlflowException, match="only records what this notebook logs"):
            call()
    with pytest.raises(MlflowException, match="has no trace tr-9"):
        store.get_trace_info("tr-9")

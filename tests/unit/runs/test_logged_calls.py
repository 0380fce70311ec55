"""What was logged with MLflow is read as strictly as anything a notebook may have written itself."""

from __future__ import annotations

import json
import re
from itertools import chain

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.runs import logged_calls
from workbench.runs.artifacts import find_artifacts
from workbench.runs.folder import LOGGED_METRICS
from workbench.runs.logged_calls import (
    CALLS,
    FOLDER,
    LoggedCalls,
    can_be_named,
    read_calls,
    read_logged_calls,
    remove_empty_folders,
)
from workbench.runs.points import Point

METRIC = {"call": "metric", "run": "", "name": "loss", "value": 0.5, "step": 0, "time_ms": 1_000}
PARAMETER = {"call": "parameter", "run": "", "name": "depth", "value": "3"}
TAG = {"call": "tag", "run": "", "name": "team", "value": "blue"}
INPUT = {"call": "input", "run": "", **dict.fromkeys(logged_calls.INPUT_LIMITS, "x")}
NOTE = {"call": "note", "text": "an image was too large"}
CHILD = {"call": "run", "run": "child", "nested": True}


def lines(*calls: object) -> bytes:
    return b"".join(json.dumps(call).encode() + b"\n" for call in calls)


@pytest.mark.parametrize(
    "change",
    [
        {"call": "model"},
        {"call": ["metric"]},
        {"name": "../up"},
        {"name": 5},
        {"name": "a\u0000b"},
        {"value": True},
        {"value": 1},
        {"value": "0.5"},
        {"value": None},
        {"step": 0.5},
        {"step": 2**63},
        {"step": True},
        {"time_ms": -1},
        {"time_ms": 2**60},
        {"run": "nobody"},
        {"run": "../up"},
        {"extra": 1},
    ],
    ids=str,
)
def test_what_the_kernel_would_not_have_written_is_refused(change):
    assert read_calls(lines(METRIC)).metrics == {"loss": 0.5}
    with pytest.raises((ValueError, TypeError)):
        read_calls(lines({**METRIC, **change}))


@pytest.mark.parametrize("content", [b"1\n", b"[]\n", b"{", b"\xff\n", b'{"call": NaN}\n', b"9" * 9_999])
def test_what_is_no_object_of_json_is_refused(content):
    with pytest.raises(ValueError):
        read_calls(content)


_any_text = st.text(st.characters() | st.sampled_from("\ud800/."), max_size=4)
_any_value = _any_text | st.none() | st.booleans() | st.integers() | st.floats() | st.lists(_any_text, max_size=2)
_calls = st.sampled_from([METRIC, PARAMETER, TAG, INPUT, NOTE, {**METRIC, "run": "child"}, {**TAG, "value": "\ud800"}])


def _edit(call):
    """Draw a call with one of its fields left out or changed, or one too many."""
    changed = st.tuples(st.sampled_from([*call, "extra"]), _any_value).map(lambda edit: {**call, edit[0]: edit[1]})
    return changed | st.sampled_from([{key: call[key] for key in call if key != left_out} for left_out in call])


_logs = st.tuples(st.just([CHILD]), st.lists(_calls, max_size=3), st.lists(_calls.flatmap(_edit), max_size=1))


@settings(max_examples=300)
@given(_logs.map(lambda parts: lines(*chain(*parts))) | st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_and_nothing_else(content):
    try:
        calls = read_calls(content)
    except ValueError as exc:
        assert str(exc)
        return
    assert all(map(can_be_named, [*(point.name for point in calls.points), *calls.parameters, *calls.tags]))
    assert all(type(point.value) is float and type(point.step) is int for point in calls.points)
    texts = [*calls.parameters.values(), *calls.tags.values(), *calls.notes, *(e["name"] for e in calls.inputs)]
    assert not re.search("[\ud800-\udfff]", "".join(texts))


def test_more_bytes_than_a_run_may_log_are_refused(monkeypatch):
    monkeypatch.setattr(logged_calls, "LARGEST_BYTES", 10)
    with pytest.raises(ValueError, match="more than 10"):
        read_calls(lines(METRIC))


@pytest.mark.parametrize(("said", "read"), [("nan", "nan"), ("inf", "inf"), ("-inf", "-inf")])
def test_a_value_that_is_no_finite_number_is_kept_as_what_it_is(said, read):
    assert str(read_calls(lines({**METRIC, "value": said})).metrics["loss"]) == read


def test_the_value_of_a_metric_is_that_of_its_last_step_and_then_its_latest():
    calls = [{**METRIC, "step": step, "value": value} for step, value in ((5, 0.1), (1, 0.2), (5, 0.3), (2, 0.4))]
    assert read_calls(lines(*calls)).metrics == {"loss": 0.3}


def test_at_one_step_and_time_the_larger_value_is_the_metrics_as_in_mlflow():
    calls = read_calls(lines(*({**METRIC, "value": value} for value in (3.0, 1.0, 2.0))))
    assert ([point.time_ms for point in calls.points], calls.metrics) == ([1_000] * 3, {"loss": 3.0})


OWN = {"name": "loss", "value": 0.25, "step": 2, "time_ms": 1_000}


def test_a_line_of_the_workbench_is_a_point_like_any_other():
    calls = read_calls(lines(METRIC, {**METRIC, "step": 3}), own=lines(OWN, {**OWN, "name": "auc"}))
    assert calls.metrics == {"loss": 0.5, "auc": 0.25}
    assert len(calls.points) == 4


def test_a_further_run_leaves_a_name_to_the_workbenchs_own_points():
    further = {"call": "run", "run": "run-2", "nested": False}
    calls = read_calls(lines(further, {**METRIC, "run": "run-2", "step": 9}), own=lines(OWN))
    assert calls.metrics == {"run-2/loss": 0.5, "loss": 0.25}


def test_a_point_that_was_logged_twice_is_one_point():
    assert len(read_calls(lines(METRIC, METRIC, {**METRIC, "value": 0.25})).points) == 2


def test_too_many_points_are_cut_but_no_last_value_is_lost(monkeypatch):
    monkeypatch.setattr(logged_calls, "MOST_POINTS", 10)
    calls = read_calls(lines(*({**METRIC, "step": step, "value": float(step)} for step in range(100))))
    assert (len(calls.points), calls.metrics) == (11, {"loss": 99.0})
    assert calls.notes == ["100 values of metrics were logged; the first 10 and each last one are kept"]


def test_long_and_many_texts_are_cut_and_noted():
    many = [{**TAG, "name": f"t{number}"} for number in range(1_001)]
    calls = read_calls(lines({**PARAMETER, "value": "x" * 7_000}, *many))
    assert (len(calls.parameters["depth"]), len(calls.tags)) == (6_000, 1_000)
    assert len(calls.notes) == 2


def test_half_a_character_becomes_a_question_mark():
    assert read_calls(lines({**TAG, "value": "a\ud800b"})).tags == {"team": "a?b"}


def test_a_name_that_grows_too_long_inside_of_a_nested_run_is_left_out_and_noted():
    calls = read_calls(
        lines({"call": "run", "run": "child", "nested": True}, {**METRIC, "run": "child", "name": "x" * 250})
    )
    assert calls.points == []
    assert len(calls.notes) == 1


def test_the_notebooks_own_run_has_a_name_before_all_others_whoever_was_first():
    further = {"call": "run", "run": "run-2", "nested": False}
    calls = read_calls(lines(further, {**METRIC, "run": "run-2", "value": 0.1}, METRIC))
    assert calls.metrics == {"run-2/loss": 0.1, "loss": 0.5}


def test_a_parameter_keeps_the_value_the_run_was_started_with():
    calls = read_calls(lines(PARAMETER, {**PARAMETER, "name": "C", "value": "2"}), {"depth": 4, "C": 2})
    assert calls.parameters == {}
    assert calls.notes == ["parameter depth keeps the value the run was started with"]


def test_a_tag_can_be_taken_back_and_reserved_ones_are_not_a_notebooks_to_set():
    removed = {"call": "tag removed", "run": "", "name": "team"}
    reserved = [{**TAG, "name": name} for name in ("mlflow.user", "workbench.run", "mlflow.note.content")]
    assert read_calls(lines(TAG, removed, *reserved)).tags == {"mlflow.note.content": "blue"}


def test_a_dataset_that_is_too_long_is_left_out_and_noted():
    calls = read_calls(lines(INPUT, {**INPUT, "digest": "x" * 37}))
    assert (len(calls.inputs), len(calls.notes)) == (1, 1)


@pytest.mark.parametrize("name", [".hidden", "a/b c", "größe", "a:b", "x" * 250])
def test_mlflows_names_are_taken(name):
    assert can_be_named(name)


# From the disk


def write(folder, content: bytes):
    (folder / FOLDER).mkdir()
    (folder / CALLS).write_bytes(content)


def test_without_a_file_nothing_was_logged(tmp_path):
    assert read_logged_calls(tmp_path, {}, own=LOGGED_METRICS) is None


def test_half_a_last_line_of_a_killed_kernel_is_passed_over(tmp_path):
    write(tmp_path, lines(METRIC) + b'{"call": "met')
    assert read_logged_calls(tmp_path, {}, own=LOGGED_METRICS).metrics == {"loss": 0.5}


def test_the_workbenchs_points_are_read_where_nothing_was_logged_with_mlflow(tmp_path):
    (tmp_path / LOGGED_METRICS).write_bytes(lines(OWN) + b'{"name": "lo')
    assert read_logged_calls(tmp_path, {}, own=LOGGED_METRICS).points == [Point("loss", 0.25, 2, 1_000)]


def test_lines_of_an_older_version_without_a_time_are_passed_over_and_cost_nothing_else(tmp_path):
    write(tmp_path, lines(METRIC))
    (tmp_path / LOGGED_METRICS).write_bytes(lines({"name": "loss", "value": 0.25, "step": 2}))
    calls = read_logged_calls(tmp_path, {}, own=LOGGED_METRICS)
    assert (calls.metrics, calls.notes) == ({"loss": 0.5}, [])


@pytest.mark.parametrize("content", [b"nonsense\n", lines({**METRIC, "name": 5})])
def test_what_cannot_be_read_is_one_note_and_no_error(tmp_path, content):
    write(tmp_path, content)
    calls = read_logged_calls(tmp_path, {}, own=LOGGED_METRICS)
    assert calls.points == ()
    assert "cannot be read" in calls.notes[0]


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_bytes(lines(METRIC))
    (tmp_path / FOLDER).mkdir()
    (tmp_path / CALLS).symlink_to(tmp_path / "elsewhere")
    assert read_logged_calls(tmp_path, {}, own=LOGGED_METRICS).points == ()


def test_empty_folders_of_artifacts_go_and_those_of_others_stay(tmp_path):
    for name in (f"{FOLDER}/artifacts/a/b", f"{FOLDER}/runs", "other", "full"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "full" / "x").touch()
    remove_empty_folders(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["full", "other"]
    (tmp_path / FOLDER).symlink_to(tmp_path / "other")
    remove_empty_folders(tmp_path)
    assert (tmp_path / "other").is_dir()


def test_an_artifact_never_takes_the_place_of_the_runs_own_files(tmp_path):
    for path in ("model/model.skops", "report.html", f"{FOLDER}/calls.jsonl"):
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).touch()
    for path in ("artifacts/model/evil.py", "artifacts/notes.txt", "runs/second/notes.txt", "runs/second/more.txt"):
        (tmp_path / FOLDER / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / FOLDER / path).touch()
    assert set(find_artifacts(tmp_path, LoggedCalls(further=["second"]))) == {
        "model/model.skops",
        "report.html",
        "notes.txt",
        "more.txt",
        f"{FOLDER}/artifacts/model/evil.py",
        f"{FOLDER}/runs/second/notes.txt",
    }

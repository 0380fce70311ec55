"""Whatever had the holdout at hand is a look at it, and what was seen differently is counted once."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.unit.people import AUTHOR
from workbench.runs.folder import DATASETS, LOOKS, PREDICTIONS
from workbench.runs.looks import Look, count_distinct, describe_abandoned, look_of_run, looks_of_draft, name_distinct
from workbench.runs.run import Run, RunState

AT = "2026-11-20T09:00:00+00:00"
HOLDOUT = {"name": "holdout", "role": "holdout", "digest": "d", "rows": 9, "columns": 3}


def look(run_id: str = "aaaaaaaa", stored: str = "", *, state: RunState = RunState.FINISHED, **record: Any) -> Look:
    files = {"files": {PREDICTIONS: stored}} if stored else {}
    run = Run(run_id, "train.ipynb", "ab" * 32, {}, {}, AUTHOR, AT, state=state, started=AT)
    found = look_of_run(replace(run, record={"datasets": [HOLDOUT], **files, **record}), Path())
    assert found is not None
    return found


def draft(*predicted: str) -> Look:
    return Look(Path("draft"), "d", 9, AT, predicted)


def test_runs_that_predict_the_same_are_one() -> None:
    assert count_distinct([look("aaaaaaaa", "1"), look("bbbbbbbb", "1"), look("cccccccc", "2")]) == 2
    assert count_distinct([look("aaaaaaaa"), look("bbbbbbbb")]) == 2


def test_each_try_is_named_by_who_shows_it_the_oldest_first() -> None:
    again = look("cccccccc", "1")
    looks = [again, look("bbbbbbbb", "2"), look("aaaaaaaa", "1"), look("dddddddd", state=RunState.LOST), draft("x")]
    named = ["run aaaaaaaa (the same: run cccccccc)", "run bbbbbbbb", "draft draft", "run dddddddd"]
    assert name_distinct(looks) == named
    assert name_distinct(looks[3:4] * 2) == ["run dddddddd"] * 2


def test_what_failed_after_it_showed_a_score_counts_unless_another_run_shows_the_same() -> None:
    shown = [look("aaaaaaaa", "1", metrics={"auc": 0.8}), look("bbbbbbbb", "2", metrics={"auc": 0.9})]
    failed = [look(state=RunState.FAILED, metrics={"auc": value}) for value in (0.7, 0.7, 0.8)]
    assert count_distinct([*shown, *failed]) == 3


def test_each_attempt_of_which_nobody_knows_what_it_showed_is_another() -> None:
    gone = [look(state=state) for state in (RunState.FAILED, RunState.KILLED, RunState.LOST)]
    assert count_distinct([look(stored="1"), *gone]) == 4


def test_what_was_scored_and_overwritten_counts_and_what_another_run_stored_does_not_count_again() -> None:
    assert count_distinct([look(stored="1", predicted=["x", "y", "z"])]) == 3
    assert count_distinct([look(stored="1", predicted=["z"]), look(state=RunState.FAILED, predicted=["z"])]) == 1
    assert count_distinct([look(stored="1", predicted=["z"]), draft("z"), draft("x", "y"), draft("y")]) == 3


def test_a_draft_is_a_look_at_each_holdout_it_had_at_hand() -> None:
    lines = [
        {"time": AT, "predicted": "x"},
        {"time": AT, "holdout": "d", "rows": 9},
        {"time": AT, "predicted": "y"},
        {"time": AT, "holdout": "e", "rows": 5},
        {"time": AT, "holdout": "d", "rows": 9},
        {"time": AT, "predicted": "z"},
    ]
    journal = "\n".join([*map(json.dumps, lines), '{"time": "half']).encode()
    looks = looks_of_draft(Path("draft"), journal)
    assert [(each.digest, each.predicted) for each in looks] == [("d", ("x", "y", "z")), ("e", ())]
    assert count_distinct(looks) == 4


def test_what_a_killed_kernel_left_half_written_hides_no_look() -> None:
    files = {f"{DATASETS}/1.json": b'{"name": "ho', LOOKS: b'{"time": "now", "predicted": "x"}\n[]\n{"time": 1}\n{"ti'}
    assert describe_abandoned(files) == {"predicted": ["x"]}
    assert describe_abandoned({}) == {}

"""Whatever a notebook leaves in its folder, its run ends with a reason, and nothing outside of the folder is read or written."""

from __future__ import annotations

import errno
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.unit.evidence.builders import build_execution
from tests.unit.people import AUTHOR, ENDED
from workbench.errors import Unavailable
from workbench.executors.jobs import Outcome
from workbench.files.trees import read_tree
from workbench.models.first_answers import FirstAnswers
from workbench.records.digest import sha256_hex
from workbench.records.row_digests import digest_table
from workbench.runs import collecting, spool
from workbench.runs.collecting import RunFolder, collect_run, remove_unfinished
from workbench.runs.folder import DATASETS, FIRST_ANSWERS, NOTEBOOK, RECORD, REPORT
from workbench.runs.logged_calls import ARTIFACTS, CALLS
from workbench.runs.run import Run, RunState
from workbench.runs.tables import count_shared_rows, read_tables


def document(text: str = "42") -> dict:
    output = {"output_type": "stream", "name": "stdout", "text": text}
    cell = {"cell_type": "code", "metadata": {}, "source": "x", "execution_count": 1, "outputs": [output]}
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": [cell]}


RUN = Run("3f9a1c27", "train.ipynb", "ab" * 32, {}, {}, AUTHOR, ENDED, state=RunState.RUNNING)


def collect(folder: RunFolder, *, failure: str | None = None, text: str = "42") -> Run:
    return collect_run(RUN, Outcome(document(text), build_execution(), failure), folder)


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    return RunFolder.make(tmp_path / "runs" / RUN.id)


def test_that_other_scores_are_stored_than_were_given_stands_in_the_record(folder):
    note = FirstAnswers(0.0, instead="the model's probabilities")
    (folder.path / FIRST_ANSWERS).write_bytes(note.to_bytes())
    assert collect(folder).record["notes"] == [note.note]


REFUSED = (
    "Cell 1 raised MlflowException: The saved sklearn model references untrusted types. If you are sure loading these types is "
    "safe, set the 'skops_trusted_types' parameter when calling 'log_model'.\n  - sklearn.tree._tree.Tree: (the shared node\n"
    'storage) is unbounded. (line 5: mlflow.sklearn.log_model(forest, name="model"))'
)


def test_a_model_that_mlflow_does_not_write_is_told_with_what_to_write_instead(folder):
    failed = collect(folder, failure=REFUSED)
    assert "references untrusted types. Use `wb.log_model(model, features)` instead" in failed.error
    assert failed.error.endswith(' (line 5: mlflow.sklearn.log_model(forest, name="model"))')
    assert "Tree" not in failed.error
    assert "raised ValueError: no" in collect(folder, failure="Cell 1 raised ValueError: no").error


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_model_is_said_to_be_kept_where_it_is(folder, is_whole):
    model = folder.path / ARTIFACTS / "mine"
    model.mkdir(parents=True)
    (model / ("MLmodel" if is_whole else "model.skops")).write_text("x", encoding="utf-8")
    notes = collect(folder).record.get("notes", [])
    assert ["'mine' was logged with MLflow" in note for note in notes] == [True] * is_whole


def put_folder(path):
    path.mkdir(exist_ok=True)
    (path / "x").write_text("x", encoding="utf-8")


PUT = {
    "folder": put_folder,
    "empty folder": lambda path: path.mkdir(),
    "dangling link": lambda path: path.symlink_to("/nowhere"),
    "link": lambda path: path.symlink_to(path.parents[2] / "outside"),
    "pipe": os.mkfifo,
    "file": lambda path: path.write_text("mine", encoding="utf-8"),
}


@pytest.mark.parametrize("name", [RECORD, NOTEBOOK, REPORT, f".{RECORD}", f".{REPORT}"])
@pytest.mark.parametrize("kind", PUT)
def test_what_has_the_name_of_one_of_our_files_gives_way(folder, tmp_path, name, kind):
    (tmp_path / "outside").write_text("untouched", encoding="utf-8")
    PUT[kind](folder.path / name)
    run = collect(folder)
    assert (run.state, run.error) == (RunState.FINISHED, None)
    files = read_tree(folder.path)
    assert json.loads(files.pop(RECORD))["files"] == {path: sha256_hex(content) for path, content in files.items()}
    assert set(files) == {NOTEBOOK, REPORT}
    assert (tmp_path / "outside").read_text(encoding="utf-8") == "untouched"


TABLE = {
    "name": "rows",
    "role": "holdout",
    "digest": digest_table([["a", "number"]], ["0"], ["00"]),
    "rows": 1,
    "columns": 1,
    "types": [["a", "number"]],
    "row_ids": ["0"],
    "row_digests": ["00"],
}


def put_table(folder, file="0.json", **changes):
    (folder.path / DATASETS).mkdir(exist_ok=True)
    (folder.path / DATASETS / file).write_text(json.dumps({**TABLE, **changes}), encoding="utf-8")


@pytest.mark.parametrize(
    "line",
    [
        '{"name": "a#b", "value": 1.0, "step": 0, "time_ms": 1}',
        '{"name": "", "value": 1.0, "step": 0, "time_ms": 1}',
        '{"name": "\\ud800", "value": 1.0, "step": 0, "time_ms": 1}',
        '{"name": ["a"], "value": 1.0, "step": 0, "time_ms": 1}',
        '{"name": "a", "value": 1' + "0" * 400 + ', "step": 0, "time_ms": 1}',
        '{"name": "a", "value": 1e999, "step": 0, "time_ms": 1}',
        '{"name": "a", "value": "1", "step": 0, "time_ms": 1}',
        '{"name": "a", "value": true, "step": 0, "time_ms": 1}',
        '{"name": "a", "value": 1.0, "step": 0.5, "time_ms": 1}',
        '{"name": "a", "value": 1.0, "step": true, "time_ms": 1}',
        '{"name": "a", "value": 1.0, "step": 9223372036854775808, "time_ms": 1}',
        '{"name": "a", "value": 1.0, "step": 0, "time_ms": -1}',
        '{"name": "a", "value": 1.0, "step": 0}',
        '{"name": "a", "value": 1.0, "step": 0, "time_ms": 1, "more": 1}',
        '{"name": "a", "step": 0, "time_ms": 1}',
        "[1]",
        '{"name": "a"',
        "\ufffe",
    ],
)
def test_a_metric_that_could_not_have_been_logged_fails_the_run(folder, line):
    (folder.path / spool.LOGGED_METRICS).write_text(line + "\n", encoding="utf-8")
    run = collect(folder)
    assert run.state is RunState.FAILED
    assert run.error.startswith("What the notebook logged cannot be read: ")
    assert run.error.isprintable()
    assert (folder.path / REPORT).is_file()
    assert not (folder.path / RECORD).exists()


def test_the_record_says_of_a_metric_with_steps_where_its_value_was_logged_and_how_many_there_are(folder, monkeypatch):
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(folder.path))
    for step, loss in ((1, 0.9), (10, 0.1), (5, 0.5)):
        wb.log_metrics({"loss": loss}, step=step)
    wb.log_metrics({"auc": 0.75})
    wb.log_metrics({"f1": 0.5}, step=3)
    record = collect(folder).record
    assert record["metrics"] == {"loss": 0.1, "auc": 0.75, "f1": 0.5}
    assert record["history"] == {"loss": {"step": 10, "points": 3}, "f1": {"step": 3, "points": 1}}


def test_the_record_of_a_run_without_steps_is_what_it_always_was(folder, monkeypatch):
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(folder.path))
    wb.log_metrics({"auc": 0.75, "loss": 0.5})
    assert set(collect(folder).record) == {"metrics", "datasets", "execution", "kernel", "files"}


def put_calls(folder, *calls):
    (folder.path / CALLS).parent.mkdir(exist_ok=True)
    lines = [json.dumps({"call": "metric", "run": "", **call}) + "\n" for call in calls]
    (folder.path / CALLS).write_text("".join(lines), encoding="utf-8")


def test_points_logged_in_both_ways_are_one_history(folder):
    loss = {"name": "loss", "step": 3, "time_ms": 1_000}
    put_calls(folder, {**loss, "value": 0.5}, {**loss, "value": 0.25, "step": 2})
    own = [{**loss, "value": 0.125}, {**loss, "value": 0.5}, {**loss, "value": 0.75, "step": -4}]
    (folder.path / spool.LOGGED_METRICS).write_text("".join(json.dumps(each) + "\n" for each in own), encoding="utf-8")
    record = collect(folder).record
    assert record["metrics"] == {"loss": 0.5}
    assert record["history"] == {"loss": {"step": 3, "points": 4}}


def test_the_history_of_a_metric_that_is_left_out_is_left_out_too(folder):
    put_calls(folder, *({"name": "a:b", "value": 0.5, "step": step, "time_ms": 1_000} for step in (1, 2)))
    record = collect(folder).record
    assert (record["metrics"], record["notes"], "history" in record) == ({}, ["metric a:b is left out"], False)


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": [1]},
        {"rows": True},
        {"rows": 2},
        {"digest": 5},
        {"role": "test"},
        {"name": "\ud800"},
        {"name": None},
        {"types": None},
        {"types": [1]},
        {"row_ids": [0]},
        {"row_ids": "0"},
        {"row_digests": []},
    ],
    ids=repr,
)
def test_a_dataset_that_could_not_have_been_logged_fails_the_run(folder, changes):
    put_table(folder, **changes)
    run = collect(folder)
    assert run.state is RunState.FAILED
    assert "What the notebook logged cannot be read" in run.error


def test_two_holdouts_fail_the_run_and_one_does_not(folder):
    put_table(folder)
    assert collect(folder).record["datasets"] == [{key: TABLE[key] for key in list(TABLE)[:5]}]
    put_table(folder, "1.json", digest=digest_table([["a", "number"]], ["0"], ["01"]), row_digests=["01"])
    assert "more than one holdout" in collect(folder).error


def test_a_table_is_named_by_its_rows_and_by_nothing_else(folder):
    put_table(folder, digest="another one")
    assert "names another table than its rows are" in collect(folder).error


@pytest.mark.parametrize(
    "place", ["left", spool.LOGGED_METRICS, f"{DATASETS}/x.json", "model/model.skops", spool.PREDICTIONS]
)
@pytest.mark.parametrize("kind", ["pipe", "link"])
def test_what_is_no_plain_file_is_never_opened_and_fails_the_run(folder, place, kind):
    path = folder.path / place
    path.parent.mkdir(exist_ok=True)
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/null")
    run = collect(folder)
    assert run.state is RunState.FAILED
    assert run.error.startswith("What the notebook wrote cannot be kept: ")
    assert (folder.path / REPORT).is_file()


def replace_by_link(path, elsewhere):
    path.rename(elsewhere)
    path.symlink_to(elsewhere)


def replace_by_folder(path, elsewhere):
    path.rename(elsewhere)
    path.mkdir()


@pytest.mark.parametrize(
    "ruin",
    [
        lambda path, _: shutil.rmtree(path),
        replace_by_link,
        replace_by_folder,
        lambda path, elsewhere: path.rename(elsewhere),
    ],
    ids=["gone", "link", "another", "moved"],
)
def test_a_folder_that_is_not_the_one_we_made_fails_the_run_and_is_not_written_to(folder, tmp_path, ruin):
    elsewhere = tmp_path / "elsewhere"
    ruin(folder.path, elsewhere)
    run = collect(folder)
    assert run.state is RunState.FAILED
    assert "is gone, or not the folder that was made for this run" in run.error
    assert not elsewhere.exists() or list(elsewhere.iterdir()) == []


def test_what_the_notebook_itself_raised_is_the_reason_whatever_it_left(folder):
    os.mkfifo(folder.path / "pipe")
    assert collect(folder, failure="Cell 1 raised ValueError: \ud800").error == "Cell 1 raised ValueError: ?"


def test_half_of_a_character_in_an_output_is_kept_and_costs_nothing(folder):
    assert collect(folder, text="a\\\ud800é").is_finished
    executed = json.loads((folder.path / NOTEBOOK).read_text(encoding="utf-8"))
    assert executed["cells"][0]["outputs"][0]["text"] == "a\\\ud800é"


def test_an_output_that_cannot_be_rendered_costs_the_report_and_not_the_run(folder, monkeypatch):
    monkeypatch.setattr(collecting, "render_report", lambda *_: {}["missing"])
    assert collect(folder).is_finished
    assert "could not be made" in (folder.path / REPORT).read_text(encoding="utf-8")


def test_a_report_shows_what_was_stored_of_the_holdout_and_how_metrics_went(folder, monkeypatch):
    truth, score = np.arange(40) % 2 == 1, np.linspace(0, 1, 40)
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(folder.path))
    wb.log_predictions([f"r{n}" for n in range(40)], truth, score)
    for step in range(3):
        wb.log_metrics({"loss": 1.0 / (step + 1)}, step=step)
    assert collect(folder).is_finished
    report = (folder.path / REPORT).read_text(encoding="utf-8")
    assert "Of 40 rows 20 are named wrong at a threshold of 0.5: " in report
    assert "<h2>Metrics step by step</h2>" in report
    assert report.count('class="wb-picture"') == 4


def test_what_cannot_be_drawn_costs_neither_the_run_nor_its_report(folder, monkeypatch):
    monkeypatch.setattr(collecting, "read_results", lambda *_: {}["missing"])
    assert collect(folder).is_finished
    report = (folder.path / REPORT).read_text(encoding="utf-8")
    assert "What came out cannot be drawn (KeyError: " in report
    assert "42" in report


@pytest.mark.parametrize(
    "error", [OverflowError("too large"), OSError(errno.EACCES, "not yours"), MemoryError()], ids=repr
)
def test_whatever_goes_wrong_with_one_run_fails_that_run(folder, monkeypatch, error):
    def fail(_):
        raise error

    monkeypatch.setattr(collecting, "sync_folder", fail)
    run = collect(folder)
    assert run.state is RunState.FAILED
    assert type(error).__name__ in run.error or "not yours" in run.error
    assert not (folder.path / RECORD).exists()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EIO])
def test_a_disk_that_does_not_answer_is_not_the_fault_of_the_run(folder, monkeypatch, number):
    def fail(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(collecting, "sync_folder", fail)
    with pytest.raises(Unavailable, match="could not be written"):
        collect(folder)


def test_what_a_killed_run_left_unfinished_is_removed_whatever_it_is(folder):
    (folder.path / f".{RECORD}").mkdir()
    (folder.path / RECORD).write_text("{}", encoding="utf-8")
    (folder.path / "kept").write_text("", encoding="utf-8")
    remove_unfinished(folder.path)
    assert [path.name for path in folder.path.iterdir()] == ["kept"]


# Rows that training had seen

ROWS = pd.DataFrame({"age": [31, 42, 57], "town": ["Bern", "Ulm", None], "label": [0, 1, 1]})


def count_shared(folder, train: pd.DataFrame, monkeypatch) -> int | None:
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(folder.path))
    wb.log_dataset(train, role="train")
    wb.log_dataset(ROWS, role="holdout")
    return count_shared_rows(read_tables(read_tree(folder.path)))


@pytest.mark.parametrize(
    "train",
    [
        ROWS,
        ROWS[["label", "town", "age"]],
        ROWS.astype({"age": "float64", "label": "float64"}),
        ROWS.astype({"age": "int8", "label": "bool"}),
        ROWS.astype({"age": "Int64", "label": "Float64"}),
        ROWS.astype({"town": "category"}),
        ROWS.set_axis([7, 8, 9]),
    ],
    ids=["same", "other order", "floats", "narrow", "nullable", "category", "other index"],
)
def test_a_row_that_training_had_seen_is_found_however_its_numbers_are_kept(folder, monkeypatch, train):
    assert count_shared(folder, train, monkeypatch) == 3


@pytest.mark.parametrize(
    "train",
    [
        ROWS.drop(columns="label"),
        ROWS.assign(weight=1.0),
        ROWS.rename(columns={"age": "years"}),
        ROWS.astype({"age": "float32"}),
        ROWS.astype({"age": "str"}),
    ],
    ids=["without the label", "one more", "renamed", "rounded", "text"],
)
def test_rows_with_other_columns_or_types_cannot_be_compared(folder, monkeypatch, train):
    assert count_shared(folder, train, monkeypatch) is None


def test_rows_that_differ_in_one_value_are_not_shared(folder, monkeypatch):
    assert count_shared(folder, ROWS.assign(age=[31, 43, 58]), monkeypatch) == 1

"""What a notebook kept stands in its run's record with its digest, however the run ended, and without secrets."""

from __future__ import annotations

import json

import pytest

from tests.unit.evidence.builders import build_execution
from tests.unit.runs.test_collecting import RUN, document
from workbench.executors.jobs import Outcome
from workbench.records.digest import sha256_hex
from workbench.runs import filing, keeping
from workbench.runs.collecting import RunFolder, collect_run, read_abandoned_files
from workbench.runs.folder import KEPT, MODEL, RECORD
from workbench.runs.keeping import read_kept_run
from workbench.runs.kept_files import KeptFile, read_kept_files
from workbench.runs.logged_calls import CALLS, NO_AUTOLOGGED_MODEL
from workbench.runs.run import Run
from workbench.secrets.redaction import Redactor

ROC = {"path": "plots/roc.png", "bytes": 3, "digest": sha256_hex(b"roc")}


@pytest.fixture
def folder(tmp_path) -> RunFolder:
    made = RunFolder.make(tmp_path / "runs" / RUN.id)
    (made.path / KEPT / "plots").mkdir(parents=True)
    (made.path / KEPT / "plots" / "roc.png").write_bytes(b"roc")
    return made


def collect(folder: RunFolder, *, failure: str | None = None, secret: str = "") -> Run:
    redactor = Redactor([secret] if secret else [])
    return collect_run(RUN, Outcome(document(), build_execution(), failure), folder, redactor)


def test_they_stand_in_the_record_in_its_files_and_in_the_report(folder):
    run = collect(folder)
    assert (run.error, run.record["kept_files"]) == (None, [ROC])
    assert json.loads((folder.path / RECORD).read_bytes())["files"][f"{KEPT}/plots/roc.png"] == ROC["digest"]
    assert read_kept_files(run.record) == [KeptFile(**ROC)]
    report = (folder.path / "report.html").read_text(encoding="utf-8")
    assert [word in report for word in ("Kept files", "plots/roc.png", "3 bytes")] == [True] * 3


def test_those_of_a_run_that_failed_stand_in_its_record_too(folder):
    assert collect(folder, failure="Cell 1 raised ValueError: no").record["kept_files"] == [ROC]
    (folder.path / "link").symlink_to("nowhere")  # for which the run cannot be kept
    run = collect(folder)
    assert "link" in str(run.error)
    assert run.record["kept_files"] == [ROC]
    assert read_abandoned_files(folder.path) == {"kept_files": [ROC]}


def test_a_secret_is_cut_out_of_them_and_that_is_told(folder):
    (folder.path / KEPT / "answer.txt").write_text("the key is hunter2hunter2", encoding="utf-8")
    run = collect(folder, secret="hunter2hunter2")
    assert run.record["notes"] == ["files/answer.txt held a secret, and is kept without it."]
    kept = (folder.path / KEPT / "answer.txt").read_bytes()
    assert b"hunter2" not in kept
    assert run.record["kept_files"][0]["digest"] == sha256_hex(kept)


def test_what_had_to_be_changed_is_a_note_and_the_run_finishes(folder):
    (folder.path / KEPT / "latest").symlink_to("/etc")
    run = collect(folder)
    assert (run.is_finished, run.record["notes"]) == (
        True,
        ["latest is not kept: it was a link to what lies elsewhere."],
    )


def test_more_files_than_can_be_told_fail_the_run_with_what_to_do(folder, monkeypatch):
    monkeypatch.setattr(filing, "MOST_KEPT", 0)
    run = collect(folder)
    assert "more than 0 files. Pack them into an archive" in str(run.error)
    assert (folder.path / KEPT / "plots" / "roc.png").exists()


def test_files_too_large_to_be_held_are_known_by_their_digest_and_a_change_is_seen(folder, monkeypatch):
    (folder.path / KEPT / "large").write_bytes(b"x" * 1000)
    monkeypatch.setattr(keeping, "MOST_HELD_BYTES", 100)
    run = collect(folder)
    kept = read_kept_run(run, folder.path)
    assert (kept.changed, kept.files[f"{KEPT}/plots/roc.png"]) == ((), b"roc")
    assert kept.larger == {f"{KEPT}/large": sha256_hex(b"x" * 1000)}
    (folder.path / KEPT / "large").write_bytes(b"y" * 1000)
    (folder.path / KEPT / "new").touch()
    assert read_kept_run(run, folder.path).changed == (f"{KEPT}/large", f"{KEPT}/new")


@pytest.mark.parametrize("has_model", [True, False])
@pytest.mark.parametrize("others", [["another"], []])
def test_advice_to_log_a_model_goes_once_one_is_logged(folder, has_model, others):
    lines = [json.dumps({"call": "note", "text": text}) + "\n" for text in (NO_AUTOLOGGED_MODEL, *others)]
    (folder.path / CALLS).parent.mkdir()
    (folder.path / CALLS).write_text("".join(lines), encoding="utf-8")
    if has_model:
        (folder.path / MODEL).mkdir()
        (folder.path / MODEL / "contract.json").write_text("{}", encoding="utf-8")
    assert collect(folder).record.get("notes", []) == [NO_AUTOLOGGED_MODEL, *others][has_model:]

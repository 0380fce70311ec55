"""A report that says a run goes on is never left behind."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.stores import build_run
from tests.unit.executors.test_live_notebook import executed
from workbench.runs import showing
from workbench.runs.collecting import RunFolder
from workbench.runs.redacting import NO_SECRETS
from workbench.runs.run import RunState
from workbench.runs.showing import LiveReports, finish_report

RUN = build_run(state=RunState.RUNNING, started="2026-11-20T09:12:31+00:00")
RENEWS = 'http-equiv="refresh"'


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    made = RunFolder.make(tmp_path / "run")
    (made.path / "notebook.ipynb").write_text(json.dumps(executed("half")), encoding="utf-8")
    (made.path / "metrics.jsonl").write_text(
        '{"name": "loss", "value": 0.25, "step": 0, "time_ms": 1}\n', encoding="utf-8"
    )
    return made


def report_of(folder: RunFolder) -> str:
    return (folder.path / "report.html").read_text(encoding="utf-8")


def test_while_a_run_goes_on_its_report_renews_itself_and_has_what_there_is(folder: RunFolder) -> None:
    LiveReports().refresh([(RUN, folder, NO_SECRETS)])
    for words in (RENEWS, "Running since 2026-11-20 09:12 UTC", "half", "loss", "0.25"):
        assert words in report_of(folder)
    assert 'class="lead failed"' not in report_of(folder)


def test_a_report_is_drawn_anew_only_when_the_notebook_went_on_and_not_all_the_time(folder: RunFolder) -> None:
    reports, page = LiveReports(), folder.path / "report.html"
    for is_due, is_drawn in ((True, True), (False, False), (True, False)):
        reports._due_s = 0 if is_due else reports._due_s
        reports.refresh([(RUN, folder, NO_SECRETS)])
        assert page.exists() == is_drawn
        page.unlink(missing_ok=True)


@pytest.mark.parametrize("state", [RunState.KILLED, RunState.LOST])
def test_of_a_run_that_was_stopped_or_lost_the_report_says_so_and_how_far_it_came(folder: RunFolder, state) -> None:
    LiveReports().refresh([(RUN, folder, NO_SECRETS)])
    finish_report(replace(RUN, state=state, error="because"), folder.path, NO_SECRETS)
    assert RENEWS not in report_of(folder)
    assert all(words in report_of(folder) for words in (state.capitalize(), "because", "half"))


def test_where_the_notebook_cannot_be_shown_no_report_is_left_that_says_it_goes_on(
    folder: RunFolder, monkeypatch
) -> None:
    LiveReports().refresh([(RUN, folder, NO_SECRETS)])
    monkeypatch.setattr(showing, "LARGEST_BYTES", 10)
    finish_report(replace(RUN, state=RunState.LOST), folder.path, NO_SECRETS)
    assert not (folder.path / "report.html").exists()

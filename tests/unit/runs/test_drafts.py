"""What is kept of notebooks run by hand is listed with what they logged, whatever state it is in."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from tests.contract.memory_tracker import MemoryTracker
from tests.contract.stores import build_run
from workbench.config import Settings
from workbench.runs.finding.drafting import list_drafts
from workbench.runs.sqlalchemy_store import Store
from workbench.workflow import Workbench
from workbench.workflow.workbench import list_known

BEGAN = "2026-11-20T09:12:31+00:00"


def keep_draft(
    settings: Settings, name: str, *, notebook: str = "notebooks/train.ipynb", created: str = BEGAN, roc_auc=0.7
):
    folder = settings.drafts_folder / name
    folder.mkdir(parents=True)
    said = {"created": created, "notebook": str(settings.project / notebook)}
    (folder / "draft.json").write_text(json.dumps(said), encoding="utf-8")
    point = {"name": "roc_auc", "value": roc_auc, "step": 0, "time_ms": 1}
    (folder / "metrics.jsonl").write_text(json.dumps(point) + "\n", encoding="utf-8")
    look = {"time": created, "holdout": "ef" * 32, "rows": 171}
    (folder / "looks.jsonl").write_text(json.dumps(look) + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def bench(tmp_path):
    with closing(Store("sqlite://")) as store:
        yield Workbench(Settings(tmp_path, author="ada@example.org"), store, MemoryTracker(), list_known)


def test_a_draft_says_which_notebook_it_was_since_when_and_what_it_logged(bench):
    keep_draft(bench.settings, "aaaaaaaa")
    keep_draft(bench.settings, "bbbbbbbb", created="2026-11-21T09:12:31+00:00", notebook="other.ipynb")
    newer, older = list_drafts(bench.settings)
    assert (newer.id, older.id) == ("bbbbbbbb", "aaaaaaaa")
    assert (older.notebook, older.created, dict(older.metrics)) == ("notebooks/train.ipynb", BEGAN, {"roc_auc": 0.7})
    assert [dict(each) for each in older.holdouts] == [{"digest": "ef" * 32, "rows": 171}]
    assert [draft.id for draft in list_drafts(bench.settings, notebook="other.ipynb")] == ["bbbbbbbb"]


def test_of_a_draft_that_is_half_there_what_is_there_is_listed(bench):
    empty = bench.settings.drafts_folder / "aaaaaaaa"
    empty.mkdir(parents=True)
    broken = keep_draft(bench.settings, "bbbbbbbb")
    for name in ("draft.json", "metrics.jsonl", "looks.jsonl"):
        (broken / name).write_bytes(b'{"half')
    (bench.settings.drafts_folder / "a file").write_text("", encoding="utf-8")
    drafts = list_drafts(bench.settings)
    assert {draft.id for draft in drafts} == {"aaaaaaaa", "bbbbbbbb"}
    assert [(draft.notebook, dict(draft.metrics), draft.holdouts) for draft in drafts] == [("", {}, ())] * 2
    assert all(draft.created for draft in drafts)


def test_no_drafts_are_none(bench):
    assert bench.list_everything() == ([], [])


def test_conditions_choose_among_runs_and_drafts_together(bench):
    keep_draft(bench.settings, "aaaaaaaa", roc_auc=0.95)
    keep_draft(bench.settings, "bbbbbbbb", roc_auc=0.5, created="2026-11-21T09:12:31+00:00")
    run = build_run()
    bench.store.add_run(run)
    runs, drafts = bench.list_everything(where="metrics.roc_auc > 0.9 or strength = 0.1")
    assert ([each.id for each in runs], [each.id for each in drafts]) == ([run.id], ["aaaaaaaa"])
    runs, drafts = bench.list_everything(where="state = 'draft'", limit=1)
    assert (runs, [draft.id for draft in drafts]) == ([], ["bbbbbbbb"])
    assert bench.list_runs(where="state = 'draft'") == []

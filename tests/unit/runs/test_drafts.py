"""What is kept of notebooks run by hand is listed with what they logged, whatever state it is in."""

from __future__ import annotations

import json
from contextlib import closing
from functools import partial

import pytest

from tests.contract.memory_tracker import MemoryTracker
from tests.contract.stores import build_run
from workbench.comparisons.looking import find_looks_at
from workbench.config import Settings
from workbench.errors import NotFound
from workbench.runs.finding.drafting import explain_draft, list_drafts
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


def test_a_draft_is_opened_by_its_id_or_the_beginning_of_it(bench):
    folder = keep_draft(bench.settings, "aaaaaaaa")
    assert bench.find_place("aaaa").path == str(folder)
    with pytest.raises(NotFound, match="The notebook of draft aaaaaaaa is not there"):
        bench.find_place("aaaa", "notebook")
    with pytest.raises(NotFound, match="No run begins with"):
        bench.find_place("bbbb")


def test_who_asks_for_a_run_by_the_id_of_a_draft_is_told_what_it_is(tmp_path):
    settings = Settings(tmp_path)
    keep_draft(settings, "aaaaaaaa")
    with closing(Store("sqlite://", explain=partial(explain_draft, settings))) as store:
        with pytest.raises(NotFound, match="aaaaaaaa is a draft, not a run") as caught:
            store.find_run("aaaaaaaa")
        assert "workbench run notebooks/train.ipynb" in caught.value.next_step
        with pytest.raises(NotFound, match="No run begins with"):
            store.find_run("bbbb")


def test_a_deleted_draft_is_gone_and_its_look_at_a_holdout_still_counts(bench):
    seen, other = keep_draft(bench.settings, "aaaaaaaa"), keep_draft(bench.settings, "bbbbbbbb")
    (other / "looks.jsonl").unlink()
    (seen / "model").mkdir()
    (seen / "model" / "model.skops").write_bytes(b"x" * 1_000)
    planned = bench.delete(["aaaa", "bbbbbbbb", "aaaaaaaa"], dry_run=True)
    assert (planned.names, planned.looks) == (["aaaaaaaa", "bbbbbbbb"], ("aaaaaaaa",))
    assert len(bench.list_everything()[1]) == bench.count_drafts() == 2
    bench.delete(planned.drafts)
    assert (bench.list_everything()[1], bench.count_drafts(), other.exists()) == ([], 0, False)
    assert not (seen / "model").exists()
    assert [look.folder for look in find_looks_at(bench, "ef" * 32)] == [seen]
    with pytest.raises(NotFound):
        bench.delete(["aaaaaaaa"])


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

"""What is said of runs is written down at once and told to MLflow when it answers, also later."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

import pytest

from tests.contract.memory_tracker import MemoryTracker
from tests.contract.stores import build_run
from workbench.config import Settings
from workbench.errors import NotFound, Unavailable, UsageError
from workbench.runs.run import Run, RunState
from workbench.runs.sqlalchemy_store import Store
from workbench.workflow import Workbench
from workbench.workflow.workbench import list_known


@pytest.fixture
def bench(tmp_path):
    with closing(Store("sqlite://")) as store:
        yield Workbench(Settings(tmp_path, author="ada@example.org"), store, MemoryTracker(), list_known)


def add(bench: Workbench) -> Run:
    run = build_run()
    run = replace(run, tracked_as=bench.tracker.start_run(run))
    bench.store.add_run(run)
    bench.store.move_run(replace(run, state=RunState.RUNNING))
    return run


def tags_of(bench: Workbench, run: Run) -> dict[str, str]:
    return bench.tracker.runs[run.tracked_as].tags


def test_several_runs_are_tagged_at_once_and_can_be_asked_for_by_name(bench):
    runs = [add(bench), add(bench)]
    done = bench.annotate([run.id for run in runs], tags={"team": "blue"}, note="both")
    assert [run.annotations.tags for run in done] == [{"team": "blue"}] * 2
    bench.annotate([runs[0].id], name="best")
    assert bench.show("best").annotations.note == "both"
    assert bench.annotate(["best"], untag=["team"])[0].annotations.tags == {}
    assert ("team" in tags_of(bench, runs[0]), tags_of(bench, runs[1])["team"]) == (False, "blue")
    assert bench.show("best").annotations.by == "ada@example.org"


def test_where_one_thing_cannot_be_said_nothing_is(bench):
    runs = [add(bench), add(bench)]
    for wrong in ({"name": "both"}, {"tags": {"mlflow.user": "x"}}, {"note": "\x00"}):
        with pytest.raises(UsageError):
            bench.annotate([run.id for run in runs], **wrong)
    with pytest.raises(NotFound):
        bench.annotate([runs[0].id, "nobody's"], note="x")
    assert all(run.annotations.is_empty for run in bench.list_runs())


def test_a_name_that_another_run_has_is_kept_and_said(bench, caplog):
    one, other = add(bench), add(bench)
    bench.annotate([one.id], name="best")
    assert caplog.records == []
    bench.annotate([other.id], name="best")
    assert "More than one run is named 'best'" in caplog.text


def test_what_mlflow_did_not_take_is_said_and_told_when_work_starts_next(bench, monkeypatch, caplog):
    run = add(bench)

    def refuse(*_, **__):
        raise Unavailable("MLflow did not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(bench.tracker, "annotate", refuse)
        bench.annotate([run.id], name="best", tags={"team": "blue"})
        assert "MLflow does not show what is said" in caplog.text
        bench.publish_pending()
    assert "team" not in tags_of(bench, run)
    bench.publish_pending()
    assert (tags_of(bench, run)["team"], tags_of(bench, run)["mlflow.runName"]) == ("blue", "best")
    assert bench.store.list_untold_runs() == []


def test_what_the_notebook_logs_by_the_same_name_does_not_stand_in_its_place(bench):
    run = add(bench)
    bench.annotate([run.id], tags={"team": "blue"})
    tags_of(bench, run)["team"] = "of the notebook"  # as its end is told
    bench.store.move_run(replace(run, state=RunState.FINISHED))
    bench.publish_pending()
    assert tags_of(bench, run)["team"] == "blue"

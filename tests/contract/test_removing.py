"""Deleting runs: what must stay is refused, what goes is gone, what was seen still counts, and a kill in the middle is finished."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contract.memory_tracker import MemoryTracker
from tests.contract.stores import append, build_run
from tests.unit.people import AUTHOR
from workbench.comparisons.looking import find_looks
from workbench.config import Settings
from workbench.errors import NotFound, Refused, Unavailable
from workbench.records.digest import canonical_json
from workbench.runs.finding import removing
from workbench.runs.looks import count_distinct
from workbench.runs.run import IllegalTransition, Run, RunState
from workbench.runs.sqlalchemy_store import Store
from workbench.workflow import Workbench
from workbench.workflow.workbench import list_known

FILES = ("notebook.ipynb", "report.html", "model/model.skops", "mlflow-spool/artifacts/plot.png")


@pytest.fixture
def bench(tmp_path):
    with closing(Store(f"sqlite:///{tmp_path / 'runs' / 'workbench.db'}")) as store:
        yield Workbench(Settings(tmp_path, author=AUTHOR), store, MemoryTracker(), list_known)


def keep(bench: Workbench, *, holdout: str | None = None, score: str = "", state=RunState.FINISHED, **facts) -> Run:
    """A run that ended, with a folder; of one with a holdout (whose digest this is) what it is known by, too."""
    run = build_run(**facts)
    run = replace(run, tracked_as=bench.tracker.start_run(run))
    bench.store.add_run(run)
    folder = bench.settings.runs_folder / run.id
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x" * 1_000)
    record = {"metrics": {"roc_auc": 0.9}, "files": {"predictions.parquet": score or run.id}}
    if holdout:
        (folder / "datasets").mkdir()
        table = {"name": "holdout", "role": "holdout", "rows": 3, "columns": 2, "digest": holdout}
        (folder / "datasets" / "h.json").write_bytes(canonical_json(table))
        for name in ("holdout.parquet", "predictions.parquet"):
            (folder / name).write_bytes(b"p" * 100)
        record |= {"datasets": [table], "predicted": [score or run.id]}
    bench.store.move_run(replace(run, state=RunState.RUNNING))
    if state is not RunState.RUNNING:
        bench.store.move_run(replace(run, state=state, record=record))
    return bench.store.find_run(run.id)


def left_of(bench: Workbench, run: Run) -> list[str]:
    folder = bench.settings.runs_folder / run.id
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_that_saw_no_holdout_is_gone_with_its_files_its_rows_and_its_run_in_mlflow(bench):
    run, other = keep(bench), keep(bench)
    removal = bench.delete([run.id, run.id[:8]])
    assert ([each.id for each in removal.runs], removal.freed_bytes, removal.looks) == ([run.id], 4_000, ())
    assert not (bench.settings.runs_folder / run.id).exists()
    assert run.tracked_as not in bench.tracker.runs
    assert [each.id for each in bench.store.list_attempts()] == [other.id]
    assert len(left_of(bench, other)) == len(FILES)
    with pytest.raises(NotFound):
        bench.show(run.id)


def test_of_a_run_that_saw_a_holdout_stays_what_it_is_known_by_and_nobody_sees_the_run(bench):
    run = keep(bench, holdout="ef" * 32)
    bench.annotate([run.id], name="best", note="private")
    removal = bench.delete(["best"])
    assert removal.looks == (run.id,)
    assert left_of(bench, run) == ["datasets/h.json", "holdout.parquet", "predictions.parquet"]
    assert (removal.freed_bytes, removal.kept_bytes) == (4_000, sum(len(p.read_bytes()) for p in _paths(bench, run)))
    assert bench.list_runs(archived=True) == bench.list_runs(where="state = 'finished'") == []
    assert bench.store.list_untold_runs() == bench.store.list_unpublished_runs() == []
    for name in (run.id, "best"):
        with pytest.raises(NotFound):
            bench.show(name)
    assert bench.store.annotations.find(run.id)[0].is_empty
    with pytest.raises(IllegalTransition, match="cannot be attempted again"):
        bench.store.add_attempt(run.id)


def _paths(bench: Workbench, run: Run) -> list[Path]:
    return [bench.settings.runs_folder / run.id / name for name in left_of(bench, run)]


@pytest.mark.parametrize("state", [RunState.FINISHED, RunState.FAILED, RunState.KILLED])
def test_tries_are_never_fewer_by_deleting(bench, state):
    last = keep(bench, holdout="ef" * 32, score="aa" * 32)
    for number in range(3):
        keep(bench, holdout="ef" * 32, score=f"{number:064x}", state=state)
    before = find_looks(bench, last)
    assert count_distinct(before) == 4
    bench.delete([run.id for run in bench.list_runs() if run.id != last.id])
    assert [run.id for run in bench.list_runs()] == [last.id]
    after = find_looks(bench, last)
    assert [(look.digest, look.predicted, look.since) for look in after] == [
        (look.digest, look.predicted, look.since) for look in before
    ]
    assert count_distinct(after) == 4


def test_what_earlier_attempts_left_goes_too_but_for_their_looks(bench):
    run = keep(bench, holdout="ef" * 32, state=RunState.FAILED)
    aside = bench.settings.attempts_folder / f"{run.id}-1"
    aside.parent.mkdir(parents=True)
    shutil.move(bench.settings.runs_folder / run.id, aside)
    bench.store.add_attempt(run.id)
    for state in (RunState.RUNNING, RunState.KILLED):
        bench.store.move_run(replace(run, attempt=2, state=state, record={}))
    bench.delete([run.id])
    assert sorted(path.name for path in aside.iterdir()) == ["datasets", "holdout.parquet", "predictions.parquet"]
    assert [look.run.attempt for look in find_looks(bench, run)] == [1]


# What stays


def test_what_goes_on_is_named_in_the_ledger_or_registered_is_refused_with_every_reason(bench):
    running, nominated, baseline, other = (
        keep(bench, state=RunState.RUNNING), keep(bench), keep(bench), keep(bench, holdout="ef" * 32)
    )  # fmt: skip
    replayed = keep(bench, provenance={"replay_of": nominated.id})
    registered = keep(bench)
    bench.tracker.register_version("shop", registered, after=0)
    append(bench.store, subject="tumour/3", body={"run": nominated.id, "baseline": baseline.id})
    every = [running, nominated, baseline, other, replayed, registered]
    with pytest.raises(Refused, match="Nothing is deleted") as caught:
        bench.delete([run.id for run in every])
    said = "\n".join(caught.value.reasons)
    for text in (
        f"Run {running.id} is running",
        f"Run {nominated.id} is named by entry 1 of the ledger: tumour/3",
        f"Run {baseline.id} is named by entry 1",
        f"Run {replayed.id} is a replay of run {nominated.id}",
        f"Run {registered.id} is registered in MLflow as shop/1.",
    ):
        assert text in said
    assert other.id not in said
    assert {run.id for run in bench.list_runs()} == {run.id for run in every}
    assert len(left_of(bench, other)) == len(FILES) + 3


def test_a_run_that_is_nominated_between_the_plan_and_the_deed_stays(bench):
    run = keep(bench)
    planned = removing.plan_removal(bench, [run.id])
    append(bench.store, body={"run": run.id})
    with pytest.raises(Refused):
        removing.remove_runs(bench, planned)
    assert bench.show(run.id) == run


def test_nothing_is_deleted_on_a_ledger_that_was_changed(bench, tmp_path):
    from tests.conftest import change_database

    run = keep(bench)
    append(bench.store)
    change_database(f"sqlite:///{tmp_path / 'runs' / 'workbench.db'}", "update ledger set actor = 'eve@example.org'")
    with pytest.raises(Refused):
        bench.delete([run.id])
    assert bench.show(run.id) == run


def test_a_dry_run_deletes_nothing(bench):
    run = keep(bench, holdout="ef" * 32)
    removal = bench.delete([run.id], dry_run=True)
    assert removal.freed_bytes == 4_000
    assert bench.show(run.id) == run
    assert len(left_of(bench, run)) == len(FILES) + 3


# Killed in the middle


class Killed(BaseException):
    """What no code catches."""


@pytest.mark.parametrize("holdout", [None, "ef" * 32])
@pytest.mark.parametrize("step", ["tracker", "first file", "last file", "rows"])
def test_a_delete_that_was_killed_is_finished_by_who_starts_work_next(bench, monkeypatch, step, holdout):
    runs = [keep(bench, holdout=holdout) for _ in range(2)]

    def die(*_, **__):
        raise Killed

    with monkeypatch.context() as patch:
        match step:
            case "tracker":
                patch.setattr(bench.tracker, "delete_run", die)
            case "first file":
                patch.setattr(shutil, "rmtree", die)
            case "last file":
                patch.setattr(Path, "unlink", die)
            case "rows":
                patch.setattr(type(bench.store.removals), "finish", die)
        with pytest.raises(Killed):
            bench.delete([run.id for run in runs])
    assert bench.list_runs() == []
    bench.publish_pending()
    assert bench.store.removals.list_begun() == []
    assert bench.tracker.runs == {}
    left = ["datasets/h.json", "holdout.parquet", "predictions.parquet"] if holdout else []
    assert [left_of(bench, run) for run in runs] == [left, left]
    assert len(bench.store.list_attempts()) == (2 if holdout else 0)


def test_what_could_not_be_removed_is_said_and_tried_again(bench, monkeypatch):
    run, other = keep(bench), keep(bench)

    def refuse(tracked_as):
        if tracked_as == run.tracked_as:
            raise Unavailable("MLflow did not answer.")
        bench.tracker.runs.pop(tracked_as)

    with monkeypatch.context() as patch:
        patch.setattr(bench.tracker, "delete_run", refuse)
        with pytest.raises(Unavailable, match="Of 1 of 2 deleted runs something is left") as caught:
            bench.delete([run.id, other.id])
    assert run.id in caught.value.reasons[0]
    assert [each.run_id for each in bench.store.removals.list_begun()] == [run.id]
    bench.publish_pending()
    assert bench.store.removals.list_begun() == []


# Put aside


def test_what_is_archived_is_in_no_list_and_comes_back_as_it_was(bench):
    run, other = keep(bench), keep(bench)
    bench.annotate([run.id], name="best", tags={"team": "blue"})
    said = bench.show(run.id).annotations
    assert bench.archive([run.id])[0].annotations.archived
    since = bench.show(run.id).annotations.archived
    assert bench.archive([run.id])[0].annotations.archived == since
    assert [each.id for each in bench.list_runs()] == [other.id]
    assert bench.list_runs(where="team = 'blue'", archived=True)[0].id == run.id
    assert {each.id for each in bench.list_runs(archived=True)} == {run.id, other.id}
    assert bench.show("best").id == run.id
    bench.archive([run.id], undo=True)
    assert bench.show(run.id).annotations == said
    assert json.loads(json.dumps(sorted(each.id for each in bench.list_runs()))) == sorted([run.id, other.id])

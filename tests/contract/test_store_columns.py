"""A copy of runs as columns, read on from its mark, says what the store says; here an SQLite file.

tests/integration/runs/test_postgresql.py asks the same of a PostgreSQL server.
"""

from __future__ import annotations

import math
import random
import subprocess
import sys
from contextlib import closing, suppress

import pyarrow as pa

from tests.contract.stores import add, build_run, move
from workbench.runs.finding.annotations import Annotations
from workbench.runs.run import RunState
from workbench.runs.sqlalchemy_store import Store
from workbench.runs.table.copying import read_columns
from workbench.runs.table.sqlalchemy_attempts import build_attempts

ASKED = ["metrics.loss", "metrics.roc_auc", "params.strength", "params.größe", "tags.team"]
HOLDOUT = {"name": "patients", "role": "holdout", "rows": 3, "columns": 2, "digest": "ef" * 32}


def plain(columns):
    return pa.table(dict(columns.arrays)).to_pylist()


def rows(store, folder):
    return {row["run.id"]: row for row in plain(read_columns(store.columns, ASKED, folder))}


def finish(store, run, **record):
    move(store, store.find_run(run.id), RunState.FINISHED, record=record)


def delete(store, run_id):
    store.removals.begin([run_id], by="ada@example", at="2026-11-21T00:00:00+00:00", require=lambda: None)


def test_a_row_says_what_the_run_says(store, tmp_path):
    run = add(store, RunState.RUNNING, provenance={"replay_of": "ab" * 6}, sweep="5eeb" * 3)
    finish(store, run, metrics={"roc_auc": 0.9, "loss": math.nan}, datasets=[HOLDOUT])
    store.annotations.change(run.id, lambda _: Annotations("best", "see", {"team": "blue"}))
    row, found = rows(store, tmp_path)[run.id], store.find_run(run.id)
    same = ("id", "created", "notebook", "author", "sweep", "started", "ended", "attempt", "error")
    assert {name: row[f"run.{name}"] for name in same} == {name: getattr(found, name) for name in same}
    assert (row["run.state"], row["run.replay_of"], row["run.holdout"]) == ("finished", "ab" * 6, "patients")
    assert (row["run.name"], row["run.note"], row["run.archived"]) == ("best", "see", None)
    assert (row["metrics.roc_auc"], math.isnan(row["metrics.loss"])) == (0.9, True)
    assert (row["params.strength"], row["params.größe"], row["tags.team"]) == ("0.1", '"☃"', "blue")
    assert read_columns(store.columns, [], tmp_path).names == {
        "metrics": ["loss", "roc_auc"],
        "params": ["depth", "größe", "strength"],
        "tags": ["team"],
    }


class Life:
    """What happens to the runs of a store, drawn by chance; a deed that no run can suffer is left out."""

    def __init__(self, store) -> None:
        self.store, self.drawn, self.known = store, random.Random(7), []
        self.deeds = [
            self.begin,
            self.begin,
            self.go_on,
            self.go_on,
            self.end,
            self.end,
            self.retry,
            self.annotate,
            self.remove,
        ]

    def live(self) -> None:
        with suppress(IndexError):
            self.drawn.choice(self.deeds)()

    def one(self, *states):
        return self.drawn.choice([run_id for run_id in self.known if self.store.find_run(run_id).state in states])

    def begin(self):
        created = f"2026-11-20T09:{self.drawn.randrange(60):02d}:31+00:00"
        run = build_run(created=created, parameters={"strength": self.drawn.random()})
        self.store.add_run(run)
        self.known.append(run.id)

    def go_on(self):
        move(self.store, self.store.find_run(self.one(RunState.QUEUED)), RunState.RUNNING)

    def end(self):
        run = self.store.find_run(self.one(RunState.RUNNING))
        state = self.drawn.choice([RunState.FINISHED, RunState.FAILED])
        move(self.store, run, state, record={"metrics": {"loss": self.drawn.random()}})

    def retry(self):
        self.store.add_attempt(self.one(RunState.FAILED))

    def annotate(self):
        said = Annotations(self.drawn.choice([None, "a", "b"]), None, {"team": self.drawn.choice("xyz")})
        self.store.annotations.change(self.drawn.choice(self.known), lambda _: said)

    def remove(self):
        run_id = self.one(RunState.FINISHED, RunState.FAILED)
        self.known.remove(run_id)
        delete(self.store, run_id)
        if self.drawn.random() < 0.5:
            self.store.removals.finish(run_id, is_look=self.drawn.random() < 0.5)


def test_whatever_happens_to_runs_the_copy_says_at_once(store, tmp_path):
    life = Life(store)
    for number in range(100):
        life.live()
        if number % 2:
            copied = read_columns(store.columns, ASKED, tmp_path / "kept")
            assert plain(copied) == plain(read_columns(store.columns, ASKED, tmp_path / str(number)))
            assert {*copied.arrays["run.id"].to_pylist()} == {*life.known}
    assert len(life.known) > 5


def tell(run):
    own = (run.id, run.attempt, run.state, run.created, run.started, run.ended, run.error, run.notebook, run.author)
    return *own, dict(run.parameters), dict(run.record.get("metrics", {}))


def test_whatever_happens_to_runs_every_attempt_is_recalled_as_the_store_has_it(store, tmp_path):
    life = Life(store)
    for number in range(100):
        life.live()
        if number % 2:
            recalled = build_attempts(read_columns(store.attempts, [], tmp_path))
            expected = sorted(store.list_attempts(), key=lambda run: (run.created, run.id, run.attempt), reverse=True)
            assert list(map(tell, recalled)) == list(map(tell, expected))
            named = {run.id: run.annotations.name for run in recalled if run.id in life.known}
            assert named == {run_id: store.find_run(run_id).annotations.name for run_id in life.known}
    finish(store, add(store, RunState.RUNNING), metrics={"loss": math.nan}, datasets=[HOLDOUT], predicted=["ab"])
    (newest, *_) = sorted(build_attempts(read_columns(store.attempts, [], tmp_path)), key=lambda run: run.ended or "")[
        ::-1
    ]
    assert (newest.holdout, newest.record["predicted"]) == (HOLDOUT, ["ab"])
    assert math.isnan(newest.record["metrics"]["loss"])


def test_a_run_that_was_deleted_for_good_since_is_missed(store, tmp_path):
    gone, kept = (add(store, RunState.RUNNING) for _ in range(2))
    for run in (gone, kept):
        finish(store, run)
    assert rows(store, tmp_path).keys() == {gone.id, kept.id}
    delete(store, gone.id)
    store.removals.finish(gone.id, is_look=False)
    assert rows(store, tmp_path).keys() == {kept.id}


def test_a_store_that_was_brought_back_from_a_backup_is_not_what_was_copied(store, change, tmp_path):
    first, second = (add(store, RunState.RUNNING) for _ in range(2))
    for run in (first, second):
        finish(store, run)
    before = {row["run.id"]: row["run.changed"] for row in rows(store, tmp_path).values()}
    store.annotations.change(first.id, lambda _: Annotations("late", None, {}))
    assert rows(store, tmp_path)[first.id]["run.name"] == "late"
    change("delete from annotations")
    change("update runs set changed = :number where id = :id", number=before[first.id], id=first.id)
    assert rows(store, tmp_path)[first.id]["run.name"] is None
    # As many changes since as were lost are others all the same.
    store.annotations.change(first.id, lambda _: Annotations("other", None, {}))
    store.annotations.change(second.id, lambda _: Annotations("new", None, {}))
    assert [rows(store, tmp_path)[run.id]["run.name"] for run in (first, second)] == ["other", "new"]


def test_where_nothing_changed_the_copy_is_not_written_again(store, tmp_path):
    finish(store, add(store, RunState.RUNNING), metrics={"loss": math.nan})
    add(store, RunState.RUNNING)
    rows(store, tmp_path)
    (path,) = tmp_path.glob("*.arrow")
    before = path.stat().st_mtime_ns
    assert rows(store, tmp_path)
    assert path.stat().st_mtime_ns == before


def test_a_spoilt_copy_costs_nothing_but_time(store, tmp_path):
    finish(store, add(store, RunState.RUNNING), metrics={"loss": 1})
    whole = rows(store, tmp_path)
    (path,) = tmp_path.glob("*.arrow")
    content = path.read_bytes()
    run_id = next(iter(whole)).encode()
    for spoilt in (
        *(b"", content[: len(content) // 2], b"no arrow"),
        *(content.replace(b'"format": "2"', b'"format": "0"'), content.replace(run_id, b"\xff" * 12)),
    ):
        path.write_bytes(spoilt)
        assert rows(store, tmp_path) == whole


def test_a_run_that_nobody_runs_any_more_is_lost_here_too(store, change, tmp_path):
    run = add(store, RunState.RUNNING)
    assert rows(store, tmp_path)[run.id]["run.state"] == "running"
    change("update attempts set owner = (select owner from attempts) || '0'")
    assert rows(store, tmp_path)[run.id]["run.state"] == "lost"


def test_runs_written_by_a_version_before_are_there(store, address, change, tmp_path):
    old = add(store, RunState.RUNNING)
    finish(store, old, metrics={"loss": 1})
    change("update runs set changed = null")
    with closing(Store(address)) as opened:
        assert rows(opened, tmp_path).keys() == {old.id}
        new = add(opened, RunState.RUNNING)
        assert rows(opened, tmp_path).keys() == {old.id, new.id}


_BUILDS = """
import math, sys
from workbench.runs.table.columns import build_array
assert build_array("run.attempt", [1, None, 2**53 + 1]).to_pylist() == [1, None, 2**53 + 1]
assert build_array("metrics.loss", [1.5, None, math.inf]).to_pylist() == [1.5, None, math.inf]
assert build_array("metrics.loss", []).to_pylist() == []
assert "pandas" not in sys.modules
"""


def test_numbers_become_columns_without_what_takes_longer_to_import_than_to_read():
    subprocess.run([sys.executable, "-c", _BUILDS], check=True)

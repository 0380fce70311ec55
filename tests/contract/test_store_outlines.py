"""What conditions ask of runs comes out of the store as the runs have it; here an SQLite file.

tests/integration/runs/test_postgresql.py asks the same of a PostgreSQL server.
"""

from __future__ import annotations

from tests.contract.stores import add, move
from workbench.runs.finding.annotations import Annotations
from workbench.runs.finding.conditions import parse_condition
from workbench.runs.finding.judging import choose_runs
from workbench.runs.finding.outline import Outlines
from workbench.runs.run import RunState

ALL = {"metrics", "datasets", "replay_of", "pairing"}
HOLDOUT = {"name": "patients", "role": "holdout", "rows": 3, "columns": 2, "digest": "ef" * 32}


def finish(store, run, **record):
    move(store, store.find_run(run.id), RunState.FINISHED, record=record)


def choose(store, text):
    outlines = store.list_outlines(ALL)
    return [outlines[place].id for place in choose_runs(parse_condition(text), Outlines(outlines))]


def test_an_outline_says_what_the_run_says(store):
    run = add(store, RunState.RUNNING, provenance={"replay_of": "ab" * 6}, sweep="5eeb" * 3)
    finish(store, run, metrics={"roc_auc": 0.9, "größe/☃": 1}, datasets=[HOLDOUT])
    store.annotations.change(run.id, lambda _: Annotations("best", tags={"team": "blue"}))
    (outline,), found = store.list_outlines(ALL), store.find_run(run.id)
    same = ("id", "created", "notebook", "author", "sweep", "started", "ended", "attempt", "error", "annotations")
    assert {name: getattr(outline, name) for name in same} == {name: getattr(found, name) for name in same}
    assert (outline.state, outline.replay_of, outline.holdout) == ("finished", "ab" * 6, "patients")
    assert outline.took_s == found.took_s
    text = "metrics.roc_auc = 0.9 and metrics.`größe/☃` = 1 and strength = 0.1 and größe = '☃' and depth = none"
    assert choose(store, text) == [run.id]


def test_the_rows_a_run_was_scored_on_are_read_of_any_record(store):
    scored, odd = add(store, RunState.RUNNING), add(store, RunState.RUNNING, created="2026-11-21T09:12:31+00:00")
    finish(store, scored, datasets=[HOLDOUT], scores={"pairing": "ab" * 32})
    finish(store, odd, datasets=[HOLDOUT], scores={"pairing": "ab" * 32}, metrics={"loss": float("nan")})
    other = add(store, RunState.RUNNING, created="2026-11-22T09:12:31+00:00")
    finish(store, other, datasets=[HOLDOUT])
    assert choose(store, f"scored_rows = '{'ab' * 6}'") == [odd.id, scored.id]
    assert choose(store, f"scored_rows = '{'ef' * 6}'") == [other.id]


def test_metrics_that_are_no_numbers_hide_no_run(store):
    odd, plain = add(store, RunState.RUNNING), add(store, RunState.RUNNING, created="2026-11-21T09:12:31+00:00")
    finish(store, odd, metrics={"loss": float("nan"), "roc_auc": 0.7, "most": float("inf")}, datasets=[HOLDOUT])
    finish(store, plain, metrics={"loss": 0.5, "roc_auc": 0.8})
    assert choose(store, "roc_auc > 0.6") == [plain.id, odd.id]
    assert choose(store, "loss > 0 or not loss > 0") == [plain.id]
    assert choose(store, "most > 1e300 and holdout = 'patients'") == [odd.id]


def test_what_is_not_wanted_is_not_read(store):
    finish(store, add(store, RunState.RUNNING, provenance={"replay_of": "ab" * 6}), metrics={"roc_auc": 0.9})
    (outline,) = store.list_outlines(())
    assert (outline.metrics, outline.datasets, outline.replay_of) == (None, None, None)
    assert store.list_outlines({"metrics"})[0].replay_of is None


def test_a_run_that_nobody_runs_any_more_is_lost_here_too(store, change):
    run = add(store, RunState.RUNNING)
    assert choose(store, "state = 'running'") == [run.id]
    change("update attempts set owner = (select owner from attempts) || '0'")
    assert choose(store, "state = 'lost' and error contains 'gone'") == [run.id]


def test_of_several_attempts_the_latest_counts(store):
    run = add(store, RunState.RUNNING, RunState.FAILED)
    store.add_attempt(run.id)
    assert choose(store, "attempt = 2 and state = 'queued'") == [run.id]


def test_runs_come_in_the_order_they_were_asked_for(store):
    runs = [add(store) for _ in range(3)]
    wanted = [runs[2].id, runs[0].id]
    assert [run.id for run in store.list_runs_by_id([*wanted, "0" * 12])] == wanted

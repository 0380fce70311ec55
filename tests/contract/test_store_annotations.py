"""What people say of runs is kept beside them, by everybody at once; here an SQLite file.

tests/integration/runs/test_postgresql.py asks the same of a PostgreSQL server.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.contract.stores import add, at_once, move
from workbench.errors import NotFound
from workbench.runs.finding.annotations import NOTHING_SAID, Annotations, Change
from workbench.runs.run import RunState

NOW, LATER = "2026-11-20T09:00:00+00:00", "2026-11-21T09:00:00+00:00"


def annotate(store, run, at=NOW, by="ada@example.org", **change):
    return store.annotations.change(run.id, lambda before: Change(**change).apply(before, by=by, at=at))


def test_what_is_said_before_a_run_begins_comes_back_with_it(store):
    said = Change("first try", "Größe: ☃\nsecond line", {"team": "blue"}).apply(NOTHING_SAID, by="ada", at=NOW)
    run = add(store, RunState.RUNNING, RunState.FINISHED, annotations=said)
    assert run.annotations == said
    assert store.list_runs()[0].annotations == said


def test_what_is_said_later_changes_nothing_of_the_run(store):
    run = add(store, RunState.RUNNING, RunState.FINISHED)
    said = annotate(store, run, name="best", tags={"team": "blue"})
    again = store.find_run(run.id)
    assert again.annotations == said
    assert replace(again, annotations=run.annotations) == run
    assert store.list_attempts()[0].annotations == NOTHING_SAID


def test_a_run_is_found_by_its_name_while_that_names_one_alone(store):
    one, other = add(store), add(store)
    annotate(store, one, name="best try")
    assert store.find_run("best try").id == one.id
    annotate(store, other, name="best try")
    with pytest.raises(NotFound, match="More than one run is named 'best try'") as caught:
        store.find_run("best try")
    assert one.id in caught.value.reasons[0]
    assert other.id in caught.value.reasons[0]
    annotate(store, one, name="")
    assert store.find_run("best try").id == other.id


def test_names_with_the_signs_of_patterns_are_only_themselves(store):
    annotate(store, add(store), name="best")
    for text in ("b%", "best_", "_est", "%", "BEST", "best "):
        with pytest.raises(NotFound):
            store.find_run(text)


def test_nobody_loses_what_another_says_at_the_same_time(store):
    run = add(store)
    at_once(*(lambda key=key: annotate(store, run, tags={key: "x"}) for key in "ghijklm"))
    assert sorted(store.find_run(run.id).annotations.tags) == list("ghijklm")


def test_what_mlflow_was_not_told_is_listed_until_it_was(store):
    run = add(store, tracked_as=None)
    move(store, run, RunState.RUNNING, tracked_as="ab" * 16)
    assert store.list_untold_runs() == []
    said = annotate(store, run, name="best", tags={"team": "blue"})
    assert [each.id for each in store.list_untold_runs()] == [run.id]
    store.annotations.mark_told(run.id, said)
    assert store.list_untold_runs() == []
    assert store.annotations.find(run.id) == (said, Annotations("best", tags={"team": "blue"}))


def test_what_was_said_while_mlflow_was_told_is_told_another_time(store):
    run = add(store)
    move(store, run, RunState.RUNNING, tracked_as="ab" * 16)
    told = annotate(store, run, name="best")
    annotate(store, run, at=LATER, name="better")
    store.annotations.mark_told(run.id, told)
    assert [each.annotations.name for each in store.list_untold_runs()] == ["better"]

"""What people say of runs is shown in MLflow under its own names, and taken back there: the real one and the memory alike."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.tracked_runs import build_run, finish, start
from workbench.runs.finding.annotations import NOTHING_SAID, Annotations
from workbench.runs.run import Run

SAID = Annotations("first try", "what it was for", {"team": "blue", "quick": ""}, "ada", "2026-11-20T09:00:00+00:00")


def tell(tracking, run: Run, said: Annotations, *, before: Annotations = NOTHING_SAID, **logged: str) -> dict[str, str]:
    assert tracking.tracker.annotate(replace(run, annotations=said), before=before, logged=logged)
    return tracking.window.look(run.tracked_as).tags


def test_what_is_said_before_a_run_begins_is_shown_from_its_beginning(tracking):
    run = start(tracking.tracker, annotations=SAID)
    tags = tracking.window.look(run.tracked_as).tags
    assert (tags["mlflow.runName"], tags["mlflow.note.content"]) == ("first try", "what it was for")
    assert (tags["team"], tags["quick"], tags["workbench.run"]) == ("blue", "", run.id)


def test_a_run_of_which_nothing_is_said_is_called_by_its_id(tracking):
    run = start(tracking.tracker)
    assert tracking.window.look(run.tracked_as).tags["mlflow.runName"] == run.id


def test_what_is_said_no_more_is_shown_no_more_and_nothing_else_is_touched(tracking):
    run = start(tracking.tracker)
    before = tell(tracking, run, SAID)
    assert (before["mlflow.runName"], before["team"]) == ("first try", "blue")
    after = tell(tracking, run, replace(SAID, name=None, note=None, tags={"team": "red"}), before=SAID)
    assert (after["mlflow.runName"], after["team"]) == (run.id, "red")
    assert {"quick", "mlflow.note.content"} & after.keys() == set()
    assert {key: value for key, value in after.items() if key.startswith("workbench.")} == {
        key: value for key, value in before.items() if key.startswith("workbench.")
    }


def test_a_tag_that_the_notebook_logged_too_comes_back_when_people_take_theirs_away(tracking):
    run = start(tracking.tracker)
    tell(tracking, run, SAID, team="of the notebook")
    after = tell(tracking, run, NOTHING_SAID, before=SAID, team="of the notebook")
    assert after["team"] == "of the notebook"


def test_it_can_be_told_of_a_run_that_ended_and_twice(tracking):
    run = finish(start(tracking.tracker))
    assert tracking.tracker.finish_run(run)
    assert tell(tracking, run, SAID) == tell(tracking, run, SAID, before=SAID)


def test_a_hundred_long_tags_are_taken(tracking):
    run = start(tracking.tracker)
    said = replace(SAID, name="n" * 100, note="x" * 5_000, tags={f"{n:03}{'k' * 247}": "v" * 5_000 for n in range(100)})
    tags = tell(tracking, run, said)
    assert said.tags.items() <= tags.items()
    assert (tags["mlflow.runName"], tags["mlflow.note.content"]) == (said.name, said.note)


def test_of_a_run_that_is_not_there_nothing_can_be_told(tracking):
    run = build_run(tracked_as="ab" * 16, annotations=SAID)
    assert tracking.tracker.annotate(run, before=NOTHING_SAID, logged={}) is False


def test_a_run_is_deleted_with_its_files_and_deleting_it_again_is_nothing(tracking, tmp_path):
    (tmp_path / "report.html").write_text("<p>", encoding="utf-8")
    run = start(tracking.tracker)
    tracking.tracker.finish_run(finish(run), files=tmp_path)
    for _ in range(2):
        tracking.tracker.delete_run(str(run.tracked_as))
    assert tracking.tracker.finish_run(finish(run)) is False
    assert (tmp_path / "report.html").is_file()


def test_the_versions_that_were_made_of_a_run_are_named(tracking, model):
    run, other = start(tracking.tracker), start(tracking.tracker)
    for _ in range(2):
        tracking.tracker.register_version(model, run, after=0)
    assert tracking.tracker.find_registered(str(run.tracked_as)) == [f"{model}/1", f"{model}/2"]
    assert tracking.tracker.find_registered(str(other.tracked_as)) == []

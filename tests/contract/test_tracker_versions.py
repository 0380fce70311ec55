"""Versions are counted and aliases point, also where somebody deletes or several come at once."""

from __future__ import annotations

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.tracked_runs import build_run, start
from workbench.errors import Unavailable
from workbench.runs.mlflow_tracker import MlflowTracker

# Versions and aliases


def test_versions_of_a_model_are_counted_from_one(tracking, model):
    versions = [tracking.tracker.register_version(model, start(tracking.tracker), after=0) for _ in range(3)]
    assert versions == [1, 2, 3]
    assert tracking.tracker.register_version(f"{model}-other", start(tracking.tracker), after=0) == 1


def test_the_same_run_may_become_two_versions(tracking, model):
    run = start(tracking.tracker)
    assert [tracking.tracker.register_version(model, run, after=0) for _ in range(2)] == [1, 2]


def test_an_alias_points_where_it_was_last_pointed(tracking, model):
    tracker = tracking.tracker
    for _ in range(2):
        tracker.register_version(model, start(tracker), after=0)
    assert tracker.read_alias(model, "champion") is None
    for version in (1, 2, 1):
        tracker.point_alias(model, "champion", version)
        assert tracker.read_alias(model, "champion") == version
    assert tracker.read_alias(model, "challenger") is None


def test_a_model_that_is_not_there_has_no_alias(tracking, model):
    assert tracking.tracker.read_alias(model, "champion") is None


@pytest.mark.parametrize("version", [2, 0])
def test_an_alias_never_points_to_a_version_that_is_not_there(tracking, model, version):
    tracking.tracker.register_version(model, start(tracking.tracker), after=0)
    with pytest.raises(Unavailable) as caught:
        tracking.tracker.point_alias(model, "champion", version)
    assert caught.value.reasons
    assert caught.value.next_step
    assert tracking.tracker.read_alias(model, "champion") is None


def test_a_number_is_not_given_again_where_somebody_deleted_the_model(tracking, model):
    run = start(tracking.tracker)
    for after in range(3):
        tracking.tracker.register_version(model, run, after=after)
    tracking.window.delete_model(model)
    assert tracking.tracker.register_version(model, run, after=3) == 4
    assert tracking.tracker.register_version(model, run, after=4) == 5


def test_a_version_that_somebody_deleted_with_its_model_is_made_anew_and_can_be_pointed_to(tracking, model):
    run = start(tracking.tracker)
    for after in range(2):
        tracking.tracker.register_version(model, run, after=after)
    tracking.window.delete_model(model)
    for _ in range(2):
        assert tracking.tracker.restore_version(model, run, 2) is True
    tracking.tracker.point_alias(model, "champion", 2)
    assert tracking.tracker.read_alias(model, "champion") == 2


def test_a_version_is_not_made_anew_below_one_that_was_given_since(tracking, model):
    run = start(tracking.tracker)
    tracking.tracker.register_version(model, run, after=2)
    assert tracking.tracker.restore_version(model, run, 2) is False
    assert tracking.tracker.register_version(model, run, after=3) == 4


# Many at once


def at_once(*calls) -> list:
    """Run the calls in threads that begin together; return what they returned, or raise what they raised."""
    barrier = threading.Barrier(len(calls))

    def call(function):
        barrier.wait()
        return function()

    with ThreadPoolExecutor(len(calls)) as pool:
        return [future.result() for future in [pool.submit(call, function) for function in calls]]


def sibling(tracker):
    """Another process's tracker of the same records, as far as one process can have it."""
    return MlflowTracker(tracker.address, tracker._artifacts_folder) if isinstance(tracker, MlflowTracker) else tracker


def test_two_may_start_the_first_runs_of_a_notebook_at_once(tracking):
    trackers = [sibling(tracking.tracker) for _ in range(4)]
    for tracker in trackers:
        tracker.require_answer()
    run = build_run(notebook=f"notebooks/{secrets.token_hex(4)}.ipynb")
    assert len(set(at_once(*(lambda tracker=tracker: tracker.start_run(run) for tracker in trackers)))) == 4


def test_two_may_register_the_first_versions_of_a_model_at_once(tracking, model):
    trackers = [sibling(tracking.tracker) for _ in range(4)]
    for tracker in trackers:
        tracker.require_answer()
    run = start(tracking.tracker)
    versions = at_once(*(lambda tracker=tracker: tracker.register_version(model, run, after=0) for tracker in trackers))
    assert sorted(versions) == [1, 2, 3, 4]

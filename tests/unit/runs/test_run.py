"""A run moves one way through its states, and only a clean execution finishes it."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evidence.builders import build_execution
from workbench.runs.run import FINAL_STATES, RUN_ID, IllegalTransition, Run, RunState, new_run_id, require_transition


def allows(current: RunState, target: RunState) -> bool:
    try:
        require_transition(current, target)
    except IllegalTransition as exc:
        assert exc.reasons
        assert exc.next_step
        return False
    return True


@pytest.mark.parametrize(("state", "target"), list(itertools.product(sorted(FINAL_STATES), RunState)))
def test_nothing_leads_out_of_a_final_state(state, target):
    assert not allows(state, target)


def test_a_queued_run_starts_or_ends_unstarted_but_never_finishes():
    allowed = {target for target in RunState if allows(RunState.QUEUED, target)}
    assert allowed == {RunState.RUNNING, RunState.KILLED, RunState.LOST}


def test_a_running_run_ends_in_any_way_but_does_not_go_back():
    assert {target for target in RunState if allows(RunState.RUNNING, target)} == FINAL_STATES


@given(st.lists(st.sampled_from(RunState), max_size=12))
def test_whatever_is_asked_a_run_moves_at_most_twice(targets):
    state, moves = RunState.QUEUED, 0
    for target in targets:
        if allows(state, target):
            state, moves = target, moves + 1
    assert moves <= 2
    assert (state is RunState.QUEUED) is (moves == 0)


@pytest.mark.parametrize(
    "change", [{"completed": False}, {"in_order": False}, {"error": "ValueError: no"}, {"executed_cells": 8}]
)
def test_an_execution_is_clean_only_when_everything_about_it_is(change):
    assert build_execution().is_clean
    assert not build_execution(**change).is_clean


def test_run_ids_are_short_fresh_and_safe_in_a_path():
    ids = {new_run_id() for _ in range(200)}
    assert len(ids) == 200
    assert all(RUN_ID.fullmatch(run_id) for run_id in ids)


@pytest.mark.parametrize("state", RunState)
def test_only_a_finished_run_may_be_relied_on(state):
    run = Run("3f9a1c27", "n.ipynb", "0" * 64, {}, {}, "ada@example.org", "2026-11-20T09:00:00+00:00", state=state)
    assert run.is_finished is (state is RunState.FINISHED)
    assert run.metrics == {}

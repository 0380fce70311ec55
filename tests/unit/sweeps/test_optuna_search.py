"""Optuna proposes different sets within the space, learns, and goes on as it would have after it was stopped."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.unit.sweeps.builders import DECLARED, build_plan, build_run
from workbench.errors import Unavailable
from workbench.notebooks.parameters import bind_parameters
from workbench.runs.run import FINAL_STATES, Run, RunState
from workbench.runs.trials import Goal
from workbench.sweeps.optuna_search import JOURNAL, OptunaTrials
from workbench.sweeps.search import (
    Interval,
    distinct_sets,
)


def bind(values: Mapping[str, Any]) -> Mapping[str, Any]:
    return bind_parameters(DECLARED, values)


def open_trials(
    folder: Path, runs: list[Run] | tuple[()] = (), *, retry_failed: bool = False, **changes: Any
) -> OptunaTrials:
    return OptunaTrials(build_plan(**changes), folder, bind, runs=runs, retry_failed=retry_failed)


def score(values: Mapping[str, Any]) -> float:
    return -abs(math.log10(values["C"]) - 1) - abs(values["depth"] - 6) / 10 - (values["family"] == "stump")


def finish(values: Mapping[str, Any]) -> Run:
    return build_run(values, score=score(values))


def play(trials: OptunaTrials, end: Callable[[Mapping[str, Any]], Run] = finish, *, most: int = 1000) -> list[Run]:
    """Run what is asked for, one at a time."""
    runs: list[Run] = []
    while len(runs) < most and (values := trials.ask()) is not None:
        runs.append(end(values))
        trials.tell(runs[-1])
    return runs


def read_trials(folder: Path) -> list[Any]:
    import optuna
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage = JournalStorage(JournalFileBackend(str(folder / JOURNAL)))
    return optuna.load_study(study_name="5eeb0001", storage=storage).trials


def states_of(folder: Path) -> list[str]:
    return [trial.state.name for trial in read_trials(folder)]


def sets_of(runs: list[Run]) -> list[Mapping[str, Any]]:
    return [run.parameters for run in runs]


def test_optuna_asks_for_as_many_different_sets_as_planned_all_within_the_space(tmp_path):
    runs = play(open_trials(tmp_path))
    assert len(runs) == len(distinct_sets(sets_of(runs))) == 12
    for run in runs:
        assert 0.01 <= run.parameters["C"] <= 100
        assert run.parameters["depth"] in range(1, 9)
        assert (run.parameters["note"], run.parameters["anything"]) == ("", None)
    trials = read_trials(tmp_path)
    assert [trial.value for trial in trials] == [run.metrics["score"] for run in runs]
    assert [trial.user_attrs["run"] for trial in trials] == [run.id for run in runs]


def test_optuna_learns_from_what_it_is_told(tmp_path):
    runs = play(open_trials(tmp_path, trials=30))
    scores = [run.metrics["score"] for run in runs]
    assert sum(scores[-10:]) / 10 > sum(scores[:10]) / 10 + 0.5


def test_optuna_minimizes_what_is_to_be_small(tmp_path):
    runs = play(open_trials(tmp_path, trials=30, goal=Goal("loss", "minimize")), lambda v: build_run(v, loss=-score(v)))
    losses = [run.metrics["loss"] for run in runs]
    assert sum(losses[-10:]) / 10 < sum(losses[:10]) / 10 - 0.5


def test_the_same_seed_proposes_the_same_and_another_one_does_not(tmp_path):
    found = []
    for number, seed in enumerate([3, 3, 4]):
        (tmp_path / str(number)).mkdir()
        found.append(sets_of(play(open_trials(tmp_path / str(number), seed=seed, trials=15))))
    assert found[0] == found[1] != found[2]


@pytest.mark.parametrize("stopped_after", [0, 5, 14])
def test_a_search_that_was_stopped_goes_on_as_it_would_have(tmp_path, stopped_after):
    for name in ("whole", "halves"):
        (tmp_path / name).mkdir()
    whole = play(open_trials(tmp_path / "whole", trials=15))
    trials = open_trials(tmp_path / "halves", trials=15)
    first = play(trials, most=stopped_after)
    killed = trials.ask()
    assert killed is not None
    known = [*first, build_run(killed, RunState.KILLED)]
    rest = play(open_trials(tmp_path / "halves", known, trials=15))
    assert sets_of([*first, *rest]) == sets_of(whole)
    assert states_of(tmp_path / "halves").count("COMPLETE") == 15
    assert "RUNNING" not in states_of(tmp_path / "halves")


def test_sets_asked_for_at_the_same_time_are_different(tmp_path):
    trials = open_trials(tmp_path)
    sets = [trials.ask() for _ in range(12)]
    assert len(distinct_sets(filter(None, sets))) == 12
    assert trials.ask() is None
    for values in sets:
        trials.tell(finish(values or {}))
    assert states_of(tmp_path) == ["COMPLETE"] * 12


@pytest.mark.parametrize("trials", [8, 9, 500])
def test_optuna_tries_a_small_space_out_and_no_set_of_it_twice(tmp_path, trials):
    space = {"depth": Interval(1, 4, whole=True), "family": ["stump", "forest", "stump"]}
    runs = play(open_trials(tmp_path, space=space, trials=trials), lambda values: build_run(values, score=1.0))
    assert len(distinct_sets(sets_of(runs))) == len(runs) == 8


def test_choices_of_any_kind_are_told_apart(tmp_path):
    choices = [1, 1.0, True, None, "1", [1, 2], {"a": [1]}]
    runs = play(open_trials(tmp_path, space={"anything": choices}, trials=20), lambda v: build_run(v, score=1.0))
    found = sorted(json.dumps(run.parameters["anything"]) for run in runs)
    assert found == sorted(map(json.dumps, choices))


def test_whole_numbers_for_a_parameter_of_any_number_are_found_again(tmp_path):
    space = {"C": Interval(1, 3, whole=True)}
    first = play(open_trials(tmp_path, space=space), lambda values: build_run(values, RunState.KILLED), most=2)
    again = play(open_trials(tmp_path, first, space=space), lambda values: build_run(values, score=1.0))
    assert sorted(run.parameters["C"] for run in again) == [1.0, 2.0, 3.0]
    assert all(type(run.parameters["C"]) is float for run in again)


@pytest.mark.parametrize("state", sorted(FINAL_STATES - {RunState.FINISHED}))
def test_a_run_that_did_not_finish_is_a_failed_trial(tmp_path, state):
    play(open_trials(tmp_path), lambda values: build_run(values, state), most=1)
    assert states_of(tmp_path) == ["FAIL"]


def test_what_failed_is_tried_again_only_when_asked(tmp_path):
    runs = play(open_trials(tmp_path, trials=4), lambda v: build_run(v, RunState.FAILED))
    assert len(runs) == 4
    assert open_trials(tmp_path, runs, trials=4).ask() is None
    again = play(open_trials(tmp_path, runs, trials=4, retry_failed=True))
    assert sets_of(again) == sets_of(runs)
    assert states_of(tmp_path) == ["FAIL"] * 4 + ["COMPLETE"] * 4


def test_a_killed_process_leaves_trials_that_are_settled_by_what_the_runs_say(tmp_path):
    trials = open_trials(tmp_path)
    finished, lost, _never_started = (trials.ask() for _ in range(3))
    runs = [finish(finished or {}), build_run(lost or {}, RunState.LOST)]
    resumed = open_trials(tmp_path, runs)
    assert states_of(tmp_path) == ["FAIL", "FAIL", "FAIL", "COMPLETE"]
    assert resumed.total == 11
    assert resumed.ask() == lost


def test_a_lock_and_half_a_line_left_by_a_killed_process_do_no_harm(tmp_path):
    first = play(open_trials(tmp_path), most=3)
    journal = tmp_path / JOURNAL
    journal.write_bytes(journal.read_bytes() + b'{"op_code": 4, "wor')
    (tmp_path / f"{JOURNAL}.lock").symlink_to(journal)
    rest = play(open_trials(tmp_path, first))
    assert len(distinct_sets(sets_of([*first, *rest]))) == 12
    assert states_of(tmp_path) == ["COMPLETE"] * 12


def test_a_journal_that_is_gone_is_written_anew_from_the_runs(tmp_path):
    first = play(open_trials(tmp_path), most=5)
    (tmp_path / JOURNAL).unlink()
    assert open_trials(tmp_path, first).total == 7
    assert [trial.value for trial in read_trials(tmp_path)] == [run.metrics["score"] for run in first]


def test_a_journal_that_cannot_be_read_is_named_with_what_to_do(tmp_path):
    (tmp_path / JOURNAL).write_bytes(b"not JSON\nnor this\n")
    with pytest.raises(Unavailable, match=r"The journal of sweep 5eeb0001 cannot be read\."):
        open_trials(tmp_path)


def test_a_search_ends_when_no_run_logs_what_it_is_after(tmp_path):
    trials = open_trials(tmp_path)
    runs = play(trials, lambda values: build_run(values, other=1.0))
    assert len(runs) == trials.total == 3


def test_a_run_without_the_metric_among_others_is_only_a_failed_trial(tmp_path):
    numbers = iter(range(100))
    runs = play(open_trials(tmp_path), lambda v: build_run(v) if next(numbers) % 3 else finish(v))
    assert len(runs) == 12
    assert states_of(tmp_path).count("FAIL") == 8


def test_a_run_nobody_asked_for_is_not_listened_to(tmp_path):
    trials = open_trials(tmp_path)
    trials.tell(finish({"C": 1.0, "depth": 1, "family": "stump"}))
    assert states_of(tmp_path) == []


def test_optuna_says_nothing_beside_the_sweep(tmp_path, capfd):
    play(open_trials(tmp_path))
    assert capfd.readouterr() == ("", "")


def test_a_plan_without_a_goal_is_no_search(tmp_path):
    with pytest.raises(TypeError, match="goal"):
        OptunaTrials(replace(build_plan(), goal=None), tmp_path, bind)

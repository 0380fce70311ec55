"""Sweeps try what was asked for, each set once, and a search that is stopped goes on as it would have."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.people import AUTHOR, ENDED
from workbench.config import Settings
from workbench.errors import NotFound, Unavailable, UsageError
from workbench.notebooks.parameters import Bound, Parameter, bind_parameters
from workbench.runs.run import FINAL_STATES, Run, RunState, new_run_id
from workbench.runs.trials import Goal, ListedTrials
from workbench.sweeps.grid_search import propose as grid_search
from workbench.sweeps.optuna_search import JOURNAL, OptunaTrials
from workbench.sweeps.random_search import propose as random_search
from workbench.sweeps.search import (
    Interval,
    SweepPlan,
    count_sets,
    distinct_sets,
    missing_sets,
    parse_axis,
    parse_plan,
    require_space,
    settled_runs,
)
from workbench.sweeps.sweeping import read_plan, write_plan

STRENGTH = Parameter("C", "float", 1.0, bounds=(Bound("Gt", 0), Bound("Le", 100)))
DEPTH = Parameter("depth", "int", 3, bounds=(Bound("Ge", 1),))
FAMILY = Parameter("family", "str", "stump", choices=("stump", "forest"))
NOTE = Parameter("note", "str", "")
ANYTHING = Parameter("anything", None, None, optional=True)
DECLARED = (STRENGTH, DEPTH, FAMILY, NOTE, ANYTHING)
SPACE = {"C": Interval(0.01, 100, log=True), "depth": Interval(1, 8, whole=True), "family": ["stump", "forest"]}


def build_run(parameters: Mapping[str, Any], state: RunState = RunState.FINISHED, **metrics: float) -> Run:
    return Run(
        id=new_run_id(),
        notebook="n.ipynb",
        notebook_digest="ab" * 32,
        parameters=parameters,
        provenance={},
        author=AUTHOR,
        created=ENDED,
        state=state,
        record={"metrics": metrics} if state is RunState.FINISHED else {},
    )


def build_plan(**changes: Any) -> SweepPlan:
    facts = {
        "id": "5eeb0001",
        "created": ENDED,
        "notebook": "n.ipynb",
        "notebook_digest": "ab" * 32,
        "search": "optuna",
        "space": SPACE,
        "trials": 12,
        "seed": 0,
        "goal": Goal("score"),
        "sets": None,
    }
    return SweepPlan(**{**facts, **changes})


# What is given


@pytest.mark.parametrize(
    ("parameter", "text", "axis"),
    [
        (STRENGTH, "0.1,1,10", [0.1, 1, 10]),
        (DEPTH, "0..3", [0, 1, 2, 3]),
        (STRENGTH, "log(0.01,100)", Interval(0.01, 100, log=True)),
        (STRENGTH, " log( 1e-2 , 1e2 ) ", Interval(0.01, 100, log=True)),
        (STRENGTH, "uniform(0.5,1)", Interval(0.5, 1)),
        (DEPTH, "int(1,8)", Interval(1, 8, whole=True)),
        (DEPTH, "log(1,1000)", Interval(1, 1000, log=True, whole=True)),
        (FAMILY, "stump,forest", ["stump", "forest"]),
        (NOTE, "log(1,2)", ["log(1", "2)"]),
        (STRENGTH, "log(a,b)", ["log(a,b)"]),
        (STRENGTH, "log(1)", ["log(1)"]),
        (STRENGTH, "uniform(NaN,1)", ["uniform(NaN,1)"]),
        (STRENGTH, "uniform(true,1)", ["uniform(true,1)"]),
        (None, "int(1,8)", Interval(1, 8, whole=True)),
    ],
    ids=str,
)
def test_what_a_parameter_is_tried_with_is_read_from_a_text(parameter, text, axis):
    assert parse_axis(parameter, text) == axis


@pytest.mark.parametrize(
    ("space", "says"),
    [
        ({"C": Interval(0.01, 1000)}, "C is 1000.0; expected a number above 0 and at most 100."),
        ({"C": Interval(0, 1)}, "C is 0.0; expected a number above 0 and at most 100."),
        ({"C": Interval(5, 1)}, "C is drawn from 5 to 1; expected two finite numbers that rise."),
        ({"C": Interval(1, math.inf)}, "C is drawn from 1 to inf; expected two finite numbers that rise."),
        ({"C": Interval(-1, 1, log=True)}, "C is drawn by logarithm from -1; expected to start above 0."),
        ({"depth": Interval(1, 8.5, whole=True)}, "depth is drawn from 1 to 8.5; expected whole numbers."),
        ({"depth": Interval(1.5, 2.5)}, "depth is 1.5; expected a whole number at least 1."),
        ({"family": Interval(0, 1)}, 'family is drawn from an interval; expected one of "stump", "forest": list those'),
        ({"note": Interval(0, 1)}, "note is 0.0; expected text."),
        ({"C": ["log(1)"]}, "C is 'log(1)'; expected a number"),
        ({"D": [1]}, "'D' is not a parameter of this notebook; it has C, depth, family, note, anything."),
    ],
    ids=str,
)
def test_a_space_outside_of_what_the_notebook_takes_is_refused(space, says):
    with pytest.raises(UsageError) as refused:
        require_space(DECLARED, space, "random")
    assert says in str(refused.value)


def test_everything_that_is_wrong_with_a_space_is_said_at_once():
    space = {"C": Interval(-5, 500), "depth": list(range(-6, 2)), "D": [1], "family": ["stump"]}
    with pytest.raises(UsageError) as refused:
        require_space(DECLARED, space, "random")
    assert refused.value.what == "3 parameters do not fit the notebook."
    assert [reason.split()[0] for reason in refused.value.reasons] == ["'D'", "C", "C", *["depth"] * 4]
    assert "depth is wrong in 4 more values." in refused.value.reasons


def test_a_grid_cannot_draw():
    with pytest.raises(UsageError, match="a grid needs values"):
        require_space(DECLARED, SPACE, "grid")
    require_space(DECLARED, SPACE, "random")


@pytest.mark.parametrize(
    ("space", "size"),
    [({}, 1), ({"a": [1, 1, 2]}, 2), ({"a": [1, 1.0, True]}, 3), ({"a": [], "b": [1]}, 0), (SPACE, None),
     ({"a": Interval(1, 8, whole=True), "b": [1, 2]}, 16)],
)  # fmt: skip
def test_the_sets_of_a_space_are_counted(space, size):
    assert count_sets(space) == size


# Grid and random


def test_a_grid_holds_every_combination_once():
    sets = grid_search({"a": [1, 2, 1], "b": ["x", "y"]})
    assert sets == [{"a": a, "b": b} for a in (1, 2) for b in ("x", "y")]


def test_listed_trials_are_given_out_in_order_and_then_no_more():
    trials = ListedTrials([{"a": 1}, {"a": 2}])
    assert trials.total == 2
    assert [trials.ask() for _ in range(4)] == [{"a": 1}, {"a": 2}, None, None]


@st.composite
def spaces(draw):
    low = draw(st.floats(1e-6, 1e6))
    first = draw(st.integers(1, 10**6))
    return {
        "even": Interval(-low, low),
        "log": Interval(low, low * draw(st.floats(1.001, 1e6)), log=True),
        "whole": Interval(-first, first + draw(st.integers(1, 1000)), whole=True),
        "whole_log": Interval(first, first + draw(st.integers(1, 1000)), log=True, whole=True),
        "choice": draw(
            st.lists(st.none() | st.booleans() | st.integers() | st.text(max_size=3), min_size=1, max_size=4)
        ),
    }


@given(spaces(), st.integers(0, 2**32), st.integers(1, 20))
def test_what_is_drawn_lies_in_the_space_and_the_same_seed_draws_the_same(space, seed, trials):
    sets = random_search(space, trials, seed)
    assert sets == random_search(space, trials, seed)
    assert len(sets) == len(distinct_sets(sets)) == trials
    for values in sets:
        assert list(values) == list(space)
        assert values["choice"] in space["choice"]
        for name in ("even", "log", "whole", "whole_log"):
            assert space[name].low <= values[name] <= space[name].high
        assert type(values["whole"]) is type(values["whole_log"]) is int


def test_another_seed_draws_something_else():
    assert random_search(SPACE, 5, 0) != random_search(SPACE, 5, 1)


def test_a_logarithm_draws_each_decade_alike():
    drawn = [values["C"] for values in random_search({"C": Interval(0.01, 100, log=True)}, 4000, 0)]
    decades = [math.floor(math.log10(value)) for value in drawn]
    assert all(900 < decades.count(decade) < 1100 for decade in (-2, -1, 0, 1))


@pytest.mark.parametrize("trials", [24, 25, 10_000])
def test_a_small_space_is_tried_out_and_no_set_of_it_twice(trials):
    space = {"a": list(range(6)), "b": Interval(1, 4, log=True, whole=True)}
    sets = random_search(space, trials, 0)
    assert len(sets) == len(distinct_sets(sets)) == 24


@pytest.mark.parametrize(("space", "trials"), [({"a": []}, 5), (SPACE, 10_001)], ids=["nothing", "far_too_much"])
def test_a_search_of_nothing_or_of_far_too_much_is_not_started(space, trials):
    with pytest.raises(UsageError, match="runs is not started"):
        random_search(space, trials, 0)


# The plan


def test_a_plan_is_read_as_it_was_written_in_the_same_order():
    plans = [
        build_plan(),
        build_plan(search="grid", space={"b": [1, "x"], "a": [None]}, goal=None, sets=({"b": 1, "a": None},)),
        build_plan(search="random", goal=Goal("loss", "minimize"), sets=({"C": 1.0}, {"C": 1})),
    ]
    for plan in plans:
        found = parse_plan(plan.to_bytes())
        assert found == plan
        assert list(found.space) == list(plan.space)
        assert [list(values) for values in found.sets or ()] == [list(values) for values in plan.sets or ()]


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"null", b"{}", b'{"format": 2}', b'{"format": 1}', build_plan().to_bytes()[:-9],
     build_plan().to_bytes().replace(b'"optuna"', b'"magic"'), build_plan().to_bytes().replace(b'"low"', b'"lo"'),
     build_plan().to_bytes().replace(b'"seed"', b'"sed"')],
)  # fmt: skip
def test_what_is_no_plan_is_not_taken_for_one(content):
    with pytest.raises(UsageError, match=r"The plan of a sweep cannot be read\."):
        parse_plan(content)


def test_a_sweep_lacks_what_has_not_finished_and_what_failed_only_when_asked():
    sets = [{"a": number} for number in range(7)]
    states = [RunState.FINISHED, RunState.FAILED, RunState.KILLED, RunState.LOST, RunState.FAILED, RunState.KILLED]
    runs = [build_run(values, state) for values, state in zip(sets, states, strict=False)]
    runs += [build_run({"a": 4}), build_run({"a": 5}, RunState.FAILED)]
    assert [values["a"] for values in missing_sets(sets, runs)] == [2, 3, 6]
    assert [values["a"] for values in missing_sets(sets, runs, retry_failed=True)] == [1, 2, 3, 5, 6]
    assert {run.parameters["a"]: run.state for run in settled_runs(runs).values()}[4] is RunState.FINISHED


def test_a_whole_number_and_the_same_decimal_are_different_sets():
    assert missing_sets([{"a": 1}, {"a": 1.0}, {"a": True}], [build_run({"a": 1})]) == [{"a": 1.0}, {"a": True}]


# The goal


@pytest.mark.parametrize(("direction", "best"), [("maximize", 0.9), ("minimize", 0.1)])
def test_the_best_run_is_the_first_of_those_with_the_best_value(direction, best):
    goal = Goal("score", direction)
    runs = [build_run({}, score=value) for value in (0.5, 0.9, 0.1, 0.9, 0.1)]
    runs += [build_run({}, RunState.FAILED), build_run({}, other=5.0), build_run({}, score=math.nan)]
    assert goal.find_best(runs) == ("score", best)
    assert goal.find_best_run(runs) is next(run for run in runs if run.metrics["score"] == best)


def test_without_a_value_nothing_is_best():
    assert Goal("score").find_best([build_run({}, other=1.0)]) is None
    assert Goal("score").find_best_run([]) is None


def test_a_search_is_hopeless_once_enough_runs_finished_and_none_has_the_metric():
    without = [build_run({}, other=1.0), build_run({}, score=math.nan), build_run({})]
    failed = [build_run({}, RunState.FAILED)] * 9
    goal = Goal("score")
    assert goal.is_hopeless(without + failed)
    assert not goal.is_hopeless(without[:2] + failed)
    assert not goal.is_hopeless([*without, build_run({}, score=0.0)])


# Optuna


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


def test_the_whole_id_of_a_sweep_names_it_though_a_longer_one_begins_with_it(tmp_path):
    settings = Settings(tmp_path)
    for name in ("5eeb0001", "5eeb00010000"):
        write_plan(build_plan(id=name), settings)
    assert [read_plan(name, settings).id for name in ("5eeb0001", "5eeb00010000")] == ["5eeb0001", "5eeb00010000"]
    with pytest.raises(NotFound, match="More than one sweep"):
        read_plan("5eeb", settings)

"""Sweeps try what was asked for, each set once, and a search that is stopped goes on as it would have."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.sweeps.builders import DECLARED, DEPTH, FAMILY, NOTE, SPACE, STRENGTH, build_plan, build_run
from workbench.config import Settings
from workbench.errors import NotFound, UsageError
from workbench.runs.run import RunState
from workbench.runs.trials import Goal, ListedTrials
from workbench.sweeps.grid_search import propose as grid_search
from workbench.sweeps.random_search import propose as random_search
from workbench.sweeps.search import (
    Interval,
    count_sets,
    distinct_sets,
    missing_sets,
    parse_axis,
    parse_plan,
    require_space,
    settled_runs,
)
from workbench.sweeps.sweeping import read_plan, write_plan

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


def test_the_whole_id_of_a_sweep_names_it_though_a_longer_one_begins_with_it(tmp_path):
    settings = Settings(tmp_path)
    for name in ("5eeb0001", "5eeb00010000"):
        write_plan(build_plan(id=name), settings)
    assert [read_plan(name, settings).id for name in ("5eeb0001", "5eeb00010000")] == ["5eeb0001", "5eeb00010000"]
    with pytest.raises(NotFound, match="More than one sweep"):
        read_plan("5eeb", settings)

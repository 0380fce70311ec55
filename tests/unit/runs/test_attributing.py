"""What parameters are worth is told where they tell anything, with bounds that hold, and nothing is made of noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.runs.table.attributing import FEWEST_RUNS, explain_metric


def draw_runs(count=400, seed=0, noise=0.2):
    drawn = np.random.default_rng(seed)
    rate, family = drawn.uniform(size=count), drawn.choice(["a", "b", "c"], size=count)
    parameters = {
        "rate": rate.tolist(),
        "family": family.tolist(),
        "seed": drawn.integers(10, size=count).tolist(),
        "depth": [None if each < 0.2 else int(10 * each) for each in drawn.uniform(size=count)],
    }
    values = 2 * rate + (family == "b") + drawn.normal(scale=noise, size=count)
    return values, parameters


def test_the_parameters_that_matter_are_found_in_their_order():
    values, parameters = draw_runs()
    found = explain_metric(values, parameters)
    worth = {each.name: each for each in found.parameters}
    assert [each.name for each in found.parameters][:2] == ["rate", "family"]
    assert (worth["rate"].low > 0, worth["family"].low > 0) == (True, True)
    assert (worth["seed"].low <= 0.01, worth["depth"].low <= 0.01) == (True, True)
    # The variance of 2u is 1/3, that of a category of one third 2/9, and the noise leaves 0.04 of the whole untold.
    assert found.explained == pytest.approx(1 - 0.04 / (1 / 3 + 2 / 9 + 0.04), abs=0.05)


def test_shuffling_costs_what_theory_says():
    values, parameters = draw_runs(count=2_000, noise=0.05)
    worth = {each.name: each for each in explain_metric(values, parameters).parameters}
    whole = 1 / 3 + 2 / 9
    assert worth["rate"].loss == pytest.approx(2 * (1 / 3) / whole, rel=0.1)
    assert worth["family"].loss == pytest.approx(2 * (2 / 9) / whole, rel=0.1)


def test_of_noise_nothing_is_told():
    surely = 0
    for seed in range(6):
        _, parameters = draw_runs(count=120, seed=seed)
        values = np.random.default_rng(100 + seed).normal(size=120)
        found = explain_metric(values, parameters)
        surely += sum(each.low > 0 for each in found.parameters)
        assert found.explained < 0.1
    assert surely <= 3  # of 24, of which one in forty may look so by chance


def test_what_cannot_be_told_is_not():
    values, parameters = draw_runs(count=FEWEST_RUNS - 1)
    assert explain_metric(values, parameters) is None
    values, parameters = draw_runs(count=FEWEST_RUNS)
    assert explain_metric(np.ones(FEWEST_RUNS), parameters) is None
    never = {"none": [None] * FEWEST_RUNS, "same": [7] * FEWEST_RUNS, "odd": [math.nan] * FEWEST_RUNS}
    found = explain_metric(values, never)
    assert (found.parameters, found.explained, found.left_out) == ((), 0.0, ())
    values, _ = draw_runs(count=200)
    assert explain_metric(values, {"name": [f"text {number}" for number in range(200)]}).left_out == ("name",)


def test_the_same_runs_give_the_same_answer():
    values, parameters = draw_runs(count=80)
    assert explain_metric(values, parameters) == explain_metric(values, parameters)

"""The population stability index: no alarm by chance, an alarm at a shift, and a value of its own for what is missing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.stats.population_stability import measure_stability

DRAWS = {
    "numbers": lambda random, size: random.normal(size=size).tolist(),
    "counts": lambda random, size: random.poisson(1.2, size).tolist(),
    "texts": lambda random, size: random.choice(list("abcdefgh"), size).tolist(),
    "gaps": lambda random, size: [None if random.random() < 0.05 else each for each in random.random(size)],
}


@pytest.mark.parametrize("draw", DRAWS)
def test_two_draws_of_one_population_stay_below_what_is_chance(draw):
    random = np.random.default_rng(7)
    found = [measure_stability(DRAWS[draw](random, 400), DRAWS[draw](random, 250), level=0.95) for _ in range(300)]
    assert 0.01 <= np.mean([each.index > each.by_chance for each in found]) <= 0.09


def test_a_shift_of_a_third_of_the_spread_is_seen_and_the_index_is_that_of_the_bins():
    random = np.random.default_rng(7)
    found = measure_stability(random.normal(size=1_000).tolist(), random.normal(0.33, 1, 1_000).tolist(), level=0.99)
    assert found.index > found.by_chance
    ours, theirs = ["a"] * 60 + ["b"] * 40, ["a"] * 30 + ["b"] * 70
    p, q = 60.5 / 101, 30.5 / 101
    by_hand = (q - p) * math.log(q / p) + ((1 - q) - (1 - p)) * math.log((1 - q) / (1 - p))
    assert measure_stability(ours, theirs, level=0.95).index == pytest.approx(by_hand, rel=1e-12)


def test_missing_values_are_a_bin_and_without_any_there_is_nothing_to_tell():
    values = list(map(float, range(200)))
    gone = [None if place % 2 else value for place, value in enumerate(values)]
    assert measure_stability(values, gone, level=0.95).index > 1
    assert measure_stability([None] * 9, [None] * 9, level=0.95).index == 0
    assert measure_stability([], values, level=0.95) is None
    assert measure_stability([1.0] * 50, [1.0] * 70, level=0.95).index == pytest.approx(0, abs=1e-9)

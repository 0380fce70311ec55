"""Sets of parameters over splits of the same data: what decides the split, and what the splits say together."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from tests.unit.comparisons.builders import build_compared_run
from workbench.comparisons.families import Family, OnSplit, describe_family, find_family, find_split_parameters
from workbench.comparisons.verdict import Verdict
from workbench.stats.nadeau_bengio import nadeau_bengio

VALUES = {("forest", 0): 0.90, ("forest", 1): 0.93, ("forest", 2): 0.91, ("stump", 0): 0.70, ("stump", 1): 0.72}
CONSTANT = {"0" * 64: 0.5, "1" * 64: 0.5, "2" * 64: 0.5}


def on_split(family: str, seed: int, value: float = 0.9, **more: object) -> OnSplit:
    parameters = {"family": family, "seed": seed, **more}
    return OnSplit(
        build_compared_run(run_id=f"{abs(hash((family, seed))):012x}"[:12]).run_id, parameters, str(seed) * 64, value
    )


RUNS = [on_split(family, seed, value) for (family, seed), value in VALUES.items()]


def find(runs: list[OnSplit], **changes: object) -> Family | None:
    asked = {"reference": "a constant prediction", "metric": "roc_auc", "direction": "higher", "margin": 0.005}
    return find_family(runs, CONSTANT, **{**asked, "rows": (171, 398), **changes})  # type: ignore[arg-type]


def test_the_parameter_that_decides_the_split_is_the_one_each_of_whose_values_has_a_holdout_of_its_own() -> None:
    assert find_split_parameters(RUNS) == ("seed",)
    assert find_split_parameters([on_split("forest", 0), on_split("stump", 0)]) == ()
    # Where two move together nobody can tell what of a difference is the split's.
    assert find_split_parameters([on_split("a", 0, number=1), on_split("a", 1, number=2)]) == ()
    # Where each run has a value of its own it decides nothing: two of them are of one holdout.
    assert find_split_parameters([*RUNS, on_split("forest", 0, rate=0.1), on_split("forest", 0, rate=0.2)]) == ("seed",)


def test_sets_are_judged_over_their_splits_and_one_on_a_single_split_is_left_out() -> None:
    found = find([*RUNS, on_split("ridge", 1)])
    assert found is not None
    assert (found.by, found.splits, [len(row.runs) for row in found.rows]) == (("seed",), 3, [3, 2])
    forest, stump = found.rows
    assert (forest.parameters, stump.parameters) == ({"family": "forest"}, {"family": "stump"})
    test = nadeau_bengio([0.4, 0.43, 0.41], test_rows=171, train_rows=398, level=1 - 0.05 / 2)
    assert test is not None
    assert forest.advantage is not None
    assert vars(forest.advantage) == pytest.approx(vars(test.interval))
    assert forest.verdict is Verdict.BETTER
    assert "weak" in describe_family(found)
    assert "not with seed" in describe_family(found)


def test_runs_of_two_notebooks_are_two_sets_whatever_their_parameters() -> None:
    other = [replace(run, notebook="other.ipynb", value=run.value - 0.3) for run in RUNS]
    found = find([*RUNS, *other])
    assert found is not None
    assert len(found.rows) == 4
    assert max(row.value for row in found.rows) == pytest.approx(0.9133, abs=1e-4)


def test_what_is_lower_is_better_and_what_never_varies_is_inconclusive() -> None:
    losses = [on_split("forest", seed, 0.3) for seed in (0, 1)] + [on_split("stump", seed, 0.4) for seed in (0, 1)]
    found = find(losses, metric="log_loss", direction="lower")
    assert found is not None
    assert [row.value for row in found.rows] == [0.3, 0.4]
    assert {row.verdict for row in found.rows} == {Verdict.INCONCLUSIVE}


def test_no_family_is_made_of_runs_on_one_split_or_without_values() -> None:
    assert find([run for run in RUNS if run.parameters["seed"] == 0]) is None
    assert find([on_split("forest", seed, math.nan) for seed in (0, 1)]) is None

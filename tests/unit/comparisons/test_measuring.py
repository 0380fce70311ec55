"""What few tries leave to each other, what other tests say, what is worth confirming, and runs that are judged together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.unit.comparisons.builders import build_compared_run
from tests.unit.people import AUTHOR, ENDED
from tests.unit.policies.builders import build_policy
from workbench.comparisons.comparison import RunComparison, describe_left_out, describe_selection, headline
from workbench.comparisons.cross_checks import cross_check, describe_cross_check
from workbench.comparisons.remembering import KeptResults
from workbench.comparisons.screening import compare_alike
from workbench.comparisons.verdict import Verdict
from workbench.comparisons.worth_confirming import find_worth_confirming
from workbench.errors import UsageError
from workbench.models.predictions import Predictions
from workbench.models.scorecard import measure_scorecard
from workbench.runs.folder import PREDICTIONS
from workbench.runs.run import Run, RunState
from workbench.stats.interval import Interval

ROWS = 400
DRAWN = np.random.default_rng(11)
TRUTH = (np.arange(ROWS) % 2).astype(float)
NAMES = tuple(f"{row:04d}" for row in range(ROWS))
SLICES = {"size": ["small" if row % 4 < 2 else "large" for row in range(ROWS)]}


def predict(strength: float, seed: int) -> Predictions:
    noise = np.random.default_rng(seed).normal(size=ROWS)
    score = 1 / (1 + np.exp(-(strength * (TRUTH - 0.5) + noise)))
    return Predictions(NAMES, TRUTH, score, "classification", label=(score >= 0.5).astype(float))


def compare(models: dict[str, tuple[float, int]], tried: int = 0, **asked: object) -> RunComparison:
    """Compare runs by their strength and seed, named by one letter each."""
    predicted = {name * 12: predict(*model) for name, model in models.items()}
    holdout = {"name": "holdout", "role": "holdout", "digest": "d" * 64, "rows": ROWS, "columns": 3}

    def build(name: str) -> Run:
        strength, seed = models[name[0]]
        record = {
            "datasets": [holdout],
            "files": {PREDICTIONS: name * 5},
            "scores": measure_scorecard(predicted[name]).to_json(),
        }
        parameters = {"strength": strength, "seed": seed}
        return Run(name, "a.ipynb", "ab", parameters, {}, AUTHOR, ENDED, state=RunState.FINISHED, record=record)

    against, gone = asked.pop("against", None), asked.pop("gone", "")

    def read(run: Run) -> Predictions:
        if run.id[0] == gone:
            raise UsageError(f"The predictions of run {run.id} cannot be used.")
        return predicted[run.id]

    return compare_alike(
        [build(name) for name in predicted if name[0] != against],
        against=build(str(against) * 12) if against else None,
        policy=build_policy(),
        tried=tried or len(models),
        read=read,
        row_ids=NAMES,
        **{"read_slices": lambda _: SLICES, **asked},  # type: ignore[arg-type]
    )


def test_of_few_tries_each_that_is_better_leaves_more_to_the_next_and_none_after_one_that_is_not() -> None:
    found = compare({"a": (2.0, 1), "b": (1.5, 2), "c": (0.0, 3), "d": (0.0, 4)})
    levels = [run.advantage.level for run in found.runs if run.advantage]
    assert levels == pytest.approx([1 - 0.05 / 4, 1 - 0.05 / 3, 1 - 0.05 / 2, 1 - 0.05 / 2])
    assert [run.verdict for run in found.runs[:2]] == [Verdict.BETTER, Verdict.BETTER]
    many = compare({"a": (2.0, 1), "b": (1.5, 2), "c": (0.0, 3)}, tried=6)
    assert {run.advantage.level for run in many.runs if run.advantage} == {1 - 0.05 / 6}


def test_runs_that_differ_in_the_seed_alone_are_one_row_and_so_are_those_they_are_held_against() -> None:
    models = {"a": (1.2, 1), "b": (1.2, 2), "c": (1.2, 3), "d": (0.6, 4), "e": (0.6, 5)}
    found = compare(models, all_but=("seed",))
    assert [{*found.members[run.run_id]} for run in found.runs] == [
        {"a" * 12, "b" * 12, "c" * 12},
        {"d" * 12, "e" * 12},
    ]
    assert [dict(run.parameters) for run in found.runs] == [{"strength": 1.2}, {"strength": 0.6}]
    alone = compare(models)
    values = {run.parameters["seed"]: run.value for run in alone.runs}
    assert found.best.value == pytest.approx(np.mean([values[seed] for seed in (1, 2, 3)]))
    assert "The mean of 3 runs with strength 1.2 is better than" in headline(found)
    held = compare(models, all_but=("seed",), against="d")
    assert held.reference == "the mean of 2 runs such as run dddddddddddd"
    assert held.reference_value == pytest.approx(np.mean([values[4], values[5]]))
    assert (len(held.runs), held.best.verdict) == (1, Verdict.BETTER)
    assert held.crowded == 0
    with pytest.raises(UsageError, match="Apart from seed, strength all have the parameters of the reference"):
        compare(models, all_but=("seed", "strength"), against="d")


def test_what_was_measured_while_a_run_of_the_reference_could_not_be_read_is_not_remembered_of_all(
    tmp_path: Path,
) -> None:
    models = {"a": (1.2, 1), "d": (0.6, 4), "e": (0.6, 5)}
    asked: dict[str, Any] = {"all_but": ("seed",), "against": "d"}
    part = compare(models, gone="e", kept=KeptResults(tmp_path / "results.db"), **asked)
    whole = compare(models, kept=KeptResults(tmp_path / "results.db"), **asked)
    assert (part.reference, whole.reference) == ("run dddddddddddd", "the mean of 2 runs such as run dddddddddddd")
    assert whole.runs == compare(models, **asked).runs
    assert whole.best.advantage != part.best.advantage


def test_rows_of_too_many_runs_have_a_mean_and_it_is_said_why_they_have_no_interval() -> None:
    many = {chr(ord("0") + place): (1.2 if place < 52 else 0.6, place) for place in range(60)}
    found = compare(many, all_but=("seed",), against=chr(ord("0") + 59))
    assert (found.crowded, found.best.verdict, found.best.advantage) == (1, Verdict.INCONCLUSIVE, None)
    assert any(said.startswith("1 row here has no interval") for said in describe_selection(found))


def test_seven_seeds_are_held_against_five() -> None:
    many = {chr(ord("a") + place): (1.2 if place < 7 else 0.3, place) for place in range(12)}
    found = compare(many, all_but=("seed",), against="l")
    assert (found.crowded, found.best.verdict) == (0, Verdict.BETTER)
    assert found.best.advantage is not None
    assert found.best.value - found.reference_value == pytest.approx(found.best.advantage.estimate)


def test_within_a_slice_its_rows_alone_are_scored_and_one_that_nobody_named_is_told() -> None:
    models = {"a": (1.2, 1), "b": (0.4, 2)}
    found = compare(models, within="size=small")
    small = np.array([value == "small" for value in SLICES["size"]])
    alone = predict(1.2, 1).take(np.flatnonzero(small))
    assert (found.rows, found.within) == (200, "size = small")
    assert found.best.value == pytest.approx(measure_scorecard(alone).values["roc_auc"])
    assert "on roc_auc where size = small" in headline(found)
    for asked, why in {
        "size": "no name and value",
        "age=old": "They named size",
        "size=huge": "There are large, small",
    }.items():
        with pytest.raises(UsageError) as caught:
            compare(models, within=asked)
        assert why in caught.value.reasons[0]


@pytest.mark.parametrize("asked", ["a = b=small", "a = b= small ", " a = b =small"])
def test_a_slice_is_known_by_its_very_name_and_value_and_else_but_for_blanks(asked: str) -> None:
    labels = {"a = b": [" small" if row % 4 < 2 else "large=" for row in range(ROWS)]}
    models = {"a": (1.2, 1), "b": (0.4, 2)}
    assert compare(models, within=asked, read_slices=lambda _: labels).within == "a = b =  small"
    assert compare(models, within="a = b=large=", read_slices=lambda _: labels).within == "a = b = large="


def test_a_slice_that_runs_name_differently_is_the_newest_runs_and_that_is_said() -> None:
    other = {"size": ["large" if row % 4 < 2 else "small" for row in range(ROWS)]}
    models = {"a": (1.2, 1), "b": (0.4, 2)}
    found = compare(models, within="size=small", read_slices=lambda run: SLICES if run.id[0] == "a" else other)
    assert "size = small (as run aaaaaaaaaaaa has it; others name other rows)" in headline(found)
    alone = predict(1.2, 1).take(np.flatnonzero([value == "small" for value in SLICES["size"]]))
    values = {run.run_id[0]: run.value for run in found.runs}
    assert values["a"] == pytest.approx(measure_scorecard(alone).values["roc_auc"])


def test_beside_each_run_that_cannot_be_told_apart_stands_what_would_decide() -> None:
    found = compare({"a": (1.2, 1), "b": (1.5, 2), "c": (0.0, 3)}, against="a")
    undecided = [run for run in found.runs if run.verdict is Verdict.INCONCLUSIVE]
    assert [run.run_id[0] for run in undecided] == ["b"]
    assert {*found.needed} == {run.run_id for run in undecided}
    needed = found.needed["b" * 12]
    assert (needed.there, needed.drawn) == (ROWS, "rows")
    assert needed.difference > found.margin
    assert needed.needed >= ROWS * (needed.difference / found.margin) ** 2


def test_another_test_agrees_with_the_verdict_of_the_best_or_contradicts_it_and_says_so() -> None:
    found = compare({"a": (1.2, 1), "b": (0.4, 2)})
    assert found.cross_check is not None
    assert (found.cross_check.test, found.cross_check.contradicts) == ("DeLong", False)
    assert "DeLong's test agrees (p < 0.0001)" in describe_selection(replace(found, notebooks=("a.ipynb",)))[0]
    good, bad = predict(2.0, 1), predict(0.0, 2)
    elsewhere = cross_check(bad, good, "roc_auc", Interval(0.3, 0.25, 0.35, 0.95), 0.005)
    assert elsewhere is not None
    assert elsewhere.contradicts
    right = cross_check(good, bad, "accuracy", Interval(-0.2, -0.3, -0.1, 0.95), 0.005)
    assert right is not None
    assert (right.test, right.contradicts) == ("McNemar", True)
    assert "contradicts this" in describe_cross_check(right)
    assert cross_check(good, bad, "log_loss", Interval(0.1, 0, 0.2, 0.95), 0.005) is None


def test_what_a_screening_finds_is_no_verdict_and_counts_those_that_nobody_measured() -> None:
    sure, likely, chance = Interval(0.1, 0.05, 0.15, 0.99), Interval(0.05, -0.01, 0.11, 0.99), Interval(0, -1, 1, 0.99)
    runs = [
        build_compared_run(run_id="a" * 12, advantage=sure, verdict=Verdict.BETTER),
        build_compared_run(run_id="b" * 12, advantage=likely, verdict=Verdict.INCONCLUSIVE),
        build_compared_run(run_id="c" * 12, advantage=chance, verdict=Verdict.INCONCLUSIVE),
    ]
    assert find_worth_confirming(runs, tried=3) == ("b" * 12,)
    assert find_worth_confirming(runs, tried=200) == ()


def test_one_reason_of_many_runs_is_said_once() -> None:
    said = describe_left_out([f"Run {number:012x} stored no predictions." for number in range(3)] + ["Another."])
    assert said == ["Run 000000000000 stored no predictions. The same holds for 2 more runs.", "Another."]

"""What will be served, asked in ways nobody can ask a file."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.unit.models.builders import build_contract
from workbench.models.contract import Answers
from workbench.models.disturbance import choose_rows
from workbench.models.serving_trial import ask_singly, disturb, measure_cost

CONTRACT = build_contract(
    [("x", "f", False), ("age", "i", True), ("kind", "O", False), ("new", "b", False)], "classification"
)
ROWS = [
    {"x": float(n % 17), "age": None if n % 5 == 0 else n, "kind": "ab"[n % 2], "new": n % 3 == 0} for n in range(60)
]


def answers(score):
    """Return a model that gives each row a score by itself."""
    return lambda rows: Answers([score(row) for row in rows])


predict = answers(lambda row: 1 / (1 + math.exp(-row["x"] / 9)))


def disturbed(answer=predict, rows=ROWS):
    found, answers = disturb(answer, CONTRACT, rows)
    return {(each.name, each.column): (each, scores) for each, scores in zip(found, answers, strict=True)}


def test_every_way_of_disturbing_is_tried_where_it_has_a_meaning():
    assert set(disturbed()) == {
        ("undisturbed", None),
        ("noise", None),
        ("missing", "age"),
        ("unit", "x"),
        ("unit", "age"),
        ("permuted", "x"),
        ("permuted", "age"),
        ("permuted", "kind"),
        ("permuted", "new"),
        ("unseen category", "kind"),
    }


def test_a_model_that_answers_everything_is_told_nothing_of():
    assert {(each.refused, each.not_finite, each.error) for each, _ in disturbed().values()} == {(0, 0, None)}


def test_the_same_rows_are_disturbed_in_the_same_way_each_time():
    assert disturb(predict, CONTRACT, ROWS) == disturb(predict, CONTRACT, ROWS)


def test_a_category_the_model_does_not_know_shows_as_what_it_raised():
    known = {"a": 0.1, "b": 0.9}
    each, scores = disturbed(answers(lambda row: known[row["kind"]]))["unseen category", "kind"]
    assert each.error == "KeyError: 'never seen before'"
    assert all(map(math.isnan, scores))


def test_a_missing_value_the_model_passes_on_shows_as_answers_that_are_no_numbers():
    found = disturbed(answers(lambda row: math.nan if row["age"] is None else 0.5))
    assert found["missing", "age"][0].not_finite == 60
    assert found["undisturbed", None][0].not_finite == 12


def test_what_the_contract_refuses_is_not_asked():
    rows = [{**row, "age": 2**52} for row in ROWS]
    each, scores = disturbed(rows=rows)["unit", "age"]
    assert (each.refused, each.not_finite, each.error) == (60, 0, None)
    assert all(map(math.isnan, scores))


def test_noise_is_a_tenth_of_the_spread():
    found, said_to_all = disturb(answers(lambda row: row["x"]), CONTRACT, ROWS)
    noise = [
        np.std(np.array(said) - said_to_all[0])
        for each, said in zip(found, said_to_all, strict=True)
        if each.name == "noise"
    ]
    assert len(noise) == 5
    assert np.mean(noise) == pytest.approx(0.1 * np.std([row["x"] for row in ROWS]), rel=0.15)


@pytest.mark.parametrize("rows", [0, 1, 500, 501, 100_000])
def test_at_most_five_hundred_rows_are_disturbed_and_always_the_same(rows):
    chosen = choose_rows(rows)
    assert len(chosen) == min(rows, 500) == len(set(chosen.tolist()))
    assert (chosen == choose_rows(rows)).all()
    assert all(chosen[:-1] < chosen[1:])


def test_a_row_that_is_answered_otherwise_among_others_is_seen():
    assert ask_singly(predict, ROWS, 1.0).largest_batch_difference == 0.0
    fact = ask_singly(lambda rows: Answers([0.5 + len(rows) / 1000] * len(rows)), ROWS, 0.5)
    assert fact.largest_batch_difference == pytest.approx(2 * 0.059)


def test_answers_that_are_no_numbers_are_counted():
    fact = ask_singly(answers(lambda row: math.inf if row["new"] else 0.5), ROWS, 1.0)
    assert (fact.rows, fact.not_finite, fact.largest_batch_difference) == (60, 20, None)


def test_the_cost_is_that_of_two_hundred_single_requests():
    asked = []
    cost = measure_cost(lambda: lambda rows: asked.append(len(rows)) or Answers([0.5]), ROWS, 1624)
    assert asked == [1] * 200
    assert (cost.calls, cost.model_bytes) == (200, 1624)
    assert 0 <= cost.p50_ms <= cost.p95_ms <= cost.p99_ms
    assert cost.load_s >= 0 and cost.peak_megabytes > 1

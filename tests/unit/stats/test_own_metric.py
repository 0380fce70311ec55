"""Metrics of one's own: plain functions, resampled as the built-in ones are, whose every fault is told."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import ndcg_score

from tests.unit.stats.own_metrics import EXAMPLES, draw_columns, draw_scores
from workbench.models.predictions import Predictions
from workbench.stats.holdout_columns import HoldoutColumns
from workbench.stats.metrics import METRICS
from workbench.stats.own_metric import OwnMetric, Undefined, find_groups, gather, make_metric
from workbench.stats.paired_bootstrap import paired_bootstrap
from workbench.stats.paired_jackknife import jackknife_interval

ROWS = 400
TRUTH, SCORE, OTHER = draw_scores("classification", ROWS)
COLUMNS = draw_columns(ROWS)


def own(function: Callable[..., Any], **told: Any) -> OwnMetric:
    return make_metric("mine", function, **{"direction": "lower", "tasks": ("classification",), **told})


def predict(score: Any, metric: OwnMetric, columns: HoldoutColumns = COLUMNS, truth: Any = TRUTH) -> Predictions:
    names = tuple(f"{row:04}" for row in range(len(truth)))
    return Predictions(names, truth, score, metric.tasks[0], columns=columns)


def compare(metric: OwnMetric, score: Any = SCORE, other: Any = OTHER, truth: Any = TRUTH, **how: Any) -> Any:
    bound = metric.on(COLUMNS)
    judged = [predict(each, metric, truth=truth).read_by(bound) for each in (score, other)]
    return paired_bootstrap(*gather(find_groups(metric, COLUMNS), truth, *judged), bound, level=0.95, **how)


def squares(truth: Any, score: Any, rows: Any) -> Any:
    return (score - truth) ** 2


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_each_example_has_a_value_and_an_interval_that_turns_with_its_sides(name: str) -> None:
    metric = EXAMPLES[name]
    truth, score, other = draw_scores(metric.tasks[0], ROWS)
    value = predict(score, metric, truth=truth).measure(metric)
    assert value is not None
    assert math.isfinite(value)
    found, turned = (compare(metric, *pair, truth=truth, resamples=300) for pair in ((score, other), (other, score)))
    assert found.low < found.estimate < found.high
    assert (found.estimate, found.low, found.high) == (-turned.estimate, -turned.high, -turned.low)


def test_what_rows_contribute_is_judged_as_the_built_in_metric_is() -> None:
    judged = paired_bootstrap(TRUTH, SCORE, OTHER, METRICS["brier_score"], level=0.95, resamples=4_000)
    found = compare(own(squares), resamples=4_000)
    assert judged is not None
    assert found.estimate == pytest.approx(judged.estimate, abs=1e-12)
    assert (found.low, found.high) == pytest.approx((judged.low, judged.high), abs=0.1 * (judged.high - judged.low))


def test_one_number_is_asked_again_of_rows_as_often_as_they_were_drawn() -> None:
    whole, asked = own(lambda truth, score, rows: float(np.mean((score - truth) ** 2))), own(squares)
    weights = np.random.default_rng(1).multinomial(ROWS, np.full(ROWS, 1 / ROWS), size=3).astype(float)
    values = [
        metric.on(COLUMNS).evaluate(TRUTH, predict(SCORE, metric).read_by(metric), weights) for metric in (whole, asked)
    ]
    assert values[0] == pytest.approx(values[1])
    assert compare(whole, resamples=200).low == pytest.approx(compare(asked, resamples=200).low, abs=0.01)


def test_a_function_that_returns_one_number_is_asked_about_2_000_resamples_at_most() -> None:
    whole, asked = own(lambda truth, score, rows: float(score.mean())), own(squares)
    judged = [predict(SCORE, metric).read_by(metric) for metric in (whole, asked)]
    assert [metric.limit_resamples(each, 10_000) for metric, each in zip((whole, asked), judged, strict=True)] == [
        2_000,
        10_000,
    ]
    assert METRICS["roc_auc"].limit_resamples(SCORE, 10_000) == 10_000


def test_rows_reach_the_function_as_their_columns_on_resamples_and_slices_too() -> None:
    metric = own(lambda truth, score, rows: float((rows["amount"] * truth).sum()))
    amounts, judged = COLUMNS["amount"], predict(SCORE, metric).read_by(metric)
    weights = np.random.default_rng(2).integers(0, 3, ROWS).astype(float)
    bound = metric.on(COLUMNS)
    assert bound.evaluate(TRUTH, judged, weights) == pytest.approx((amounts * TRUTH * weights).sum())
    part = np.arange(ROWS) % 3 == 0
    assert bound.score(TRUTH[part], judged[part]) == pytest.approx((amounts * TRUTH)[part].sum())
    taken = predict(SCORE, metric).take(np.flatnonzero(part))
    assert taken.measure(metric) == pytest.approx((amounts * TRUTH)[part].sum())


def test_a_metric_of_groups_is_the_mean_over_them_whatever_their_sizes() -> None:
    columns = HoldoutColumns(lambda: {"query": ['"a"'] * 3 + ['"b"'] + ['"c"'] * 2})
    metric = own(lambda truth, score, rows: None if rows["query"][0] == "c" else truth.sum(), each="query")
    truth = np.array([1.0, 1, 0, 1, 1, 1])
    assert predict(truth, metric, columns, truth).measure(metric) == pytest.approx((2 + 1) / 2)
    assert find_groups(metric, columns).tolist() == [0, 0, 0, 1, 2, 2]  # type: ignore[union-attr]
    assert find_groups(own(squares), columns) is None
    with pytest.raises(Undefined, match="no column 'query'"):
        predict(truth, metric, HoldoutColumns(dict), truth).measure(metric)


def test_groups_are_drawn_whole_so_that_rows_which_are_alike_do_not_count_as_many() -> None:
    whole, rows = own(lambda truth, score, rows: score.mean(), each="query"), own(lambda truth, score, rows: score)
    alike = np.repeat(np.random.default_rng(4).random((2, ROWS // 10)), 10, axis=1)
    found, narrow = (compare(metric, *alike, resamples=1_000) for metric in (whole, rows))
    assert found.estimate == pytest.approx(narrow.estimate)
    assert (found.high - found.low) / (narrow.high - narrow.low) == pytest.approx(np.sqrt(10), rel=0.15)


def test_several_classes_and_labels_reach_the_function_as_they_are_read_by_built_in_metrics() -> None:
    score = np.random.default_rng(3).dirichlet(np.ones(3), 60)
    truth = np.arange(60.0) % 3
    right = own(
        lambda truth, score, rows: score[np.arange(len(truth)), truth.astype(int)], tasks=("multiclass",), reads="label"
    )
    whole = own(lambda truth, score, rows: float((score.argmax(axis=1) == truth).mean()), tasks=("multiclass",))
    accuracy = METRICS["accuracy"].value(truth, score)
    assert [predict(score, each, truth=truth).measure(each) for each in (right, whole)] == pytest.approx([accuracy] * 2)
    bound = whole.on(COLUMNS)
    judged = [predict(each, whole, truth=truth).read_by(whole) for each in (score, np.roll(score, 1, axis=0))]
    assert jackknife_interval(truth, *judged, bound, level=0.95) is not None


def _mutate(truth: Any, score: Any, rows: Any) -> Any:
    score[0] = 1
    return score


def _mutate_rows(truth: Any, score: Any, rows: Any) -> Any:
    rows["amount"][0] = 1
    return score


@pytest.mark.parametrize(
    ("function", "why", "step"),
    [
        (lambda truth, score, rows: 1 / 0, "test_own_metric.py, line .*ZeroDivisionError", "Correct the function"),
        (lambda truth, score, rows: rows["amont"], "no column 'amont'; it has 'amount', 'query'", "Correct"),
        (lambda truth, score, rows: score[:3], r"returned an array of shape \(3,\)", "one number for each row"),
        (lambda truth, score, rows: None, "returned nothing", "one number"),
        (lambda truth, score, rows: "good", "returned a str", "one number"),
        (lambda truth, score, rows: [1.0, "x"], "returned a list of 2", "one number"),
        (lambda truth, score, rows: math.nan, "returned nan for 400 rows", "finite"),
        (lambda truth, score, rows: np.where(truth == 1, np.inf, 0), "For 1.. of 400 rows it is no finite", "finite"),
        (lambda truth, score, rows: random.random(), "Asked twice about the same 400 rows", "Draw nothing"),
        (
            lambda truth, score, rows: float(truth[np.argsort(-np.round(score), kind="stable")[:20]].mean()),
            "in another order it says",
            "count alike",
        ),
        (
            lambda truth, score, rows: np.arange(len(truth)) * score,
            "it says other numbers for 3.. of them",
            "count alike",
        ),
        (lambda truth, score, rows: exit(3), "SystemExit: 3", "Correct"),
        (_mutate, "read-only", "Work on a copy"),
        (_mutate_rows, "read-only", "Work on a copy"),
    ],
    ids=lambda each: each if isinstance(each, str) and each.isidentifier() else "",
)
def test_what_a_function_does_wrong_is_told_in_three_parts(function: Any, why: str, step: str) -> None:
    with pytest.raises(Undefined, match=why) as caught:
        predict(SCORE.copy(), own(function)).measure(own(function))
    assert caught.value.what == "The metric mine is not defined on these rows."
    assert step in caught.value.next_step


def test_the_ranking_of_the_template_is_that_of_scikit_learn_whatever_is_tied() -> None:
    truth = np.array([3.0, 0, 1, 2, 0, 1])
    for score in (np.arange(6.0), np.zeros(6), np.array([1.0, 1, 0, 0, 2, 2])):
        found = EXAMPLES["ndcg_per_query"].function(truth, score, {})
        assert found == pytest.approx(ndcg_score([2**truth - 1], [score]))


def test_resamples_on_which_a_function_fails_are_undefined_and_many_of_them_carry_no_interval() -> None:
    calls = iter([False] * 6)
    metric = own(lambda truth, score, rows: float(score.mean()) if not next(calls, True) else 1 / 0)
    bound, judged = metric.on(COLUMNS), [predict(each, metric).read_by(metric) for each in (SCORE, OTHER)]
    assert paired_bootstrap(TRUTH, *judged, bound, level=0.95, resamples=50) is None


def test_columns_are_numbers_where_all_are_and_texts_with_none_else() -> None:
    columns = HoldoutColumns(
        lambda: {"n": ["1", "null", "2.5"], "t": ['"a"', "null", '"1"'], "m": ['"a"', "2", "1e999"]}
    )
    assert columns["n"].tolist()[::2] == [1, 2.5]
    assert math.isnan(columns["n"][1])
    assert columns["t"].tolist() == ["a", None, "1"]
    assert columns["m"].tolist() == ["a", "2", "1e999"]
    assert columns.take(np.array([2, 0])).take(np.array([1, 1]))["t"].tolist() == ["a", "a"]
    assert (list(columns), len(columns)) == (["n", "t", "m"], 3)


@pytest.mark.parametrize("function", [squares, lambda truth, score, rows: np.abs(score - truth) * 3])
def test_what_many_rows_contribute_is_computed_and_not_drawn(function: Any) -> None:
    truth, score, other = draw_scores("classification", 6_000)
    found = paired_bootstrap(*_judge(own(function), truth, score, other), level=0.95)
    again = paired_bootstrap(*_judge(own(function), truth, score, other), level=0.95, resamples=7, seed=5)
    assert found == again
    if function is squares:
        judged = paired_bootstrap(truth, score, other, METRICS["brier_score"], level=0.95)
        assert found.low == pytest.approx(judged.low, abs=1e-9)


def _judge(metric: OwnMetric, truth: Any, *scores: Any) -> Any:
    bound = metric.on(draw_columns(6_000))
    return truth, *(bound.read(truth, score, draw_columns(6_000)) for score in scores), bound


def test_of_many_groups_the_ratio_is_computed_and_what_must_be_asked_again_is_drawn() -> None:
    generator = np.random.default_rng(2)
    groups = np.stack([generator.random((2, 5_500)), np.ones((2, 5_500))], axis=2)
    metric = own(squares, each="query").on(COLUMNS)
    computed = paired_bootstrap(np.zeros(5_500), *groups, metric, level=0.95)
    difference = groups[1, :, 0] - groups[0, :, 0]
    assert computed.low == pytest.approx(difference.mean() - 1.645 * difference.std() / 5_500**0.5, abs=1e-4)
    asked = metric.influence(np.zeros(4), np.ones((4, 3)))
    assert np.isnan(asked).all()

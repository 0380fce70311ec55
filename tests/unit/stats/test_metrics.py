"""The metrics are the field's: equal to scikit-learn with weights, and NaN where there is nothing to say."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.stats.metrics import METRICS, constant_score

TWO, SEVERAL, NUMBERS = "classification", "multiclass", "regression"
SKLEARN = {
    ("accuracy", TWO): lambda m, t, s, w: m.accuracy_score(t, s >= 0.5, sample_weight=w),
    ("accuracy", SEVERAL): lambda m, t, s, w: m.accuracy_score(t, s.argmax(1), sample_weight=w),
    ("brier_score", TWO): lambda m, t, s, w: m.brier_score_loss(t, s, sample_weight=w),
    ("brier_score", SEVERAL): lambda m, t, s, w: m.brier_score_loss(t, s, sample_weight=w, labels=range(4)),
    ("f1", TWO): lambda m, t, s, w: m.f1_score(t, s >= 0.5, sample_weight=w),
    ("f1_macro", SEVERAL): lambda m, t, s, w: m.f1_score(t, s.argmax(1), average="macro", sample_weight=w),
    ("f1_weighted", SEVERAL): lambda m, t, s, w: m.f1_score(t, s.argmax(1), average="weighted", sample_weight=w),
    ("log_loss", TWO): lambda m, t, s, w: m.log_loss(t, s, sample_weight=w, labels=[0, 1]),
    ("log_loss", SEVERAL): lambda m, t, s, w: m.log_loss(t, s, sample_weight=w, labels=range(4)),
    ("mean_absolute_error", NUMBERS): lambda m, t, s, w: m.mean_absolute_error(t, s, sample_weight=w),
    ("r2", NUMBERS): lambda m, t, s, w: m.r2_score(t, s, sample_weight=w),
    ("roc_auc", TWO): lambda m, t, s, w: m.roc_auc_score(t, s, sample_weight=w),
    ("roc_auc", SEVERAL): lambda m, t, s, w: m.roc_auc_score(t, s, multi_class="ovr", sample_weight=w),
    ("roc_auc_weighted", SEVERAL): lambda m, t, s, w: m.roc_auc_score(
        t, s, multi_class="ovr", average="weighted", sample_weight=w
    ),
    ("root_mean_squared_error", NUMBERS): lambda m, t, s, w: m.root_mean_squared_error(t, s, sample_weight=w),
}
JUDGED = pytest.mark.parametrize(("name", "task"), sorted(SKLEARN))


def draw(task, *, rows=60, seed=0, decimals=2):
    generator = np.random.default_rng(seed)
    score = np.round(generator.random(rows), decimals)
    if task == NUMBERS:
        return 50 * score + generator.normal(size=rows), 50 * score
    if task == SEVERAL:
        score = generator.integers(1, 9, size=(rows, 4)) / 8  # with ties
        score /= score.sum(axis=1, keepdims=True)
        truth = np.array([generator.choice(4, p=line) for line in score], dtype=float)
        truth[:4] = range(4)
        return truth, score
    truth = (generator.random(rows) < score).astype(float)
    truth[:2] = 0, 1
    return truth, score


def certain(task, truth):
    """The scores of a model that knows the truth."""
    return np.eye(4)[truth.astype(int)] if task == SEVERAL else truth


@pytest.mark.parametrize("seed", range(5))
@JUDGED
def test_a_metric_equals_scikit_learn_on_weighted_and_tied_rows(name, task, seed):
    import sklearn.metrics

    truth, score = draw(task, seed=seed)
    weights = np.random.default_rng(seed).integers(0, 4, size=len(truth)).astype(float)
    weights[:4] = 1
    expected = SKLEARN[name, task](sklearn.metrics, truth, score, weights)
    assert float(METRICS[name].evaluate(truth, score, weights)) == pytest.approx(expected, abs=1e-12)
    assert METRICS[name].value(truth, score) == pytest.approx(
        SKLEARN[name, task](sklearn.metrics, truth, score, None), abs=1e-12
    )


def test_every_metric_is_held_against_scikit_learn():
    assert set(SKLEARN) == {(name, task) for name, metric in METRICS.items() for task in metric.tasks}


@JUDGED
def test_many_resamples_at_once_give_what_each_gives_alone(name, task):
    truth, score = draw(task)
    weights = np.random.default_rng(1).integers(0, 3, size=(7, len(truth))).astype(float)
    together = METRICS[name].evaluate(truth, score, weights)
    assert together.shape == (7,)
    alone = [float(METRICS[name].evaluate(truth, score, row)) for row in weights]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@JUDGED
def test_a_whole_weight_is_a_repeated_row(name, task):
    truth, score = draw(task)
    weights = np.random.default_rng(2).integers(0, 4, size=len(truth))
    weights[:4] = 1
    repeated = METRICS[name].value(np.repeat(truth, weights), np.repeat(score, weights, axis=0))
    assert float(METRICS[name].evaluate(truth, score, weights.astype(float))) == pytest.approx(repeated, rel=1e-9)


@JUDGED
def test_a_metric_of_no_weight_is_not_a_number(name, task):
    truth, score = draw(task)
    assert math.isnan(METRICS[name].evaluate(truth, score, np.zeros(len(truth))))


@pytest.mark.parametrize("only", [0.0, 1.0])
def test_the_roc_curve_of_one_class_has_no_area(only):
    assert math.isnan(METRICS["roc_auc"].value(np.full(12, only), np.linspace(0, 1, 12)))


def test_the_variance_of_a_constant_truth_cannot_be_explained():
    assert math.isnan(METRICS["r2"].value(np.full(12, 0.1), np.linspace(0, 1, 12)))
    assert math.isnan(METRICS["r2"].value(np.zeros(12), np.linspace(0, 1, 12)))


def test_r2_holds_far_from_zero():
    truth, score = draw("regression")
    near, far = METRICS["r2"].value(truth, score), METRICS["r2"].value(truth + 1e7, score + 1e7)
    assert far == pytest.approx(near, abs=1e-6)


@pytest.mark.parametrize("name", ["log_loss", "brier_score"])
def test_a_score_outside_zero_to_one_is_no_probability(name):
    truth, score = draw("classification")
    assert math.isnan(METRICS[name].value(truth, score + 0.5))


def test_certainty_that_is_wrong_costs_much_but_not_infinitely():
    loss = METRICS["log_loss"].value(np.array([0.0, 1.0]), np.array([1.0, 0.0]))
    assert 30 < loss < 40


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), min_size=2, max_size=25))
def test_the_area_is_the_share_of_pairs_ranked_right_with_ties_half(rows):
    truth = np.array([positive for positive, _ in rows], dtype=float)
    score = np.array([value for _, value in rows], dtype=float)
    pairs = [(p, n) for p in score[truth == 1] for n in score[truth == 0]]
    area = METRICS["roc_auc"].value(truth, score)
    if not pairs:
        assert math.isnan(area)
    else:
        assert area == pytest.approx(sum((p > n) + (p == n) / 2 for p, n in pairs) / len(pairs), abs=1e-12)


@given(st.integers(0, 1000))
def test_turning_the_scores_round_mirrors_the_area(seed):
    truth, score = draw("classification", seed=seed, rows=20, decimals=1)
    area, mirrored = METRICS["roc_auc"].value(truth, score), METRICS["roc_auc"].value(truth, -score)
    assert area + mirrored == pytest.approx(1, abs=1e-12)


def test_a_score_that_is_no_finite_number_is_none():
    truth = np.array([0.0, 1.0])
    assert METRICS["roc_auc"].score(np.ones(2), truth) is None
    assert METRICS["root_mean_squared_error"].score(truth, np.array([1e300, -1e300])) is None
    assert METRICS["roc_auc"].score(truth, truth) == METRICS["roc_auc"].value(truth, truth) == 1


@JUDGED
def test_the_sign_makes_the_true_answer_the_best(name, task):
    metric = METRICS[name]
    truth, score = draw(task)
    assert metric.sign * metric.value(truth, certain(task, truth)) > metric.sign * metric.value(truth, score)


def test_the_constant_score_is_the_prevalence_or_the_median():
    assert constant_score(np.array([0, 0, 0, 1]), "classification").tolist() == [0.25] * 4
    assert constant_score(np.array([1.0, 2.0, 90.0]), "regression").tolist() == [2.0] * 3


def test_the_constant_score_of_several_classes_is_the_share_of_each():
    assert constant_score(np.array([0, 2, 2, 0]), "multiclass", 3).tolist() == [[0.5, 0.0, 0.5]] * 4


@pytest.mark.parametrize("name", sorted(name for name, metric in METRICS.items() if SEVERAL in metric.tasks))
@given(order=st.permutations(range(4)), seed=st.integers(0, 9))
def test_the_order_of_the_classes_changes_nothing(name, order, seed):
    truth, score = draw(SEVERAL, seed=seed)
    score = score + np.random.default_rng(seed).random(score.shape) * 1e-9  # of equal scores the first decides
    score /= score.sum(axis=1, keepdims=True)
    places = np.argsort(order)
    moved = METRICS[name].value(places[truth.astype(int)].astype(float), score[:, order])
    assert moved == pytest.approx(METRICS[name].value(truth, score), abs=1e-12)


@pytest.mark.parametrize("name", ["accuracy", "log_loss", "roc_auc"])
@given(seed=st.integers(0, 30))
def test_two_classes_are_judged_as_several_are(name, seed):
    truth, score = draw(TWO, seed=seed, decimals=9)
    both = np.stack([1 - score, score], axis=1)
    assert METRICS[name].value(truth, both) == pytest.approx(METRICS[name].value(truth, score), abs=1e-12)
    assert METRICS["brier_score"].value(truth, both) == pytest.approx(2 * METRICS["brier_score"].value(truth, score))
    turned = METRICS["f1"].value(1 - truth, 1 - score)
    macro = METRICS["f1_macro"].value(truth, both)
    assert macro == pytest.approx((turned + METRICS["f1"].value(truth, score)) / 2, abs=1e-12)


@pytest.mark.parametrize("name", ["log_loss", "brier_score"])
def test_scores_that_do_not_add_up_to_one_are_no_probabilities(name):
    truth, score = draw(SEVERAL)
    assert math.isnan(METRICS[name].value(truth, score / 2))


def test_no_other_constant_has_a_smaller_loss():
    truth, _ = draw("classification")
    best = METRICS["log_loss"].value(truth, constant_score(truth, "classification"))
    assert all(METRICS["log_loss"].value(truth, np.full(len(truth), c)) >= best for c in np.linspace(0.01, 0.99, 50))
    truth, _ = draw("regression")
    best = METRICS["mean_absolute_error"].value(truth, constant_score(truth, "regression"))
    others = [METRICS["mean_absolute_error"].value(truth, np.full(len(truth), c)) for c in np.linspace(-5, 60, 50)]
    assert min(others) >= best


def test_the_table_calls_each_metric_by_its_function():
    assert {name: metric.evaluate.__name__ for name, metric in METRICS.items()} == {name: name for name in METRICS}

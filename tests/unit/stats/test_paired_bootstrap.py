"""The interval holds what it promises, and says nothing when the data cannot carry it."""

from __future__ import annotations

import importlib
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from workbench.comparisons.verdict import Verdict, decide_verdict
from workbench.errors import UsageError
from workbench.stats.interval import Interval
from workbench.stats.metrics import METRICS, constant_score
from workbench.stats.paired_bootstrap import FEWEST_ROWS, paired_bootstrap, paired_bootstraps

LEVEL = 0.95


def draw(*, rows=150, seed=0, noise=0.5, reference_noise=0.5):
    """Return truth and two scores that see it through noise of their own."""
    generator = np.random.default_rng(seed)
    truth = (generator.random(rows) < 0.4).astype(float)
    evidence = 1.5 * truth + generator.normal(size=rows)
    first = evidence + noise * generator.normal(size=rows)
    second = evidence + reference_noise * generator.normal(size=rows)
    return truth, 1 / (1 + np.exp(-first)), 1 / (1 + np.exp(-second))


def bootstrap(truth, score, reference, name="roc_auc", *, level=LEVEL, resamples=500, seed=0):
    return paired_bootstrap(truth, score, reference, METRICS[name], level=level, resamples=resamples, seed=seed)


@pytest.mark.parametrize("name", ["roc_auc", "accuracy", "log_loss", "brier_score"])
def test_a_clearly_better_score_is_better_and_the_other_worse(name):
    truth, good, bad = draw(rows=400, noise=0, reference_noise=3)
    assert decide_verdict(bootstrap(truth, good, bad, name), 0.005) is Verdict.BETTER
    assert decide_verdict(bootstrap(truth, bad, good, name), 0.005) is Verdict.WORSE


@pytest.mark.parametrize("name", ["mean_absolute_error", "root_mean_squared_error", "r2"])
def test_smaller_errors_are_better(name):
    generator = np.random.default_rng(3)
    truth = generator.normal(size=200)
    near, far = truth + generator.normal(size=200) / 4, truth + generator.normal(size=200)
    assert decide_verdict(bootstrap(truth, near, far, name), 0.01) is Verdict.BETTER


def test_a_model_that_learnt_something_beats_the_constant():
    truth, score, _ = draw()
    assert decide_verdict(bootstrap(truth, score, constant_score(truth, "classification")), 0.005) is Verdict.BETTER


def test_the_estimate_is_the_difference_of_the_metric_and_lies_between_the_bounds():
    truth, score, reference = draw()
    interval = bootstrap(truth, score, reference)
    expected = METRICS["roc_auc"].value(truth, score) - METRICS["roc_auc"].value(truth, reference)
    assert interval.estimate == pytest.approx(expected, abs=1e-12)
    assert interval.low < interval.estimate < interval.high
    assert interval.level == LEVEL


def test_the_bounds_equal_those_of_scipy():
    from scipy.stats import bootstrap as scipy_bootstrap

    truth, score, reference = draw(rows=120)
    losses = [-((column - truth) ** 2) for column in (score, reference)]
    theirs = scipy_bootstrap(
        losses,
        lambda a, b, axis=-1: a.mean(axis=axis) - b.mean(axis=axis),
        paired=True,
        vectorized=True,
        method="BCa",
        n_resamples=20_000,
        confidence_level=0.90,
        rng=np.random.default_rng(5),
    ).confidence_interval
    ours = bootstrap(truth, score, reference, "brier_score", resamples=20_000)
    width = ours.high - ours.low
    assert ours.low == pytest.approx(theirs.low, abs=0.03 * width)
    assert ours.high == pytest.approx(theirs.high, abs=0.03 * width)


@pytest.mark.parametrize("name", ["roc_auc", "accuracy", "log_loss"])
def test_the_order_of_the_rows_changes_nothing(name):
    truth, score, reference = draw()
    expected = bootstrap(truth, score, reference, name)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(len(truth))
        assert bootstrap(truth[order], score[order], reference[order], name) == expected


@pytest.mark.parametrize("name", ["roc_auc", "accuracy", "log_loss"])
def test_naming_the_other_score_first_only_turns_the_sign(name):
    truth, score, reference = draw(seed=4)
    there, back = bootstrap(truth, score, reference, name), bootstrap(truth, reference, score, name)
    assert back == Interval(-there.estimate, -there.high, -there.low, LEVEL)


def test_a_seed_gives_the_same_interval_and_another_seed_another():
    truth, score, reference = draw()
    assert bootstrap(truth, score, reference) == bootstrap(truth, score, reference)
    assert bootstrap(truth, score, reference) != bootstrap(truth, score, reference, seed=1)


def test_resampling_in_chunks_changes_nothing(monkeypatch):
    module = importlib.import_module("workbench.stats.paired_bootstrap")
    truth, score, reference = draw()
    whole = bootstrap(truth, score, reference)
    monkeypatch.setattr(module, "CELLS_AT_ONCE", 7 * len(truth))
    assert bootstrap(truth, score, reference) == whole


@pytest.mark.parametrize("labelled", [{}, {"clusters": np.arange(150) // 5}, {"times": np.arange(150)}])
def test_of_several_scores_each_gets_the_interval_it_has_alone(labelled, monkeypatch):
    module = importlib.import_module("workbench.stats.paired_bootstrap")
    truth, score, reference = draw()
    scores = [score, reference, np.full(150, np.nan), score**2, reference * 0.9, 1 - score]
    rule = {"metric": METRICS["log_loss"], "level": 0.999, "resamples": 300, **labelled}
    alone = [paired_bootstrap(truth, each, reference, **rule) for each in scores]
    assert paired_bootstraps(truth, scores, reference, **rule) == alone
    assert alone[1].high == 0 and alone[2] is None and alone[3] != alone[4]
    monkeypatch.setattr(module, "_PAIRS_AT_ONCE", 2)
    assert paired_bootstraps(truth, scores[::-1], reference, **rule) == alone[::-1]
    assert paired_bootstraps(truth, [], reference, **rule) == []


def test_a_higher_level_widens_the_interval_also_beyond_the_resamples():
    truth, score, reference = draw()
    intervals = [bootstrap(truth, score, reference, level=level) for level in (0.8, 0.95, 0.99, 0.9999, 0.999999)]
    lows, highs = [i.low for i in intervals], [i.high for i in intervals]
    assert lows == sorted(lows, reverse=True) and len(set(lows)) == len(lows)
    assert highs == sorted(highs) and len(set(highs)) == len(highs)


def test_more_rows_than_jackknife_blocks_keep_the_acceleration():
    truth, score, reference = draw(rows=1200, seed=2)
    losses = (reference - truth) ** 2 - (score - truth) ** 2
    interval = bootstrap(truth, score, reference, "brier_score", resamples=4000)
    error = losses.std() / math.sqrt(len(losses))
    assert interval.low == pytest.approx(losses.mean() - 1.645 * error, abs=0.1 * error)
    assert interval.high == pytest.approx(losses.mean() + 1.645 * error, abs=0.1 * error)


def test_equal_scores_differ_by_nothing_and_are_not_worse():
    truth, score, _ = draw()
    interval = bootstrap(truth, score, score.copy())
    assert interval == Interval(0.0, 0.0, 0.0, LEVEL)
    assert decide_verdict(interval, 0.005) is Verdict.NOT_WORSE


@pytest.mark.parametrize("name", ["roc_auc", "r2", "brier_score"])
def test_so_do_the_scores_of_one_model_in_two_forms(name):
    """A model that is served in a compiled form rounds otherwise, and no larger holdout would tell the two apart."""
    truth, score, _ = draw()
    rounded = score + 1e-16 * np.where(np.arange(len(score)) % 2, 1, -1)
    rounded = score * (1 + 1e-9) if name == "roc_auc" else rounded
    assert not np.array_equal(score, rounded)
    assert bootstrap(truth, score, rounded, name) == Interval(0.0, 0.0, 0.0, LEVEL)


def test_who_ranks_every_row_alike_by_other_scores_is_another_model():
    truth, score, _ = draw()
    assert bootstrap(truth, score, score**2) is None


TRUTH, SCORE, REFERENCE = draw(rows=40)


def _with(column, value):
    changed = column.copy()
    changed[3] = value
    return changed


DEGENERATE = {
    "no rows": (TRUTH[:0], SCORE[:0], REFERENCE[:0]),
    "one row": (TRUTH[:1], SCORE[:1], REFERENCE[:1]),
    "too few rows": (TRUTH[: FEWEST_ROWS - 1], SCORE[: FEWEST_ROWS - 1], REFERENCE[: FEWEST_ROWS - 1]),
    "only negatives": (np.zeros(40), SCORE, REFERENCE),
    "only positives": (np.ones(40), SCORE, REFERENCE),
    "three classes": (_with(TRUTH, 2.0), SCORE, REFERENCE),
    "a truth that is NaN": (_with(TRUTH, np.nan), SCORE, REFERENCE),
    "a score that is NaN": (TRUTH, _with(SCORE, np.nan), REFERENCE),
    "a reference that is infinite": (TRUTH, SCORE, _with(REFERENCE, np.inf)),
    "two constants": (TRUTH, np.full(40, 0.3), np.full(40, 0.4)),
    "two perfect rankings": (TRUTH, TRUTH, TRUTH / 2),
    "one positive row": (np.eye(40)[0], SCORE, REFERENCE),
    "equal scores of one class": (np.zeros(40), SCORE, SCORE),
    "equal scores that are NaN": (TRUTH, np.full(40, np.nan), np.full(40, np.nan)),
}


@pytest.mark.parametrize("case", DEGENERATE)
def test_data_that_cannot_carry_an_interval_are_inconclusive(case):
    interval = bootstrap(*DEGENERATE[case])
    assert interval is None
    assert decide_verdict(interval, 0.005) is Verdict.INCONCLUSIVE


def test_a_score_that_is_no_probability_has_no_log_loss_to_compare():
    assert bootstrap(TRUTH, SCORE * 3, REFERENCE, "log_loss") is None


def draw_classes(rows=90, seed=0):
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, 3, rows).astype(float)
    scores = [np.eye(3)[truth.astype(int)] + generator.gumbel(size=(rows, 3)) * noise for noise in (0.4, 0.9)]
    return truth, *(np.exp(score) / np.exp(score).sum(axis=1, keepdims=True) for score in scores)


@pytest.mark.parametrize("name", ["roc_auc", "log_loss", "accuracy", "f1_macro", "f1_weighted", "roc_auc_weighted"])
def test_several_classes_are_compared_row_by_row_too(name):
    truth, good, bad = draw_classes()
    interval = bootstrap(truth, good, bad, name, resamples=400)
    assert interval.low > 0
    order = np.random.default_rng(1).permutation(len(truth))
    assert bootstrap(truth[order], good[order], bad[order], name, resamples=400) == interval
    turned = bootstrap(truth, bad, good, name, resamples=400)
    assert (turned.low, turned.high) == (-interval.high, -interval.low)


def test_two_columns_of_probabilities_give_the_interval_of_one():
    both = [np.stack([1 - score, score], axis=1) for score in (SCORE, REFERENCE)]
    one, other = bootstrap(TRUTH, SCORE, REFERENCE, "log_loss"), bootstrap(TRUTH, *both, "log_loss")
    assert (other.low, other.high) == pytest.approx((one.low, one.high), abs=0.02)
    assert other.estimate == pytest.approx(one.estimate, abs=1e-12)


def test_scores_on_different_rows_are_refused():
    with pytest.raises(UsageError, match="not on the same rows"):
        bootstrap(TRUTH, SCORE[:-1], REFERENCE)


@pytest.mark.parametrize("level", [0.0, 0.5, 1.0, 95, float("nan")])
def test_a_level_that_is_no_level_is_refused(level):
    with pytest.raises(UsageError, match="confidence level"):
        bootstrap(TRUTH, SCORE, REFERENCE, level=level)


_ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, 0.5, 1.0])
# One value that is not finite leaves no interval: most columns have none.
_TRUTHS = {
    "classification": st.sampled_from([0.0, 1.0]),
    "multiclass": st.sampled_from([0.0, 1.0, 2.0]),
    "regression": st.floats(-9, 9),
}
_SCORES = [st.floats(0, 1), st.floats(0, 1), st.floats(-9, 9) | st.floats(-1e308, 1e308), _ANY_FLOAT]


@pytest.mark.parametrize("name", sorted(METRICS))
@settings(max_examples=20, deadline=None)
@given(data=st.data(), rows=st.integers(10, 25) | st.integers(0, 25), scores=st.sampled_from(_SCORES))
def test_no_data_raise_and_every_interval_is_finite_and_ordered(name, data, rows, scores):
    usual = _TRUTHS[METRICS[name].tasks[0]]
    truths = data.draw(st.sampled_from([usual, usual, usual, usual | _ANY_FLOAT]))
    truth = data.draw(stn.arrays(float, rows, elements=truths, fill=st.nothing()))
    is_several = METRICS[name].tasks == ("multiclass",)
    shape = (2, rows, 3) if is_several else (2, rows)
    score, reference = data.draw(stn.arrays(float, shape, elements=scores, fill=st.nothing()))
    interval = bootstrap(truth, score, reference, name, resamples=60)
    if interval is not None:
        assert np.isfinite([interval.estimate, interval.low, interval.high]).all()
        assert interval.low <= interval.high


REPETITIONS = 400
# 5 % is promised on each side; so many repetitions add a standard error of 1.1 %, of which three are allowed for.
MOST_ERRORS = 0.05 + 3 * math.sqrt(0.05 * 0.95 / REPETITIONS)


def simulate(*, name, noise, reference_noise):
    """Return the intervals of many independent draws."""
    draws = (draw(rows=120, seed=seed, noise=noise, reference_noise=reference_noise) for seed in range(REPETITIONS))
    return [bootstrap(*columns, name, resamples=400) for columns in draws]


@pytest.mark.parametrize("name", ["roc_auc", "brier_score", "accuracy"])
def test_two_equally_good_scores_are_rarely_called_different(name):
    verdicts = [decide_verdict(i, 1e-9) for i in simulate(name=name, noise=0.5, reference_noise=0.5)]
    for wrong in (Verdict.BETTER, Verdict.WORSE):
        assert sum(verdict is wrong for verdict in verdicts) / REPETITIONS <= MOST_ERRORS


def test_where_a_class_is_rare_equally_good_scores_are_not_called_different_more_often():
    """Fifteen of 150 rows carry most of the loss; BCa alone called 8 % of such pairs better, and as many worse."""
    generator, called = np.random.default_rng(3), 0
    for _ in range(600):
        truth = (generator.random(150) < 0.1).astype(float)
        evidence = 1.5 * truth - 3.2 + generator.normal(size=150)
        scores = 1 / (1 + np.exp(-evidence - 0.5 * generator.normal(size=(2, 150))))
        interval = bootstrap(truth, *scores, "log_loss", resamples=300)
        called += (interval.low > 0) + (interval.high < 0)
    assert called / 1_200 <= 0.05 + 2 * math.sqrt(0.05 * 0.95 / 1_200)


def test_the_bounds_cover_the_true_difference_as_often_as_they_promise():
    intervals = simulate(name="roc_auc", noise=0.2, reference_noise=1.0)
    # The true areas, from the normal model of `draw`: P(positive outranks negative) = Phi(1.5 / sqrt(2 (1 + noise^2))).
    better, worse = (NormalDist().cdf(1.5 / math.sqrt(2 * (1 + noise**2))) for noise in (0.2, 1.0))
    below = sum(interval.low > better - worse for interval in intervals) / REPETITIONS
    above = sum(interval.high < better - worse for interval in intervals) / REPETITIONS
    assert max(below, above) <= MOST_ERRORS
    assert 0.86 <= 1 - below - above <= 0.94

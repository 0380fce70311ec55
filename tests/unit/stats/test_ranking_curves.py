"""ROC and precision-recall curves are those of scikit-learn, and stay so when they are thinned."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import auc, precision_recall_curve, roc_auc_score, roc_curve

from workbench.stats.ranking_curves import rank


def draw(rows: int, digits: int = 2, seed: int = 3) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    truth = generator.random(rows) < 0.3
    return truth, np.round(truth + generator.normal(size=rows), digits)


def test_the_roc_curve_is_that_of_scikit_learn():
    truth, score = draw(400)
    false, true, _ = roc_curve(truth, score, drop_intermediate=False)
    assert rank(truth, score).roc == pytest.approx(np.stack([false, true], axis=1))


def test_precision_and_recall_are_those_of_scikit_learn():
    truth, score = draw(400)
    precision, recall, _ = precision_recall_curve(truth, score)
    expected = np.stack([recall, precision], axis=1)[:-1][::-1]
    assert rank(truth, score).precision_recall == pytest.approx(expected)


def test_a_thinned_roc_curve_has_few_points_and_the_same_area():
    truth, score = draw(20_000, digits=9)
    thin = rank(truth, score).thinned_for_roc(80).roc
    assert len(thin) <= 81
    assert (thin[0].tolist(), thin[-1].tolist()) == ([0, 0], [1, 1])
    assert auc(thin[:, 0], thin[:, 1]) == pytest.approx(roc_auc_score(truth, score), abs=2e-3)


def test_a_curve_of_few_points_loses_none_but_those_on_a_straight_line():
    truth, score = draw(60)
    thin = rank(truth, score).thinned_for_roc(80).roc
    assert auc(thin[:, 0], thin[:, 1]) == pytest.approx(roc_auc_score(truth, score))
    perfect = rank(np.array([True] * 5 + [False] * 5), np.arange(10, 0, -1.0))
    assert perfect.thinned_for_roc(80).roc.tolist() == [[0, 0], [0, 1], [1, 1]]


def test_a_thinned_precision_recall_curve_goes_from_its_first_point_to_its_last_and_leaves_out_no_stretch():
    truth, score = draw(20_000, digits=9)
    whole, thin = rank(truth, score).precision_recall, rank(truth, score).thinned_for_recall(80).precision_recall
    assert len(thin) <= 80
    assert (thin[0].tolist(), thin[-1].tolist()) == (whole[0].tolist(), whole[-1].tolist())
    assert np.diff(thin[:, 0]).max() < 0.03


def test_rows_of_one_kind_have_no_curve():
    assert rank(np.array([True, True]), np.array([1.0, 2.0])) is None
    assert rank(np.array([False, False]), np.array([1.0, 2.0])) is None

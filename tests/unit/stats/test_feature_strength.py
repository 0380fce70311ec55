"""How much one column knows, against numbers that others computed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import spearmanr
from sklearn.metrics import roc_auc_score

from workbench.stats.feature_strength import category_strength, feature_strength
from workbench.stats.outliers import count_outlying

TRUTH = np.array([0.0, 1.0] * 30)


@given(st.lists(st.integers(-5, 5), min_size=60, max_size=60))
def test_it_is_the_auc_of_the_column_whichever_way_it_points(values):
    column = np.array(values, dtype=float)
    area = roc_auc_score(TRUTH, column)
    assert feature_strength(column, TRUTH, "classification") == pytest.approx(max(area, 1 - area))


def test_in_regression_it_is_the_rank_correlation_of_scipy():
    generator = np.random.default_rng(1)
    column = generator.normal(size=80).round(1)
    truth = column**3 + generator.normal(size=80)
    assert feature_strength(-column, truth, "regression") == pytest.approx(abs(spearmanr(column, truth).statistic))


def test_that_a_value_is_missing_may_be_what_tells():
    column = np.where(TRUTH == 1, np.nan, np.random.default_rng(2).normal(size=60))
    assert feature_strength(column, TRUTH, "classification") == 1.0


def test_a_column_of_text_is_read_as_the_mean_truth_of_its_values():
    assert category_strength(["no", "yes"] * 30, TRUTH, "classification") == 1.0
    assert category_strength(["a", "a", "b", "b"] * 15, TRUTH, "classification") == 0.5


def test_a_text_that_names_every_row_is_not_read_as_its_truth():
    assert category_strength([str(n) for n in range(60)], TRUTH, "classification") is None


@pytest.mark.parametrize(
    ("truth", "task"),
    [
        (np.ones(60), "classification"),
        (np.r_[np.ones(9), np.zeros(51)], "classification"),
        (np.arange(19.0), "regression"),
        (np.ones(60), "regression"),
        (np.array([]), "regression"),
    ],
)
def test_too_few_rows_tell_nothing(truth, task):
    assert feature_strength(np.arange(len(truth), dtype=float), truth, task) is None


@pytest.mark.parametrize("task", ["classification", "regression"])
def test_a_column_that_never_changes_knows_nothing(task):
    truth = TRUTH if task == "classification" else np.arange(60.0)
    for column in (np.full(60, 3.0), np.full(60, np.nan)):
        assert feature_strength(column, truth, task) in (0.0, 0.5)


def test_values_beyond_tukeys_outer_fence_are_counted():
    values = np.r_[np.arange(100.0), 400.0, -400.0, np.nan, np.inf]
    assert count_outlying(values) == 3


@pytest.mark.parametrize("values", [[], [1.0, 2.0, 3.0], [5.0] * 90 + [1.0] * 9, [np.nan] * 9])
def test_without_a_spread_nothing_is_outlying(values):
    assert count_outlying(np.array(values)) is None

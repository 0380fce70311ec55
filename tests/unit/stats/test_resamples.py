"""Rows that belong together are drawn together: then what they share is not taken for more evidence than it is."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.errors import UsageError
from workbench.stats.metrics import METRICS
from workbench.stats.paired_bootstrap import paired_bootstrap
from workbench.stats.resamples import Resampling, draw_counts, find_block_length

METRIC = METRICS["mean_absolute_error"]
MANY = 500
# 5 % is promised; so many draws of one level add three standard errors of 1 % at most.
MOST_ERRORS = 0.05 + 3 * (0.05 * 0.95 / MANY) ** 0.5


def judge(differences, seed=0, **labels):
    """The interval of two predictions whose absolute errors differ by so much in each row."""
    truth = np.zeros(len(differences))
    return paired_bootstrap(truth, 50 - differences, truth + 50, METRIC, level=0.95, resamples=400, seed=seed, **labels)


def draw_clusters(generator, clusters=30, size=10, correlation=0.3):
    label = np.repeat(np.arange(clusters), size)
    shared, own = generator.normal(size=clusters)[label], generator.normal(size=len(label))
    return correlation**0.5 * shared + (1 - correlation) ** 0.5 * own, label


def draw_series(generator, rows=300, correlation=0.5):
    steps = generator.normal(size=rows + 50)
    for at in range(1, len(steps)):
        steps[at] += correlation * steps[at - 1]
    return steps[50:], np.arange(rows)


@pytest.mark.parametrize(("draw", "labelled"), [(draw_clusters, "clusters"), (draw_series, "times")])
def test_rows_that_hang_together_over_reject_as_rows_and_not_as_what_they_are(draw, labelled):
    """Clusters of ten with an intraclass correlation of 0.3; a series whose neighbours correlate by 0.5."""
    generator, as_rows, as_they_are = np.random.default_rng(1), 0, 0
    for number in range(MANY):
        differences, label = draw(generator)
        as_they_are += judge(differences, **{labelled: label}).low > 0
        as_rows += number % 5 == 0 and judge(differences).low > 0
    assert as_they_are / MANY <= MOST_ERRORS
    assert as_rows / (MANY / 5) > 0.1


@pytest.mark.parametrize("labelled", ["clusters", "times"])
def test_neither_the_order_of_the_rows_nor_who_is_named_first_matters(labelled):
    generator = np.random.default_rng(2)
    truth = (generator.random(300) < 0.4).astype(float)
    scores = [np.round(truth + generator.normal(size=300), 1) for _ in range(2)]
    label = generator.integers(0, 250, size=300)

    def compare(order, one, other):
        columns = (truth[order], scores[one][order], scores[other][order])
        kept = {labelled: label[order]}
        return paired_bootstrap(*columns, METRICS["roc_auc"], level=0.9, resamples=200, **kept)

    expected = compare(np.arange(300), 0, 1)
    for _ in range(4):
        order = generator.permutation(300)
        assert compare(order, 0, 1) == expected
        assert compare(order, 1, 0).low == -expected.high


def test_clusters_of_one_row_each_are_the_rows():
    differences, _ = draw_clusters(np.random.default_rng(3))
    as_rows, as_clusters = judge(differences), judge(differences, clusters=np.arange(300))
    assert as_clusters.low == pytest.approx(as_rows.low, abs=0.1 * (as_rows.high - as_rows.low))
    assert as_clusters.high == pytest.approx(as_rows.high, abs=0.1 * (as_rows.high - as_rows.low))


def test_what_the_labels_are_called_does_not_matter_as_long_as_their_order_stays():
    differences, label = draw_clusters(np.random.default_rng(4))
    expected = judge(differences, clusters=label)
    named = np.array([f"customer {each:03}" for each in label])
    assert judge(differences, clusters=named) == judge(differences, clusters=named.astype(object)) == expected
    days = np.datetime64("2026-01-01") + np.arange(300)
    assert judge(differences, times=days) == judge(differences, times=np.arange(300))


def test_a_block_is_so_many_times_in_a_row_and_the_last_is_followed_by_the_first():
    blocks = Resampling(6, np.arange(6), length=3)
    assert blocks.draws == 2
    assert blocks.weigh_rows(np.array([[1.0, 0, 0, 0, 0, 1]])).tolist() == [[2, 2, 1, 0, 0, 1]]
    assert [find_block_length(times) for times in (1, 8, 27, 28, 1000)] == [2, 4, 6, 7, 20]


def test_all_rows_of_a_time_are_drawn_together():
    several = Resampling(4, np.array([0, 0, 1, 2, 3, 3]), length=2)
    assert several.weigh_rows(np.array([[0.0, 0, 1, 0]])).tolist() == [[0, 0, 0, 1, 1, 1]]


def test_what_is_drawn_does_not_depend_on_how_many_come_at_once():
    rows = Resampling(30, np.arange(30))
    whole, parts = (np.concatenate([*draw_counts(rows, 100, 7, at_once=at_once)]) for at_once in (100, 2))
    assert np.array_equal(whole, parts)
    assert set(whole.sum(axis=1)) == {30}


@pytest.mark.parametrize(
    "labels",
    [
        {"clusters": np.arange(300) % 9},
        {"clusters": np.where(np.arange(300) == 5, np.nan, np.arange(300.0))},
        {"times": np.arange(300) % 20},
        {"times": np.array(["NaT"] * 300, dtype="datetime64[D]")},
    ],
)
def test_too_few_clusters_or_times_or_one_that_is_unknown_are_inconclusive(labels):
    assert judge(draw_clusters(np.random.default_rng(5))[0], **labels) is None


def test_labels_of_other_rows_and_both_kinds_at_once_are_refused():
    differences, label = draw_clusters(np.random.default_rng(6))
    with pytest.raises(UsageError, match="has a label"):
        judge(differences, clusters=label[1:])
    with pytest.raises(UsageError, match="clusters or in blocks"):
        judge(differences, clusters=label, times=label)

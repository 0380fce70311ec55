"""Metrics of our own, to copy beside workbench.toml: plain functions of truth, score and rows.

`truth` (n,) is a number, of two classes 1 for the positive one, of several the place of the class; `score` is (n,), of several
classes (n, classes); `rows["amount"]` is a column of the holdout, whether the model knows it or not. What a function returns says
how it is resampled: one number a row is the fastest.
"""

# ruff: noqa: ARG001 - every metric has this shape
import math

import numpy as np

FALSE_ALARM, MISSED = 15.0, 200.0  # EUR
FROM = 0.5  # the probability from which a case is acted upon
SHARE = 0.05  # of all cases, which somebody can look at
QUANTILE = 0.9


def cost_per_case(truth, score, rows):
    """What wrong decisions cost: a false alarm 15 EUR, a missed case 200 EUR."""
    return FALSE_ALARM * ((score == 1) & (truth == 0)) + MISSED * ((score == 0) & (truth == 1))


def profit_per_thousand(truth, score, rows):
    """What is earned on 1,000 cases: a case that is acted upon brings its amount where it is one, and costs 15 EUR."""
    acted = score >= FROM
    return 1_000 * acted * (rows["amount"] * truth - FALSE_ALARM)


def recall_at_5_percent(truth, score, rows):
    """The share of all positive cases that are found when the 5 % with the highest scores are reviewed."""
    reviewed = math.ceil(SHARE * len(truth))
    limit = np.sort(score)[-reviewed]
    above, tied = score > limit, score == limit
    found = truth[above].sum() + truth[tied].mean() * (reviewed - above.sum())
    return found / truth.sum()


def pinball_loss(truth, score, rows):
    """How far predictions of the 90 % quantile are off: below it counts nine times what above it does."""
    return np.where(truth >= score, QUANTILE * (truth - score), (1 - QUANTILE) * (score - truth))


def ndcg_per_query(truth, score, rows):
    """How well the rows of a query are ranked, from 0 to 1, by grades of 0 and more (Järvelin and Kekäläinen 2002).

    Rows of one score share their places (McSherry and Najork 2008).
    """
    discounts = 1 / np.log2(np.arange(len(truth)) + 2)
    best = (np.sort(2**truth - 1)[::-1] * discounts).sum()
    if best == 0:
        return None  # nothing to find: this query does not count
    tied = np.unique(-score, return_inverse=True)[1]
    gains = np.bincount(tied, 2**truth - 1) / np.bincount(tied)
    return (gains[np.sort(tied)] * discounts).sum() / best

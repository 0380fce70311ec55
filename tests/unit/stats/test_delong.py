"""The areas, their variances and the test are those of pROC on its own data, to 1e-8."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.errors import UsageError
from workbench.stats.delong import FEWEST_OF_A_CLASS, delong
from workbench.stats.metrics import METRICS

# Turck et al. 2010, the data `aSAH` of pROC: 113 patients by outcome, and three ways to foresee it.
POOR = (
    "00001101001011001011101000000000100110110000000001100010001010011101101111000110100000010000000000001111110001000"
)
S100B = """13 14 10 4 13 10 47 16 18 10 12 10 44 71 4 8 49 4 7 33 9 9 7 11 7 17 7 11 13 19 5 16 41 14 34 35 48 9 96 25 50 46 16
7 43 45 11 8 9 86 52 8 6 13 207 10 14 15 7 6 77 5 9 30 3 9 4 23 70 9 27 71 8 26 8 16 9 13 10 8 11 33 11 28 7 10 32 22 7 5 24 38
10 15 8 14 10 7 4 19 56 14 58 32 82 74 15 47 17 44 15 50 48"""
WFNS = (
    "11113254125255125225211112121134214541425511241125521251222151125214524414121421232421451154221113125225552445111"
)
NDKA = """301 854 809 1042 1740 1275 600 1320 1554 601 1596 1786 518 890 1341 2075 1160 1611 3237 5482 3241 4994 4034 947 629
1253 654 630 8030 1280 980 981 985 1821 503 1404 2193 802 742 838 659 963 1312 796 1434 4143 763 706 1259 1356 387 944 766 1298
41919 2719 2227 995 2122 1173 1040 5883 639 1109 1222 1367 1721 2263 1290 970 2157 823 7257 1554 1051 1060 1457 519 963 461 2148
1730 1271 944 1107 1946 1083 537 1197 775 983 1055 2849 853 1257 1290 4683 1168 1267 901 957 3406 1172 1426 4761 1167 2458 1033
1387 1589 2243 679 1345"""
TRUTH = np.array([float(each) for each in POOR])
SCORES = {
    "wfns": np.array([float(each) for each in WFNS]),
    "s100b": np.array([float(each) for each in S100B.split()]) / 100,
    "ndka": np.array([float(each) for each in NDKA.split()]) / 100,
}
# pROC 1.19, tests/testthat: test-roc.test.R (statistic, p, bounds of 95 %), test-var.R and test-cov.R.
PUBLISHED = {
    ("wfns", "s100b"): (2.20898359144091, 0.0271757822291882, 0.0104061769564846, 0.174214419249478),
    ("wfns", "ndka"): (2.79777591868904, 0.00514557970691098, 0.0634011709339876, 0.3600405634833566),
    ("ndka", "s100b"): (-1.39077002573558, 0.164295175223054, -0.2876917446341914, 0.0488706064228094),
}
VARIANCES = {"wfns": 0.00146991470882363, "ndka": 0.0031908105493913, "s100b": 0.00266868245717244}
COVARIANCES = {
    ("wfns", "ndka"): -0.000532967856762438,
    ("ndka", "s100b"): -0.000756164938056579,
    ("wfns", "s100b"): 0.00119615567376754,
}


@pytest.mark.parametrize("pair", PUBLISHED)
def test_the_test_is_that_of_proc(pair):
    found = delong(TRUTH, *(SCORES[name] for name in pair), level=0.975)
    statistic, p_value, low, high = PUBLISHED[pair]
    assert found.interval.estimate / found.standard_error == pytest.approx(statistic, abs=1e-8)
    assert found.p_value == pytest.approx(p_value, abs=1e-8)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), abs=1e-8)
    variance = sum(VARIANCES[name] for name in pair) - 2 * COVARIANCES[pair]
    assert found.standard_error**2 == pytest.approx(variance, abs=1e-10)


def test_the_difference_is_that_of_the_metric_and_the_other_way_round_it_turns_its_sign():
    there, back = (delong(TRUTH, SCORES[a], SCORES[b]) for a, b in (("wfns", "ndka"), ("ndka", "wfns")))
    area = METRICS["roc_auc"].value
    assert there.interval.estimate == pytest.approx(
        area(TRUTH, SCORES["wfns"]) - area(TRUTH, SCORES["ndka"]), abs=1e-12
    )
    assert (back.interval.low, back.p_value) == pytest.approx((-there.interval.high, there.p_value))


def test_who_ranks_alike_is_no_better():
    found = delong(TRUTH, SCORES["ndka"], np.log(SCORES["ndka"]))
    assert (found.interval.estimate, found.standard_error, found.p_value) == (0, 0, 1)


def _with(value):
    changed = SCORES["ndka"].copy()
    changed[3] = value
    return changed


@pytest.mark.parametrize(
    "columns",
    [
        (np.where(np.cumsum(TRUTH) < FEWEST_OF_A_CLASS, TRUTH, 0), SCORES["wfns"], SCORES["ndka"]),
        (np.ones(113), SCORES["wfns"], SCORES["ndka"]),
        (TRUTH + (np.arange(113) == 0) * 2, SCORES["wfns"], SCORES["ndka"]),
        (TRUTH, SCORES["wfns"], _with(math.nan)),
        (TRUTH, _with(math.inf), SCORES["wfns"]),
    ],
)
def test_data_that_cannot_carry_it_say_nothing(columns):
    assert delong(*columns) is None


def test_scores_on_other_rows_are_refused():
    with pytest.raises(UsageError, match="same rows"):
        delong(TRUTH, SCORES["wfns"][1:], SCORES["ndka"])


def test_of_equally_good_rankings_one_in_twenty_is_called_different():
    generator, found = np.random.default_rng(2), []
    for _ in range(1_000):
        truth = (np.arange(200) % 3 == 0).astype(float)
        evidence = truth + generator.normal(size=200)
        found.append(delong(truth, *(evidence + 0.5 * generator.normal(size=(2, 200)))).p_value)
    assert np.mean(np.array(found) < 0.05) <= 0.064

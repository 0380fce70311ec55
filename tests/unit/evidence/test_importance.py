"""Permutation importance is read from the answers to shuffled rows, in the metric's own unit, with bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.unit.drawings.test_pictures import numbers, two_classes
from tests.unit.policies.builders import STRICT_POLICY, read_policy
from tests.unit.runs.reports import build_run
from tests.unit.runs.test_concluding import store
from workbench.evidence.measures.importance import measure_importance
from workbench.evidence.outcome import say_importance
from workbench.models.contract import Column, Contract
from workbench.models.disturbance import PERMUTED, UNDISTURBED, Disturbed
from workbench.records.digest import sha256_hex
from workbench.runs.folder import PREDICTIONS
from workbench.runs.kept_run import KeptRun

WAYS = [Disturbed(name, column, 0, 0, None) for name, column in
        ((UNDISTURBED, None), ("noise", None), (PERMUTED, "strong"), (PERMUTED, "idle"))]  # fmt: skip
CONTRACT = Contract(
    "classification", tuple(Column(f"x{number}", "number") for number in range(5)), "ill", ("well", "ill")
)


def keep(predictions) -> KeptRun:
    files = store(predictions)
    return KeptRun(build_run(record={"files": {PREDICTIONS: sha256_hex(files[PREDICTIONS])}}), files)


def measure(predictions, *, refused: int = 0):
    """What is measured where shuffling one column makes the answers those to other rows, and shuffling the other nothing."""
    score = predictions.score
    shuffled = np.random.default_rng(9).permutation(score)
    shuffled[:refused] = np.nan
    rule = read_policy(STRICT_POLICY.read_bytes()).rule_of(predictions.task)
    return measure_importance(keep(predictions), np.stack([score, score, shuffled, score]), WAYS, rule, CONTRACT)


def test_a_column_that_decides_is_worth_what_the_metric_loses_and_an_idle_one_nothing():
    fact = measure(two_classes())
    strong, idle = fact.columns
    assert (fact.metric, fact.rows, fact.untried) == ("roc_auc", 300, 3)
    assert strong.loss == pytest.approx(fact.value - 0.5, abs=0.1)
    assert strong.low < strong.loss < strong.high
    assert strong.low > 0.1
    assert (idle.loss, idle.low, idle.high) == (0, 0, 0)


def test_it_is_said_with_the_direction_of_the_metric_and_bounds():
    fact = measure(two_classes())
    strong = fact.columns[0]
    assert say_importance(fact) == (
        f"Shuffling a column lowers roc_auc from {fact.value:.4g}: "
        f"strong by {strong.loss:.2g} ({strong.low:.2g} to {strong.high:.2g})."
    )
    assert "raises" in say_importance(replace(fact, direction="lower"))
    by_chance = replace(fact, columns=(fact.columns[1], replace(strong, low=-0.01)))
    assert say_importance(by_chance) == (
        "None of 2 columns costs more roc_auc than chance explains when it is shuffled by itself."
    )
    nothing = replace(fact, columns=(replace(strong, loss=None, low=None, high=None),))
    assert say_importance(nothing) == "What single columns are worth cannot be told on so few rows."


def test_rows_that_got_no_answer_are_left_out_and_too_few_tell_nothing():
    assert measure(two_classes(), refused=20).columns[0].loss > 0.1
    assert measure(numbers(40), refused=15).columns[0].loss is None


def test_what_was_not_shuffled_is_not_measured():
    rule = read_policy(STRICT_POLICY.read_bytes()).rule_of("classification")
    assert measure_importance(keep(two_classes()), None, [], rule, CONTRACT) is None
    score = two_classes().score
    assert measure_importance(keep(two_classes()), np.stack([score, score]), WAYS[:2], rule, CONTRACT) is None

"""What a check says of a score, of the champion and of a limit, and what nobody can decide."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.checks.cases import compared, find
from tests.unit.comparisons.builders import build_champion_comparison
from tests.unit.evidence.builders import (
    build_evidence,
    build_holdout,
    build_score,
)
from tests.unit.policies.builders import STRICT_POLICY, build_policy, read_policy
from workbench.checks import run_checks
from workbench.comparisons.verdict import Verdict
from workbench.evidence.evidence import Severity, Status
from workbench.evidence.measures.sample import SampleFact
from workbench.policies.policy import MetricRule
from workbench.stats.interval import Interval


def test_the_first_model_has_no_champion_to_be_worse_than():
    finding = find("not_worse_than_champion", champion=None, champion_version=None)
    assert finding.status is Status.PASS
    assert "no champion yet" in finding.reason


def test_losing_less_than_the_margin_is_not_worse():
    champion = compared(build_champion_comparison, advantage=Interval(-0.002, -0.0049, -0.001, 0.95))
    assert find("not_worse_than_champion", champion=champion).status is Status.PASS


def test_the_margin_is_the_policys_whatever_the_comparison_says():
    champion = replace(
        compared(build_champion_comparison, advantage=Interval(0.0, -0.03, 0.03, 0.95), verdict=Verdict.NOT_WORSE),
        margin=1.0,
    )
    finding = find("not_worse_than_champion", champion=champion)
    assert finding.status is Status.UNKNOWN
    assert "by the margin of 0.005." in finding.reason


@pytest.mark.parametrize("check", ["not_worse_than_champion", "enough_data"])
def test_what_143_rows_cannot_decide_is_told_with_what_they_can_and_how_many_would(check):
    champion = compared(build_champion_comparison, advantage=Interval(0.0, -0.0165, 0.0165, 0.95))
    reason = find(check, champion=champion).reason
    assert "143 rows tell a difference of 0.025 or more (MDE, in 80 % of draws)" in reason
    assert "about 3,600 would decide by the margin of 0.005. Use a larger holdout." in reason


def test_that_the_champion_could_not_be_scored_is_told_with_the_reason():
    why = "The holdout has no column plan, which version 2 takes. Log it with the others."
    for check in ("not_worse_than_champion", "enough_data"):
        finding = find(check, champion=None, champion_unscored=why)
        assert finding.status is Status.UNKNOWN
        assert why in finding.reason


UNSURE, WORSE = Interval(0.0, -0.03, 0.03, 0.95), Interval(-0.02, -0.03, -0.01, 0.95)


@pytest.mark.parametrize(
    ("policy", "interval", "severity"),
    [
        ("standard", UNSURE, Severity.WAIVABLE),
        ("minimal", UNSURE, Severity.WAIVABLE),
        ("strict", UNSURE, Severity.BLOCKING),
        ("standard", WORSE, Severity.BLOCKING),
        ("minimal", WORSE, Severity.BLOCKING),
        ("strict", WORSE, Severity.BLOCKING),
    ],
)
def test_what_nobody_can_tell_may_be_waived_where_the_policy_says_so_and_worse_nowhere(policy, interval, severity):
    champion = compared(build_champion_comparison, advantage=interval)
    rules = read_policy(STRICT_POLICY.with_stem(policy).read_bytes())
    found = {each.check: each for each in run_checks(build_evidence(champion=champion), rules)}
    assert found["not_worse_than_champion"].severity is severity
    assert found["not_worse_than_champion"].blocks


def test_too_few_rows_are_a_limit_that_is_not_waived_and_too_wide_an_interval_is_unknown():
    rules = read_policy(STRICT_POLICY.with_stem("standard").read_bytes())
    few = {"sample": SampleFact(99, 53, 0)}
    wide = {"champion": compared(build_champion_comparison, advantage=UNSURE)}
    found = [
        next(each for each in run_checks(build_evidence(**changes), rules) if each.check == "enough_data")
        for changes in (few, wide)
    ]
    assert [(each.status, each.severity) for each in found] == [
        (Status.FAIL, Severity.BLOCKING),
        (Status.UNKNOWN, Severity.WAIVABLE),
    ]


@pytest.mark.parametrize(("value", "status"), [(59.9, Status.PASS), (60.0, Status.PASS), (60.1, Status.FAIL)])
def test_a_limit_on_an_error_is_an_upper_one(value, status):
    score = build_score(task="regression", metric="mean_absolute_error", direction="lower", value=value, logged=value)
    rule = MetricRule("mean_absolute_error", margin=1.0, limit=60.0)
    assert find("metric_limit", policy=build_policy(metrics={"regression": rule}), score=score).status is status


def test_a_metric_on_its_limit_passes():
    assert find("metric_limit", score=build_score(value=0.80)).status is Status.PASS


def test_a_metric_the_policy_does_not_know_names_the_ones_it_does():
    reason = find("metric_limit", score=build_score(metric="accuracy")).reason
    assert "roc_auc for classification" in reason and "r2 for regression" in reason


@pytest.mark.parametrize(
    ("shared", "alike", "said"),
    [
        (1, 1, "1 holdout row also stands in the training data. The score"),
        (
            0,
            1,
            "Of the holdout rows 1 has a row in the training data that is nearly the same: numbers differ by less than",
        ),
        (
            3,
            1_005,
            "3 holdout rows also stand in the training data. Of the others 1,002 have a row in the training data that is",
        ),
    ],
)
def test_rows_that_training_had_are_told_apart_from_those_it_nearly_had(shared, alike, said):
    assert find("holdout_untouched", holdout=build_holdout(shared_rows=shared, alike_rows=alike)).reason.startswith(
        said
    )


def test_shared_rows_up_to_the_limit_pass():
    policy = build_policy(checks={"holdout_untouched": {"most_shared_rows": 2}})
    assert find("holdout_untouched", policy=policy, holdout=build_holdout(shared_rows=2)).status is Status.PASS
    assert find("holdout_untouched", policy=policy, holdout=build_holdout(shared_rows=3)).status is Status.FAIL


@given(st.floats(allow_nan=True), st.floats(allow_nan=True))
def test_no_logged_value_but_the_recomputed_one_passes(logged, value):
    finding = find("metric_recomputed", score=build_score(logged=logged, value=value))
    assert (finding.status is Status.PASS) == (abs(logged - value) <= 1e-9)


@given(
    low=st.floats(-1, 1), width=st.floats(0, 1), margin=st.floats(1e-6, 0.5), stored=st.sampled_from([*Verdict, None])
)
def test_what_beats_a_baseline_follows_from_the_interval_alone(low, width, margin, stored):
    interval = Interval(low + width / 2, low, low + width, 0.95)
    policy = build_policy(metrics={"classification": MetricRule("roc_auc", margin, 0.8)})
    better = find("beats_baseline", policy=policy, baseline=compared(advantage=interval, verdict=stored))
    champion = compared(build_champion_comparison, advantage=interval, verdict=stored)
    held = find("not_worse_than_champion", policy=policy, champion=champion)
    assert (better.status is Status.PASS) == (low > 0)
    assert (held.status is Status.PASS) == (low > -margin)

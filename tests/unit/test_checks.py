"""Every check passes on good evidence, fails on the fact it is about, and is never green when the fact is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import workbench.checks
from tests.unit.builders import (
    ANSWERS,
    build_champion_comparison,
    build_compared_run,
    build_comparison,
    build_datasets,
    build_evidence,
    build_execution,
    build_holdout,
    build_identity,
    build_interval,
    build_model,
    build_policy,
    build_policy_bytes,
    build_score,
)
from workbench.checks import CHECKS, run_checks
from workbench.domain.comparison import Interval, Verdict
from workbench.domain.evidence import Status
from workbench.domain.policy import MetricRule

TRAIN, HOLDOUT = build_datasets()
POLICY = build_policy()


def find(check, *, policy=POLICY, **changes):
    return CHECKS[check](build_evidence(**changes), policy)


def compared(kind=build_comparison, **changes):
    return kind(runs=(build_compared_run(**changes),))


def answered(**changes):
    return {**ANSWERS, **changes}


FAILS = {
    "run_finished": [
        {"identity": build_identity(run_state="FAILED")},
        {"identity": build_identity(run_state="LOST")},
        {"identity": build_identity(run_state="RUNNING")},
        {"identity": build_identity(draft=True)},
        {"execution": build_execution(completed=False)},
        {"execution": build_execution(in_order=False)},
        {"execution": build_execution(executed_cells=8)},
        {"execution": build_execution(error="ValueError: no rows", failed_cell=4)},
        {"execution": build_execution(code_cells=0, executed_cells=0)},
    ],
    "run_unmodified": [{"files_unmodified": False}],
    "data_known": [
        {"datasets": (replace(TRAIN, rows=0), HOLDOUT)},
        {"datasets": (TRAIN, replace(HOLDOUT, columns=0))},
    ],
    "holdout_untouched": [
        {"holdout": build_holdout(shared_rows=1)},
        {"holdout": build_holdout(shared_rows=-1)},
        {"holdout": build_holdout(covered=False)},
    ],
    "metric_recomputed": [
        {"score": build_score(logged=0.999)},
        {"score": build_score(logged=math.nan)},
        {"score": build_score(value=math.nan)},
    ],
    "metric_limit": [{"score": build_score(value=0.7999)}, {"score": build_score(value=math.nan)}],
    "beats_baseline": [
        {"baseline": compared(advantage=build_interval(low=-0.001))},
        {"baseline": compared(advantage=build_interval(low=0.0))},
        {"baseline": compared(advantage=build_interval(low=-0.9), verdict=Verdict.BETTER)},
    ],
    "not_worse_than_champion": [
        {"champion": compared(build_champion_comparison, advantage=Interval(-0.02, -0.03, -0.01, 0.95))},
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0, -0.03, 0.03, 0.95))},
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0, -0.005, 0.03, 0.95))},
    ],
    "safe_format": [
        {"model": build_model(formats=("json", "pickle"))},
        {"model": build_model(formats=("onnx", "SKOPS"))},
        {"model": build_model(refused_files=("model/model.pkl",))},
        {"model": build_model(untrusted_types=("os.system",))},
    ],
    "model_loads": [
        {"model": build_model(load_error="UntrustedTypesFoundException")},
        {"model": build_model(load_error="")},
        {"model": build_model(largest_difference=1.01e-4)},
        {"model": build_model(largest_difference=math.nan)},
    ],
    "model_card_complete": [{"answers": answered(harm="None that we know.")}],
}

MISSING = {
    "run_unmodified": [{"identity": build_identity(notebook_digest="")}],
    "data_known": [
        {"datasets": ()},
        {"datasets": (TRAIN,)},
        {"datasets": (HOLDOUT,)},
        {"datasets": (TRAIN, replace(HOLDOUT, role="test"))},
        {"datasets": (replace(TRAIN, digest=""), HOLDOUT)},
    ],
    "holdout_untouched": [
        {"holdout": None},
        {"datasets": (HOLDOUT,)},
        {"holdout": build_holdout(rows=0)},
        {"holdout": build_holdout(shared_rows=None)},
        {"holdout": build_holdout(shared_rows=None, covered=False)},
    ],
    "metric_recomputed": [
        {"score": None},
        {"score": build_score(logged=None)},
        {"score": build_score(metric="accuracy")},
        {"score": build_score(task="regression")},
    ],
    "metric_limit": [
        {"score": None},
        {"score": build_score(metric="accuracy")},
        {"score": build_score(task="ranking")},
        {"score": build_score(direction="up")},
    ],
    "beats_baseline": [
        {"baseline": compared(advantage=None, verdict=None)},
        {"baseline": None},
        {"score": None},
        {"holdout": None},
        {"baseline": build_comparison(metric="accuracy")},
        {"baseline": build_comparison(direction="lower")},
        {"baseline": build_comparison(holdout_digest="0" * 64)},
        {"baseline": build_comparison(runs=())},
        {"baseline": compared(run_id="ffffffff")},
    ],
    "not_worse_than_champion": [
        {"champion": compared(build_champion_comparison, advantage=None)},
        {"champion": None},
        {"champion_version": None},
        {"champion": build_champion_comparison(metric="accuracy")},
        {"champion": build_champion_comparison(holdout_digest="0" * 64)},
        {"champion": compared(build_champion_comparison, run_id="ffffffff")},
    ],
    "safe_format": [{"model": build_model(formats=())}],
    "model_loads": [{"model": build_model(largest_difference=None)}, {"model": build_model(served_as=None)}],
    "model_card_complete": [
        {"answers": {}},
        {"answers": answered(harm="   \n\t ")},
        {"answers": {name: text for name, text in ANSWERS.items() if name != "harm"}},
    ],
}


def _cases(table):
    return [
        pytest.param(check, changes, id=f"{check}-{n}")
        for check, all_ in table.items()
        for n, changes in enumerate(all_)
    ]


@pytest.mark.parametrize("check", sorted(CHECKS))
def test_good_evidence_passes(check):
    finding = find(check)
    assert (finding.check, finding.status) == (check, Status.PASS)
    assert finding.value and finding.limit and finding.reason.endswith(".")


@pytest.mark.parametrize(("check", "changes"), _cases(FAILS))
def test_a_bad_fact_fails_and_says_what_to_do(check, changes):
    finding = find(check, **changes)
    assert (finding.check, finding.status) == (check, Status.FAIL)
    assert finding.value and finding.limit
    assert finding.reason.endswith(".") and finding.reason.count(". ") >= 1


@pytest.mark.parametrize(("check", "changes"), _cases(MISSING))
def test_a_missing_fact_is_unknown_and_says_what_to_do(check, changes):
    finding = find(check, **changes)
    assert (finding.check, finding.status) == (check, Status.UNKNOWN)
    assert finding.value and finding.limit
    assert finding.reason.endswith(".") and finding.reason.count(". ") >= 1


def test_every_check_is_seen_to_fail():
    assert set(FAILS) == set(CHECKS)


LIMITS = [(check, key) for check, limits in POLICY.checks.items() for key in limits]


@pytest.mark.parametrize("value", [None, "1e-9", True, math.nan, math.inf, -1, [], {}])
@pytest.mark.parametrize(("check", "key"), LIMITS)
def test_a_limit_that_is_no_number_never_passes(check, key, value):
    finding = find(check, policy=build_policy(checks={check: {key: value}}))
    assert finding.status is Status.UNKNOWN
    assert f"checks.{check}.{key}" in finding.reason


@pytest.mark.parametrize("limits", [{}, None, 3, "strict"])
@pytest.mark.parametrize(("check", "key"), LIMITS)
def test_limits_of_another_shape_never_pass(check, key, limits):
    assert find(check, policy=build_policy(checks={check: limits})).status is Status.UNKNOWN


def test_the_files_the_table_and_the_standard_policy_name_the_same_checks():
    files = {path.stem for path in Path(workbench.checks.__file__).parent.glob("[!_]*.py")}
    assert files == set(CHECKS) == set(yaml.safe_load(build_policy_bytes())["checks"])
    assert {name: check.__name__ for name, check in CHECKS.items()} == {name: name for name in CHECKS}
    assert {name: check.__module__ for name, check in CHECKS.items()} == {n: f"workbench.checks.{n}" for n in CHECKS}


def test_only_the_checks_of_the_policy_run_in_its_order():
    policy = build_policy(checks={"safe_format": {}, "data_known": {}})
    assert [finding.check for finding in run_checks(build_evidence(), policy)] == ["safe_format", "data_known"]


def test_good_evidence_passes_the_standard_policy_whole():
    findings = run_checks(build_evidence(), POLICY)
    assert [finding.check for finding in findings] == list(POLICY.checks)
    assert not any(finding.blocks for finding in findings)


def test_evidence_without_any_result_passes_nothing_about_results():
    evidence = build_evidence(
        datasets=(),
        holdout=None,
        score=None,
        baseline=None,
        champion=None,
        answers={},
        model=build_model(formats=(), served_as=None, largest_difference=None),
    )
    passed = {finding.check for finding in run_checks(evidence, POLICY) if not finding.blocks}
    assert passed == {"run_finished", "run_unmodified"}


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
    assert find("not_worse_than_champion", champion=champion).status is Status.FAIL


@pytest.mark.parametrize(("value", "status"), [(59.9, Status.PASS), (60.0, Status.PASS), (60.1, Status.FAIL)])
def test_a_limit_on_an_error_is_an_upper_one(value, status):
    score = build_score(task="regression", metric="mean_absolute_error", direction="lower", value=value, logged=value)
    assert find("metric_limit", score=score).status is status


def test_a_metric_on_its_limit_passes():
    assert find("metric_limit", score=build_score(value=0.80)).status is Status.PASS


def test_a_metric_the_policy_does_not_know_names_the_ones_it_does():
    reason = find("metric_limit", score=build_score(metric="accuracy")).reason
    assert "roc_auc for classification" in reason and "mean_absolute_error for regression" in reason


def test_shared_rows_up_to_the_limit_pass():
    policy = build_policy(checks={"holdout_untouched": {"most_shared_rows": 2}})
    assert find("holdout_untouched", policy=policy, holdout=build_holdout(shared_rows=2)).status is Status.PASS
    assert find("holdout_untouched", policy=policy, holdout=build_holdout(shared_rows=3)).status is Status.FAIL


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"git_commit": None, "git_dirty": None}, "not under git"),
        ({"git_dirty": True}, "uncommitted changes"),
        ({"git_dirty": False}, "committed"),
    ],
)
def test_the_state_of_the_checkout_is_told_but_the_notebook_digest_decides(changes, said):
    finding = find("run_unmodified", identity=build_identity(**changes))
    assert finding.status is Status.PASS
    assert said in finding.reason


def test_space_does_not_make_an_answer_longer():
    assert find("model_card_complete", answers=answered(harm="None." + " " * 40)).status is Status.FAIL


def test_an_answer_to_another_question_counts_for_nothing():
    answers = {**{name: text for name, text in ANSWERS.items() if name != "harm"}, "harms": ANSWERS["harm"]}
    assert find("model_card_complete", answers=answers).status is Status.UNKNOWN


def test_the_error_of_the_failed_cell_is_told():
    identity, execution = (
        build_identity(run_state="FAILED"),
        build_execution(error="ValueError: no rows.", failed_cell=4),
    )
    reason = find("run_finished", identity=identity, execution=execution).reason
    assert "FAILED" in reason and "Cell 4 failed: ValueError: no rows." in reason


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

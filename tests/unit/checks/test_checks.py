"""Every check passes on good evidence, fails on the fact it is about, and is never green when the fact is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

import workbench.checks
from tests.unit.comparisons.builders import (
    build_champion_comparison,
    build_compared_run,
    build_comparison,
    build_interval,
)
from tests.unit.evidence.builders import (
    ANSWERS,
    build_calibration,
    build_class,
    build_classes,
    build_column,
    build_compared,
    build_cost,
    build_datasets,
    build_disclosure,
    build_disclosures,
    build_evidence,
    build_execution,
    build_form,
    build_holdout,
    build_identity,
    build_leakage,
    build_model,
    build_numerics,
    build_plan,
    build_profile,
    build_profiles,
    build_replay,
    build_robustness,
    build_scenario,
    build_score,
    build_serving,
    build_slice,
    build_slices,
    build_tries,
)
from tests.unit.policies.builders import STRICT_POLICY, build_policy
from workbench.checks import CHECKS, run_checks
from workbench.checks.model_card_complete import is_long_enough
from workbench.comparisons.comparison import Verdict
from workbench.evidence.evidence import Status
from workbench.evidence.measures.leakage import ColumnStrength
from workbench.evidence.measures.sample import SampleFact
from workbench.policies.policy import MetricRule
from workbench.stats.interval import Interval

TRAIN, HOLDOUT = build_datasets()
POLICY = build_policy()
SLICES_HOLD = {"fewest_rows": 100, "fewest_of_a_class": 20, "largest_drop": 0.05, "false_discovery_rate": 0.1}
SLICED = replace(POLICY, slices=("size",), checks={**POLICY.checks, "slices_hold": SLICES_HOLD})


def find(check, *, policy=None, **changes):
    policy = policy or (SLICED if check == "slices_hold" else POLICY)
    return CHECKS[check](build_evidence(**changes), policy)


def compared(kind=build_comparison, **changes):
    return kind(runs=(build_compared_run(**changes),))


def answered(**changes):
    return {**ANSWERS, **changes}


def sliced(**changes):
    return {"slices": build_slices(values=(build_slice(), build_slice(value="large", **changes)))}


def disturbed(**changes):
    return {"robustness": build_robustness(scenarios=(build_scenario(**changes),))}


def regression(**changes):
    facts = {"brier": None, "log_loss": None, "ece": None, "ece_by_chance": None, "bins": None, "bias": 0.02}
    score = build_score(task="regression", metric="mean_absolute_error", direction="lower", value=41.0)
    return {"score": score, "calibration": build_calibration(**{**facts, "bias_error": 0.05, "slope": 0.95, **changes})}


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
        {"sample": SampleFact(143, 53, 1)},
        {"sample": SampleFact(143, 53, -1)},
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
    "planned_first": [
        {"plan": build_plan(metric="accuracy")},
        {"plan": build_plan(direction="lower")},
        {"plan": build_plan(margin=0.01)},
        {"plan": build_plan(slices=("age",))},
        {"plan": build_plan(first_scored="2026-11-20T08:59:59+00:00")},
        {"plan": build_plan(first_scored=build_plan().time)},
        {"plan": build_plan(first_scored="2026-11-20T08:00:00+00:00", holdout_digest=build_holdout().digest)},
        {"plan": build_plan(policy_digest="0" * 64)},
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
        {"model": build_model(largest_difference=1.01e-6)},
        {"model": build_model(largest_difference=math.nan)},
    ],
    "model_card_complete": [{"answers": answered(harm="None that we know.")}],
    "data_quality": [
        {"profiles": (build_profile(columns=(build_column(missing=86),)),)},
        {"profiles": (build_profile(columns=(build_column(distinct=1),)),)},
        {"profiles": (build_profile(columns=(build_column(distinct=0, missing=426),)),)},
        {"profiles": (build_profile(duplicates=22),)},
        {"profiles": (build_profile(duplicates=-1),)},
        {"profiles": (build_profile(columns=tuple(build_column(name=n, missing=400) for n in "abcd")),)},
    ],
    "no_leaking_feature": [
        {"leakage": build_leakage(strongest=(ColumnStrength("diagnosis_code", 0.9901),))},
        {"leakage": build_leakage(strongest=(ColumnStrength("diagnosis_code", math.nan),))},
        {"leakage": build_leakage(id_like=("patient",))},
    ],
    "replay_agrees": [
        {"replay": build_replay(verdict="different", largest_difference=1e-3, different=("predictions",))},
        {"replay": build_replay(verdict="different", largest_difference=math.nan, different=("predictions",))},
        {"replay": build_replay(verdict="different", largest_difference=None, different=("predictions",))},
        {
            "replay": build_replay(
                verdict="different", largest_difference=None, different=("run",), reasons=("It failed.",)
            )
        },
        {"replay": build_replay(verdict="different", different=("data",), reasons=("The data is not the same.",))},
    ],
    "holdout_wear": [{"tries": build_tries(distinct=31, runs=31)}],
    "enough_data": [
        {"sample": SampleFact(99, 53)},
        {"sample": SampleFact(143, 19)},
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0011, -0.0045, 0.0065, 0.95))},
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0011, -math.inf, 0.0065, 0.95))},
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0, math.nan, math.nan, 0.95))},
    ],
    "slices_hold": [
        sliced(advantage=-0.06),
        sliced(adjusted=0.09),
        sliced(advantage=math.nan),
        sliced(adjusted=math.nan),
        sliced(advantage=-0.06, slice="size", rows=100, rarer_class=20),
    ],
    "calibrated": [
        {"calibration": build_calibration(ece=0.08)},
        {"calibration": build_calibration(ece=math.nan)},
        {"calibration": build_calibration(slope=2.0)},
        {"calibration": build_calibration(slope=0.3)},
        {"calibration": build_calibration(slope=math.nan)},
        regression(bias=-0.3),
        regression(bias=math.nan),
        regression(slope=0.4, slope_error=0.08),
    ],
    "robust": [
        disturbed(drop=0.051),
        disturbed(drop=math.nan),
        disturbed(not_finite=1),
        disturbed(name="missing", worst_column="age", error="ValueError: Input X contains NaN."),
    ],
    "numerically_sound": [
        {"numerics": build_numerics(not_finite=1)},
        {"numerics": build_numerics(largest_batch_difference=None)},
        {"numerics": build_numerics(largest_batch_difference=1e-8)},
        {"numerics": build_numerics(largest_batch_difference=math.nan)},
    ],
    "fast_enough": [
        {"cost": build_cost(p99_ms=101.0)},
        {"cost": build_cost(load_s=11.0)},
        {"cost": build_cost(peak_megabytes=2001.0)},
        {"cost": build_cost(p99_ms=math.nan)},
        {"cost": build_cost(p99_ms=math.inf, calls=3)},
    ],
    "no_secrets_shown": [
        {"disclosures": build_disclosures(found=(build_disclosure(),))},
        {"disclosures": build_disclosures(found=tuple(build_disclosure(place=f"cell {n}") for n in range(9)))},
    ],
}

MISSING = {
    "planned_first": [
        {"plan": None},
        {"holdout": None},
        {"score": None},
        {"score": build_score(metric="accuracy")},
    ],
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
    "model_loads": [
        {"model": build_model(largest_difference=None)},
        {"model": build_model(served_as=None)},
        {"serving": None},
        {"serving": build_serving(tried=())},
        {"serving": build_serving(tried=(build_form(rows=()),))},
        {"serving": build_serving(tried=(build_form(served=False),))},
        {"serving": build_serving(tried=(build_form(rows=(build_compared(differing=1),)),))},
        {"serving": build_serving(tried=(build_form(rows=(build_compared(labels=1),)),))},
    ],
    "model_card_complete": [
        {"answers": {}},
        {"answers": answered(harm="   \n\t ")},
        {"answers": {name: text for name, text in ANSWERS.items() if name != "harm"}},
    ],
    "data_quality": [
        {"profiles": None},
        {"profiles": ()},
        {"profiles": (build_profile(columns=None),)},
        {"profiles": (build_profile(), build_profile(columns=()))},
        {"profiles": (build_profile(rows=0),)},
    ],
    "no_leaking_feature": [{"leakage": None}, {"leakage": build_leakage(judged=0, strongest=())}],
    "replay_agrees": [
        {"replay": None},
        {
            "replay": build_replay(
                run_id=None, verdict=None, largest_difference=None, reasons=("The notebook changed.",)
            )
        },
        {"replay": build_replay(largest_difference=None)},
    ],
    "holdout_wear": [{"tries": None}, {"tries": build_tries(distinct=0, runs=0)}],
    "enough_data": [
        {"sample": None},
        {"score": None},
        {"sample": SampleFact(143, None)},
        {"champion": None},
        {"champion": compared(build_champion_comparison, advantage=None)},
        {"champion": build_champion_comparison(metric="accuracy")},
        {"champion": None, "champion_version": None, "baseline": None},
    ],
    "slices_hold": [
        {"slices": None},
        {"slices": build_slices(metric="accuracy")},
        {"slices": build_slices(values=())},
        {"slices": build_slices(values=(build_slice(slice="region"),))},
        {"score": None},
        sliced(rows=99),
        sliced(rarer_class=19),
        sliced(advantage=None),
        sliced(adjusted=None),
    ],
    "calibrated": [
        {"calibration": None},
        {"calibration": build_calibration(rows=99)},
        {"calibration": build_calibration(slope=None)},
        {"calibration": build_calibration(slope_error=None)},
        {"calibration": build_calibration(ece=None)},
        {"score": None},
        regression(bias=None),
    ],
    "robust": [
        {"robustness": None},
        {"robustness": build_robustness(scenarios=())},
        {"robustness": build_robustness(rows=0)},
        disturbed(drop=None),
    ],
    "numerically_sound": [
        {"numerics": None},
        {"numerics": build_numerics(rows=0)},
        {"numerics": build_numerics(asked_singly=0)},
    ],
    "fast_enough": [{"cost": None}, {"cost": build_cost(calls=0)}, {"cost": build_cost(calls=199)}],
    "no_secrets_shown": [
        {"disclosures": None},
        {"disclosures": build_disclosures(files=0)},
        {"disclosures": build_disclosures(unread=("kept.zip",))},
    ],
}


# The fact each check stands on that may be absent.
MEASURED = {
    "profiles": "data_quality",
    "leakage": "no_leaking_feature",
    "replay": "replay_agrees",
    "tries": "holdout_wear",
    "slices": "slices_hold",
    "calibration": "calibrated",
    "robustness": "robust",
    "numerics": "numerically_sound",
    "disclosures": "no_secrets_shown",
    "cost": "fast_enough",
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


@pytest.mark.parametrize("check", sorted({check for check, _ in LIMITS}))
def test_every_check_says_alike_which_limits_are_not_set(check):
    keys = [key for named, key in LIMITS if named == check]
    finding = find(check, policy=build_policy(checks={check: {}}))
    assert set(finding.limit.removesuffix(" not set").split(", ")) == set(keys)


@pytest.mark.parametrize("limits", [{}, None, 3, "strict"])
@pytest.mark.parametrize(("check", "key"), LIMITS)
def test_limits_of_another_shape_never_pass(check, key, limits):
    assert find(check, policy=build_policy(checks={check: limits})).status is Status.UNKNOWN


def test_the_files_the_table_and_the_strict_policy_name_the_same_checks():
    files = {path.stem for path in Path(workbench.checks.__file__).parent.glob("[!_]*.py")}
    assert files == set(CHECKS) == set(yaml.safe_load(STRICT_POLICY.read_bytes())["checks"])
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
        **dict.fromkeys(MEASURED),
    )
    passed = {finding.check for finding in run_checks(evidence, SLICED) if not finding.blocks}
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
    rule = MetricRule("mean_absolute_error", margin=1.0, limit=60.0)
    assert find("metric_limit", policy=build_policy(metrics={"regression": rule}), score=score).status is status


def test_a_metric_on_its_limit_passes():
    assert find("metric_limit", score=build_score(value=0.80)).status is Status.PASS


def test_a_metric_the_policy_does_not_know_names_the_ones_it_does():
    reason = find("metric_limit", score=build_score(metric="accuracy")).reason
    assert "roc_auc for classification" in reason and "r2 for regression" in reason


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
    padded = "None." + " " * 40
    assert find("model_card_complete", answers=answered(harm=padded)).status is Status.FAIL
    assert not is_long_enough(padded, POLICY)
    assert is_long_enough(ANSWERS["harm"], POLICY)


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


# What was measured


@pytest.mark.parametrize(("fact", "check"), MEASURED.items())
def test_a_fact_that_was_not_measured_is_unknown_and_touches_no_other_check(fact, check):
    evidence = build_evidence(**{"plan": build_plan(slices=SLICED.slices), fact: None})
    blocking = [finding for finding in run_checks(evidence, SLICED) if finding.blocks]
    assert [(finding.check, finding.status) for finding in blocking] == [(check, Status.UNKNOWN)]


def test_that_each_slice_holds_is_unknown_where_none_is_named():
    finding = find("slices_hold", policy=replace(SLICED, slices=()))
    assert (finding.status, finding.value) == (Status.UNKNOWN, "no slice named")
    assert "slices_hold" not in {each.check for each in run_checks(build_evidence(), POLICY)}


def test_a_slice_nobody_named_decides_nothing():
    slices = build_slices(values=(build_slice(), build_slice(slice="region", advantage=-0.5, adjusted=None)))
    assert find("slices_hold", slices=slices).status is Status.PASS


def test_a_slice_that_is_worse_outweighs_one_that_is_too_small():
    values = (build_slice(rows=3), build_slice(value="large", advantage=-0.2))
    assert find("slices_hold", slices=build_slices(values=values)).status is Status.FAIL


def test_more_than_the_margin_is_enough_when_the_verdict_is_better():
    wide = compared(build_champion_comparison, advantage=Interval(0.05, 0.001, 0.09, 0.95))
    assert find("enough_data", champion=wide).status is Status.PASS


def test_the_first_model_is_held_against_its_baseline_for_the_width_of_the_interval():
    assert find("enough_data", champion=None, champion_version=None).status is Status.PASS
    unsure = compared(advantage=Interval(0.0, -0.006, 0.006, 0.95))
    assert find("enough_data", champion=None, champion_version=None, baseline=unsure).status is Status.FAIL


def test_a_slope_outside_its_limits_that_chance_explains_is_said_and_does_not_fail():
    finding = find("calibrated", calibration=build_calibration(slope=2.4, slope_error=0.8))
    assert finding.status is Status.PASS
    assert "chance explains" in finding.reason


def three_classes(**changes):
    """Evidence of three classes, each told from the rest; what is changed is the calibration of the last one."""
    names = ("bronze", "gold", "silver")
    classes = [build_class(name=name, calibration=build_calibration()) for name in names]
    classes[-1] = replace(classes[-1], calibration=build_calibration(**changes) if changes.get("rows", 1) else None)
    return {
        "score": build_score(task="multiclass"),
        "calibration": build_calibration(slope=None, slope_error=None),
        "classes": build_classes(classes=tuple(classes), positive_class=None),
    }


def test_several_classes_pass_when_each_is_calibrated_and_the_worst_is_told():
    finding = find("calibrated", **three_classes(ece=0.05))
    assert finding.status is Status.PASS
    assert finding.value.startswith("class silver, the worst of 3: ECE 0.05")


def test_one_class_of_several_that_is_not_calibrated_fails():
    finding = find("calibrated", **three_classes(ece=0.2))
    assert finding.status is Status.FAIL
    assert finding.value.startswith("class silver, the worst of 3: ECE 0.2")


@pytest.mark.parametrize("unknown", [{"rows": 0}, {"slope": None}, {"ece": None}, {"rows": 99}])
def test_one_class_of_several_that_nobody_can_judge_leaves_it_unknown(unknown):
    assert find("calibrated", **three_classes(**unknown)).status is Status.UNKNOWN


def test_several_classes_nobody_looked_at_are_unknown():
    evidence = {"score": build_score(task="multiclass"), "classes": None}
    assert find("calibrated", **evidence).status is Status.UNKNOWN


@pytest.mark.parametrize("response", ["decision_function", "predict"])
def test_scores_that_are_no_probabilities_are_never_called_calibrated(response):
    finding = find("calibrated", classes=build_classes(response=response))
    assert finding.status is Status.UNKNOWN
    assert "no probabilities" in finding.reason


def test_a_label_that_is_served_otherwise_than_it_was_judged_fails():
    assert find("model_loads", classes=build_classes(differing_labels=1)).status is Status.FAIL


def test_labels_that_were_kept_and_not_compared_are_unknown():
    assert find("model_loads", classes=build_classes(differing_labels=None)).status is Status.UNKNOWN
    nobody = build_classes(differing_labels=None, decided_by="score")
    assert find("model_loads", classes=nobody).status is Status.PASS


def test_too_few_rows_of_the_rarest_of_several_classes_are_not_enough():
    evidence = {"score": build_score(task="multiclass"), "sample": SampleFact(143, 19, 0)}
    assert find("enough_data", **evidence).status is Status.FAIL
    assert find("enough_data", **{**evidence, "sample": SampleFact(143, None, 0)}).status is Status.UNKNOWN


def test_a_calibrated_regression_passes():
    assert find("calibrated", **regression()).status is Status.PASS


def test_a_replay_whose_outputs_or_model_file_differ_agrees_and_says_so():
    replay = build_replay(verdict="different", different=("model", "output"), reasons=("output cell 3: differs",))
    finding = find("replay_agrees", replay=replay)
    assert finding.status is Status.PASS
    assert "Different all the same: model, output." in finding.reason


def test_a_holdout_that_wears_out_is_said_before_it_blocks():
    assert "wears out" not in find("holdout_wear", tries=build_tries(distinct=9)).reason
    assert "wears out" in find("holdout_wear", tries=build_tries(distinct=10)).reason
    assert find("holdout_wear", tries=build_tries(distinct=30)).status is Status.PASS


def test_what_was_shown_is_never_repeated_but_its_place_is():
    unread = find("no_secrets_shown", disclosures=build_disclosures(unread=("kept.zip", "huge.log")))
    assert unread.value == "2 files not read"
    assert unread.reason.startswith("Nobody could search kept.zip, huge.log: ")
    both = build_disclosures(found=(build_disclosure(),), unread=("kept.zip",))
    assert find("no_secrets_shown", disclosures=both).status is Status.FAIL
    finding = find("no_secrets_shown", disclosures=build_disclosures(found=(build_disclosure(),)))
    assert "GitHub token in notebook.ipynb cell 3 stdout" in finding.reason


def test_a_model_without_numbers_to_disturb_is_robust_when_it_always_answers():
    assert find("robust", **disturbed(name="unseen category", drop=0.3)).status is Status.PASS


def nearly(build, **fields):
    """Draw what passes with one or two of these fields changed."""
    few = st.lists(st.sampled_from(sorted(fields)), min_size=1, max_size=2, unique=True)
    return few.flatmap(lambda names: st.builds(build, **{name: fields[name] for name in names}))


def between(lowest, highest):
    """Draw from evenly spaced numbers: `floats` would nearly all be far below a small limit."""
    return st.integers(0, 40).map(lambda part: lowest + part * (highest - lowest) / 40)


_odd = st.none() | st.floats()


def near(limit, odd=_odd):
    """Draw a number on one or the other side of a limit, and now and then none or an odd one."""
    return between(0, 2 * limit) | between(limit / 2, 1.5 * limit) | odd


def several(items, at_least=0):
    return st.lists(items, min_size=at_least, max_size=2).map(tuple)


_metrics = between(-1e-9, 1e-9).map(lambda off: build_score().value + off)
_counts = st.integers(0, 300) | st.integers(100, 300) | st.integers(-3, 10**6)
_columns = nearly(build_column, missing=st.integers(-1, 90), distinct=st.integers(0, 3) | _counts)
NEARLY_PASSING = {
    "profiles": nearly(
        build_profile,
        rows=_counts,
        duplicates=st.integers(0, 20) | _counts,
        columns=several(_columns, 1) | st.sampled_from([None, ()]),
    ).map(lambda train: (train, *build_profiles()[1:])),
    "leakage": nearly(
        build_leakage,
        judged=_counts,
        strongest=near(0.99, st.floats()).map(lambda strength: (ColumnStrength("x", strength),)) | st.just(()),
        id_like=st.sampled_from([(), ("patient",)]),
    ),
    "replay": nearly(
        build_replay,
        run_id=st.none() | st.just("c4b0a9d2"),
        verdict=st.none() | st.just("different"),
        largest_difference=near(1e-9),
        different=several(st.sampled_from(["run", "data", "predictions", "output"])),
    ),
    "tries": nearly(build_tries, distinct=st.integers(20, 45) | _counts, best=near(0.99), median=near(0.99)),
    "sample": nearly(
        partial(SampleFact, rows=143, rarer_class=53),
        rows=_counts,
        rarer_class=st.none() | st.integers(-1, 45),
    ),
    "slices": nearly(
        build_slices,
        values=several(
            nearly(
                build_slice,
                rows=st.integers(80, 300) | _counts,
                rarer_class=st.none() | st.integers(0, 60) | _counts,
                advantage=between(-0.1, 0.1) | _odd,
                adjusted=between(0, 1) | near(0.1),
            ),
            1,
        ),
    ),
    "calibration": nearly(
        build_calibration,
        rows=_counts,
        slope=between(0.4, 2) | near(1.25),
        slope_error=near(0.2),
        ece=near(0.07),
        ece_by_chance=near(0.03),
    ),
    "robustness": nearly(
        build_robustness,
        rows=_counts,
        scenarios=several(nearly(build_scenario, drop=near(0.05), not_finite=st.just(0) | _counts, columns=_counts), 1),
    ),
    "numerics": nearly(
        build_numerics,
        rows=_counts,
        not_finite=st.just(0) | _counts,
        asked_singly=_counts,
        largest_batch_difference=near(1e-9),
    ),
    "disclosures": nearly(build_disclosures, files=_counts, found=several(st.builds(build_disclosure))),
    "cost": nearly(
        build_cost,
        load_s=near(10, st.floats()),
        calls=st.integers(200, 300) | _counts,
        p99_ms=near(100, st.floats()),
        peak_megabytes=near(2000, st.floats()),
    ),
    "holdout": nearly(build_holdout, rows=_counts, shared_rows=st.none() | st.integers(-1, 3), covered=st.booleans()),
    "score": nearly(
        build_score,
        value=_metrics,
        logged=_metrics | _odd,
    ),
    "model": nearly(
        build_model,
        largest_difference=near(1e-6),
        served_as=st.none() | st.just("skops"),
        load_error=st.none() | st.just(""),
    ),
    "answers": (st.integers(15, 60).map(lambda length: "x" * length) | st.text("x \n", min_size=15, max_size=60)).map(
        lambda text: answered(harm=text)
    ),
}
# The fact each check with limits stands on.
LIMITED = {
    **MEASURED,
    "holdout": "holdout_untouched",
    "score": "metric_recomputed",
    "model": "model_loads",
    "answers": "model_card_complete",
}
# Which limits let more pass when they are raised, and which when they are lowered.
LOOSER = {
    "most_missing_share": 1, "most_duplicate_share": 1, "most_constant_columns": 1, "largest_strength": 1, "most_tries": 1,
    "fewest_rows": -1, "fewest_of_a_class": -1, "largest_drop": 1, "false_discovery_rate": -1, "largest_ece": 1,
    "smallest_slope": -1, "largest_slope": 1, "largest_bias": 1, "largest_difference": 1, "most_p99_ms": 1, "most_load_s": 1,
    "most_megabytes": 1, "warn_tries": 1, "most_shared_rows": 1, "fewest_characters": -1,
}  # fmt: skip


@pytest.mark.parametrize(("fact", "check"), LIMITED.items())
@settings(max_examples=60)
@given(data=st.data())
def test_no_fact_raises_and_a_looser_limit_never_takes_a_pass_away(fact, check, data):
    changes = {fact: data.draw(NEARLY_PASSING[fact])}
    limits = SLICED.checks[check]
    strict, loose = dict(limits), dict(limits)
    for key in data.draw(several(st.sampled_from(sorted(limits)), 1)) if limits else ():
        one, other = sorted([limits[key], data.draw(between(limits[key] / 2, 2 * limits[key] or 4))])
        strict[key], loose[key] = (one, other) if LOOSER[key] > 0 else (other, one)
    statuses = [
        find(check, policy=replace(SLICED, checks={check: limits}), **changes).status for limits in (strict, loose)
    ]
    assert statuses[0] is not Status.PASS or statuses[1] is Status.PASS


def test_rules_of_after_the_first_score_are_told_with_both_times_and_no_run_mends_that():
    finding = find("planned_first", plan=build_plan(first_scored="2026-11-20T08:00:00+00:00"))
    assert "scored on since 2026-11-20 08:00:00" in finding.reason
    assert "fresh holdout" in finding.reason
    assert "again" not in finding.reason


def test_a_plan_that_differs_is_told_with_both_values():
    reason = find("planned_first", plan=build_plan(margin=0.01, slices=("age",))).reason
    assert "margin 0.01, now 0.005" in reason
    assert "slices ('age',), now ()" in reason


@given(
    planned=st.sampled_from(["roc_auc", "accuracy"]),
    margin=st.sampled_from([0.005, 0.01]),
    slices=st.sampled_from([(), ("age",)]),
    named=st.sampled_from([None, build_holdout().digest, "0" * 64]),
    first_scored=st.sampled_from(["2026-11-20T08:00:00+00:00", build_plan().time, "2026-11-20T09:00:00.000001+00:00"]),
)
def test_a_plan_holds_when_it_is_the_policys_and_came_before_the_score(planned, margin, slices, named, first_scored):
    plan = build_plan(metric=planned, margin=margin, slices=slices, holdout_digest=named, first_scored=first_scored)
    policy = replace(POLICY, slices=("age",))
    alike = (planned, margin, slices) == ("roc_auc", 0.005, ("age",))
    first = first_scored > plan.time
    assert (find("planned_first", policy=policy, plan=plan).status is Status.PASS) == (alike and first)

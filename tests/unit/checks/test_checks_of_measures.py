"""What a check says of what was measured, of replays, of the wear of a holdout and of plans."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.checks.cases import POLICY, SLICED, compared, disturbed, find, regression
from tests.unit.checks.missing import MEASURED
from tests.unit.comparisons.builders import build_champion_comparison
from tests.unit.evidence.builders import (
    build_evidence,
    build_holdout,
    build_plan,
    build_replay,
    build_score,
    build_tries,
)
from tests.unit.evidence.measure_builders import (
    build_calibration,
    build_class,
    build_classes,
    build_disclosure,
    build_disclosures,
    build_leakage,
    build_slice,
    build_slices,
)
from tests.unit.policies.builders import build_policy
from workbench.checks import run_checks
from workbench.evidence.evidence import Status
from workbench.evidence.measures.sample import SampleFact
from workbench.stats.interval import Interval


def test_scores_on_too_few_rows_are_told_how_many_it_takes():
    """Nominating again would measure them no better."""
    said = find("calibrated", calibration=build_calibration(rows=60)).reason
    assert "at least 100 rows (and 10 of each class, where there are any)" in said
    assert "Nominate" not in said


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
    assert find("enough_data", champion=None, champion_version=None, baseline=unsure).status is Status.UNKNOWN


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
    replay = build_replay(
        verdict="different",
        different=("model", "output"),
        reasons=("model model/model.skops: a then, b now", "output cell 3 stdout: line 1 was 'a', is 'b'"),
    )
    finding = find("replay_agrees", replay=replay)
    assert (finding.status, finding.value) == (Status.PASS, "scores identical; model files, outputs differ (not asked)")
    assert "Beside them 2 things differ: model model/model.skops: a then, b now; output cell 3" in finding.reason


def test_a_replay_by_other_local_code_does_not_agree_though_its_scores_do():
    reasons = tuple(f"code nb/{name}.py: a then, b now" for name in "ghijk")
    replay = build_replay(verdict="different", different=("code",), reasons=reasons)
    finding = find("replay_agrees", replay=replay)
    said = "other local code: nb/g.py, nb/h.py, nb/i.py and 2 more; scores identical"
    assert (finding.status, finding.value) == (Status.FAIL, said)
    assert "nb/h.py: a then, b now" in finding.reason
    assert finding.reason.endswith("Nominate a run of the code that is there now.")
    assert find("replay_agrees", replay=replace(replay, reasons=())).value == "other local code; scores identical"


def test_what_did_not_come_out_the_same_is_told_apart():
    reasons = ("code nb/g.py: a then, b now", "model model/features.py: a then, b now.")
    finding = find("replay_agrees", replay=build_replay(verdict="different", different=("code",), reasons=reasons))
    assert "the same: code nb/g.py: a then, b now; model model/features.py: a then, b now. Nominate" in finding.reason


def test_a_strong_feature_may_be_explained_where_the_policy_lets_it_be_waived_and_nowhere_else():
    leaking = {"leakage": build_leakage(id_like=("patient",))}
    assert find("no_leaking_feature", **leaking).reason.endswith("a waiver by a second person says why.")
    strict = build_policy(checks={"no_leaking_feature": {"largest_strength": 0.99}}, severities={})
    assert find("no_leaking_feature", policy=strict, **leaking).reason.endswith("of the features and run again.")


def test_what_was_fitted_on_is_never_claimed_only_what_was_logged():
    finding = find("holdout_untouched")
    assert finding.status is Status.PASS
    assert "what was logged was compared, what it was fitted on is not known" in finding.value
    assert "What the model was fitted on is not known" in finding.reason


def test_a_truth_that_is_not_the_target_is_named_and_a_score_that_is_fails():
    holdout = build_holdout(target="tumour")
    other = find("holdout_untouched", holdout=holdout, sample=SampleFact(143, 53, None, "other"))
    assert other.status is Status.UNKNOWN
    assert other.reason.startswith(
        "In no row is the truth that was scored the holdout's column 'tumour'. Nobody can tell"
    )
    swapped = find("holdout_untouched", holdout=holdout, sample=SampleFact(143, 53, None, "swapped"))
    assert (swapped.status, swapped.value) == (Status.FAIL, "truth and score are swapped")


def test_what_a_replay_passes_with_is_never_called_different():
    kinds = ("run", "notebook", "parameter", "data", "code", "metric", "history", "predictions", "model", "output")
    several = [named for count in (0, 1, 2, len(kinds)) for named in combinations(kinds, count)]
    for gap, named in product((None, 0.0, 1e-12, 1.0), several):
        verdict, reasons = "different" if named else "identical", [f"{kind} x: differs" for kind in named]
        replay = build_replay(verdict=verdict, largest_difference=gap, different=named, reasons=tuple(reasons))
        finding = find("replay_agrees", replay=replay)
        told = {kind for kind in named if f"{kind} x: differs" in finding.reason or "more" in finding.reason}
        assert "different" not in finding.value
        assert finding.status is not Status.PASS or told | {"predictions"} == {*named, "predictions"}
        assert ("identical" in finding.value) is (gap == 0 and "run" not in named)


def test_a_holdout_that_wears_out_is_said_before_it_blocks():
    assert "wears out" not in find("holdout_wear", tries=build_tries(distinct=9)).reason
    assert "wears out" in find("holdout_wear", tries=build_tries(distinct=10)).reason
    assert find("holdout_wear", tries=build_tries(distinct=30)).status is Status.PASS


@pytest.mark.parametrize("distinct", [3, 10, 31])
def test_other_rules_on_the_rows_are_named_where_the_wear_is_told(distinct):
    rules = ("lenient (sha256 0123456789ab)", "own (sha256 ba9876543210)")
    found = find("holdout_wear", tries=build_tries(distinct=distinct, other_rules=rules))
    assert found.value.startswith(f"{distinct} tries, 2 of them other policies, in 5 runs;")
    assert "also planned under lenient (sha256 0123456789ab); own (sha256 ba9876543210)." in found.reason


@pytest.mark.parametrize("distinct", [6, 10, 31])
def test_tries_on_other_splits_are_told_with_how_many_rows_were_scored_there(distinct):
    found = find("holdout_wear", tries=build_tries(distinct=distinct, other_splits=5, beside=1, scored_rows=61))
    assert found.value.startswith(f"{distinct} tries, 5 of them on other splits of the data, in 5 runs;")
    assert (
        "5 tries were on another split of the same data: half of these rows or more were at hand there" in found.reason
    )
    assert "1 try was on holdouts that share some of these rows; less than half" in found.reason
    assert "61 rows of this holdout stood in another one that was scored." in found.reason
    assert ("of rows that none of these runs had" in found.reason) is (found.status is Status.FAIL)


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


def test_rules_of_after_the_first_score_are_told_with_both_times_and_no_run_mends_that():
    finding = find("planned_first", plan=build_plan(first_scored="2026-11-20T08:00:00+00:00"))
    assert "scored on since 2026-11-20 08:00:00" in finding.reason
    assert "fresh holdout" in finding.reason
    assert "again" not in finding.reason


def test_a_plan_that_differs_is_told_with_both_values():
    reason = find("planned_first", plan=build_plan(margin=0.01, slices=("age",))).reason
    assert "margin 0.01, now 0.005" in reason
    assert "slices ('age',), now ()" in reason


def test_a_metric_of_ones_own_whose_code_changed_since_the_plan_is_told():
    own = build_score(code="b" * 64)
    assert find("planned_first", score=own, plan=build_plan(code="b" * 64)).status is Status.PASS
    finding = find("planned_first", score=own, plan=build_plan(code="a" * 64))
    assert (finding.status, f"{'a' * 12}, now {'b' * 12}" in finding.reason) == (Status.FAIL, True)
    assert "code of the metric the workbench's, now" in find("planned_first", score=own, plan=build_plan()).reason


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

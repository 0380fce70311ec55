"""Every check passes on good evidence, fails on the fact it is about, and is never green when the fact is missing."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import combinations, product
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import workbench.checks
from tests.unit.checks.cases import (
    FAILS,
    MEASURED,
    MISSING,
    POLICY,
    SLICED,
    answered,
    compared,
    disturbed,
    find,
    regression,
)
from tests.unit.comparisons.builders import (
    build_champion_comparison,
)
from tests.unit.evidence.builders import (
    ANSWERS,
    build_authorship,
    build_calibration,
    build_class,
    build_classes,
    build_disclosure,
    build_disclosures,
    build_evidence,
    build_execution,
    build_holdout,
    build_identity,
    build_local_files,
    build_model,
    build_plan,
    build_replay,
    build_score,
    build_slice,
    build_slices,
    build_tries,
    build_written,
)
from tests.unit.people import AUTHOR, OWNER, VALIDATOR
from tests.unit.policies.builders import STRICT_POLICY, build_policy, read_policy
from workbench.checks import CHECKS, run_checks
from workbench.checks.model_card_complete import find_answer_fault, list_settled
from workbench.comparisons.comparison import Verdict
from workbench.evidence.evidence import AnswerFact, Severity, Status
from workbench.evidence.measures.sample import SampleFact
from workbench.policies.policy import MetricRule
from workbench.runs.local_files import LocalModule, Standing
from workbench.stats.interval import Interval


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


def module(name: str, standing: Standing) -> LocalModule:
    return LocalModule(name, "ab" * 32, standing)


@pytest.mark.parametrize(
    ("modules", "said"),
    [
        ((), "No other local code ran."),
        ((module("a.py", Standing.COMMITTED),), "1 local module ran with it."),
        (
            (module("a.py", Standing.COMMITTED), module("b.py", Standing.UNTRACKED), module("c.py", Standing.CHANGED)),
            "3 local modules ran with it, not in the commit: b.py (not in git), c.py (changed).",
        ),
        (tuple(module(f"{name}.py", Standing.UNTRACKED) for name in "abcdef"), "e.py (not in git) and others."),
    ],
)
def test_local_code_is_told_and_its_digests_decide(modules, said):
    finding = find("run_unmodified", local_files=build_local_files(modules=modules))
    assert finding.status is Status.PASS
    assert finding.reason.endswith(said)


@pytest.mark.parametrize("check", ["run_unmodified", "authors_known"])
def test_a_run_whose_local_code_is_not_known_says_why_and_what_to_do(check):
    for files, why in ((None, "from before"), (build_local_files(is_complete=False), "did not tell to the end")):
        finding = find(check, local_files=files)
        assert finding.status is Status.UNKNOWN
        assert why in finding.reason
        assert "Run the notebook again" in finding.reason


def test_a_module_whose_authors_nobody_can_tell_says_whether_it_is_git_or_that_it_is_not_what_ran():
    files = [build_written(), *(build_written(path=name, commits=()) for name in ("a.py", "b.py"))]
    ran = (module("a.py", Standing.REPLACED), module("b.py", Standing.COMMITTED))
    finding = find(
        "authors_known", authorship=build_authorship(files=tuple(files)), local_files=build_local_files(modules=ran)
    )
    assert finding.status is Status.UNKNOWN
    assert "Git did not say who wrote b.py." in finding.reason
    assert "who wrote a.py, changed or removed after it ran" in finding.reason
    assert "Leave it as it is meanwhile, and run the notebook again." in finding.reason


def test_space_does_not_make_an_answer_longer():
    padded = "None." + " " * 40
    assert find("model_card_complete", answers=answered(harm=padded)).status is Status.FAIL
    assert find_answer_fault(padded, POLICY) == "It has 5 visible characters of at least 20."
    assert find_answer_fault(ANSWERS["harm"], POLICY) is None


def drafted(*vouched_by):
    said_by = tuple(AnswerFact(name, AUTHOR, vouched_by if name == "harm" else (VALIDATOR,)) for name in ANSWERS)
    return build_evidence(said_by=said_by)


def test_what_an_author_drafted_says_whose_it_is_and_counts_once_somebody_else_confirmed_it():
    draft = CHECKS["model_card_complete"](drafted(), POLICY)
    assert (draft.status, draft.value) == (Status.UNKNOWN, "4 of 4 answered, 1 by nobody but an author")
    assert f"Drafted: harm ({AUTHOR}). Whoever approves confirms it" in draft.reason
    assert list_settled(drafted(), POLICY) == {*ANSWERS} - {"harm"}
    confirmed = drafted().confirmed_by([OWNER])
    assert CHECKS["model_card_complete"](confirmed, POLICY).status is Status.PASS
    assert list_settled(confirmed, POLICY) == {*ANSWERS}
    (fact,) = [each for each in confirmed.said_by if each.question == "harm"]
    assert fact.whose == f"Drafted by {AUTHOR}, confirmed by {OWNER}"


def test_nobody_confirms_nothing():
    assert drafted().confirmed_by([]) == drafted()


def test_who_confirms_answers_does_not_give_the_missing_ones():
    evidence = build_evidence(answers=answered(harm="." * 40)).confirmed_by([OWNER])
    assert CHECKS["model_card_complete"](evidence, POLICY).status is Status.FAIL


def test_answers_of_before_it_was_recorded_whose_they_are_count_once_somebody_approved_them():
    older = build_evidence(format=3)
    assert "nobody knows who" in CHECKS["model_card_complete"](older, POLICY).reason
    assert CHECKS["model_card_complete"](older.confirmed_by([OWNER]), POLICY).status is Status.PASS


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


def test_what_a_replay_passes_with_is_never_called_different():
    kinds = ("run", "notebook", "parameter", "data", "metric", "history", "predictions", "model", "output")
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

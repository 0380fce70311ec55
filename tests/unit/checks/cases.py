"""What each check fails on and what leaves it unknown, one changed fact at a time; everything else is as it should be."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.unit.comparisons.builders import (
    build_champion_comparison,
    build_compared_run,
    build_comparison,
    build_interval,
)
from tests.unit.evidence.builders import (
    ANSWERS,
    build_authorship,
    build_calibration,
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
    build_local_files,
    build_model,
    build_numerics,
    build_plan,
    build_profile,
    build_replay,
    build_robustness,
    build_scenario,
    build_score,
    build_serving,
    build_slice,
    build_slices,
    build_tries,
    build_written,
)
from tests.unit.people import AUTHOR, VALIDATOR
from tests.unit.policies.builders import build_policy
from workbench.checks import CHECKS
from workbench.comparisons.comparison import Verdict
from workbench.evidence.evidence import AnswerFact
from workbench.evidence.measures.leakage import ColumnStrength
from workbench.evidence.measures.sample import SampleFact
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
    "authors_known": [
        {"identity": build_identity(authors=())},
        {"authorship": build_authorship(authors=("ada@example.org", "vera@example.org"))},
    ],
    "data_known": [
        {"datasets": (replace(TRAIN, rows=0), HOLDOUT)},
        {"datasets": (TRAIN, replace(HOLDOUT, columns=0))},
    ],
    "holdout_untouched": [
        {"holdout": build_holdout(shared_rows=1)},
        {"holdout": build_holdout(alike_rows=1)},
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
    "model_card_complete": [
        {"answers": answered(harm="None that we know.")},
        {"answers": answered(harm="." * 40)},
        {"answers": answered(harm="\u200b" * 40)},
        {"answers": answered(harm="a" * 40)},
        {"answers": answered(harm="Some words. " * 1_700)},
    ],
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
    "run_unmodified": [
        {"identity": build_identity(notebook_digest="")},
        {"local_files": None},
        {"local_files": build_local_files(is_complete=False)},
    ],
    "authors_known": [
        {"authorship": None},
        {"authorship": build_authorship(files=())},
        {"authorship": build_authorship(files=(build_written(path="shop.py"),))},
        {"authorship": build_authorship(files=(build_written(), build_written(path="shop.py", commits=())))},
        {"authorship": build_authorship(files=(build_written(untold=3),))},
        {"local_files": None},
        {"local_files": build_local_files(is_complete=False)},
        {"identity": build_identity(authors=("ada@example.org", "\u0430da@example.org"))},
        {"identity": build_identity(authors=("Ada Lovelace",)), "authorship": build_authorship(authors=())},
    ],
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
        {"holdout": build_holdout(alike_rows=None)},
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
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0, -0.03, 0.03, 0.95))},
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0, -0.005, 0.03, 0.95))},
        {"champion": None, "champion_unscored": "Version 2 takes a column that is gone. Log it."},
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
        {"said_by": tuple(AnswerFact(name, AUTHOR, ()) for name in ANSWERS)},
        {
            "said_by": (
                AnswerFact("harm", AUTHOR, ()),
                *(AnswerFact(name, VALIDATOR, (VALIDATOR,)) for name in [*ANSWERS][:3]),
            )
        },
        {"said_by": tuple(AnswerFact(name, AUTHOR, (f"Ada <{AUTHOR.upper()}>",)) for name in ANSWERS)},
        {"said_by": ()},
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
        {"champion": None, "champion_unscored": "Version 2 takes a column that is gone. Log it."},
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0011, -0.0045, 0.0065, 0.95))},
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0011, -math.inf, 0.0065, 0.95))},
        {"champion": compared(build_champion_comparison, advantage=Interval(0.0, math.nan, math.nan, 0.95))},
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
    "authorship": "authors_known",
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

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
    build_datasets,
    build_evidence,
    build_execution,
    build_holdout,
    build_identity,
    build_model,
    build_plan,
    build_replay,
    build_score,
    build_tries,
)
from tests.unit.evidence.measure_builders import (
    build_calibration,
    build_column,
    build_cost,
    build_disclosure,
    build_disclosures,
    build_leakage,
    build_numerics,
    build_profile,
    build_robustness,
    build_scenario,
    build_slice,
    build_slices,
)
from tests.unit.policies.builders import build_policy
from workbench.checks import CHECKS
from workbench.comparisons.verdict import Verdict
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

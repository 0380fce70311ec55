"""By check the evidence in which the fact it stands on is missing, and which fact that is."""

from __future__ import annotations

import math
from dataclasses import replace

from tests.unit.checks.cases import HOLDOUT, TRAIN, answered, compared, disturbed, regression, sliced
from tests.unit.comparisons.builders import (
    build_champion_comparison,
    build_comparison,
)
from tests.unit.evidence.builders import (
    ANSWERS,
    build_authorship,
    build_compared,
    build_form,
    build_holdout,
    build_identity,
    build_local_files,
    build_model,
    build_replay,
    build_score,
    build_serving,
    build_tries,
    build_written,
)
from tests.unit.evidence.measure_builders import (
    build_calibration,
    build_cost,
    build_disclosures,
    build_leakage,
    build_numerics,
    build_profile,
    build_robustness,
    build_slice,
    build_slices,
)
from tests.unit.people import AUTHOR, VALIDATOR
from workbench.evidence.evidence import AnswerFact
from workbench.evidence.measures.sample import SampleFact
from workbench.stats.interval import Interval

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

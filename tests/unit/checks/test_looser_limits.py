"""No fact makes a check raise, and a looser limit never takes a pass away, whatever the fact."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.checks.cases import SLICED, answered, find
from tests.unit.checks.missing import MEASURED
from tests.unit.evidence.builders import (
    ANSWERS,
    build_authorship,
    build_holdout,
    build_model,
    build_replay,
    build_score,
    build_tries,
    build_written,
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
    build_profiles,
    build_robustness,
    build_scenario,
    build_slice,
    build_slices,
)
from workbench.evidence.evidence import Status
from workbench.evidence.measures.leakage import ColumnStrength
from workbench.evidence.measures.sample import SampleFact


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
    "authorship": nearly(
        build_authorship,
        files=several(
            nearly(build_written, commits=several(st.just("9c" * 20)), uncommitted=_counts, untold=st.just(0) | _counts)
        ),
    ),
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
    "answers": (
        st.integers(15, 60).map(lambda length: ANSWERS["harm"][:length])
        | st.text("abcdef. \n", min_size=15, max_size=60)
    ).map(lambda text: answered(harm=text)),
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

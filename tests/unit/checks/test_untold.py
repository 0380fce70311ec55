"""Nothing untold is green: a fact that is removed from complete evidence leaves no PASS that needs it, under any policy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any, get_args, get_type_hints

import pytest

from tests.unit.checks.cases import compared
from tests.unit.comparisons.builders import build_champion_comparison, build_overlap
from tests.unit.evidence.builders import build_evidence, build_holdout, build_plan
from tests.unit.evidence.measure_builders import build_slice, build_slices
from tests.unit.policies.builders import STANDARD_POLICY, build_policy, read_policy
from workbench.checks import run_checks
from workbench.evidence.evidence import Status
from workbench.policies.policy import Policy
from workbench.stats.interval import Interval

# By the place of what may be missing (None, or no member of a list): the checks that cannot pass without it.
NEEDED = {
    "datasets": {"data_known", "holdout_untouched"},
    "holdout": {"beats_baseline", "enough_data", "holdout_untouched", "not_worse_than_champion", "planned_first"},
    "holdout.shared_rows": {"holdout_untouched"},
    "holdout.alike_rows": {"holdout_untouched"},
    "score": {
        "beats_baseline", "calibrated", "enough_data", "metric_limit", "metric_recomputed", "not_worse_than_champion",
        "planned_first", "slices_hold",
    },
    "score.logged": {"metric_recomputed"},
    "authorship": {"authors_known"},
    "authorship.files": {"authors_known"},
    "baseline": {"beats_baseline"},
    "baseline.runs": {"beats_baseline"},
    "baseline.runs.*.advantage": {"beats_baseline"},
    "champion": {"enough_data", "not_worse_than_champion"},
    "champion.runs": {"enough_data", "not_worse_than_champion"},
    "champion.runs.*.advantage": {"enough_data", "not_worse_than_champion"},
    "champion_version": {"not_worse_than_champion"},
    "model.formats": {"safe_format"},
    "model.served_as": {"model_loads"},
    "model.largest_difference": {"model_loads"},
    "plan": {"planned_first"},
    "profiles": {"data_quality"},
    "profiles.*.columns": {"data_quality"},
    "leakage": {"no_leaking_feature"},
    "leakage.strongest": {"no_leaking_feature"},
    "replay": {"replay_agrees"},
    "replay.run_id": {"replay_agrees"},
    "replay.verdict": {"replay_agrees"},
    "replay.largest_difference": {"replay_agrees"},
    "said_by": {"model_card_complete"},
    "tries": {"holdout_wear"},
    "sample": {"enough_data", "holdout_untouched"},
    "sample.rarer_class": {"enough_data"},
    "sample.strangers": {"holdout_untouched"},
    "slices": {"slices_hold"},
    "slices.values": {"slices_hold"},
    "slices.values.*.advantage": {"slices_hold"},
    "slices.values.*.adjusted": {"slices_hold"},
    "calibration": {"calibrated"},
    "calibration.slope": {"calibrated"},
    "calibration.slope_error": {"calibrated"},
    "calibration.ece": {"calibrated"},
    "calibration.ece_by_chance": {"calibrated"},
    "robustness": {"robust"},
    "robustness.scenarios": {"robust"},
    "numerics": {"numerically_sound"},
    "numerics.largest_batch_difference": {"numerically_sound"},
    "disclosures": {"no_secrets_shown"},
    "local_files": {"authors_known", "run_unmodified"},
    "cost": {"fast_enough"},
    "serving": {"model_loads"},
    "serving.tried": {"model_loads"},
    "serving.tried.*.rows": {"model_loads"},
    "classes": {"model_loads"},
    "classes.differing_labels": {"model_loads"},
}  # fmt: skip
# What is shown, and no check says anything of.
ONLY_SHOWN = {
    "identity.git_commit", "identity.git_dirty", "identity.lock_digest", "identity.ended", "holdout.target", "plan.drafted",
    "baseline.runs.*.verdict",
    "champion.runs.*.verdict", "profiles.*.columns.*.outlying", "tries.best", "tries.median", "slices.values.*.rarer_class",
    "slices.values.*.score", "slices.values.*.reference_score", "slices.values.*.p_value", "calibration.intercept",
    "calibration.brier", "calibration.log_loss", "calibration.bins", "robustness.scenarios.*.worst_column",
    "local_files.modules", "local_files.modules.*.digest", "local_files.reads", "local_files.reads.*.digest",
    "classes.classes", "classes.metrics", "classes.classes.*.recall", "classes.classes.*.precision", "classes.classes.*.roc_auc",
    "diagnostics", "diagnostics.curves", "diagnostics.reliability", "diagnostics.threshold", "importance",
    "importance.columns", *(f"importance.columns.*.{name}" for name in ("loss", "low", "high")),
    "authorship.since", "classes.metrics.*.value", "classes.positive_class", "classes.response",
}  # fmt: skip
# Of noise the drop is needed; of what is swapped, missing or in another unit it is only shown. Minimal asks two of four questions.
OF_ONE_MEMBER = {"robustness.scenarios.*.drop": {"robust"}, "said_by.*.vouched_by": {"model_card_complete"}}
# A champion that may know the rows is flattered, so that a PASS holds all the same; what says WORSE needs to know.
TO_FAIL = {
    "champion_overlap": {"not_worse_than_champion", "slices_hold"},
    "champion_overlap.shared_rows": {"not_worse_than_champion", "slices_hold"},
}
SLICES = ("size",)

Path = tuple[str | int, ...]


def complete() -> Any:
    plan = build_plan(slices=SLICES, drafted="2026-11-20T09:10:00+00:00")
    return build_evidence(plan=plan, champion=build_champion_comparison(), holdout=build_holdout(target="bought"))


def policies() -> dict[str, Policy]:
    shipped = {path.stem: read_policy(path.read_bytes()) for path in STANDARD_POLICY.parent.glob("*.yaml")}
    checks = {**build_policy().checks, "slices_hold": shipped["strict"].checks["slices_hold"]}
    return {**shipped, "sliced": build_policy(slices=SLICES, checks=checks)}


def list_removable(value: Any, before: Path = ()) -> Iterator[Path]:
    """The place of every fact that is there and may be missing, by its record's own annotations."""
    if isinstance(value, tuple):
        for number, member in enumerate(value):
            yield from list_removable(member, (*before, number))
    elif is_dataclass(value):
        hints = get_type_hints(type(value))
        for field in fields(value):
            held, place = getattr(value, field.name), (*before, field.name)
            is_list = (
                isinstance(held, tuple)
                and bool(held)
                and (is_dataclass(held[0]) or field.name in ("formats", "vouched_by"))
            )
            if is_list or (type(None) in get_args(hints[field.name]) and held is not None):
                yield place
            yield from list_removable(held, place)


def remove(value: Any, place: Path) -> Any:
    first, *rest = place
    if isinstance(value, tuple):
        return (*value[:first], remove(value[first], tuple(rest)), *value[first + 1 :])
    held = getattr(value, first)
    missing = () if isinstance(held, tuple) else None
    return replace(value, **{first: remove(held, tuple(rest)) if rest else missing})


def spell(place: Path) -> str:
    return ".".join("*" if isinstance(part, int) else part for part in place)


def passed(evidence: Any, policy: Policy) -> set[str]:
    return {finding.check for finding in run_checks(evidence, policy) if finding.status is Status.PASS}


@pytest.mark.parametrize("policy", policies().values(), ids=policies())
def test_a_fact_that_is_removed_leaves_no_pass_that_needs_it_and_takes_no_other(policy):
    whole = complete()
    before = passed(whole, policy)
    lost: dict[str, set[str]] = {}
    for place in list_removable(whole):
        gone = before - passed(remove(whole, place), policy)
        if spell(place) in OF_ONE_MEMBER:
            assert gone <= OF_ONE_MEMBER[spell(place)]
        else:
            assert lost.setdefault(spell(place), gone) == gone
    assert {name: gone for name, gone in lost.items() if gone} == {
        name: needing & before for name, needing in NEEDED.items() if needing & before and name in lost
    }


def test_every_fact_that_may_be_missing_is_needed_by_a_check_or_said_to_be_only_shown():
    places = {spell(place) for place in list_removable(complete())}
    assert places - {*NEEDED, *ONLY_SHOWN, *OF_ONE_MEMBER, *TO_FAIL} == set()
    assert {*NEEDED, *ONLY_SHOWN, *OF_ONE_MEMBER, *TO_FAIL} - places == set()
    assert NEEDED.keys() & ONLY_SHOWN == set()


@pytest.mark.parametrize("place", TO_FAIL)
def test_a_fact_that_is_removed_leaves_no_fail_that_needs_it_and_no_pass_instead(place):
    worse = compared(build_champion_comparison, advantage=Interval(-0.02, -0.03, -0.01, 0.95))
    slices = build_slices(values=(build_slice(advantage=-0.2, adjusted=0.001),))
    whole, policy = replace(complete(), champion=worse, slices=slices), policies()["sliced"]
    unknown = run_checks(remove(whole, tuple(place.split("."))), policy)
    assert {each.check for each in run_checks(whole, policy) if each.status is Status.FAIL} == TO_FAIL[place]
    assert {each.check for each in unknown if each.status is Status.FAIL} == set()
    assert {each.check for each in unknown if each.status is Status.UNKNOWN} >= TO_FAIL[place]


@pytest.mark.parametrize("place", TO_FAIL)
def test_rows_may_be_left_out_of_a_comparison_only_where_it_is_known_how_many(place):
    overlap = build_overlap(shared_rows=43)
    fewer = replace(complete(), champion=build_champion_comparison(rows=100), champion_overlap=overlap)
    needing = {"enough_data", "not_worse_than_champion"}
    assert needing <= passed(fewer, policies()["standard"])
    assert not needing & passed(remove(fewer, tuple(place.split("."))), policies()["standard"])


def test_complete_evidence_passes_every_check_of_the_strictest():
    assert passed(complete(), policies()["sliced"]) == set(policies()["sliced"].checks)

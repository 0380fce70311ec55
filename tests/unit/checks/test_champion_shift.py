"""A champion that fails on the new rows is no champion beaten; and a waiver binds what nobody could tell of whom."""

from __future__ import annotations

import pytest

from tests.unit.checks.cases import compared, find
from tests.unit.comparisons.builders import build_champion_comparison, build_shift
from tests.unit.evidence.builders import build_evidence
from tests.unit.policies.builders import STRICT_POLICY, read_policy
from workbench.checks import run_checks
from workbench.evidence.evidence import Severity, Status
from workbench.reviews.waiver import spell_finding
from workbench.stats.interval import Interval

BETTER = compared(build_champion_comparison, advantage=Interval(0.76, 0.71, 0.80, 0.95))
WORSE = compared(build_champion_comparison, advantage=Interval(-0.76, -0.80, -0.71, 0.95))
TURNED = build_shift(here=0.1235, skill_here=Interval(-0.75, -0.80, -0.70, 0.99))
BOTH = "roc_auc 0.123 on these 800 rows, roc_auc 0.88 on the 800 of its own holdout"


def test_better_than_a_champion_that_fails_here_is_unknown_and_says_both_scores():
    finding = find("not_worse_than_champion", champion=BETTER, champion_shift=TURNED)
    assert finding.status is Status.UNKNOWN
    assert BOTH in finding.value
    assert BOTH in finding.reason
    assert finding.reason.startswith("The columns or the target seem to mean something else here")
    assert "If the world moved, somebody who may waive says so" in finding.reason


def test_a_champion_that_does_as_before_is_beaten_and_both_scores_are_told():
    finding = find("not_worse_than_champion", champion=BETTER, champion_shift=build_shift())
    assert finding.status is Status.PASS
    assert "roc_auc 0.87 on these 800 rows, roc_auc 0.88 on the 800 of its own holdout" in finding.value


def test_worse_stays_worse_whatever_happened_to_the_champion():
    assert find("not_worse_than_champion", champion=WORSE, champion_shift=TURNED).status is Status.FAIL


def test_where_nobody_can_tell_it_does_not_pass():
    unknown = build_shift(own=None, skill_own=None)
    finding = find("not_worse_than_champion", champion=BETTER, champion_shift=unknown)
    assert finding.status is Status.UNKNOWN
    assert "cannot be told: it has roc_auc 0.87 on these 800 rows, no value on the 800" in finding.reason


@pytest.mark.parametrize(
    ("policy", "severity"),
    [("minimal", Severity.WAIVABLE), ("standard", Severity.WAIVABLE), ("strict", Severity.BLOCKING)],
)
def test_a_world_that_moved_is_waived_by_who_may(policy, severity):
    rules = read_policy(STRICT_POLICY.with_stem(policy).read_bytes())
    evidence = build_evidence(champion=BETTER, champion_shift=TURNED)
    (found,) = (each for each in run_checks(evidence, rules) if each.check == "not_worse_than_champion")
    assert (found.severity, found.blocks) == (severity, True)


@pytest.mark.parametrize("check", ["not_worse_than_champion", "enough_data"])
def test_what_a_waiver_covers_names_the_version_and_the_reason(check):
    other = {"champion_unscored": "It predicts something else."}
    column = {"champion_unscored": "It takes a column that is gone."}
    mismatch = {"champion": build_champion_comparison(metric="accuracy")}
    unsure = {"champion": compared(build_champion_comparison, advantage=Interval(0.0, -0.03, 0.03, 0.95))}
    cases = [{"champion": None, **other}, {"champion": None, **column}, {"champion": None}, mismatch, unsure]
    said = [spell_finding(find(check, champion_version=version, **case)) for case in cases for version in (3, 4)]
    assert len(set(said)) == len(said)
    assert all(f"version {version}" in text for text, version in zip(said, [3, 4] * len(cases), strict=True))
    assert "It predicts something else." in said[0]

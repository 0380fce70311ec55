"""Every check passes on good evidence, fails on the fact it is about, and is never green when the fact is missing."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import yaml

import workbench.checks
from tests.unit.checks.cases import FAILS, POLICY, SLICED, find
from tests.unit.checks.missing import MEASURED, MISSING
from tests.unit.evidence.builders import (
    build_evidence,
    build_execution,
    build_identity,
    build_model,
)
from tests.unit.policies.builders import STRICT_POLICY, build_policy
from workbench.checks import CHECKS, run_checks
from workbench.evidence.evidence import Status


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


def test_the_error_of_the_failed_cell_is_told():
    identity, execution = (
        build_identity(run_state="FAILED"),
        build_execution(error="ValueError: no rows.", failed_cell=4),
    )
    reason = find("run_finished", identity=identity, execution=execution).reason
    assert "FAILED" in reason and "Cell 4 failed: ValueError: no rows." in reason

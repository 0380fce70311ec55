"""A policy says of every check what it means that it does not pass, and who may waive; files of before block on everything."""

from __future__ import annotations

from copy import deepcopy

import pytest
import yaml

from tests.unit.evidence.builders import build_evidence
from tests.unit.policies.builders import STANDARD_POLICY, build_policy_bytes, read_policy
from tests.unit.policies.changes import STANDARD, changed, refusal, without
from workbench.checks import run_checks
from workbench.evidence.evidence import Severity
from workbench.policies.policy import WaiverRule

SAID = {name: limits["severity"] for name, limits in STANDARD["checks"].items() if "severity" in limits}
WAIVABLE = set(SAID)  # what passes, too, where only the unknown may be


def all_blocking():
    """Return the checks of the standard policy with none that may be waived."""
    return {
        name: {key: value for key, value in limits.items() if key != "severity"}
        for name, limits in STANDARD["checks"].items()
    }


def severities(**named):
    document = deepcopy(STANDARD)
    for check, severity in named.items():
        document["checks"][check] = {**(document["checks"][check] or {}), "severity": severity}
    return read_policy(yaml.safe_dump(document).encode())


def test_a_severity_is_read_beside_the_limits_and_is_none_of_them():
    policy = severities(model_loads="advisory", metric_limit="waivable", safe_format="blocking")
    assert policy.severities == {
        **SAID,
        "model_loads": "advisory",
        "metric_limit": "waivable",
        "safe_format": "blocking",
    }
    assert policy.checks["model_loads"] == {"largest_difference": 1e-6}
    assert policy.checks["metric_limit"] == {}


def test_a_policy_says_of_every_check_what_it_means_that_it_does_not_pass():
    policy = severities(model_loads="advisory", metric_limit="waivable")
    said = [policy.severity_of(check) for check in ("model_loads", "metric_limit", "safe_format")]
    assert all(isinstance(each, Severity) for each in [*said, *policy.severities.values()])
    assert said == [Severity.ADVISORY, Severity.WAIVABLE, Severity.BLOCKING]


def test_a_finding_has_the_severity_of_its_check_and_blocks_without_one():
    found = {each.check: each.severity for each in run_checks(build_evidence(), severities(model_loads="advisory"))}
    assert found.pop("model_loads") is Severity.ADVISORY
    assert {name for name, severity in found.items() if severity is Severity.WAIVABLE} == WAIVABLE
    assert {severity for name, severity in found.items() if name not in WAIVABLE} == {Severity.BLOCKING}


def test_the_standard_policy_says_who_may_waive_for_how_long():
    policy = read_policy(build_policy_bytes())
    assert (policy.tier, policy.slices, policy.waivers) == (2, (), WaiverRule(("owner",), 90))


def test_where_waivers_are_not_allowed_nobody_may_give_one():
    document = changed("checks", to=all_blocking())
    document["waivers"] = {"allowed": False, "roles": ["owner"], "most_days": 90}
    assert read_policy(yaml.safe_dump(document).encode()).waivers == WaiverRule()


LATER_KEYS = ("tier", "slices", "waivers", "own_code")


def of_format_1(**changes):
    document = {key: value for key, value in deepcopy(STANDARD).items() if key not in LATER_KEYS}
    return yaml.safe_dump({**document, "checks": all_blocking(), "format": 1, **changes}).encode()


def test_a_file_of_format_1_is_of_tier_2_and_everything_in_it_blocks():
    policy = read_policy(of_format_1())
    assert (policy.tier, policy.slices, policy.severities, policy.waivers) == (2, (), {}, WaiverRule())
    assert policy.checks["model_loads"] == {"largest_difference": 1e-6}
    findings = run_checks(build_evidence(), policy)
    assert {finding.severity for finding in findings} == {Severity.BLOCKING}


@pytest.mark.parametrize("severity", ["blocking", "waivable", "waivable_if_unknown", "advisory", "mild"])
def test_a_file_of_format_1_has_no_severities(severity):
    (said,) = refusal(of_format_1(checks={"metric_limit": {"severity": severity}}))
    assert "severity: is nothing that format 1 knows" in said


@pytest.mark.parametrize("key", LATER_KEYS)
def test_a_file_of_format_1_has_none_of_the_later_keys(key):
    (said,) = refusal(of_format_1(**{key: STANDARD[key]}))
    assert f"{key}: is no key of a policy. Known are format, name, metrics, checks, questions, approvals." in said


def test_own_code_is_allowed_only_by_a_policy_that_says_so():
    assert read_policy(yaml.safe_dump(STANDARD).encode()).allows_own_code
    assert not read_policy(yaml.safe_dump(without("own_code")).encode()).allows_own_code
    assert not read_policy(of_format_1()).allows_own_code
    assert not read_policy(STANDARD_POLICY.with_name("strict.yaml").read_bytes()).allows_own_code

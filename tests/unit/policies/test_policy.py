"""A policy is read whole or refused with every reason."""

from __future__ import annotations

import re

import pytest
import yaml

from tests.unit.evidence.builders import build_evidence
from tests.unit.policies.builders import STANDARD_POLICY, build_policy_bytes, read_policy
from tests.unit.policies.changes import STANDARD, changed, refusal, without
from workbench.checks import run_checks
from workbench.cli.options import typed_policy
from workbench.errors import NotFound, UsageError
from workbench.policies.policy import parse_policy
from workbench.policies.policy_files import find_policy
from workbench.records.digest import sha256_hex


def test_the_standard_policy_says_what_its_file_says():
    policy = read_policy(build_policy_bytes())
    assert policy.name == "standard"
    assert policy.metrics["classification"].name == "roc_auc"
    assert policy.metrics["classification"].margin == 0.005
    assert policy.checks["model_loads"] == {"largest_difference": 1e-6}
    assert policy.roles == {"validator": 1, "owner": 1}
    assert (policy.principals, policy.valid_days, sum(policy.roles.values())) == (2, 180, 2)
    assert set(policy.questions) == {"intended_use", "data_rights", "limitations", "harm"}


def test_the_digest_is_that_of_the_exact_bytes():
    content = build_policy_bytes()
    assert read_policy(content).digest == sha256_hex(content)
    assert read_policy(content + b"\n").digest != sha256_hex(content)


def test_a_check_without_limits_has_none():
    policy = read_policy(yaml.safe_dump(changed("checks", "run_finished", to=None)).encode())
    assert policy.checks["run_finished"] == {}


PROBLEMS = {
    "chekcs: is no key of a policy. Known are format, name,": {**STANDARD, "chekcs": {}},
    "format: 3 is not known. Write format: 2.": changed("format", to=3),
    "format: True is not known. Write format: 2.": changed("format", to=True),
    "format: 1.0 is not known. Write format: 2.": changed("format", to=1.0),
    "tier: 4 is no tier. Write tier: 1 (high risk)": changed("tier", to=4),
    "tier: True is no tier. Write": changed("tier", to=True),
    "name: is no name. Write name: and a word.": changed("name", to=None),
    "checks: must be a mapping with at least one entry. Write one line": changed("checks", to=[]),
    "questions: must be a mapping with at least one entry. Write one line": changed("questions", to={}),
    "metrics: must be a mapping with at least one entry. Write for each task": changed("metrics", to=None),
    "slices: must be a list of names. Write slices: []": changed("slices", to="age"),
    "slices: must be a list of names. Write slices": changed("slices", to=[""]),
    "slices: are named, and no check holds them. Add slices_hold": changed("slices", to=["age_group"]),
    "checks.fairness: is no check. Known are authors_known, beats_baseline, calibrated,": changed(
        "checks", "fairness", to={}
    ),
    "checks.3: 3 is no text. Write it in quotes.": changed("checks", 3, to=None),
    "checks.model_loads: its limits must be a mapping. Write model_loads: {}": changed("checks", "model_loads", to=3),
    "checks.robust.bigest_drop: is no limit of robust. Known are largest_drop.": changed(
        "checks", "robust", to={"largest_drop": 0.05, "bigest_drop": 0.05}
    ),
    "checks.robust: has no largest_drop. Write a number of 0 or more": changed("checks", "robust", to={}),
    "checks.robust.largest_drop: 'abc' is none. Write a number": changed(
        "checks", "robust", to={"largest_drop": "abc"}
    ),
    "checks.robust.largest_drop: None is none. Write": changed("checks", "robust", to={"largest_drop": None}),
    "checks.robust.largest_drop: -1 is none. Write": changed("checks", "robust", to={"largest_drop": -1}),
    "checks.robust.largest_drop: True is none. Write": changed("checks", "robust", to={"largest_drop": True}),
    "checks.robust.largest_drop: 999999": changed("checks", "robust", to={"largest_drop": int("9" * 400)}),
    "checks.safe_format.limit: is no limit of safe_format. Leave it out": changed(
        "checks", "safe_format", to={"limit": 1}
    ),
    "checks.safe_format.5: is no limit of safe_format.": changed("checks", "safe_format", to={5: 1}),
    "checks.metric_limit.severity: 'mild' is none. Write blocking, waivable, waivable_if_unknown, advisory.": changed(
        "checks", "metric_limit", to={"severity": "mild"}
    ),
    "checks.metric_limit.severity: ['waivable'] is none. Write": changed(
        "checks", "metric_limit", to={"severity": ["waivable"]}
    ),
    "checks.metric_limit.severity: None is none. Write": changed("checks", "metric_limit", to={"severity": None}),
    "questions.1: 1 is no text. Write it in quotes.": changed("questions", 1, to="What is it for?"),
    "questions.harm: has no text. Write the question": changed("questions", "harm", to=3),
    "metrics.ranking: is no task. Known are classification, multiclass, regression.": changed(
        "metrics", "ranking", to={}
    ),
    "metrics.regression: needs exactly name, margin and limit. Write": without("metrics", "regression", "limit"),
    "metrics.classification: needs exactly name, margin and limit.": changed("metrics", "classification", "max", to=1),
    "metrics.classification.name: 'r2' is no metric of it. Known are accuracy, brier": changed(
        "metrics", "classification", "name", to="r2"
    ),
    "metrics.regression.name: 'roc_auc' is no metric of it. Known are mean_abs": changed(
        "metrics", "regression", "name", to="roc_auc"
    ),
    "metrics.classification.name: ['roc_auc'] is no metric of it. Known": changed(
        "metrics", "classification", "name", to=["roc_auc"]
    ),
    "metrics.classification.margin: 0 is none. Write a number above 0": changed(
        "metrics", "classification", "margin", to=0
    ),
    "metrics.classification.limit: 'high' is none. Write the worst": changed(
        "metrics", "classification", "limit", to="high"
    ),
    "metrics.classification.limit: True is none. Write": changed("metrics", "classification", "limit", to=True),
    "approvals: needs roles, principals and valid_days, and may have authors. Write": changed("approvals", to=None),
    "approvals: needs roles, principals and": changed("approvals", "quorum", to=1),
    "approvals.authors: 'nobody' says not whose lines make an author. Write changed_lines or all_lines.": changed(
        "approvals", "authors", to="nobody"
    ),
    "approvals.authors: [] says not whose": changed("approvals", "authors", to=[]),
    "approvals.roles: names nobody who must sign. Write roles: {validator: 1}.": changed("approvals", "roles", to={}),
    "approvals.roles.owner: 0 is no count. Write how many": changed("approvals", "roles", to={"owner": 0}),
    "approvals.roles.Bad Role,x: is no role. Write lower-case": changed("approvals", "roles", to={"Bad Role,x": 1}),
    "approvals.principals: 0 is no count. Write a whole number": changed("approvals", "principals", to=0),
    "approvals.principals: True is no count. Write": changed("approvals", "principals", to=True),
    "approvals.valid_days: 1.5 is no count of days. Write a whole number from 1 to 36500.": changed(
        "approvals", "valid_days", to=1.5
    ),
    "approvals.valid_days: 999999999999 is no count of days. Write": changed("approvals", "valid_days", to=10**12 - 1),
    "waivers: must say whether they are allowed. Write waivers: {allowed: false}": changed("waivers", to=[]),
    "waivers: must say whether they": changed("waivers", "allowed", to="yes"),
    "waivers: must say whether": changed("waivers", "who", to=["owner"]),
    "waivers.roles: [] names nobody. Write who may waive": changed("waivers", "roles", to=[]),
    "waivers.roles: ['Owner'] names nobody. Write who": changed("waivers", "roles", to=["Owner"]),
    "own_code: must say whether it is allowed, and nothing else. Write own_code: {allowed: false}": changed(
        "own_code", "allowed", to="yes"
    ),
    "waivers.roles: None names nobody. Write": without("waivers", "roles"),
    "waivers.most_days: 0 is no count of days. Write": changed("waivers", "most_days", to=0),
    "waivers.most_days: 36501 is no count of days. Write": changed("waivers", "most_days", to=36501),
    "waivers: are not allowed, and beats_baseline, calibrated, data_quality, enough_data, holdout_wear, no_leaking_feature, "
    "not_worse_than_champion, robust may be waived.": changed("waivers", to={"allowed": False}),
    "the file: it is no mapping of keys. Write the keys": b"- format: 1",
}


@pytest.mark.parametrize("reason", PROBLEMS)
def test_a_wrong_policy_is_refused_with_its_line_what_is_wrong_and_what_to_write(reason):
    (said,) = refusal(PROBLEMS[reason])
    assert re.match(rf"Line [0-9]+, {re.escape(reason)}", said)


NO_YAML = {
    "it is not YAML: while parsing a flow sequence, expected ',' or ']', but got": b"format: [1",
    "it is not YAML: found a duplicate key 'name'": build_policy_bytes() + b"\nname: lighter\n",
    "it is not YAML: found an alias or its anchor": build_policy_bytes().replace(b"slices: []", b"slices: &a [*a]"),
    "010 is 8 in YAML 1.1 and 10 in YAML 1.2. Write 8 or 10": build_policy_bytes().replace(b"tries: 10", b"tries: 010"),
    "1e-9 is text in YAML 1.1": build_policy_bytes().replace(
        b"difference: 1.0e-9}\n  data", b"difference: 1e-9}\n  data"
    ),
    "yes is true in YAML 1.1 and text in YAML 1.2. Write true": build_policy_bytes().replace(
        b"{allowed: true}", b"{allowed: yes}"
    ),
}


@pytest.mark.parametrize("reason", NO_YAML)
def test_what_is_no_plain_yaml_is_refused_with_the_reason(reason):
    (said,) = refusal(NO_YAML[reason])
    assert re.match(rf"Line [0-9]+: {re.escape(reason)}", said)


def line_of(text):
    return 1 + next(number for number, line in enumerate(build_policy_bytes().decode().splitlines()) if text in line)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("tier: 2", "tier: 7"),
        ("multiclass: {name: roc_auc, margin: 0.005", "multiclass: {name: roc_auc, margin: 0"),
        ("safe_format: {}", "unsafe_format: {}"),
        ("beats_baseline: {severity: waivable}", "beats_baseline: {severity: mild}"),
        ("principals: 2", "principals: none"),
        ("most_days: 90", "most_days: 0"),
        ("name: standard", "name: [standard"),
    ],
)
def test_the_line_that_is_named_is_the_one_to_correct(before, after):
    content = build_policy_bytes()
    (said,) = refusal(content.replace(before.encode(), after.encode()))
    line = line_of(before) if after != "name: [standard" else line_of("tier: 2")
    assert said.startswith((f"Line {line}, ", f"Line {line}: "))


@pytest.mark.parametrize("key", sorted({*STANDARD} - {"own_code"}))
def test_every_key_is_needed(key):
    (said,) = [reason for reason in refusal(without(key)) if f", {key}: " in reason]
    assert said.startswith(f"Line 1, {key}: ")
    assert " Write " in said


def test_where_names_are_not_judged_keys_are_texts_all_the_same():
    document = changed("checks", "fairness", to=None)
    document["metrics"]["classification"]["name"] = "auc"
    assert parse_policy(yaml.safe_dump(document).encode(), known=None).metrics["classification"].name == "auc"
    with pytest.raises(UsageError, match="cannot be used"):
        parse_policy(yaml.safe_dump(changed("checks", 7, to=None)).encode(), known=None)


def test_all_problems_are_told_at_once_in_the_order_of_their_lines():
    document = without("slices")
    document["checks"]["fairness"] = {}
    document["metrics"]["classification"]["name"] = "auc"
    document["approvals"]["principals"] = 0
    document["note"] = "x"
    reasons = refusal(document)
    assert len(reasons) == 5
    lines = [int(reason.partition(",")[0].removeprefix("Line ")) for reason in reasons]
    assert lines == sorted(lines)


@pytest.mark.parametrize("name", ["minimal", "standard", "strict"])
def test_every_shipped_policy_sets_each_limit_that_its_checks_need(name):
    policy = read_policy((STANDARD_POLICY.parent / f"{name}.yaml").read_bytes())
    said = " ".join(f"{question} is answered here at sufficient length." for question in policy.questions)
    evidence = build_evidence(answers=dict.fromkeys(policy.questions, said))
    findings = run_checks(evidence, policy)
    assert [each.check for each in findings if "gives no usable number" in each.reason] == []


# Where it is


def test_a_path_in_the_settings_is_below_the_project_and_a_bare_name_is_never_a_file(tmp_path, monkeypatch):
    elsewhere, project = tmp_path / "elsewhere", tmp_path / "project"
    for folder in (elsewhere, project):
        folder.mkdir()
        (folder / "mine.yaml").write_bytes(folder.name.encode())
        (folder / "standard").write_bytes(b"in its place")
    monkeypatch.chdir(elsewhere)
    assert find_policy("./mine.yaml", project) == b"project"
    assert find_policy(str(elsewhere / "mine.yaml"), project) == b"elsewhere"
    assert find_policy("standard", project) == build_policy_bytes()
    with pytest.raises(NotFound) as refused:
        find_policy("Mine", project)
    assert "./Mine" in refused.value.next_step
    assert typed_policy("mine.yaml") == str(elsewhere / "mine.yaml")
    assert (typed_policy("standard"), typed_policy(None)) == ("standard", None)

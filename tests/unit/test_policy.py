"""A policy is read whole or refused with every reason."""

from __future__ import annotations

from copy import deepcopy

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.builders import build_policy_bytes, read_policy
from workbench.domain.digest import sha256_hex
from workbench.domain.policy import parse_policy
from workbench.errors import UsageError

STANDARD = yaml.safe_load(build_policy_bytes())


def changed(*path, to):
    document = deepcopy(STANDARD)
    place = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return document


def without(*path):
    document = deepcopy(STANDARD)
    place = document
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return document


def refusal(document):
    content = document if isinstance(document, bytes) else yaml.safe_dump(document).encode()
    with pytest.raises(UsageError) as caught:
        read_policy(content)
    return caught.value.reasons


def test_the_standard_policy_says_what_its_file_says():
    policy = read_policy(build_policy_bytes())
    assert policy.name == "standard"
    assert policy.metrics["classification"].name == "roc_auc"
    assert policy.metrics["classification"].margin == 0.005
    assert policy.checks["model_loads"] == {"largest_difference": 1e-4}
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
    "Unknown key 'chekcs'": {**STANDARD, "chekcs": {}},
    "Format 2 is not known": changed("format", to=2),
    "'checks' must be a mapping": changed("checks", to=[]),
    "'questions' must be a mapping": changed("questions", to={}),
    "'approvals' must be a mapping": changed("approvals", to=None),
    "Unknown check 'fairness'": changed("checks", "fairness", to={}),
    "Unknown task 'ranking'": changed("metrics", "ranking", to={}),
    "Metric of regression needs exactly": without("metrics", "regression", "limit"),
    "Metric of classification needs exactly": changed("metrics", "classification", "max", to=1),
    "Unknown metric 'auc'": changed("metrics", "classification", "name", to="auc"),
    "margin must be a number above 0": changed("metrics", "classification", "margin", to=0),
    "limit a number": changed("metrics", "classification", "limit", to="high"),
    "and limit a number": changed("metrics", "classification", "limit", to=True),
    "'approvals' needs exactly": changed("approvals", "quorum", to=1),
    "'approvals.roles' must map": changed("approvals", "roles", to={}),
    "'approvals.roles' must map each": changed("approvals", "roles", to={"owner": 0}),
    "'approvals.principals' must be": changed("approvals", "principals", to=0),
    "'approvals.principals' must be a whole": changed("approvals", "principals", to=True),
    "'approvals.valid_days' must be": changed("approvals", "valid_days", to=1.5),
    "The file must be a mapping": b"- format: 1",
    "It is not YAML": b"format: [1",
    "found a duplicate key": build_policy_bytes() + b"\nname: lighter\n",
    "month must be in 1..12": build_policy_bytes().replace(b"name: standard", b"name: 2026-13-45"),
    "maximum recursion depth": b"[" * 5000,
    "Unknown metric ['roc_auc']": changed("metrics", "classification", "name", to=["roc_auc"]),
    "margin must be a number": changed("metrics", "classification", "margin", to=float("inf")),
    "above 0 and limit a number": changed("metrics", "regression", "limit", to=float("nan")),
    "Unknown metric 'r2' of classification; known are accuracy": changed("metrics", "classification", "name", to="r2"),
    "Unknown metric 'roc_auc' of regression; known are mean": changed("metrics", "regression", "name", to="roc_auc"),
    "Key 1 of 'questions' must be a text": changed("questions", 1, to="What is it for?"),
    "Key True of 'checks' must be a text": changed("checks", True, to=None),
    "Limits of check 'model_loads' must": changed("checks", "model_loads", to=3),
    "Question 'harm' must be a text": changed("questions", "harm", to=3),
    "a role is lower-case letters": changed("approvals", "roles", to={"Bad Role,x": 1}),
    "It is not YAML: ": b"\xff\xfe\x00\xd8",
    "could not determine a constructor": b"!!python/object/apply:os.system ['true']",
}


@pytest.mark.parametrize("reason", PROBLEMS)
def test_a_wrong_policy_is_refused_with_the_reason(reason):
    assert any(reason in said for said in refusal(PROBLEMS[reason]))


@pytest.mark.parametrize("key", sorted(STANDARD))
def test_every_key_is_needed(key):
    assert f"Key {key!r} is missing." in refusal(without(key))


def test_where_names_are_not_judged_keys_are_texts_all_the_same():
    document = changed("checks", "fairness", to=None)
    document["metrics"]["classification"]["name"] = "auc"
    assert parse_policy(yaml.safe_dump(document).encode(), known=None).metrics["classification"].name == "auc"
    with pytest.raises(UsageError, match="cannot be used"):
        parse_policy(yaml.safe_dump(changed("checks", 7, to=None)).encode(), known=None)


def test_all_problems_are_told_at_once_and_sorted():
    document = changed("format", to=9)
    document["checks"]["fairness"] = {}
    document["metrics"]["classification"]["name"] = "auc"
    document["approvals"]["principals"] = 0
    document["note"] = "x"
    reasons = refusal(document)
    assert len(reasons) == 5
    assert list(reasons) == sorted(reasons)


def test_an_unknown_check_is_told_with_those_that_exist():
    assert "known are beats_baseline, data_known," in refusal(changed("checks", "fairness", to={}))[0]


_KEYS = [*sorted(STANDARD), "name", "margin", "limit", "roles", "classification"]
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 400) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)


@given(section=st.sampled_from(["format", "name", "checks", "questions", "approvals"]), value=_ANYTHING)
def test_whatever_stands_in_a_section_it_is_read_or_refused(section, value):
    try:
        policy = read_policy(yaml.safe_dump({**STANDARD, section: value}).encode())
    except UsageError as refused:
        assert refused.reasons
    else:
        assert policy.principals >= 1 and policy.valid_days >= 1 and sum(policy.roles.values()) >= 1


@given(st.binary(max_size=60))
def test_bytes_that_are_no_policy_are_refused(content):
    assert refusal(content)

"""Whatever stands in a policy, it is read or refused with every problem."""

from __future__ import annotations

import re

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.policies.builders import build_policy_bytes, read_policy
from tests.unit.policies.changes import STANDARD, changed, refusal
from workbench.errors import UsageError
from workbench.records.digest import sha256_hex

_KEYS = [*sorted(STANDARD), "name", "margin", "limit", "roles", "classification"]
_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 400) | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=8,
)


def _places(section):
    """Return every place of a section of the standard policy, by the keys that lead there, with what stands there."""
    found = [((section,), STANDARD[section])]
    for place, value in found:
        found += [((*place, key), inner) for key, inner in value.items()] if isinstance(value, dict) else []
    return found


_ALIKE = {
    bool: st.booleans(),
    int: st.integers(0, 3),
    float: st.floats(-1, 2),
    str: st.sampled_from(["blocking", "waivable", "advisory", "log_loss", "roc_auc", "r2", "Why?", ""]),
    list: st.sampled_from([[], ["owner"], ["Owner"]]),
    dict: st.sampled_from([{}, {"owner": 1}, {"allowed": False}, {"severity": "advisory"}, {"harm": "Whom?"}]),
}


# Of the many places of the checks, and as often of those of each section.
_PLACES = st.sampled_from([found for section in STANDARD for found in _places(section)]) | st.sampled_from(
    sorted(STANDARD)
).flatmap(lambda section: st.sampled_from(_places(section)))
_EDITS = _PLACES.flatmap(lambda found: st.tuples(st.just(found[0]), _ALIKE[type(found[1])] | _ANYTHING))


@given(_EDITS)
def test_whatever_stands_in_one_place_it_is_read_or_refused(edit):
    place, value = edit
    try:
        policy = read_policy(yaml.safe_dump(changed(*place, to=value)).encode())
    except UsageError as refused:
        assert refused.reasons
    else:
        assert policy.principals >= 1 and policy.valid_days >= 1 and sum(policy.roles.values()) >= 1
        assert policy.tier in (1, 2, 3) and set(policy.severities) <= set(policy.checks)
        assert bool(policy.waivers.roles) == (policy.waivers.most_days >= 1)
        assert policy.waivers.roles or not {"waivable", "waivable_if_unknown"} & {*policy.severities.values()}


@given(st.binary(max_size=60))
def test_bytes_that_are_no_policy_are_refused(content):
    assert refusal(content)


_PIECES = [
    b"",
    b"\n",
    b" ",
    b"-",
    b":",
    b"{",
    b"}",
    b"[",
    b"]",
    b"&a ",
    b"*a",
    b"<<: ",
    b"? ",
    b"!!int ",
    b"'",
    b"#",
    b"~",
]


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(build_policy_bytes())), st.integers(0, 12), st.sampled_from(_PIECES) | st.binary()
        ),
        min_size=1,
        max_size=4,
    )
)
def test_the_standard_policy_with_pieces_cut_out_and_put_in_is_read_or_refused(edits):
    content = build_policy_bytes()
    for position, cut, piece in edits:
        content = content[:position] + piece + content[position + cut :]
    try:
        policy = read_policy(content)
    except UsageError as refused:
        assert refused.reasons
        assert all(re.match(r"Line [0-9]+[,:] |The file: ", reason) for reason in refused.reasons)
    else:
        assert policy.digest == sha256_hex(content)


@pytest.mark.parametrize("hidden", ["\u2028", "\u2029", "\x85", "\u200b", "\x00"])
def test_a_line_that_a_reader_does_not_see_is_none_for_the_parser_either(hidden):
    told = f"  metric_limit: {{}}  # blocks, see the handbook.{hidden}  metric_limit: {{severity: advisory}}"
    (said,) = refusal(build_policy_bytes().replace(b"  metric_limit: {}", told.encode()))
    assert "which a reader does not see" in said

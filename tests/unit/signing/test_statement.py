"""What people sign has one spelling each, signs for one purpose each, and is refused in every other spelling."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.people import VALIDATOR
from tests.unit.reviews.builders import build_objection, build_statement, build_waiver
from workbench.errors import UsageError
from workbench.records.digest import canonical_json
from workbench.reviews.approval import parse_statement
from workbench.reviews.objection import parse_objection
from workbench.reviews.waiver import parse_waiver
from workbench.signing.namespaces import OBJECTION_NAMESPACE, role_namespaces, signing_namespace, waiver_namespace

KINDS = {
    "approval": (build_statement(), parse_statement),
    "waiver": (build_waiver(), parse_waiver),
    "objection": (build_objection(), parse_objection),
}
TIMES = ("issued", "expires")
FIELDS = [
    pytest.param(kind, field.name, id=f"{kind}-{field.name}")
    for kind, (record, _) in KINDS.items()
    for field in fields(record)
    if field.name != "subjects"
]


def edited(kind, **changes):
    document = json.loads(KINDS[kind][0].to_bytes())
    document["predicate"].update(changes)
    return canonical_json(document)


def refusal(kind, content):
    with pytest.raises(UsageError, match=f"An? {kind}'s statement cannot be read") as caught:
        KINDS[kind][1](content)
    return " ".join(caught.value.reasons)


@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_is_an_in_toto_statement_of_its_own_kind(kind):
    document = json.loads(KINDS[kind][0].to_bytes())
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"].startswith(f"urn:workbench:{kind}:")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_is_read_back(kind):
    record, parse = KINDS[kind]
    assert parse(record.to_bytes()) == record


@pytest.mark.parametrize("kind", KINDS)
def test_bytes_in_another_form_are_refused(kind):
    content = KINDS[kind][0].to_bytes()
    for other in (
        content + b"\n",
        b" " + content,
        content.replace(b":", b": ", 1),
        json.dumps(json.loads(content)).encode(),
    ):
        assert "not in canonical form" in refusal(kind, other)


@pytest.mark.parametrize(("one", "other"), list(permutations(KINDS, 2)))
def test_a_statement_of_one_kind_is_none_of_another(one, other):
    refusal(other, KINDS[one][0].to_bytes())


@pytest.mark.parametrize("kind", KINDS)
def test_a_predicate_has_exactly_its_keys(kind):
    assert "other keys than expected" in refusal(kind, edited(kind, note="x"))
    for key in json.loads(KINDS[kind][0].to_bytes())["predicate"]:
        document = json.loads(KINDS[kind][0].to_bytes())
        del document["predicate"][key]
        assert "other keys than expected" in refusal(kind, canonical_json(document))


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_field_of_another_kind_is_refused(kind, name):
    """Texts are printable and not empty, numbers are whole and not negative, times name their zone."""
    wrong = [None, [], {}, True, 1.5, -1]
    if isinstance(getattr(KINDS[kind][0], name), str):
        wrong += [3, "", "a\0b", "a\nb", "a\u202eb"]
    else:
        wrong += ["3", ""]
    if name in TIMES:
        wrong += ["yesterday", "2026-11-20T10:00:00", "2026-11-20"]
    for value in wrong:
        refusal(kind, edited(kind, **{name: value}))


@pytest.mark.parametrize("kind", KINDS)
def test_a_digest_is_a_text(kind):
    for digest in (None, "", 3, ["x"], "a\nb"):
        document = json.loads(KINDS[kind][0].to_bytes())
        document["subject"][0]["digest"]["sha256"] = digest
        refusal(kind, canonical_json(document))


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_said_twice_is_refused(kind):
    content = KINDS[kind][0].to_bytes()
    refusal(kind, content.replace(b'"principal":', b'"principal":"eve","principal":', 1))


@settings(max_examples=200)
@given(st.sampled_from(sorted(KINDS)), st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_another_statement(kind, position, change):
    record, parse = KINDS[kind]
    content = bytearray(record.to_bytes())
    content[position % len(content)] ^= change
    try:
        read = parse(bytes(content))
    except UsageError:
        return
    assert read.to_bytes() == bytes(content)
    assert read != record


@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=200))
def test_whatever_the_bytes_nothing_but_a_refusal_comes_of_them(kind, content):
    refusal(kind, content)


# Who is to have signed, and what for


def test_every_purpose_and_role_has_a_namespace_of_its_own():
    namespaces = [of(role) for of in (signing_namespace, waiver_namespace) for role in ("owner", "validator")]
    assert len({*namespaces, OBJECTION_NAMESPACE}) == 5


@pytest.mark.parametrize("role", ["owner", "validator"])
def test_who_holds_a_role_may_approve_waive_and_object(role):
    assert role_namespaces(role) == (
        f"workbench.approval.{role}",
        f"workbench.waiver.{role}",
        "workbench.objection",
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_statement_says_itself_who_is_to_have_signed_it(kind):
    record, _ = KINDS[kind]
    namespace = {
        "approval": "workbench.approval.validator",
        "waiver": "workbench.waiver.owner",
        "objection": "workbench.objection",
    }[kind]
    assert (record.signer.principal, record.signer.namespace) == (record.principal, namespace)
    assert record.signer.issued == record.issued
    assert replace(record, principal="eve@example.org").signer.principal == "eve@example.org"


@pytest.mark.parametrize("kind", KINDS)
def test_a_name_that_looks_alike_is_another_name(kind):
    record = replace(KINDS[kind][0], principal=VALIDATOR)
    alike = replace(record, principal=VALIDATOR.upper())
    assert alike.to_bytes() != record.to_bytes()
    assert alike.signer.principal != record.signer.principal

"""An approval counts for the exact bytes, people, endpoint and time it was given for, and for nothing else."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.people import AUTHOR, ENDED, EXPIRES, ISSUED, NOW, OWNER, VALIDATOR
from tests.unit.reviews.builders import build_statement, build_subjects, build_terms
from workbench.errors import UsageError
from workbench.ledger.ledger import Event, seal_entry
from workbench.policies.roles import require_role
from workbench.records.digest import canonical_json
from workbench.reviews.approval import (
    Terms,
    VerifiedApproval,
    find_approval_faults,
    find_missing_roles,
    is_author,
    parse_statement,
)
from workbench.reviews.bundle import EVIDENCE
from workbench.signing.namespaces import signing_namespace
from workbench.signing.statement import find_record_fault

BYTES = build_statement().to_bytes()


def faults(*, fault=None, terms=None, **changes):
    return find_approval_faults(VerifiedApproval(build_statement(**changes), fault), build_terms(**terms or {}))


def test_an_approval_of_these_bytes_counts():
    assert faults() == []


def test_a_signature_that_does_not_hold_is_told():
    assert faults(fault="Could not verify signature.") == [
        f"The signature of {VALIDATOR} (validator) does not hold: Could not verify signature."
    ]


def test_an_approval_in_a_role_nobody_asked_for_does_not_count():
    assert faults(role="intern") == [
        f"The approval of {VALIDATOR} (intern) is in a role that the policy does not ask for."
    ]


@pytest.mark.parametrize(
    ("recorded", "holds"),
    [
        (ISSUED, True),
        ("2026-11-20T10:05:00+00:00", True),
        ("2026-11-20T11:05:00+01:00", True),
        ("2026-11-20T10:05:01+00:00", False),
        ("2026-11-20T09:59:50+00:00", True),
        ("2026-11-20T09:59:49+00:00", False),
        ("2026-12-20T10:00:00+00:00", False),
    ],
)
def test_a_statement_is_issued_just_before_it_is_recorded(recorded, holds):
    fault = find_record_fault(build_statement().issued, recorded)
    assert (fault is None) is holds
    assert holds or f"recorded at {recorded}, not within 5 minutes" in fault


@pytest.mark.parametrize("path", sorted(build_subjects()))
def test_a_file_changed_since_makes_the_approval_stale(path):
    changed = {**build_subjects(), path: "0" * 64}
    assert faults(terms={"subjects": changed}) == [
        f"The approval of {VALIDATOR} (validator) is stale: {path} changed since it was signed."
    ]


def test_an_approval_that_binds_less_or_more_is_stale():
    whole = build_subjects()
    less = dict(list(whole.items())[1:])
    assert "is stale" in faults(terms={"subjects": whole | {"release/extra": "0" * 64}})[0]
    assert "is stale" in faults(subjects=less)[0]


def say(event, actor, **body):
    return seal_entry(None, time=NOW, event=event, actor=actor, subject="tumour/3", body=body)


def test_a_stale_approval_tells_what_was_said_since():
    said = [
        replace(say(Event.ANSWERED, OWNER, question="before"), sequence=7),
        replace(say(Event.WAIVED, OWNER, check="robust"), sequence=8),
        replace(say(Event.ANSWERED, VALIDATOR, question="harm"), sequence=9),
        replace(say(Event.ANSWERED, VALIDATOR, question="harm"), sequence=10),
        replace(say(Event.APPROVED, OWNER), sequence=11),
        replace(say(Event.OBJECTED, OWNER), sequence=12),
        replace(say(Event.CLEARED, OWNER), sequence=13),
    ]
    changed = {**build_subjects(), EVIDENCE: "0" * 64}
    assert faults(sequence=7, terms={"subjects": changed, "said": said}) == [
        f"The approval of {VALIDATOR} (validator) is stale: {EVIDENCE} changed since it was signed: {OWNER} waived robust, "
        f"{VALIDATOR} answered harm, {OWNER} objected, {OWNER} cleared an objection."
    ]


def test_what_was_said_makes_nothing_stale_that_binds_the_bytes_of_now():
    assert faults(sequence=0, terms={"said": [say(Event.OBJECTED, OWNER)]}) == []


def test_an_approval_for_another_endpoint_does_not_count():
    assert faults(terms={"endpoint": "other"}) == [
        f"The approval of {VALIDATOR} (validator) is for endpoint tumour, not other."
    ]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"model": "other"}, "is for other/3, not tumour/3"),
        ({"version": 4}, "is for tumour/4, not tumour/3"),
        ({"previous": 0}, "was given while nothing was served; the evidence compares with version 2"),
    ],
)
def test_an_approval_of_another_version_or_of_another_change_does_not_count(change, reason):
    (fault,) = faults(**change)
    assert reason in fault


def test_no_rule_is_left_out_because_nobody_named_it():
    optional = [
        rule.name for rule in fields(Terms) if rule.default is not MISSING or rule.default_factory is not MISSING
    ]
    assert optional == ["said"]


def test_nobody_approves_their_own_run():
    assert faults(terms={"authors": (AUTHOR, VALIDATOR)}) == [
        f"{VALIDATOR} is an author of the run and cannot approve it."
    ]


@pytest.mark.parametrize(
    ("now", "holds"),
    [
        ("2026-11-20T09:59:59+00:00", False),
        (ISSUED, True),
        ("2027-05-19T09:59:59+00:00", True),
        (EXPIRES, False),
        ("2030-01-01T00:00:00+00:00", False),
    ],
)
def test_an_approval_holds_from_its_issue_until_its_expiry(now, holds):
    assert (faults(terms={"now": now}) == []) is holds


def test_every_fault_is_told_at_once():
    found = faults(
        fault="bad",
        terms={
            "authors": (VALIDATOR,),
            "endpoint": "other",
            "now": "2030-01-01T00:00:00+00:00",
            "subjects": {"release/x": "1"},
        },
    )
    assert len(found) == 5


def test_an_approval_for_longer_than_the_policy_allows_does_not_count():
    assert faults(expires="2027-05-19T10:00:01+00:00") == [
        f"The approval of {VALIDATOR} (validator) was given for longer than the 180 days of the policy."
    ]


@pytest.mark.parametrize(
    ("moment", "counts"),
    [
        (ISSUED, True),
        ("2026-11-20T10:00:10+00:00", True),
        ("2026-11-20T23:59:00+14:00", True),
        ("2026-11-20T10:00:11+00:00", False),
        ("2026-11-21T10:00:00+00:00", False),
        ("an unknown time", False),
        ("2026-11-20T09:00:00", False),
    ],
)
def test_an_approval_is_not_older_than_what_it_approves(moment, counts):
    """But for the seconds that two clocks may be apart; a time that cannot be read is none that it is known to follow."""
    told = f"The approval of {VALIDATOR} (validator) says it was issued at {ISSUED}, and the evidence is of {moment}."
    assert faults(terms={"moments": (ENDED, moment)}) == ([] if counts else [told])


def test_times_are_compared_as_moments_not_as_text():
    assert (
        faults(
            issued="2026-11-21T00:00:00+14:00", expires="2027-05-01T00:00:00Z", terms={"now": "2026-11-20T10:00:00Z"}
        )
        == []
    )
    assert faults(issued="2026-11-20T09:00:00-14:00", terms={"now": "2026-11-20T10:00:00+00:00"}) != []


def missing(*signed, **changes):
    return find_missing_roles([build_statement(principal=p, role=r) for p, r in signed], build_terms(**changes))


def test_two_people_in_the_two_roles_are_enough():
    assert missing((VALIDATOR, "validator"), (OWNER, "owner")) == []


def test_one_person_in_two_roles_is_one_person():
    assert missing((VALIDATOR, "validator"), (VALIDATOR, "owner")) == ["Approvals come from 1 of 2 distinct people."]


@pytest.mark.parametrize("other", ["vera+2@example.org", "VERA@Example.org", "\uff56era@example.org"])
def test_one_person_under_two_names_is_one_person(other):
    assert missing((VALIDATOR, "validator"), (other, "owner")) == ["Approvals come from 1 of 2 distinct people."]


def test_one_person_who_signs_twice_is_one_approval():
    assert missing((VALIDATOR, "validator"), (VALIDATOR, "validator"), roles={"validator": 2}, principals=1) == [
        "Role validator: 1 of 2 approvals."
    ]


def test_a_signer_in_a_role_nobody_asked_for_is_not_one_of_the_people():
    signed = ((VALIDATOR, "validator"), (VALIDATOR, "owner"), ("guest@example.org", "guest"))
    assert missing(*signed) == ["Approvals come from 1 of 2 distinct people."]


def test_what_is_missing_is_told_whole():
    assert missing() == [
        "Role owner: 0 of 1 approvals.",
        "Role validator: 0 of 1 approvals.",
        "Approvals come from 0 of 2 distinct people.",
    ]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["validator", "owner", "guest"])), max_size=6))
def test_another_approval_never_makes_more_missing(signed):
    counts = [len(missing(*signed[:n])) for n in range(len(signed) + 1)]
    assert counts == sorted(counts, reverse=True)


def test_each_role_signs_in_a_namespace_of_its_own():
    assert signing_namespace("validator") == "workbench.approval.validator"


@pytest.mark.parametrize("role", ["validator", "model-owner", "r2_d2"])
def test_a_plain_word_is_a_role(role):
    assert require_role(role) == role


@pytest.mark.parametrize("role", ["", "Owner", "a b", "a,b", "*", "a.b", "1st", "-x", "x" * 33, "owner\n", "ownér"])
def test_what_could_widen_a_namespace_is_no_role(role):
    with pytest.raises(UsageError):
        require_role(role)


def test_a_statement_is_an_in_toto_statement():
    document = json.loads(BYTES)
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert {item["name"]: item["digest"] for item in document["subject"]} == {
        name: {"sha256": digest} for name, digest in build_subjects().items()
    }
    assert document["predicate"]["principal"] == VALIDATOR


_text = st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=20)


@settings(max_examples=60)
@given(st.dictionaries(_text, _text, max_size=4), _text, _text, st.integers(0, 10**6))
def test_a_statement_that_is_written_is_read_back(subjects, principal, model, version):
    statement = build_statement(subjects=subjects, principal=principal, model=model, version=version)
    assert parse_statement(statement.to_bytes()) == statement


def _edited(edit):
    document = json.loads(BYTES)
    edit(document)
    return canonical_json(document)


TAMPERED = {
    "a line at the end": BYTES + b"\n",
    "a space": BYTES.replace(b":", b": ", 1),
    "a key twice": BYTES.replace(b'"role":', b'"role":"owner","role":', 1),
    "a subject twice": _edited(lambda d: d["subject"].append(d["subject"][0])),
    "subjects in another order": _edited(lambda d: d["subject"].reverse()),
    "another digest kind": _edited(lambda d: d["subject"][0]["digest"].update(md5="0")),
    "another type": _edited(lambda d: d.update(_type="https://in-toto.io/Statement/v0.1")),
    "another predicate type": _edited(lambda d: d.update(predicateType="urn:workbench:approval:1")),
    "a key more": _edited(lambda d: d.update(note="x")),
    "a predicate key more": _edited(lambda d: d["predicate"].update(note="x")),
    "a predicate key less": _edited(lambda d: d["predicate"].pop("expires")),
    "no predicate": _edited(lambda d: d.pop("predicate")),
    "a predicate that is a list": _edited(lambda d: d.update(predicate=[])),
    "subjects that are texts": _edited(lambda d: d.update(subject=["release/manifest.json"])),
    "subjects that are a number": _edited(lambda d: d.update(subject=3)),
    "NaN": BYTES.replace(b'"previous":2', b'"previous":NaN', 1),
    "a list": b"[]",
    "null": b"null",
    "nothing": b"",
    "a number beyond all numbers": BYTES.replace(b'"previous":2', b'"previous":1e999', 1),
    "half a character": BYTES.replace(b"tumour", b"\\ud800", 1),
    "a time that is none": _edited(lambda d: d["predicate"].update(issued="yesterday")),
    "a time without a zone": _edited(lambda d: d["predicate"].update(issued="2026-11-20T10:00:00")),
    "an expiry that is a number": _edited(lambda d: d["predicate"].update(expires=3)),
    "a principal that is a number": _edited(lambda d: d["predicate"].update(principal=3)),
    "a principal that is nobody": _edited(lambda d: d["predicate"].update(principal="")),
    "a principal with a null in it": _edited(lambda d: d["predicate"].update(principal="a\0b")),
    "a role with a line break": _edited(lambda d: d["predicate"].update(role="owner\n")),
    "a version that is true": _edited(lambda d: d["predicate"].update(version=True)),
    "a sequence that is a text": _edited(lambda d: d["predicate"].update(sequence="17")),
    "a sequence below zero": _edited(lambda d: d["predicate"].update(sequence=-1)),
    "no head": _edited(lambda d: d["predicate"].update(head="")),
    "a statement of before heads were signed": _edited(
        lambda d: [d["predicate"].pop(key) for key in ("sequence", "head")]
    ),
    "a previous version below zero": _edited(lambda d: d["predicate"].update(previous=-1)),
    "a digest that is a number": _edited(lambda d: d["subject"][0]["digest"].update(sha256=3)),
    "no UTF-8": b"\xff",
}


@pytest.mark.parametrize("case", TAMPERED)
def test_bytes_that_this_version_would_not_sign_are_refused(case):
    with pytest.raises(UsageError, match="statement cannot be read"):
        parse_statement(TAMPERED[case])


@settings(max_examples=150)
@given(st.integers(0, len(BYTES) - 1), st.integers(1, 255))
def test_a_changed_byte_is_refused_or_another_statement(position, change):
    content = bytearray(BYTES)
    content[position] ^= change
    try:
        statement = parse_statement(bytes(content))
    except UsageError:
        return
    assert statement.to_bytes() == bytes(content)
    assert statement != build_statement()


@pytest.mark.parametrize(
    "written", ["ADA@example.org", "ada+reviews@example.org", " ada@example.org", "\uff41da@example.org"]
)
def test_an_author_is_one_however_the_name_is_written(written):
    assert is_author(written, (AUTHOR,))
    assert not is_author(VALIDATOR, (written,))

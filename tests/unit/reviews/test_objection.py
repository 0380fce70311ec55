"""An objection stays open until the one who raised it clears it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evidence.builders import build_objection_fact
from tests.unit.people import ISSUED, OWNER, VALIDATOR
from tests.unit.reviews.builders import build_objection
from workbench.errors import UsageError
from workbench.ledger.history import find_made_alike
from workbench.ledger.ledger import Event, seal_entry
from workbench.reviews.objection import find_open_objections, parse_objection, settle_objections
from workbench.reviews.said import find_entries_about

LATER = "2026-11-20T12:00:00+00:00"


def clearance(number, principal=VALIDATOR, text="The youngest were looked at."):
    return build_objection(clears=number, principal=principal, text=text, issued=LATER)


def test_an_objection_is_open_and_says_so_in_one_sentence():
    (fact,) = settle_objections({9: build_objection()}, [])
    assert fact == build_objection_fact()
    assert find_open_objections([fact]) == [
        f"Objection 9 of {VALIDATOR} is open: Nobody looked at the youngest patients."
    ]


def test_a_full_stop_is_not_doubled():
    (said,) = find_open_objections([build_objection_fact(text="Wait.")])
    assert said.endswith("is open: Wait.")


def test_who_objected_clears_it_and_says_what_settled_it():
    (fact,) = settle_objections({9: build_objection()}, [clearance(9)])
    assert (fact.raised, fact.cleared, fact.resolution) == (ISSUED, LATER, "The youngest were looked at.")
    assert find_open_objections([fact]) == []


@pytest.mark.parametrize("principal", [OWNER, VALIDATOR.upper(), VALIDATOR.replace("a", "\N{CYRILLIC SMALL LETTER A}")])
def test_nobody_else_clears_it_however_alike_the_name(principal):
    assert find_open_objections(settle_objections({9: build_objection()}, [clearance(9, principal)]))


@pytest.mark.parametrize("number", [0, 8, 10])
def test_clearing_another_number_clears_nothing(number):
    assert find_open_objections(settle_objections({9: build_objection()}, [clearance(number)]))


@given(
    raised=st.dictionaries(st.integers(1, 9), st.sampled_from([VALIDATOR, OWNER]), max_size=5),
    cleared=st.lists(st.tuples(st.integers(0, 10), st.sampled_from([VALIDATOR, OWNER])), max_size=6),
)
def test_open_are_exactly_those_that_their_own_author_did_not_clear(raised, cleared):
    objections = {number: build_objection(principal=principal) for number, principal in raised.items()}
    facts = settle_objections(objections, [clearance(number, principal) for number, principal in cleared])
    assert [fact.number for fact in facts] == sorted(raised)
    still_open = {fact.number for fact in facts if fact.cleared is None}
    assert still_open == {number for number, principal in raised.items() if (number, principal) not in cleared}
    assert len(find_open_objections(facts)) == len(still_open)


# Which versions it is an objection to


def nominate(*made):
    """A ledger in which tumour/1, tumour/2, … were nominated of these runs and bundles."""
    entries = []
    for number, (run, manifest) in enumerate(made, 1):
        body = {"run": run, "manifest": manifest}
        entries.append(append(entries, Event.NOMINATED, f"tumour/{number}", **body))
    return entries


def append(entries, event, subject, **body):
    return seal_entry(
        entries[-1] if entries else None, time=ISSUED, event=event, actor=OWNER, subject=subject, body=body
    )


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=6), st.data())
def test_it_is_one_to_exactly_the_versions_of_its_run_or_its_bundle(made, data):
    raised_on = data.draw(st.integers(1, len(made)))
    entries = nominate(*made)
    entries.append(append(entries, Event.OBJECTED, f"tumour/{raised_on}"))
    run, bundle = made[raised_on - 1]
    for number, (own_run, own_bundle) in enumerate(made, 1):
        about = [entry.event for entry in find_entries_about(entries, f"tumour/{number}")]
        assert about == [Event.NOMINATED, *[Event.OBJECTED] * (own_run == run or own_bundle == bundle)]


def test_what_clears_it_is_found_from_every_version_it_is_one_to():
    entries = nominate(("a", "x"), ("b", "x"), ("a", "y"), ("b", "y"))
    entries.append(append(entries, Event.OBJECTED, "tumour/1"))
    for subject in ("tumour/2", "tumour/4"):
        entries.append(append(entries, Event.CLEARED, subject, objection=5))
    about = [entry.sequence for entry in find_entries_about(entries, "tumour/3")]
    assert about == [3, 5, 6]


def test_a_version_whose_nomination_says_nothing_is_made_like_no_other():
    entries = [append([], Event.NOMINATED, "tumour/1")]
    entries += [append(entries, Event.NOMINATED, "tumour/2"), append(entries, Event.OBJECTED, "tumour/1")]
    assert find_made_alike(entries, "tumour/2") == {"tumour/2"}
    assert find_made_alike(entries, "tumour/9") == {"tumour/9"}


def test_it_names_its_run_and_one_of_before_is_read_as_it_was_written():
    named = build_objection(run="a1b2c3d4e5f6")
    for objection, kind in ((named, b"objection:2"), (build_objection(), b"objection:1")):
        assert kind in objection.to_bytes()
        assert parse_objection(objection.to_bytes()) == objection
    for torn in (
        named.to_bytes().replace(b"objection:2", b"objection:1"),
        named.to_bytes().replace(b'"run":"a1b2c3d4e5f6",', b""),
        named.to_bytes().replace(b'"run":"a1b2c3d4e5f6"', b'"run":""'),
    ):
        with pytest.raises(UsageError, match="An objection's statement cannot be read"):
            parse_objection(torn)

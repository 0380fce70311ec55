"""An objection stays open until the one who raised it clears it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evidence.builders import build_objection_fact
from tests.unit.people import ISSUED, OWNER, VALIDATOR
from tests.unit.reviews.builders import build_objection
from workbench.reviews.objection import find_open_objections, settle_objections

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

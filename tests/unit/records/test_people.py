"""One canonical form says who is who: whoever wrote is known among those who sign, however the name is written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.people import AUTHOR, VALIDATOR
from workbench import ledger_verifier
from workbench.errors import UsageError
from workbench.records.people import (
    is_author,
    is_told,
    name_others,
    name_people,
    person_of,
    require_principal,
    spell_people,
)

# Ways to write ada@example.org.
SPELLINGS = (
    "Ada Lovelace <ada@example.org>", "<ada@example.org>", '"Lovelace, Ada" <ADA@example.org>', "ada@example.org.",
    "ada@example.org (Ada)", "mailto:ada@example.org", "MAILTO:ada@example.org?subject=run", " ada@example.org ",
    "ada+lab@example.org", "Ada <mailto:ada+x@Example.ORG.>", "a\u200bda@example.org", "ada\u00ad@example.org",
    "\ufeffada@example.org", "ada@exam\u2060ple.org", "\u202eada@example.org", "ada@example.org\u3164", "ad\u034fa@example.org",
    "a\ufe0fda@example.org", "\uff41\uff44\uff41\uff20example\uff0eorg",
    "\U0001d41ada@example.org", "\u00e1d\u0061\u0301@example.org",
    "'ada@example.org'", "bob@example.org <ada@example.org>", "ada@example.org\u00a0",
)  # fmt: skip
LOOK_ALIKES = (
    "\u0430da@example.org",
    "ada@ex\u0430mple.org",
    "\u0251d\u0251@example.org",
    "ada@example\u3002org",
    "Ada <\u0430d\u0430@example.org>",
)
STRANGERS = (
    VALIDATOR,
    "adam@example.org",
    "ada@example.com",
    "da@example.org",
    "m\u00fcller@example.org",
    "Ada",
    "ada",
)


@pytest.mark.parametrize("written", SPELLINGS)
def test_an_address_is_one_person_however_it_is_written(written):
    assert person_of(written) == AUTHOR
    assert is_author(AUTHOR, (VALIDATOR, written)) and ledger_verifier.may_be(written, AUTHOR)
    assert not is_author(VALIDATOR, (written,))
    assert name_people((AUTHOR, written)) == (AUTHOR,)


@pytest.mark.parametrize("written", LOOK_ALIKES)
def test_letters_from_elsewhere_may_be_whom_they_look_like_and_tell_nobody(written):
    assert is_author(AUTHOR, (written,)) and ledger_verifier.may_be(written, AUTHOR)
    assert not is_told(written)
    assert not is_author(VALIDATOR, (written,))


@pytest.mark.parametrize("other", STRANGERS)
def test_somebody_else_is_somebody_else(other):
    assert not is_author(AUTHOR, (other,)) and not ledger_verifier.may_be(other, AUTHOR)
    assert person_of(other) != AUTHOR


@pytest.mark.parametrize(
    "name", [*SPELLINGS, *LOOK_ALIKES, *STRANGERS, "a@b@c", "<>", "Ada <>", "+@", "x" * 300, "", "\u115f"]
)
def test_the_second_verifier_has_the_same_form_in_words_of_its_own(name):
    assert ledger_verifier.person(name) == person_of(name)


@given(st.text(max_size=30))
def test_both_forms_agree_on_any_text(name):
    assert ledger_verifier.person(name) == person_of(name)


@pytest.mark.parametrize(
    "author", ["ada@example.org", "Ada.B-c_d+lab@example.org", "ada", "49+ada@users.noreply.example.org"]
)
def test_who_could_be_a_principal_may_run(author):
    assert require_principal(author) == author


@pytest.mark.parametrize(
    "author",
    [
        *(each for each in SPELLINGS if each not in ("ada@example.org.", "ada+lab@example.org")),
        *LOOK_ALIKES,
        "",
        "...",
        "*",
    ],
)
def test_who_could_not_is_refused_with_the_name_to_use(author):
    with pytest.raises(UsageError, match="cannot be an author") as caught:
        require_principal(author)
    assert caught.value.what.isascii()
    assert f"WORKBENCH_AUTHOR={AUTHOR}" in caught.value.next_step


@pytest.mark.parametrize(
    ("name", "told"),
    [(AUTHOR, True), ("bot[bot]@users.noreply.example.org", True), ("Ada Lovelace", False), ("", False)],
)
def test_a_name_that_addresses_nobody_tells_nobody(name, told):
    assert is_told(name) is told


def test_what_nobody_sees_in_a_name_is_spelled_out():
    assert spell_people([AUTHOR, LOOK_ALIKES[0]]) == f"{AUTHOR}, '\\u0430da@example.org'"


@pytest.mark.parametrize("written", [*SPELLINGS, *LOOK_ALIKES, "Ada Lovelace"])
def test_who_may_be_an_author_is_nobody_else(written):
    assert name_others([written], (AUTHOR,)) == ()
    assert name_others([VALIDATOR, written, VALIDATOR.upper()], (AUTHOR,)) == (VALIDATOR,)

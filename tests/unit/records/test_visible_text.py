"""What shows nothing, or is no words, is not long however many characters it has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.records.visible_text import MOST_CHARACTERS, find_text_fault, read_visible

SENTENCE = "Nobody can be harmed."
UNSEEN = {
    "zero-width spaces": "\u200b" * 40,
    "soft hyphens": "\u00ad" * 40,
    "Hangul fillers": "\u3164\uffa0\u115f" * 20,
    "Braille blanks": "\u2800" * 40,
    "marks without a letter": "\u0301\u034f\ufe0f" * 20,
    "tags": "\U000e0041\U000e0042" * 20,
    "controls": "\x00\x07\x1b" * 20,
    "what belongs to nobody": "\ue000\U000f0000\u0378" * 20,
    "spaces of many kinds": "\u00a0\u2003\u3000\t\n" * 20,
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_nobody_sees_has_no_length_and_makes_nothing_longer(name):
    assert find_text_fault(UNSEEN[name], 20) == "It has 0 visible characters of at least 20."
    assert read_visible(f"No.{UNSEEN[name]}") == "No."


NO_WORDS = {
    "." * 40: "0 of its 40 visible characters are letters or digits; at least 10 must be.",
    "- . - . - . a b c . - . -": "3 of its 25 visible characters are letters or digits; at least 10 must be.",
    "\U0001f600" * 30: "0 of its 30 visible characters are letters or digits; at least 10 must be.",
    "a" * 40: "It repeats 1 letters or digits; at least 5 different ones make words.",
    "xyXY " * 10: "It repeats 2 letters or digits; at least 5 different ones make words.",
    "None at all.": "It has 12 visible characters of at least 20.",
}


@pytest.mark.parametrize("text", NO_WORDS)
def test_dots_and_repeated_letters_are_no_words(text):
    assert find_text_fault(text, 20) == NO_WORDS[text]


@pytest.mark.parametrize(
    "text",
    [
        SENTENCE,
        "Niemand wird geschädigt.",
        "誰も損害を受けません。医師が必ず結果を読み直します。",
        "لا أحد يتضرر من هذا القرار أبداً.",
        "किसी को भी नुकसान नहीं होगा।",
    ],
)
def test_a_sentence_is_words_in_any_script(text):
    assert find_text_fault(text, 20) is None


def test_the_longest_text_is_stated_and_one_more_is_refused_without_reading_it():
    longest = (SENTENCE + " ") * 1_000
    assert find_text_fault(longest[:MOST_CHARACTERS], 20) is None
    assert find_text_fault(SENTENCE * 300_000, 20) == "It has 6,300,000 characters of at most 20,000."


def test_where_nothing_is_asked_it_is_still_words():
    assert find_text_fault("", 0) == "It has 0 visible characters of at least 1."
    assert find_text_fault(".", 0) is not None
    assert find_text_fault("No.", 0) is None


@given(st.text(max_size=60), st.integers(0, 40))
def test_a_text_without_a_fault_shows_as_much_as_was_asked(text, fewest):
    if find_text_fault(text, fewest) is None:
        assert len(read_visible(text)) >= max(fewest, 1)
        assert any(each.isalnum() for each in read_visible(text))

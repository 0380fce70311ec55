"""One page says what the words mean, and every place that explains a word has it from there."""

import pytest

from workbench.cli.chapters import CHAPTERS, read_chapter
from workbench.widgets import comparison_state, review_state
from workbench.words.explaining import _ROW, explain, find_word, list_mentions, read_glossary


def test_every_row_of_the_page_is_read_in_the_order_of_the_alphabet():
    from pathlib import Path

    import workbench.words.explaining as module

    page = Path(module.__file__).with_name("GLOSSARY.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| ")][1:]
    assert len(rows) == len(_ROW.findall(page)) == len(read_glossary()) > 30
    assert list(read_glossary()) == sorted(read_glossary())


def test_a_word_is_said_in_a_sentence_and_leads_to_a_chapter_that_uses_it():
    wrong = [
        word
        for word, term in read_glossary().items()
        if term.chapter not in CHAPTERS
        or not term.means.endswith(".")
        or len(term.means) > 170
        or word.split()[0].rstrip("sy") not in read_chapter(term.chapter).casefold()
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Own-Metrics", "own metric"),
        ("own_metric", "own metric"),
        ("metrics", "metric"),
        ("tries", "tries"),
        ("slices", "slice"),
        ("cost", ""),
    ],
)
def test_a_word_is_found_as_people_type_it(text, word):
    assert find_word(text) == word


@pytest.mark.parametrize("text", ["cost", "recall", "quantile", "pinball loss", "Profit", "metrics.NAME"])
def test_what_a_metric_of_ones_own_is_for_leads_to_it(text):
    assert list_mentions(text) == ["own metric"]


@pytest.mark.parametrize("view", [comparison_state, review_state])
def test_what_a_view_explains_is_in_the_glossary(view):
    assert set(view._WORDS) <= set(read_glossary())


def test_a_word_nobody_explains_is_explained_by_nothing():
    assert explain("Holdout") == explain("holdout") != ""
    assert explain("Code") == ""

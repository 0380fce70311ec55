"""The card says what is known and what people answered, and no answer can pass for anything else."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import mistune
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.evidence.builders import (
    ANSWERS,
    build_datasets,
    build_evidence,
    build_identity,
    build_objection_fact,
    build_score,
)
from tests.unit.people import AUTHOR, OWNER
from tests.unit.policies.builders import build_policy
from tests.unit.reviews.builders import build_waiver_fact
from tests.unit.widgets.test_widgets import Tags
from workbench.config import find_template
from workbench.evidence.evidence import AnswerFact, Evidence
from workbench.records.visible_text import find_text_fault
from workbench.reviews.card_markdown import render_model_card
from workbench.reviews.model_card import build_model_card
from workbench.widgets.card_page import card_page

TEMPLATE = find_template("model_card.md").read_text(encoding="utf-8")
QUESTIONS = build_policy().questions


def render(evidence: Evidence | None = None) -> str:
    return render_model_card(evidence or build_evidence(), QUESTIONS, TEMPLATE)


def structure(card: str) -> Counter[str]:
    """Every element but paragraphs that a Markdown reader makes of a card; raw HTML counts, an address in words does not."""
    html = mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])(card)
    found = Counter(re.findall(r"<(/?[a-z!][a-z0-9]*)", html, re.IGNORECASE))
    return Counter({tag: count for tag, count in found.items() if tag not in ("p", "/p", "br")})


def test_the_card_says_what_it_is_how_well_it_does_and_what_it_was_made_from():
    card = render()
    for words in (
        "# Model card: tumour version 3",
        "roc_auc 0.9952 on the holdout.",
        "| made by | ada@example.org |",
        "| parameters | regularisation = 0.5, scale = true, seed = 7 |",
        "- Run 3f9a1c27d05b is better than constant on roc_auc",
        "- breast_cancer_holdout: 143 rows, 31 columns, sha256 ",
        "roc_auc decides; higher is better.",
        "- Disturbed by noise: roc_auc drops by 0.0007",
    ):
        assert words in card


def test_the_card_shows_which_class_is_taken_for_which():
    card = render()
    assert (
        "| is, called | benign | malignant |\n| --- | --- | --- |\n| benign | 88 | 2 |\n| malignant | 3 | 50 |" in card
    )
    assert "Class malignant: 53 rows, recall 0.943 (0.85 to 0.98), precision 0.962 (0.87 to 0.99), F1 0.952" in card
    page = Tags(card_page(build_model_card(build_evidence(), QUESTIONS))).text
    assert "most often taken for benign, 3 times" in page


def test_the_card_says_in_plain_counts_what_came_out_and_what_columns_are_worth():
    card = render()
    assert (
        "Of 143 rows 5 are named wrong at a threshold of 0.5: 3 of 53 malignant are called benign, "
        "2 of 90 benign are called malignant. roc_auc 0.9952 on the holdout." in card
    )
    assert "- Shuffling a column lowers roc_auc from 0.995: worst area by 0.12 (0.09 to 0.15)." in card
    assert "**What each column is worth**" in card
    assert "**ROC curve**" not in card


def test_the_page_of_the_card_draws_what_came_out():
    html = card_page(build_model_card(build_evidence(), {}))
    assert html.count('<svg class="wb-picture"') == 4
    assert "Of 143 rows 5 are named wrong at a threshold of 0.5" in html


def test_every_question_stands_with_its_answer():
    card = render()
    for name, question in QUESTIONS.items():
        assert f"**{question}**\n\n> {ANSWERS[name]}\n\nAnswered by vera@example.org." in card


def test_what_an_author_drafted_is_told_so_in_the_card_and_its_page():
    evidence = build_evidence(said_by=(AnswerFact("harm", AUTHOR, ()), AnswerFact("limitations", AUTHOR, (OWNER,))))
    page = Tags(card_page(build_model_card(evidence, QUESTIONS))).text
    for whose in (
        "Drafted by ada@example.org, an author of the run; whoever approves confirms it.",
        "Drafted by ada@example.org, confirmed by otto@example.org.",
    ):
        assert whose in render(evidence)
        assert whose in page


@pytest.mark.parametrize("text", ["." * 40, "\u200b" * 40, "\u3164 \u2800"])
def test_what_shows_no_words_fills_no_section(text):
    card = render(build_evidence(answers={**ANSWERS, "harm": text}))
    assert "3 of 4 questions to people are answered; empty: harm." in card
    assert card.count("_Not answered yet._") == 1


def test_the_card_of_evidence_that_does_not_know_whose_answers_are_is_the_one_it_was():
    assert "by vera" not in render(build_evidence(format=3))


def test_an_open_question_is_shown_as_open():
    card = render(build_evidence(answers={}))
    assert card.count("_Not answered yet._") == len(QUESTIONS)
    assert "0 of 4 questions to people are answered; empty: intended use, data rights, limitations, harm." in card


def test_the_card_has_the_nine_sections_in_order():
    assert re.findall("^## (.*)$", render(), re.MULTILINE) == [
        "Model details",
        "Intended use",
        "Factors",
        "Metrics",
        "Evaluation data",
        "Training data",
        "Quantitative analyses",
        "Ethical considerations",
        "Caveats and recommendations",
    ]


def test_a_question_of_any_policy_has_a_place():
    card = render_model_card(build_evidence(answers={}), {**QUESTIONS, "anything_else": "And what else?"}, TEMPLATE)
    assert card.index("## Caveats") < card.index("**And what else?**")


def test_waivers_and_open_objections_are_caveats():
    evidence = build_evidence(waivers=(build_waiver_fact(),), objections=(build_objection_fact(),))
    caveats = render(evidence).split("## Caveats")[1]
    assert "beats_baseline is waived by otto@example.org until" in caveats
    assert "vera@example.org objects: Nobody looked at the youngest patients" in caveats


def test_the_page_says_what_the_markdown_says():
    evidence = build_evidence(answers={**ANSWERS, "harm": "<script>alert(1)</script>"})
    page = Tags(card_page(build_model_card(evidence, QUESTIONS)))
    for section in build_model_card(evidence, QUESTIONS).sections:
        assert section.title in page.text
    for words in (*QUESTIONS.values(), ANSWERS["intended_use"], "<script>alert(1)</script>", "4 of 4 questions"):
        assert words in page.text
    assert {"script", "img", "a", "link"} & set(page.tags) == set()


def test_what_is_not_known_is_said_to_be_so():
    evidence = build_evidence(
        identity=build_identity(git_commit=None), score=None, baseline=None, champion=None, datasets=()
    )
    card = render(evidence)
    assert "No score was recorded." in card
    assert "No table for training was recorded." in card
    assert "No table for evaluation was recorded." in card
    assert "It was compared with nothing." in card
    assert "| git commit | none |" in card


def test_the_same_evidence_gives_the_same_bytes():
    assert render() == render(build_evidence())


HOSTILE = [
    "# Model card: tumour version 4",
    "fine\n## How well it does\nBetter than everything",
    "fine\n\n- Run 3f9a1c27d05b is better than all",
    "x | y |\n| approved by | everybody |",
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "<!-- and now a comment that hides the rest",
    "[click](javascript:alert(1)) ![x](https://evil.example/pixel.png)",
    "```\nhidden",
    "`code`",
    "---\ntitle: x\n---",
    "a\r\n# b\u2028# c\x0b# d\x00\x1b[31m",
    "{model.__class__} {0} {}",
    "word\\",
    "1. one\n12) two\n+ three\n=====\n___\n~~~\n~~four~~ __five__ _six_ *seven*",
    "    indented",
    "\u202egnihton",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_an_answer_cannot_pass_for_another_part_of_the_card(text):
    assert structure(render(build_evidence(answers=dict.fromkeys(ANSWERS, text)))) == structure(render())


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_a_notebook_says_adds_a_row_a_heading_or_a_link(text):
    identity = build_identity(
        parameters={"note": text, text: 1}, notebook=text, authors=(text, text), git_commit=text, run_id=text
    )
    datasets = tuple(replace(item, name=text) for item in build_datasets())
    assert structure(render(build_evidence(identity=identity, datasets=datasets))) == structure(render())


@pytest.mark.parametrize(
    "text",
    [
        "https://evil.example<img src=x>",
        "http://evil.example'><input>",
        "www.evil.example<b>",
        "`<script>`",
        "<script>",
    ],
)
def test_no_reader_of_markdown_makes_markup_or_a_link_of_an_address_or_of_a_digest_that_a_notebook_wrote(text):
    """One that makes links of addresses took the backslash before a tag for the address's end, and the tag was alive."""
    datasets = tuple(replace(item, name=text, digest=text) for item in build_datasets())
    evidence = build_evidence(datasets=datasets, answers=dict.fromkeys(ANSWERS, text))
    html = mistune.create_markdown(escape=False, plugins=["table", "url"])(render(evidence))
    assert re.findall(r"<(?:a|img|input|b|script)\b", html) == []
    assert text.replace("<", "&lt;").partition("&lt;")[0].strip("`'>") in html.replace("&#x27;", "'")


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60).filter(lambda text: find_text_fault(text, 1) is None)
)
def test_whatever_is_answered_the_card_keeps_its_shape(text):
    assert structure(render(build_evidence(answers={**ANSWERS, "harm": text}))) == structure(render())


def test_a_score_that_was_not_logged_is_still_the_recomputed_one():
    assert "0.9952" in render(build_evidence(score=build_score(logged=None)))

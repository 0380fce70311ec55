"""The model card as a page: the same record as its Markdown, in the look of the review."""

from __future__ import annotations

from datetime import UTC, datetime

from workbench.drawings.markup import Markup, element, join
from workbench.drawings.picture import show_pictures
from workbench.reviews.model_card import Answer, Block, CardSection, Drawn, Grid, ModelCard, Named, Remarks
from workbench.widgets.snapshot import cell, page
from workbench.words.numbers import read_time, sentence_case, words


def card_page(card: ModelCard, at: datetime | None = None) -> str:
    """Return a complete HTML document that shows a card without script or network."""
    title = f"Model card: {card.model}, version {card.version}"
    tone = "wb-tone-open" if card.unanswered else "wb-tone-good"
    body = join(
        element("h1", title, class_="wb-headline"),
        element("p", card.outcome) if card.outcome else None,
        element("p", sentence_case(words(card.headline))),
        element("p", card.completeness, class_=f"wb-status {tone}"),
        *map(_show_section, card.sections),
    )
    return page(title, body, at or datetime.now(UTC))


def _show_section(section: CardSection) -> Markup:
    return element("section", element("h2", section.title), *map(_show_block, section.blocks))


def _show_block(block: Block) -> Markup:
    if isinstance(block, Answer):
        return _show_answer(block)
    if isinstance(block, Named):
        pairs = [
            element("div", element("dt", sentence_case(name)), element("dd", read_time(text)))
            for name, text in block.rows
        ]
        return element("dl", *pairs, class_="wb-facts")
    if isinstance(block, Grid):
        return _show_grid(block)
    if isinstance(block, Drawn):
        return show_pictures(block.pictures) or join()
    return _show_remarks(block)


def _show_grid(block: Grid) -> Markup:
    first, *others = block.columns
    header = (
        cell("text", first, tag="th", scope="col"),
        *(cell("number", each, tag="th", scope="col") for each in others),
    )
    rows = [
        element("tr", cell("text", name, tag="th", scope="row"), *(cell("number", each) for each in cells))
        for name, *cells in block.rows
    ]
    return element(
        "table", element("thead", element("tr", *header)), element("tbody", *rows), class_="wb-table wb-classes"
    )


def _show_remarks(block: Remarks) -> Markup:
    if not block.items:
        return element("p", "Nothing recorded.", class_="wb-quiet")
    return element("ul", *(element("li", item) for item in block.items))


def _show_answer(answer: Answer) -> Markup:
    said = (
        element("blockquote", answer.text, class_="wb-answer")
        if answer.text
        else element("p", "? Not answered yet.", class_="wb-status wb-tone-open")
    )
    whose = [element("p", f"{answer.whose}.", class_="wb-quiet")] if answer.text and answer.whose else []
    return element("div", element("p", element("strong", answer.question)), said, *whose, class_="wb-question")

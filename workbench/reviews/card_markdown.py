"""The model card as Markdown: generated from evidence and the answers people gave; an empty answer is shown as such."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from workbench.drawings.picture import Picture
from workbench.evidence.evidence import Evidence
from workbench.reviews.model_card import Answer, Block, CardSection, Drawn, Grid, Named, build_model_card

# Code, emphasis, links, rows, headings, addresses; at the beginning of a line lists, rules and underlines of headings.
_MEANINGFUL = re.compile(
    r"([\\`*\[\]|#~]|^[-+=]|(?<![^\W_])_|_(?![^\W_])|(?<=^\d)[.)]|(?<=^\d\d)[.)]|:(?=//)|(?<=www)\.)", re.IGNORECASE
)
# Spelled out: a reader that makes links of addresses takes a backslash before a tag for the end of an address.
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def render_model_card(evidence: Evidence, questions: Mapping[str, str], template: str) -> str:
    """Return the card as Markdown; `questions` are the policy's, `template` has one `{field}` for each part.

    What people or notebooks wrote cannot add a heading, a row, a link or HTML: it stands for itself only.
    """
    card = build_model_card(evidence, questions)
    return template.format_map(
        {
            "model": _inline(card.model),
            "version": str(card.version),
            "headline": _inline(f"{card.outcome} {card.headline}"),
            "completeness": _inline(card.completeness),
            "sections": "\n\n".join(map(_render_section, card.sections)),
        }
    )


def _render_section(section: CardSection) -> str:
    return "\n\n".join([f"## {section.title}", *map(_render_block, section.blocks)])


def _render_block(block: Block) -> str:
    if isinstance(block, Answer):
        return _render_answer(block)
    if isinstance(block, Grid):
        return "\n".join(map(_render_row, [block.columns, ("---",) * len(block.columns), *block.rows]))
    if isinstance(block, Drawn):
        return "\n\n".join(_render_picture(each) for each in block.pictures if not each.is_curve)
    if isinstance(block, Named):
        return "\n".join(
            ["| | |", "|---|---|", *(f"| {_inline(name)} | {_inline(text)} |" for name, text in block.rows)]
        )
    return "\n".join(f"- {_inline(item)}" for item in block.items) or "Nothing recorded."


def _render_picture(picture: Picture) -> str:
    table = "\n".join(map(_render_row, [picture.columns, ("---",) * len(picture.columns), *picture.rows]))
    return f"**{_inline(picture.title)}**\n\n{_inline(picture.says)}\n\n{table}"


def _render_row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(text if text == '---' else _inline(text) for text in cells)} |"


def _render_answer(answer: Answer) -> str:
    lines = (answer.text or "").splitlines()
    said = "\n".join(f"> {_inline(line)}".rstrip() for line in lines) or "_Not answered yet._"
    whose = f"\n\n{_inline(answer.whose)}." if answer.text and answer.whose else ""
    return f"**{_inline(answer.question)}**\n\n{said}{whose}"


def _inline(text: str) -> str:
    """Return a text as one line of Markdown in which nothing has a meaning of its own."""
    plain = "".join(character if character.isprintable() else " " for character in text)
    return _MEANINGFUL.sub(r"\\\1", plain.strip()).translate(_MARKUP)

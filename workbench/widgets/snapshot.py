"""The frame of static HTML: as a twin inside a notebook, or as a page that stands alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from workbench.drawings.markup import Content, Markup, element, join, style_sheet
from workbench.drawings.styling import read_picture_style
from workbench.words.numbers import format_time

STATIC = Path(__file__).parent / "static"
# What a page may do: show its own text and style. No script, no picture, no connection.
CONTENT_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def read_style() -> str:
    """Return the style sheet that live views, twins and pages share."""
    return (STATIC / "views.css").read_text(encoding="utf-8") + read_picture_style()


def read_module(*names: str) -> str:
    """Return the JavaScript of a view: the elements all views draw with, then its own files."""
    return "\n".join((STATIC / f"{part}.js").read_text(encoding="utf-8") for part in ("elements", *names))


def twin(body: Markup, at: datetime) -> str:
    """Return the HTML kept in a notebook's output; a live view above it hides it."""
    note = f"Snapshot of {format_time(at)}; run this cell again to make it live."
    return join(
        style_sheet(read_style()),
        element("div", element("p", note, class_="wb-quiet wb-snapshot"), body, class_="wb-view wb-twin"),
    ).html


def page(title: str, body: Markup, at: datetime, *, policy: str = CONTENT_POLICY, script: Markup | None = None) -> str:
    """Return a complete HTML document around a body, with a script at its end where its policy allows that."""
    note = element("p", f"Snapshot of {format_time(at)}", class_="wb-quiet wb-snapshot")
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{title} · Workbench"),
        style_sheet(read_style()),
    )
    main = element("main", note, body, class_="wb-view wb-page")
    return "<!doctype html>\n" + element("html", head, element("body", main, script), lang="en").html


def describe_facts(facts: Sequence[dict[str, Any]]) -> Markup:
    """Return named facts as a description list."""
    pairs = [element("div", element("dt", show_word(fact["name"], fact["help"])), _fact(fact)) for fact in facts]
    return element("dl", *pairs, class_="wb-facts")


def show_word(word: str, means: str) -> Markup:
    """Return a word; one of the glossary says on hover what it means."""
    return element("abbr", word, title=means, class_="wb-word") if means else join(word)


def explain_words(words: Sequence[Mapping[str, str]]) -> Markup:
    """Return, folded, what the words of a view mean."""
    pairs = [element("div", element("dt", each["word"]), element("dd", each["means"])) for each in words]
    return element("details", element("summary", "Words used here"), element("dl", *pairs), class_="wb-words")


def _fact(fact: dict[str, Any]) -> Markup:
    return element("dd", show_prose(fact["parts"]), fact["digest"], title=fact["copy"] or None)


def cell(kind: str, *children: Content, tag: str = "td", **attributes: str | None) -> Markup:
    """Return a table cell of text, number or chart.

    An untrusted notebook loses style sheet and drawings but keeps these attributes: text stays on the left, and
    charts, which are nothing without both, stay away (the style sheet shows what `hidden` hides).
    """
    style = "text-align:left" if kind == "text" else None
    hidden = "hidden" if kind == "chart" else None
    return element(tag, *children, class_=f"wb-{kind}", style=style, hidden=hidden, **attributes)


def table(labels: Mapping[str, str], rows: Sequence[Markup]) -> Markup:
    """Return a table of these rows; `labels` name its columns and say of each whether it is text, number or chart."""
    header = element("tr", *(cell(kind, label, tag="th", scope="col") for label, kind in labels.items()))
    return element("table", element("thead", header), element("tbody", *rows), class_="wb-table")


def show_interval(interval: dict[str, str]) -> Markup:
    """Return an estimate and its bounds; narrow columns break between the two."""
    return join(interval["estimate"], " ", element("span", interval["bounds"], class_="wb-bounds"))


def show_moment(moment: dict[str, str]) -> Markup:
    """Return what happened with its time; in a snapshot times are absolute."""
    time = element("time", moment["time"], datetime=moment["iso"]) if moment["iso"] else None
    return join(moment["text"], time)


def show_prose(parts: Sequence[str]) -> Markup:
    """Return text with its commands in the face of code."""
    return join(*(element("code", part) if index % 2 else part for index, part in enumerate(parts)))


def show_status(status: dict[str, str]) -> Markup:
    """Return a status by shape and word; the tone only adds colour."""
    shape = element("span", status["shape"], class_="wb-shape", aria_hidden="true")
    space = "\N{NO-BREAK SPACE}" if status["shape"] else None
    return element("span", shape, space, status["word"], class_=f"wb-status wb-tone-{status['tone']}")

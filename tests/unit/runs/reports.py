"""Notebooks to be reported, and what a browser would find in their page."""

from __future__ import annotations

import base64
from html.parser import HTMLParser

from tests.unit.people import AUTHOR, ENDED, RUN_ID
from workbench.config import find_template
from workbench.runs.concluding import NO_RESULTS, Results
from workbench.runs.nbconvert_report import render_report
from workbench.runs.run import Run, RunState

PIXEL = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()


class Page(HTMLParser):
    """What a page is made of, as a parser sees it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.remarks: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.remarks.append(data)

    unknown_decl = handle_pi = handle_comment

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


HARMLESS = {"class", "id", "title", "colspan", "rowspan", "scope", "alt", "width", "height"}


def find_live_parts(html: str) -> list[str]:
    """Return everything in a page that could run, load, restyle or lead away."""
    page = Page(html)
    found = list(page.remarks)
    for tag, attributes in page.tags:
        if tag in {
            "script",
            "iframe",
            "object",
            "embed",
            "form",
            "base",
            "link",
            "svg",
            "math",
            "video",
            "audio",
            "input",
        }:
            found.append(tag)
        for name, value in attributes.items():
            is_picture = tag == "img" and name == "src" and value.startswith("data:image/")
            is_anchor = tag == "a" and name == "href" and value.startswith("#")
            if name not in HARMLESS and not is_picture and not is_anchor and tag not in {"html", "meta"}:
                found.append(f"{tag} {name}={value}")
    found += ["style"] * (page.count("style") - 1) + ["meta"] * (page.count("meta") - 3)
    return found


def build_run(**changes) -> Run:
    facts = {
        "id": RUN_ID,
        "notebook": "notebooks/01_train.ipynb",
        "notebook_digest": "ab" * 32,
        "parameters": {"strength": 0.5, "family": "ridge"},
        "provenance": {
            "git_commit": "9c1d2f7b6a5e4c3d",
            "git_dirty": True,
            "lock_digest": "cd" * 32,
            "python": "3.11.2",
        },
        "author": AUTHOR,
        "created": ENDED,
        "ended": ENDED,
        "state": RunState.FINISHED,
        "record": {
            "metrics": {"roc_auc": 0.99517},
            "datasets": [{"name": "patients", "role": "holdout", "rows": 1430, "digest": "ef" * 32}],
        },
    }
    return Run(**{**facts, **changes})


def code(source: str, *outputs: dict, **metadata) -> dict:
    return {
        "cell_type": "code",
        "source": source,
        "metadata": metadata,
        "execution_count": 1,
        "outputs": list(outputs),
    }


def markdown(source: str, **changes) -> dict:
    return {"cell_type": "markdown", "source": source, "metadata": {}, **changes}


def display(data: dict, **metadata) -> dict:
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def stream(text: str, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": text}


def error(*lines: str) -> dict:
    return {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": list(lines)}


def render(*cells: dict, run: Run | None = None, results: Results = NO_RESULTS, **metadata) -> str:
    document = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": list(cells)}
    return render_report(document, run or build_run(), find_template("report"), results)

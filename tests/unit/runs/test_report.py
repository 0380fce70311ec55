"""A report shows what happened and can do nothing, whoever wrote the notebook."""

from __future__ import annotations

import base64
import os
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hostile_html import HOSTILE_HTML, SCRIPT
from tests.unit.people import AUTHOR, ENDED, RUN_ID
from workbench.config import find_template
from workbench.runs import nbconvert_report
from workbench.runs.nbconvert_report import LONGEST_OUTPUT, clean_html, render_report
from workbench.runs.run import Run, RunState

PIXEL = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()
PLOT = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>').decode()


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
OUR_HEAD = {"html", "head", "meta", "title", "style", "body", "header", "section", "main"}


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


def render(*cells: dict, run: Run | None = None, **metadata) -> str:
    document = {"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": list(cells)}
    return render_report(document, run or build_run(), find_template("report"))


# What a report shows


NORMAL = (
    markdown("# Title\n\nSome *words* and a [part](#Data).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n## Data"),
    code("seed = 3", tags=["injected-parameters"]),
    code(
        "print(1)",
        stream("one line\n"),
        stream("a warning\n", "stderr"),
        display({"text/html": "<table><tr><th>x</th><td>42</td></tr></table>", "text/plain": "x 42"}),
        display({"image/png": PIXEL, "text/plain": "<Figure>"}),
        display({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'></svg>"}),
        display({"text/plain": "plain < words"}),
        display({"text/latex": "$x^2$"}),
        display({"text/markdown": "**bold**"}),
    ),
)


def test_a_report_says_at_its_head_what_was_run_and_what_came_out():
    text = Page(render(*NORMAL)).text
    for words in (
        "01_train, run 3f9a1c27d05b",
        "Finished 2026-11-20 09:12 UTC, run by ada@example.org.",
        "roc_auc 0.9952",
        "strength 0.5 family ridge",
        "patients (1,430 rows) efefefefefef",
        "notebook abababababab",
        "9c1d2f7b6a5e with changes",
        "Python 3.11.2",
    ):
        assert words in text


def test_a_report_says_at_which_step_a_metric_has_its_value_and_how_many_points_it_has():
    record = {"metrics": {"loss": 0.1, "f1": 0.5}, "history": {"loss": {"step": 10, "points": 3}}}
    text = Page(render(run=build_run(record=record))).text
    assert "loss 0.1 at step 10 (3 points) f1 0.5 " in text


def test_a_failed_run_says_so_first():
    run = build_run(state=RunState.FAILED, error="Cell 2 raised \x1b[31mValueError\x1b[0m: no\nmore", record={})
    html = render(run=run)
    assert "Failed 2026-11-20 09:12 UTC, run by ada@example.org. Cell 2 raised ValueError: no more" in Page(html).text
    assert '<p class="lead failed">' in html
    assert "Result" not in Page(html).text


def test_a_report_of_a_run_about_which_little_is_known_is_written_too():
    run = build_run(ended=None, provenance={}, parameters={}, record={})
    assert "at an unknown time" in Page(render(run=run)).text


def test_a_report_keeps_text_tables_and_plots():
    page = Page(render(*NORMAL))
    for words in ("Some words and a part", "one line", "a warning", "42", "plain < words", "$x^2$", "bold", "print"):
        assert words in page.text
    assert "Parameters of this run" in page.text
    assert (page.count("table"), page.count("h1"), page.count("details")) == (6, 2, 2)
    pictures = [attributes["src"] for tag, attributes in page.tags if tag == "img"]
    assert [picture.partition(",")[0] for picture in pictures] == [
        "data:image/png;base64",
        "data:image/svg+xml;base64",
    ]
    assert pictures[0].partition(",")[2].strip() == PIXEL


@pytest.mark.parametrize(
    "cell",
    [
        code("plot", display({"image/png": PIXEL, "image/jpeg": PIXEL})),
        code("draw", display({"image/svg+xml": "<svg xmlns='http://www.w3.org/2000/svg'></svg>"})),
        code(
            "table", display({"text/html": f"<table><img title='a > b' src='data:image/png;base64,{PIXEL}'></table>"})
        ),
        markdown(f"<img src='data:image/png;base64,{PIXEL}'>"),
    ],
)
def test_a_picture_without_words_is_said_to_have_none(cell):
    pictures = [attributes for tag, attributes in Page(render(cell)).tags if tag == "img"]
    assert [picture["alt"] for picture in pictures] == ["No description has been provided for this image"]


def test_links_within_a_report_lead_somewhere():
    page = Page(render(*NORMAL))
    ids = {attributes.get("id") for _, attributes in page.tags}
    links = [attributes for tag, attributes in page.tags if tag == "a"]
    assert {link["href"][1:] for link in links} <= ids
    # Only the author's link is to be seen; those of the headings are hidden by their class.
    assert [link.get("class") for link in links] == ["anchor-link", None, "anchor-link"]


def test_a_normal_report_is_light_and_loads_nothing():
    table = "<table>" + "<tr><td>0.123456</td></tr>" * 500 + "</table>"
    html = render(
        *NORMAL,
        *[code("x = 1\n" * 20, stream("epoch 1\n" * 50)) for _ in range(30)],
        code("t", display({"text/html": table})),
    )
    assert find_live_parts(html) == []
    assert len(html.encode()) < 300_000


def test_what_is_too_long_for_a_page_is_cut_and_said_to_be():
    long = "x" * (LONGEST_OUTPUT + 2_345)
    html = render(
        code("a", stream(long)),
        code("b", error(long)),
        code("c", display({"text/html": f"<table>{long}</table>", "text/plain": "in short"})),
        code("d", display({"text/html": f"<table>{long}</table>"})),
        code("e", display({"text/plain": long})),
        code("f", display({"image/png": long})),
    )
    text = Page(html).text
    assert text.count("... and 2,345 characters more; the executed notebook has them.") == 3
    assert text.count("An output of 102,360 characters; the executed notebook has it.") == 1
    assert "in short" in text
    assert f"data:image/png;base64,{long}" in html


def test_a_report_prints_and_forbids_every_request():
    html = render(*NORMAL)
    assert "@media print" in html
    assert "default-src 'none'" in html
    assert "color-scheme: light dark" in html
    assert html.count("<style>") == 1


# What a report cannot do

KINDS = [
    "text/html",
    "text/markdown",
    "text/latex",
    "text/plain",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "application/javascript",
    "application/json",
    "application/pdf",
    "text/x-unknown",
    "application/vnd.plotly.v1+json",
    "application/vnd.jupyter.widget-view+json",
]


def carriers(payload: str) -> list[dict]:
    """One notebook that says a payload in every place a notebook has."""
    attachments = {"x.png": {"image/png": payload}, payload: {"text/html": payload}}
    text = f"# {payload}\n\n- {payload}\n\n`{payload}`\n\n[x]({payload}) ![{payload}](attachment:x.png)"
    size = {"width": f"1 onerror=alert(1) {payload}", "height": payload, "alt": payload, "unconfined": payload}
    table = {"text/html": f"<table><tr><td>{payload}</td></tr></table>"}
    trace = error(payload, f"\x1b[31m{payload}\x1b[0m")
    return [
        markdown(payload),
        markdown(text, attachments=attachments),
        markdown("x", metadata={"tags": [payload, f'" {payload}']}, id=payload),
        {"cell_type": "raw", "source": payload, "metadata": {"raw_mimetype": "text/html"}},
        {"cell_type": "raw", "source": payload, "metadata": {"raw_mimetype": [payload]}},
        code(payload, stream(payload), stream(payload, "stderr"), trace, tags=[f'"{payload}']),
        code("x", *(display({kind: payload}) for kind in KINDS)),
        code("x", *(display({kind: payload, "text/plain": "x"}) for kind in KINDS)),
        code("x", *(display({kind: {payload: [payload]}}) for kind in KINDS)),
        code("x", display(table, **{"text/html": {"isolated": True}})),
        code("x", *(display({kind: PIXEL}, **{kind: size}) for kind in ("image/png", "image/jpeg"))),
        code("x", display({"image/png": PIXEL}, filenames={"image/png": "https://evil.example/x.png"})),
    ]


@pytest.mark.parametrize("payload", HOSTILE_HTML, ids=range(len(HOSTILE_HTML)))
def test_nothing_a_notebook_holds_can_run_load_or_restyle(payload):
    run = build_run(
        notebook=f"{payload}.ipynb",
        parameters={"strength": payload, payload: [payload]},
        author=payload,
        error=payload,
        state=RunState.FAILED,
        record={"metrics": {payload: 1.0}, "datasets": [{"name": payload, "rows": 3, "digest": "ef" * 32}]},
        provenance={"git_commit": payload, "python": payload, "lock_digest": payload},
    )
    widgets = {"application/vnd.jupyter.widget-state+json": {"state": {"x": {"state": {"value": payload}}}}}
    html = render(*carriers(payload), run=run, title=payload, authors=[{"name": payload}], widgets=widgets)
    assert find_live_parts(html) == []
    head, _, rest = html.partition("<main>")
    assert Page(head).count("main") == 0
    assert rest.count("</main>") == 1
    assert {tag for tag, _ in Page(html.partition("<main>")[2]).tags}.isdisjoint(OUR_HEAD)


def test_the_check_for_live_parts_would_notice():
    for payload in (
        "<script>",
        "<img src=http://x>",
        "<p onclick=x>",
        "<!-- x -->",
        "<a href=x>",
        "<style>a</style><style>",
    ):
        assert find_live_parts(f"<style></style>{payload}")


def test_a_script_inside_of_a_picture_stays_inside_of_it():
    html = render(code("x", display({"image/svg+xml": base64.b64decode(PLOT).decode()})))
    assert find_live_parts(html) == []
    assert [tag for tag, _ in Page(html).tags].count("img") == 1


def test_a_value_that_looks_like_markup_is_shown_as_it_was_given():
    html = render(run=build_run(parameters={"note": SCRIPT}))
    assert SCRIPT in Page(html).text


def test_colours_of_a_terminal_become_classes_and_never_bytes():
    html = render(
        code(
            "x",
            stream("\x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link\x1b]8;;\x07"),
            error("\x1b[0;31mValueError\x1b[0m"),
        )
    )
    assert "ansi-red-fg" in html
    assert "\x1b" not in html


_OPENED = [
    *("<a href=", "<b title=", "<p style=", "<p onclick=", "<img src=x onerror=", "<img src=data:image/png;base64,"),
    *("<iframe srcdoc=", "<form><input name=", "<meta http-equiv=refresh content=", "<td background="),
]
_PIECES = [
    *_OPENED,
    *(f"{each}x>" for each in _OPENED),
    *("<p>", "</p>", "<table><tr>", "</table>", "<details>", "<br>", "<a href=#x>", "</a>", "</main>", "x", " "),
    *("<svg>", "</svg>", "<math><mi>", "<style>", "</style>", "<script>", "</script>", "<template>", "<textarea>"),
    *("<!--", "-->", "<![CDATA[", "]]>", "<?", "//evil.example", "javascript:x", "&#106;", "&lt;", "&quot;", "\0"),
    *("<", ">", "/", "=", '"', "'", "\n"),
]
# What `find_live_parts` takes for granted in a page.
_OWN = "<style></style><meta><meta><meta>"


@given(st.lists(st.sampled_from(_PIECES) | st.text("<>/=\"'!-&;:#ax", max_size=3), max_size=20).map("".join))
@settings(max_examples=150)
def test_cleaning_leaves_nothing_alive_and_changes_nothing_the_second_time(html):
    once = clean_html(html)
    assert find_live_parts(_OWN + once) == []
    assert clean_html(once) == once


def test_what_is_cleaned_once_is_cleaned_until_nothing_changes_and_shown_as_text_where_it_always_does(monkeypatch):
    """The cleaner here stands in for one that is misled: what it returns reads otherwise than it thought."""
    first = {"<p>a</p>": "<p>b</p>", "<p>b</p>": "<p>c</p>"}
    cleaner = SimpleNamespace(clean=lambda html: first.get(html, html))
    monkeypatch.setattr(nbconvert_report, "_open_cleaner", lambda: cleaner)
    assert clean_html("<p>a</p>") == "<p>c</p>"
    cleaner.clean = lambda html: f"<p>{html}"
    assert "<" not in clean_html("<p>a</p>")


def test_reading_a_report_needs_no_file_of_the_reader(tmp_path):
    (tmp_path / "secret.png").write_bytes(b"secret")
    os.mkfifo(tmp_path / "pipe.png")
    pictures = "".join(
        f"![x]({tmp_path}/{name}.png) <img src='file://{tmp_path}/{name}.png'>" for name in ("secret", "pipe")
    )
    html = render(markdown(pictures))
    assert "file://" not in html
    assert base64.b64encode(b"secret").decode() not in html
    assert find_live_parts(html) == []


def test_a_picture_attached_to_the_notebook_is_shown():
    cell = {**markdown("![x](attachment:dot.png)"), "attachments": {"dot.png": {"image/png": PIXEL}}}
    assert f"data:image/png;base64,{PIXEL}" in render(cell)

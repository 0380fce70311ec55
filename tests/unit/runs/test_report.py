"""A report is a page by itself in which nothing that a notebook holds can run, load or restyle."""

from __future__ import annotations

import base64
import os
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.hostile_html import HOSTILE_HTML, SCRIPT
from tests.unit.runs.reports import (
    PIXEL,
    Page,
    build_run,
    code,
    display,
    error,
    find_live_parts,
    markdown,
    render,
    stream,
)
from workbench.runs import nbconvert_report
from workbench.runs.nbconvert_report import clean_html
from workbench.runs.run import RunState

PLOT = base64.b64encode(b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>').decode()


OUR_HEAD = {"html", "head", "meta", "title", "style", "body", "header", "section", "main"}


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

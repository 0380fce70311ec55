"""A report says what was run and what came out, is light, and can be read and printed without anything else."""

from __future__ import annotations

import pytest

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
from workbench.runs.nbconvert_report import LONGEST_OUTPUT
from workbench.runs.run import RunState

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

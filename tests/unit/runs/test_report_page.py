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
from workbench.drawings.of_metrics import draw_courses
from workbench.runs.concluding import Results
from workbench.runs.nbconvert_report import LONGEST_OUTPUT
from workbench.runs.run import RunState
from workbench.runs.told_errors import split_errors

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


def test_the_result_on_the_holdout_stands_first_and_training_metrics_are_folded():
    metrics = {"training_f1_score": 1.0, "cost": 3.5, "roc_auc": 0.99517, "accuracy": 0.99, "Train/Loss": 0.25}
    results = Results(("Of 171 rows 5 are named wrong.",), {"roc_auc": 0.99517, "accuracy": 0.94})
    page = Page(render(run=build_run(record={"metrics": metrics}), results=results))
    assert (
        "Result Of 171 rows 5 are named wrong. roc_auc 0.9952 on the holdout "
        "accuracy 0.94 on the holdout; 0.99 was logged cost 3.5 "
        "Training metrics (2) training_f1_score 1 Train/Loss 0.25 Parameters" in page.text
    )
    folded = [at for at, (tag, given) in enumerate(page.tags) if (tag, given.get("class")) == ("details", "more")]
    assert len(folded) == 1
    assert [tag for tag, _ in page.tags[folded[0] + 1 : folded[0] + 3]] == ["summary", "table"]


def test_metrics_of_a_run_without_predictions_are_shown_as_they_were_logged():
    text = Page(render(run=build_run(record={"metrics": {"trainer_pay": 2.0, "pretrained": 3.0}}))).text
    assert "Result trainer_pay 2 pretrained 3 Parameters" in text
    assert "Training metrics" not in text


LOGGED = """\
/tmp/x.py:1: FutureWarning: this is old
  warnings.warn("this is old", FutureWarning)
INFO:root:fine
2026-11-20 09:12:01 ERROR mlflow.store: lost
0%|   | 0/3
Traceback (most recent call last):
  File "x.py", line 3, in <module>
    1/0
ZeroDivisionError: division by zero
done, no errors
"""


def test_only_what_tells_an_error_is_red_of_what_was_said_on_stderr():
    page = Page(render(code("x", stream(LOGGED, "stderr"))))
    red = [given.get("class") for tag, given in page.tags if tag == "pre"][1:]
    assert red == [None, "told_error", None, "told_error", None]
    assert [(told, text.partition("\n")[0]) for told, text in split_errors(LOGGED)] == [
        (False, "/tmp/x.py:1: FutureWarning: this is old"),
        (True, "2026-11-20 09:12:01 ERROR mlflow.store: lost"),
        (False, "0%|   | 0/3"),
        (True, "Traceback (most recent call last):"),
        (False, "done, no errors"),
    ]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("ValueError: bad", True),
        ("sklearn.exceptions.NotFittedError: not fitted", True),
        ("[ERROR] lost", True),
        ("CRITICAL:root:lost", True),
        ("Exception in thread Thread-1 (work):", True),
        ("Exception ignored in: <function f>", True),
        ("fatal: not a git repository", True),
        ("UserWarning: a ValueError may follow", False),
        ("sklearn.exceptions.ConvergenceWarning: lbfgs failed to converge", False),
        ("WARNING:root:careful", False),
        ("0 errors, mean error: 0.1", False),
        ("100%|####| 3/3", False),
        ("", False),
    ],
)
def test_a_line_tells_an_error_by_its_level_or_by_what_was_raised(line, told):
    assert split_errors(f"{line}\n") == [(told, f"{line}\n")]


def test_a_progress_bar_is_shown_as_a_terminal_shows_it_in_the_end():
    html = render(code("x", stream("a\r\nstart\n 10%|#\r 90%|##\r100%|###\r\nend", "stderr")))
    assert "a start 100%|### end" in Page(html).text
    assert "90%" not in html


def test_a_wide_table_scrolls_in_its_cell_whether_shown_or_printed():
    wide = "".join(f"{number:150d}\n" for number in range(4))
    html = render(
        code("x", display({"text/html": f"<table><tr>{'<td>1</td>' * 60}</tr></table>", "text/plain": "x"})),
        code("x", stream(wide)),
        code("x", display({"text/plain": wide})),
        code("x", stream("a long line " * 50 + "\n" + "another one " * 50 + "\nshort\nshort\n")),
    )
    assert ".rendered_html { overflow-x: auto; }" in html
    assert '<div class="rendered_html"><table>' in html
    assert html.count('<pre class="wide">') == 2


def test_pictures_stand_in_the_head_and_no_notebook_can_put_one_there():
    courses = tuple(draw_courses({"loss": [(0, 1.0), (1, 0.5)]}))
    drawn = "<svg class='wb-picture'><circle r='3'/></svg>"
    html = render(markdown(drawn), code("x", display({"text/html": drawn})), results=Results(courses=courses))
    head, _, rest = html.partition("<main>")
    assert (Page(head).count("svg"), Page(rest).count("svg")) == (1, 0)
    assert "Metrics step by step loss From 1 at step 0 to 0.5 at step 1." in Page(head).text


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

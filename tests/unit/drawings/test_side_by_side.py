"""Several runs in one picture: each has its line, its name and its numbers, and the table says what is drawn."""

from __future__ import annotations

import math

import numpy as np
import pytest

from workbench.drawings.series import choose_series
from workbench.drawings.side_by_side import (
    Calls,
    SliceScores,
    draw_calls_of,
    draw_courses_of,
    draw_diagnostics_of,
    draw_slices,
)
from workbench.models.diagnostics import Diagnostics, diagnose
from workbench.models.predictions import Predictions
from workbench.words.numbers import MISSING


def predict(task="binary", seed=0, noise=0.3):
    drawn = np.random.default_rng(seed)
    rows = tuple(map(str, range(200)))
    if task == "regression":
        truth = drawn.normal(size=200)
        return Predictions(rows, truth, truth + drawn.normal(scale=noise, size=200), task="regression")
    truth = (drawn.random(200) < 0.4).astype(float)
    return Predictions(rows, truth, np.clip(truth * 0.6 + drawn.random(200) * noise, 0, 1), task="binary")


def test_each_run_has_a_line_of_its_own_in_every_picture():
    runs = {"best": diagnose(predict(seed=1)), "other": diagnose(predict(seed=2, noise=0.9))}
    pictures = draw_diagnostics_of(runs, [0, 1])
    assert [each.title for each in pictures] == ["ROC curve", "Precision-recall curve", "Lift", "Calibration"]
    for picture in pictures:
        html = picture.drawing.to_markup().html
        assert (html.count("wb-series-0") >= 2, html.count("wb-series-1") >= 2) == (True, True)
        assert {row[0] for row in picture.rows} == {"best", "other"}


def test_a_run_keeps_its_colour_where_another_has_nothing_to_be_drawn():
    runs = {"empty": Diagnostics(), "best": diagnose(predict(seed=1))}
    for picture in draw_diagnostics_of(runs, [0, 1]):
        lines = [
            node
            for node in picture.drawing.children
            if node.tag == "polyline" and "wb-line" in node.attributes["class"]
        ]
        assert [line.attributes["class"] for line in lines] == ["wb-line wb-series-1"]
        assert "empty: none" in picture.drawing.to_markup().html
    (course,) = draw_courses_of({"a": {}, "b": {"loss": [(0.0, 2.0), (1.0, 1.0)]}}, [0, 1])
    assert course.drawing.to_markup().html.count("wb-line wb-series-1") == 2  # the line and its key


def test_a_run_has_the_colour_of_its_id_whichever_is_selected_first_and_no_two_have_one():
    runs = [f"{number:012x}" for number in range(0, 6_000_000, 1_000_003)]
    assert sorted(choose_series(runs)) == list(range(6))
    assert choose_series(runs[::-1]) == choose_series(runs)[::-1]
    alone = [choose_series([run])[0] for run in runs]
    pairs = [(one, other) for one in range(6) for other in range(one) if alone[one] != alone[other]]
    assert len(pairs) > 8
    assert all(choose_series([runs[one], runs[other]]) == [alone[one], alone[other]] for one, other in pairs)
    assert choose_series(["b", "a", "b"])[0] == choose_series(["b", "a", "b"])[2]


def test_a_line_says_its_run_and_the_paper_where_values_stand():
    runs = {"best": diagnose(predict(seed=1)), "other": diagnose(predict(seed=2))}
    roc, *_ = draw_diagnostics_of(runs, [4, 2])
    named = [node for node in roc.drawing.children if "data-name" in node.attributes]
    classes = {node.attributes["data-name"]: node.attributes["class"] for node in named}
    assert classes == {"best": "wb-line wb-series-4", "other": "wb-line wb-series-2"}
    assert roc.drawing.attributes["data-x"] == "0 1 50 346"
    assert roc.drawing.attributes["data-y"] == "0 1 198 26"


def test_lift_says_which_share_must_be_looked_at():
    predictions = predict(seed=3)
    (lift,) = [each for each in draw_diagnostics_of({"run": diagnose(predictions)}, [0]) if each.title == "Lift"]
    order = np.argsort(-predictions.score, kind="stable")
    for _, looked_at, found in lift.rows:
        count = round(float(looked_at) * 200)
        share = predictions.truth[order[:count]].sum() / predictions.truth.sum()
        assert float(found) == pytest.approx(share, abs=0.03)


def test_numbers_have_residuals_instead():
    pictures = draw_diagnostics_of(
        {"a": diagnose(predict("regression")), "b": diagnose(predict("regression", seed=5))}, [0, 1]
    )
    assert [each.title for each in pictures] == ["Residuals along the predictions"]


def test_mistakes_are_counted_in_plain_numbers():
    (table,) = draw_calls_of({"a": Calls(("no", "yes"), ((90, 10), (4, 96)))})
    assert (table.columns, table.rows) == (
        ("Run", "Wrong", "no called yes", "yes called no"),
        (("a", "14 of 200", "10", "4"),),
    )
    (table,) = draw_calls_of({"a": Calls(("x", "y", "z"), ((5, 1, 0), (0, 5, 0), (0, 2, 5)))})
    assert table.rows == (("a", "3 of 18"),)


def test_a_long_course_is_smoothed_and_says_so():
    course = [(float(step), (-1.0) ** step) for step in range(100)]
    (longer,) = draw_courses_of({"a": {"loss": [(float(step), float(step % 7 == 0)) for step in range(140)]}}, [0])
    assert "mean of 7 neighbours" in longer.says
    assert {row[2] for row in longer.rows[1:-1]} == {"0.143"}  # of any seven in a row one is 1
    (picture,) = draw_courses_of({"a": {"loss": course, "once": [(0.0, 1.0)]}, "b": {"loss": course[:50]}}, [0, 1])
    assert (picture.title, "mean of 5 neighbours" in picture.says) == ("loss by step", True)
    assert all(abs(float(value.replace("\N{MINUS SIGN}", "-"))) <= 1 for _, _, value in picture.rows)
    (short,) = draw_courses_of({"a": {"loss": [(0.0, 2.0), (1.0, math.nan), (2.0, 1.0)]}}, [0])
    assert (short.says, [row[2] for row in short.rows]) == ("As it was logged.", ["2", "1"])


def test_parts_of_the_holdout_stand_beside_each_other_with_their_numbers():
    slices = [SliceScores("size small", 50, (0.9, None)), SliceScores("size <b>large", 1200, (0.5, 0.7))]
    picture = draw_slices("roc_auc", "higher", {"a": 0, "b": 1}, slices)
    assert picture.rows == (("size small", "50", "0.9", MISSING), ("size <b>large", "1,200", "0.5", "0.7"))
    html = picture.drawing.to_markup().html
    assert ("<b>" in html, html.count("wb-cell-text")) == (False, 4)
    shades = [float(part.split('"')[0]) for part in html.split('fill-opacity="')[1:]]
    assert (shades[0], shades[1], shades[2]) == (0.5, 0.0, 0.08)
    turned = draw_slices("log_loss", "lower", {"a": 0, "b": 1}, slices).drawing.to_markup().html
    assert float(turned.split('fill-opacity="')[1].split('"')[0]) == 0.08


def test_scores_of_six_runs_have_room_in_their_cells_and_the_same_decimals():
    runs = dict(zip("abcdef", (3, 1, 0, 5, 2, 4), strict=True))
    html = draw_slices(
        "roc_auc", "higher", runs, [SliceScores("size small", 9, (1.0, 0.98765, 0.9, 0.5, None, -0.25))]
    ).drawing
    assert html is not None
    cells = [node.children[0] for node in html.children if node.attributes.get("class") == "wb-cell-text"]
    assert cells == ["1.000", "0.988", "0.900", "0.500", "\N{EN DASH}", "\N{MINUS SIGN}0.250"]
    keys = [node.attributes["class"] for node in html.children if "wb-key" in node.attributes.get("class", "")]
    assert keys == [f"wb-key wb-series-{number}" for number in (3, 1, 0, 5, 2, 4)] * 2

"""Pictures are SVG of text and shapes alone, of equal bytes for equal results, each with its axes and its table."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from tests.unit.hostile_html import HOSTILE_HTML
from workbench.drawings.axis import Axis
from workbench.drawings.of_metrics import MOST_PICTURES, draw_courses, thin
from workbench.drawings.of_predictions import draw_counts, draw_diagnostics
from workbench.drawings.picture import show_pictures
from workbench.drawings.styling import read_picture_style
from workbench.models.contract import Threshold
from workbench.models.diagnostics import diagnose
from workbench.models.predictions import Predictions

TAGS = {"svg", "title", "desc", "line", "polyline", "polygon", "circle", "rect", "text"}
TAGS |= {"div", "figure", "figcaption", "strong", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"}
ATTRIBUTES = {"class", "viewbox", "role", "aria-label", "points", "cx", "cy", "r", "x", "y", "x1", "x2", "y1", "y2"}
ATTRIBUTES |= {"width", "height", "text-anchor", "scope", "hidden", "tabindex"}


class Shapes(HTMLParser):
    """The elements, attributes and words of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags, self.names, self.words = [], set(), []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.names |= {name for name, _ in attrs}

    handle_startendtag = handle_starttag

    def handle_data(self, data):
        self.words.append(data)

    def handle_comment(self, data):
        self.tags.append("comment")

    unknown_decl = handle_pi = handle_comment


def two_classes(rows: int = 300, seed: int = 0) -> Predictions:
    generator = np.random.default_rng(seed)
    score = generator.random(rows)
    truth = (generator.random(rows) < score).astype(float)
    label = (score >= 0.5).astype(float)
    return Predictions((), truth, score, "classification", label, ("well", "ill"), "ill", "predict_proba")


def several_classes(classes: int, rows: int = 200) -> Predictions:
    score = np.random.default_rng(1).dirichlet(np.ones(classes), rows)
    truth = np.arange(rows) % classes
    names = tuple(f"class {place}" for place in range(classes))
    return Predictions((), truth.astype(float), score, "multiclass", None, names, None, "predict_proba")


def numbers(rows: int = 200) -> Predictions:
    generator = np.random.default_rng(2)
    truth = generator.normal(size=rows)
    return Predictions((), truth, truth + generator.normal(size=rows), "regression")


def titles_of(predictions: Predictions) -> list[str]:
    return [picture.title for picture in draw_diagnostics(diagnose(predictions))]


def test_what_is_drawn_depends_on_what_was_predicted():
    curves = ["ROC curve", "Precision-recall curve"]
    assert titles_of(two_classes()) == titles_of(several_classes(3)) == [*curves, "Calibration"]
    assert titles_of(replace(two_classes(), response="decision_function")) == curves
    assert titles_of(several_classes(9)) == ["Calibration"]
    assert titles_of(numbers()) == ["Residuals along the predictions", "How far off"]


def test_equal_results_give_equal_bytes_and_a_million_rows_no_longer_ones():
    once, again = (show_pictures(draw_diagnostics(diagnose(two_classes()))).html for _ in range(2))
    assert once == again
    assert len(show_pictures(draw_diagnostics(diagnose(two_classes(100_000)))).html) < 30_000


def test_every_picture_says_its_axes_how_to_read_it_and_the_same_as_a_table():
    for predictions in (two_classes(), several_classes(3), numbers()):
        for picture in draw_diagnostics(diagnose(predictions), [[90, 10], [20, 80]]):
            html = show_pictures([picture]).html
            assert html.count('class="wb-name"') == 2
            assert f"<title>{picture.title}</title><desc>" in html
            assert picture.says
            assert 1 < len(picture.rows) < 50
            assert {len(row) for row in picture.rows} == {len(picture.columns)}


def test_the_threshold_is_the_one_that_calls_every_row_as_it_was_called():
    found = two_classes()
    assert diagnose(found).threshold == 0.5
    assert diagnose(replace(found, label=None)).threshold == 0.5
    tuned = replace(found, label=(found.score >= 0.3).astype(float))
    assert diagnose(tuned).threshold is None
    assert diagnose(tuned, Threshold("ill", 0.3, "predict_proba")).threshold == 0.3
    assert diagnose(tuned, Threshold("ill", 0.4, "predict_proba")).threshold is None


def test_where_it_decides_is_a_point_of_both_curves():
    roc, recall, _ = draw_diagnostics(diagnose(two_classes()), [[75, 25], [50, 50]])
    assert "The dot is where it decides." in roc.says
    assert [node.attributes["cx"] for node in roc.drawing.children if node.tag == "circle"] == ["124"]
    assert [node.attributes["cx"] for node in recall.drawing.children if node.tag == "circle"] == ["198"]


def test_many_classes_are_a_list_of_the_commonest_mistakes():
    confusion = np.eye(20, dtype=int) * 10
    confusion[3, 4], confusion[7, 1] = 5, 2
    picture = draw_counts([f"class {place}" for place in range(20)], confusion.tolist())
    assert picture.rows == (("class 3", "class 4", "5 of 15"), ("class 7", "class 1", "2 of 12"))


def test_training_and_validation_of_one_metric_share_a_picture():
    course = [(0.0, 1.0), (1.0, 0.5)]
    names = ("train_loss", "val_loss", "rate", "validation-loss", "trainer")
    drawn = draw_courses(dict.fromkeys(names, course))
    assert [picture.title for picture in drawn] == ["loss", "rate", "trainer"]
    assert drawn[0].says.startswith("train_loss: from 1 at step 0 to 0.5 at step 1. val_loss: from")


def test_a_metric_of_one_step_or_of_no_numbers_is_not_drawn_and_many_metrics_are_not_all():
    assert draw_courses({"a": [(0.0, 1.0), (0.0, 2.0)], "b": [(0.0, float("nan")), (1.0, float("inf"))]}) == []
    many = {f"m{number}": [(0.0, 1.0), (1.0, 2.0)] for number in range(40)}
    assert len(draw_courses(many)) == MOST_PICTURES


def test_a_long_course_is_thinned_without_losing_what_stands_out():
    points = [(float(step), 0.0) for step in range(100_000)]
    points[33_333], points[66_666] = (33_333.0, 9.0), (66_666.0, -9.0)
    found = thin(points)
    assert len(found) <= 200
    assert found == sorted(found)
    assert {points[0], points[33_333], points[66_666], points[-1]} <= set(found)


@pytest.mark.parametrize("payload", HOSTILE_HTML, ids=range(len(HOSTILE_HTML)))
def test_a_name_in_a_picture_is_text(payload):
    predictions = replace(two_classes(), classes=("well", payload), positive_class=payload)
    pictures = draw_diagnostics(diagnose(predictions), [[90, 10], [20, 80]])
    pictures += [draw_counts(["well", payload], [[90, 10], [20, 80]])]
    pictures += draw_courses({f"val_{payload}": [(0, 1.0), (1, 2.0)], f"train_{payload}": [(0, 1.0), (1, 2.0)]})
    found = Shapes(show_pictures(pictures).html)
    assert set(found.tags) - TAGS == set()
    assert found.names - ATTRIBUTES == set()


def test_pictures_take_their_colours_from_a_light_and_a_dark_page():
    style = read_picture_style()
    html = show_pictures(draw_diagnostics(diagnose(two_classes()))).html
    assert "light-dark(" in style
    assert re.search(r"(fill|stroke|style)=", html) is None
    used = set(re.findall(r"wb-[a-z0-9-]+", html))
    assert {name for name in used if f".{name}" not in style} <= {"wb-tick-text"}


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1e-4, 1, ["0.0001", "0.001", "0.01", "0.1", "1"]),
        (0.9, 40, ["1", "2", "5", "10", "20"]),
        (2.1, 4.4, ["2.5", "3.0", "3.5", "4.0"]),
        (1e-12, 1, ["1e\N{MINUS SIGN}12", "1e\N{MINUS SIGN}09", "1e\N{MINUS SIGN}06", "0.001", "1"]),
    ],
)
def test_an_axis_by_powers_of_ten_has_its_ticks_at_them_or_at_round_numbers_where_there_is_no_room(low, high, ticks):
    axis = Axis("rate", low, high, is_log=True)
    assert [text for _, text in axis.ticks] == ticks
    assert axis.place(math.sqrt(low * high)) == pytest.approx(0.5)
    assert (axis.place(low), axis.place(high), axis.place(2 * high)) == (0, 1, 1)

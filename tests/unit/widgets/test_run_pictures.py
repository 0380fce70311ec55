"""Pictures of runs: where rows stand, what has no place, what means are over, all decided before anything is drawn."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.widgets.test_runs_view import send, show
from workbench.drawings.markup import join
from workbench.drawings.picture import show_pictures
from workbench.errors import UsageError
from workbench.runs.finding.outline import MISSING
from workbench.runs.table.groups import summarize
from workbench.widgets.axis_state import Scale, place_axis
from workbench.widgets.packed_columns import pack_column
from workbench.widgets.parallel_coordinates_state import MOST_AXES, NO_LEVEL, find_levels
from workbench.widgets.run_pictures import RunPictures
from workbench.widgets.scatter_state import BINS, MOST_VALUES, Choice, describe_scatter, measure_parts, place_scatter

NAN = math.nan


def number(name, values):
    return pack_column(name, name.partition(".")[2], values)


def draw(columns, **given):
    return RunPictures(columns, 0 if not columns else len(values_of(columns[0])), False, **given)


def values_of(column):
    return np.frombuffer(column.get("values") or column["codes"], "<f8" if "values" in column else "<i4")


def many(rows=100):
    drawn = np.random.default_rng(3)
    rates, auc = 10 ** drawn.uniform(-4, 0, rows), drawn.normal(0.8, 0.01, rows)
    families = [("forest", "ridge")[row % 2] for row in range(rows)]
    return [
        number("metrics.auc", auc.tolist()),
        number("params.rate", rates.tolist()),
        number("params.family", families),
        number("params.seed", [row % 5 for row in range(rows)]),
    ]


def test_numbers_stand_between_the_ends_and_what_is_missing_stands_nowhere():
    axis = place_axis(number("params.depth", [2, 12, NAN, 7]))
    assert axis.places[[0, 1, 3]] == pytest.approx([0.0192, 0.9808, 0.5], abs=1e-3)
    assert (np.isnan(axis.places[2]), axis.none, axis.say_lane()) == (True, 1, "none")
    assert [text for _, text in axis.ticks] == ["2", "4", "6", "8", "10", "12"]


def test_powers_of_ten_are_told_apart_on_their_own_and_what_is_not_above_zero_is_said():
    assert place_axis(number("params.rate", [1e-4, 1e-2, 1.0])).places == pytest.approx([0.0192, 0.5, 0.9808], abs=1e-3)
    even = [value / 1000 for value in range(1, 1001)]  # from one to a thousand times, and yet not by powers
    assert not place_axis(number("params.share", even)).axis.is_log
    asked = place_axis(number("params.rate", [1.0, 0.0, -2.0, 10.0, math.inf]), Scale(is_log=True))
    assert np.isnan(asked.places).tolist() == [False, True, True, False, True]
    assert asked.say().endswith("3 with a value that has no place on it (infinite, or not above zero)")
    assert asked.say_lane() == "no place"


def test_a_scale_that_somebody_asks_for_holds_what_lies_beyond_at_its_end():
    axis = place_axis(number("metrics.auc", [0.1, 0.8, 0.9, 1.0]), Scale(0.8, 0.9))
    assert axis.places == pytest.approx([0, 0, 1, 1])
    assert (axis.beyond, "2 beyond it" in axis.say()) == (2, True)


@pytest.mark.parametrize("scale", [Scale(2.0, 1.0), Scale(1.0, 1.0), Scale(0.0, 5.0, True), Scale(high=math.inf)])
def test_a_scale_that_cannot_be_drawn_is_refused(scale):
    with pytest.raises(UsageError):
        place_axis(number("params.depth", [1, 5]), scale)


def test_categories_stand_in_their_order_numbers_by_their_value():
    column = number("params.size", ["10", "9", "large", MISSING, "10"])
    axis = place_axis(column)
    assert axis.names[:3] == ("9", "10", "large")
    upright = place_axis(column, is_downward=True)
    assert (upright.names[-1], np.isnan(upright.places[3]), upright.places[0]) == ("9", True, axis.places[0])


@pytest.mark.parametrize("values", [[5, 5, 5], [NAN, NAN], [0, 0], [1e300, 1.0], [1e-300, 1e300], [math.inf]])
def test_every_column_has_an_axis(values):
    axis = place_axis(number("params.odd", values))
    there = axis.places[~np.isnan(axis.places)]
    assert ((there >= 0) & (there <= 1)).all()
    assert all(0 <= at <= 1 for at, _ in axis.ticks)


def test_colours_are_levels_of_the_last_metric_and_none_where_it_is_missing():
    levels = find_levels(place_axis(number("metrics.auc", [0.0, 1.0, NAN]), Scale(0, 1)))
    assert levels.tolist() == [0, 15, NO_LEVEL]


def test_parameters_come_first_and_the_last_metric_colours_all():
    pictures = draw(many())
    assert [axis.name for axis in pictures.axes] == ["params.rate", "params.family", "params.seed", "metrics.auc"]
    assert pictures.to_state()["parallel"]["colour"]["label"] == "auc"
    seeds = draw([number("params.depth", [1, 2]), number("params.seed", [0, 9])])
    assert seeds.to_state()["parallel"]["colour"] == {"label": "seed", "low": "0", "high": "9"}


def test_columns_for_which_there_is_no_room_are_counted_and_the_metric_is_not_among_them():
    columns = [number(f"params.p{each}", [1, 2]) for each in range(40)] + [number("metrics.auc", [0.1, 0.2])]
    pictures = draw(columns)
    assert (len(pictures.axes), pictures.axes[-1].name) == (MOST_AXES, "metrics.auc")
    assert "17 more columns have no room" in pictures.describe()["parallel"]["says"]


def test_what_is_told_is_of_the_rows_in_sight():
    told = draw(many()).describe(np.arange(0, 100, 2))
    family = next(row for row in told["parallel"]["rows"] if row[0] == "family")
    assert (told["count"], family[1], family[-1]) == (50, "50", "forest 50")
    assert "50 of 100 across 4 axes" in told["parallel"]["says"]


def test_means_are_those_of_a_group_for_each_value():
    columns = many()
    parts = measure_parts(place_scatter(columns, Choice("params.seed")))
    auc = values_of(columns[0])
    assert [part.name for part in parts] == ["0", "1", "2", "3", "4"]
    assert parts[3].summary == summarize(auc[3::5].tolist())


def test_many_values_are_put_into_bins_that_hold_every_row():
    scatter = place_scatter(many(1_000), Choice("params.rate"))
    parts = measure_parts(scatter)
    assert (len(parts), sum(part.summary.n for part in parts)) == (BINS, 1_000)
    widths = [part.high - part.low for part in parts]
    assert widths == pytest.approx([widths[0]] * BINS)  # as it is drawn: by powers
    assert "10 bins of equal width, over 1,000 of 1,000 rows" in describe_scatter(scatter)["says"]


def test_a_mean_of_categories_stands_where_its_rows_stand():
    scatter = place_scatter(many(), Choice("params.family"))
    parts = {part.name: part.place for part in measure_parts(scatter)}
    assert parts == {"forest": scatter.x.places[0], "ridge": scatter.x.places[1]}


def test_of_very_many_categories_those_with_most_rows_have_a_mean_and_that_is_said():
    names = [f"n{each}" for each in range(60)] + ["often"] * 9
    scatter = place_scatter([number("params.name", names), number("metrics.auc", [0.5] * 69)], Choice())
    told = describe_scatter(scatter)
    assert (len(told["rows"]), any(row[:2] == ("often", "9") for row in told["rows"])) == (MOST_VALUES, True)
    assert "20 of 61 values of name that most rows have" in told["says"]
    assert "41 rows are in no mean" in told["says"]


@pytest.mark.parametrize(
    ("auc", "says"), [([0.1, 0.11, 0.9, 0.91], "do not overlap"), ([0.1, 0.9, 0.2, 0.8], "chance")]
)
def test_the_highest_mean_is_told_with_whether_chance_may_be_the_reason(auc, says):
    columns = [number("params.depth", [1, 1, 2, 2]), number("metrics.auc", auc)]
    assert says in describe_scatter(place_scatter(columns, Choice()))["says"]


def test_near_the_means_rows_beyond_have_no_place_and_the_means_stay():
    whole, near = (place_scatter(many(), Choice("params.family", fits_means=fits)) for fits in (False, True))
    assert [part.summary for part in measure_parts(near)] == [part.summary for part in measure_parts(whole)]
    beyond = int(np.isnan(near.y.places).sum())
    assert 40 < beyond < 100
    assert f"{beyond} rows lie beyond it" in describe_scatter(near)["says"]


def test_without_a_parameter_or_a_metric_the_scatter_says_what_it_needs():
    pictures = draw([number("metrics.auc", [0.1, 0.2])])
    assert (pictures.to_state()["scatter"], pictures.describe()["scatter"]["marks"]) == (None, [])
    assert "needs a parameter and a metric" in pictures.describe()["scatter"]["says"]
    assert "choose more columns" in pictures.describe()["parallel"]["says"]


def test_the_twin_draws_every_row_in_bands_and_the_means_with_their_intervals():
    pictures = draw(many(5_000)).draw()
    html = join(show_pictures(pictures)).html
    assert [picture.title for picture in pictures] == ["Parallel coordinates", "auc by rate"]
    assert ("wb-flow wb-level-" in html, html.count("wb-whisker"), len(html) < 80_000) == (True, 2 * BINS, True)
    assert "rate (log)" in html


def test_names_in_pictures_are_texts_and_nothing_else():
    columns = [number("params.<b>x", ["<script>", "b"]), number("metrics.<i>", [0.1, 0.2])]
    html = join(show_pictures(draw(columns).draw())).html
    assert ("<script>" in html, "<b>" in html, "<i>" in html) == (False, False, False)


def test_nothing_is_drawn_of_no_rows_and_of_one():
    assert RunPictures([], 0, False).draw() == []
    assert draw([number("metrics.auc", [0.1])]).draw() == []


def test_a_view_draws_an_axis_anew_and_refuses_one_that_cannot_be_drawn():
    view = show()
    send(view, kind="scale", axis="metrics.roc_auc", low="0.5", high="1", is_log=False)
    axis = view.pictures["parallel"]["axes"][-1]
    assert (axis["name"], axis["low"], axis["high"]) == ("metrics.roc_auc", 0.5, 1.0)
    refused = send(view, kind="scale", axis="metrics.roc_auc", low="half", high="", is_log=False)
    assert (refused["is_refused"], "no number" in refused["text"]) == (True, True)
    assert view.pictures["parallel"]["axes"][-1]["low"] == 0.5


def test_a_view_is_asked_for_other_axes_of_the_scatter_and_for_what_rows_are_like():
    view = show()
    send(view, kind="choose", x="params.family", y="metrics.roc_auc")
    assert view.pictures["scatter"]["x"]["names"] == ["forest", "ridge"]
    view._receive(
        view, {"kind": "describe", "number": "a-1", "are_some": True}, [np.asarray([0, 2, 99], "<i4").tobytes()]
    )
    assert (view.told["count"], view.told["answers"]) == (2, "a-1")
    assert view.told["scatter"]["rows"][0][:3] == ("forest", "2", "0.9100")
    send(view, kind="describe", number="a-2", are_some=False)
    assert view.told["count"] == 6


def test_groups_are_drawn_by_their_means_and_have_no_scatter():
    view = show(group_by=["family"])
    names = [axis["name"] for axis in view.pictures["parallel"]["axes"]]
    assert names == ["params.family", "metrics.roc_auc mean"]
    assert view.pictures["scatter"] is None


def test_a_scale_is_kept_when_other_runs_are_asked_for():
    pictures = draw(many()).scale({"axis": "metrics.auc", "low": "0.5", "high": "0.9", "is_log": False})
    assert replace(pictures, columns=many(10), rows=10).axes[-1].axis.low == 0.5

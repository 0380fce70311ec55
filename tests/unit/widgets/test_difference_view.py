"""The difference of two runs as a view shows it: what the twin says, that text stays text, and that nothing is hidden unsaid."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.comparisons.sides import build_difference
from tests.unit.widgets.test_widgets import HOSTILE, Tags
from workbench.comparisons.difference.part import DiffTable, Likeness, Part
from workbench.widgets.difference_view import DifferenceView
from workbench.words.differences import difference_state


def test_the_twin_says_what_the_view_says():
    view = DifferenceView(build_difference())
    said = " ".join(Tags(view.body().html).text.split())
    state = view.state
    assert view.summary() == state["headline"]
    assert [part["name"] for part in state["same"]] == ["data", "code"]
    for part in (*state["parts"], *state["same"]):
        assert part["says"] in said
        assert all(line["text"].replace("`", "") in said for line in part["unknown"])
    assert "workbench diff aaaaaaaaaaaa bbbbbbbbbbbb" in said


def test_what_a_notebook_showed_and_a_parameter_holds_is_text():
    html = DifferenceView(build_difference(HOSTILE)).body().html
    assert HOSTILE not in html
    assert Tags(html).text.count(HOSTILE) >= 1


def test_of_a_long_table_what_is_left_out_is_counted():
    rows = tuple({"metric": f"m{number}", "A": number, "B": None} for number in range(300))
    table = DiffTable("Logged metrics", ("metric", "A", "B"), rows, left_out=7)
    difference = replace(
        build_difference(), parts=(Part("metrics", Likeness.DIFFERENT, "300 differ.", tables=(table,)),)
    )
    (part,) = difference_state(difference)["parts"]
    shown = part["tables"][0]
    assert (len(shown["rows"]), shown["left_out"]) == (200, 107)
    assert shown["columns"] == [
        {"label": "metric", "kind": "text"},
        {"label": "A", "kind": "number"},
        {"label": "B", "kind": "text"},
    ]
    assert "And 287 more." in Tags(DifferenceView(difference).body().html).text

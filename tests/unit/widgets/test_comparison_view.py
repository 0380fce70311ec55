"""The view of a comparison does with selected runs what its callbacks do, and holds all of them against one of them."""

from __future__ import annotations

from tests.unit.comparisons.builders import build_champion_comparison, build_comparison
from tests.unit.people import CHAMPION_RUN_ID, RUN_ID
from workbench.comparisons.comparison import name_run
from workbench.drawings.picture import Picture
from workbench.errors import Refused, UsageError
from workbench.widgets.acting_view import Deeds
from workbench.widgets.comparison_view import ComparisonView


def show(asked):
    def compare(reference, _choose):
        asked.append(reference)
        if reference == "gone":
            raise Refused("That run is gone.", why="Somebody deleted it.")
        return build_champion_comparison(reference=name_run(reference)) if reference else build_comparison()

    deeds = Deeds(
        lambda runs: f"{len(runs)} put aside.", lambda run, model: f"{model}/1", lambda run: f"workbench run {run}"
    )
    return ComparisonView(build_comparison(), deeds, compare)


def test_all_runs_are_held_against_one_that_is_selected():
    asked = []
    view = show(asked)
    view._receive(view, {"kind": "hold against", "run": CHAMPION_RUN_ID}, None)
    assert asked == [CHAMPION_RUN_ID]
    assert view.comparison.reference_run == CHAMPION_RUN_ID
    assert (view.reply["text"], view.reply["is_refused"]) == (view.summary(), False)
    view._receive(view, {"kind": "hold against", "run": "gone"}, None)
    assert (view.reply["is_refused"], view.comparison.reference_run) == (True, CHAMPION_RUN_ID)
    view._receive(view, {"kind": "archive", "runs": [RUN_ID]}, None)
    assert (asked[-1], view.reply["text"]) == (CHAMPION_RUN_ID, "1 put aside.")


def test_runs_are_put_aside_also_where_none_are_left_to_be_compared():
    def compare(_reference, _choose):
        raise UsageError("There is nothing to compare.", why="No run is left.")

    deeds = Deeds(lambda runs: f"{len(runs)} put aside.", lambda *_: "", lambda _: "")
    view = ComparisonView(build_comparison(), deeds, compare)
    view._receive(view, {"kind": "archive", "runs": [RUN_ID]}, None)
    assert view.reply["text"].startswith("1 put aside. There is nothing to compare.")


def test_pictures_of_selected_runs_are_shown_and_kept_in_the_twin():
    drawn = []

    def draw(runs):
        drawn.append(runs)
        return [Picture("ROC curve", "Up is better.", ("Run", "Found"), (("a", "0.5"),))]

    view = ComparisonView(build_comparison(), None, None, draw)
    view._receive(view, {"kind": "draw", "runs": [RUN_ID]}, None)
    assert (drawn, view.shown["runs"], view.shown["pictures"][0]["title"]) == ([[RUN_ID]], [RUN_ID], "ROC curve")
    assert (view.reply["text"], "ROC curve" in view.body().html) == ("1 picture below.", True)


def test_what_nothing_can_be_done_with_is_only_looked_at():
    view = ComparisonView(build_comparison())
    view._receive(view, {"kind": "archive", "runs": [RUN_ID]}, None)
    assert (view.is_ours, dict(view.reply)) == (False, {})

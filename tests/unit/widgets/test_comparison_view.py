"""The view of a comparison does with selected runs what its callbacks do, and holds all of them against one of them."""

from __future__ import annotations

from dataclasses import replace

from tests.unit.comparisons.builders import (
    build_champion_comparison,
    build_compared_run,
    build_comparison,
    build_many,
)
from tests.unit.people import CHAMPION_RUN_ID, RUN_ID
from workbench.comparisons.comparison import name_run
from workbench.comparisons.needed_rows import NeededRows
from workbench.comparisons.verdict import Verdict
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


def test_a_frame_has_a_row_for_each_run_with_its_metrics_its_verdict_and_what_would_decide():
    undecided = build_compared_run(run_id="a" * 12, parameters={"seed": 8, "name": "x"}, verdict=Verdict.INCONCLUSIVE)
    unmeasured = build_compared_run(run_id="b" * 12, parameters={}, advantage=None, verdict=None, value=0.5)
    told = replace(build_many(1), runs=(build_compared_run(), undecided, unmeasured))
    other = replace(told, holdout_digest="ef" * 32, runs=(replace(undecided, run_id="c" * 12),))
    beside = replace(told, metric="log_loss", runs=(replace(undecided, value=0.25),))
    told = replace(
        told,
        beside=(beside,),
        holdouts=(other,),
        names={RUN_ID: "best"},
        members={RUN_ID: (RUN_ID, "d" * 12)},
        needed={"a" * 12: NeededRows(0.02, 143, 400, "rows")},
    )
    frame = ComparisonView(told).to_frame().set_index("run")
    assert list(frame.index) == [RUN_ID, "a" * 12, "b" * 12, "c" * 12]
    assert set(frame.columns) >= {"name", "seed", "params.name", "roc_auc", "log_loss", "estimate", "holdout"}
    best, second, third, fourth = (frame.loc[run] for run in frame.index)
    assert (best["name"], best.seed, best.verdict, best.runs) == ("best", 7, "BETTER", 2)
    assert (best.estimate, best.low, best.high) == (0.4952, 0.4871, 0.4989)
    assert (second.verdict, second.rows_needed, second.mde, second.log_loss) == ("INCONCLUSIVE", 400, 0.02, 0.25)
    assert (third.roc_auc, third[["estimate", "verdict", "log_loss"]].isna().all()) == (0.5, True)
    assert (fourth.holdout, fourth["params.name"]) == ("ef" * 6, "x")
    assert {str(kind) for kind in frame[["low", "mde", "rows_needed"]].dtypes} == {"float64"}
    assert len(ComparisonView(build_comparison()).to_frame()) == 1


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

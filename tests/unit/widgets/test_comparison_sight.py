"""Of thousands of compared runs a hundred are shown; all are searched and sorted, and those in view are measured."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.comparisons.builders import build_many, measure_some
from workbench.comparisons.comparison import RunComparison
from workbench.widgets.acting_view import Deeds
from workbench.widgets.comparison_sight import (
    MOST_SHOWN,
    Sight,
    choose_first,
    choose_in_sight,
    find_columns,
    find_in_sight,
)
from workbench.widgets.comparison_state import comparison_state
from workbench.widgets.comparison_view import ComparisonView

MANY = build_many()


def look(sight, comparison=MANY):
    return find_in_sight(comparison, sight, find_columns(comparison))


class Asked:
    """Compares as often as it is asked, and keeps which runs were to be measured."""

    def __init__(self, comparison: RunComparison = MANY) -> None:
        self.comparison = comparison
        self.chosen: list[list[str]] = []

    def compare(self, _reference, choose):
        self.chosen.append(list(choose(self.comparison)))
        return measure_some(self.comparison, self.chosen[-1])

    def show(self, deeds=None):
        return ComparisonView(self.compare(None, choose_first), deeds, self.compare)


def words_of(view):
    return [row["verdict"]["word"] for row in view.state["rows"][1:]]


def ask(view, **content):
    view._receive(view, content, None)
    return view.reply["text"]


def test_a_hundred_runs_are_shown_and_how_many_there_are():
    state = comparison_state(MANY)
    assert (len(state["rows"]), state["sight"]["says"]) == (101, "The first 100 of 250 runs.")
    assert comparison_state(build_many(100))["sight"] is None
    assert look(Sight(first=100)).run_ids == tuple(run.run_id for run in MANY.runs[100:200])
    assert look(Sight(first=9_000)).run_ids == tuple(run.run_id for run in MANY.runs[200:])
    assert comparison_state(MANY, look(Sight(first=200)))["sight"]["says"] == "Runs 201 to 250 of 250 runs."


def test_all_runs_are_searched_by_id_name_and_parameters():
    assert look(Sight("linear")).found == 50
    assert look(Sight("THIRD 24")).run_ids == tuple(MANY.runs[place].run_id for place in (24, 240, 243, 246, 249))
    nothing = look(Sight("nowhere"))
    assert (nothing.run_ids, nothing.found) == ((), 0)
    state = comparison_state(MANY, nothing)
    assert (len(state["rows"]), state["sight"]["says"]) == (1, "None of 250 runs has that text.")


@pytest.mark.parametrize("is_descending", [False, True])
def test_all_runs_are_sorted_and_those_that_lack_a_value_stand_last(is_descending):
    runs = [*MANY.runs[:-1], replace(MANY.runs[-1], parameters={"family": "forest"})]
    comparison = replace(MANY, runs=tuple(runs))
    sight = Sight(key="parameter:depth", is_descending=is_descending)
    depths = sorted(range(249), reverse=is_descending)
    assert look(sight, comparison).run_ids == tuple(f"{depth:012x}" for depth in depths[:100])
    assert look(replace(sight, first=200), comparison).run_ids[-1] == MANY.runs[-1].run_id


def test_what_is_not_measured_is_said_so_and_never_shown_as_inconclusive():
    state = comparison_state(measure_some(MANY, choose_first(MANY)))
    rows = state["rows"][1:]
    assert [row["is_measured"] for row in rows] == [True] * 10 + [False] * 90
    assert (rows[9]["verdict"]["word"], rows[10]["verdict"]) == (
        "Better",
        {"word": "Not measured", "shape": "", "tone": "quiet"},
    )
    assert (rows[10]["mark"], rows[10]["interval"]) == (None, {"estimate": "\N{EN DASH}", "bounds": ""})
    assert "10 of 250 runs have an interval" in str(state["facts"])


def test_further_metrics_stand_beside_with_the_sign_of_their_verdict():
    loss = replace(measure_some(MANY, [MANY.runs[0].run_id]), metric="log_loss", direction="lower", margin=0.01)
    loss = replace(loss, runs=tuple(run for run in loss.runs if run is not loss.runs[2]))
    state = comparison_state(replace(MANY, beside=(loss,)))
    assert (state["columns"][-1]["label"], state["columns"][-1]["note"]) == ("log_loss", "lower is better")
    reference, first, second, third = ([row["beside"][0] for row in state["rows"]])[:4]
    assert (reference["text"], reference["verdict"]) == ("0.5000", None)
    assert (first["verdict"]["word"], first["full"][:6]) == ("Better", "+0.450")
    assert (second["text"], second["verdict"], third["text"]) == ("0.9490", None, "not defined")
    assert "±0.005 roc_auc, ±0.01 log_loss" in str(state["facts"])
    assert look(Sight(key="beside:log_loss"), replace(MANY, beside=(loss,))).run_ids[0] == MANY.runs[-1].run_id


def test_runs_are_measured_as_they_come_into_view_and_none_moves():
    asked = Asked()
    view = asked.show()
    before = [row["copy"] for row in view.state["rows"]]
    assert asked.chosen == [[run.run_id for run in MANY.runs[:10]]]
    assert ask(view, kind="measure", runs=before[40:44]) == "14 of 250 runs are measured."
    assert [row["copy"] for row in view.state["rows"]] == before
    assert [place for place, word in enumerate(words_of(view)) if word == "Better"] == [*range(10), 39, 40, 41, 42]
    assert ask(view, kind="measure", runs=before[50:90]) == "24 of 250 runs are measured."


def test_another_try_makes_all_levels_anew_and_only_what_is_shown_is_measured_again():
    far = [run.run_id for run in MANY.runs[200:210]]
    shown = look(Sight()).run_ids
    before = measure_some(MANY, [*shown[:3], *far])
    assert choose_in_sight(MANY, before, shown, [*shown[:3], *far]) == [*shown[:3], *far]
    later = replace(MANY, tried=2)
    assert choose_in_sight(later, before, shown, [*shown[:3], *far]) == [*shown[:3]]
    assert len(choose_in_sight(build_many(7), before, shown, [])) == 7


def test_a_view_turns_searches_and_sorts_over_all_runs():
    view = Asked().show()
    assert ask(view, kind="arrange", first=100, key="", search="") == "Runs 101 to 200 of 250 runs."
    assert view.state["rows"][1]["copy"] == MANY.runs[100].run_id
    assert ask(view, kind="arrange", first=0, key="parameter:depth", direction="descending", search="linear") == (
        "50 runs with that text, among 250."
    )
    assert view.order == {"key": "parameter:depth", "direction": "descending"}
    assert [row["cells"][0]["text"] for row in view.state["rows"][1:4]] == ["245", "240", "235"]
    assert ask(view, kind="arrange", first=0, key="advantage", direction="descending", search="") == (
        "The first 100 of 250 runs."
    )
    assert words_of(view)[9:11] == ["Better", "Not measured"]


def test_only_reports_of_runs_that_are_shown_are_told_to_the_browser(tmp_path: Path):
    reports = {run.run_id: tmp_path / run.run_id / "report.html" for run in MANY.runs}
    view = Asked().show(Deeds(str, str, str, reports))
    assert len(view.reports["paths"]) == MOST_SHOWN
    ask(view, kind="arrange", first=200, key="", search="")
    assert set(view.reports["paths"]) == {run.run_id for run in MANY.runs[200:]}


def test_the_state_of_ten_thousand_runs_stays_small():
    view = Asked(build_many(10_000)).show()
    assert len(json.dumps(view.state)) < 100_000
    assert "The snapshot shows 100 of 10,000 runs." in view.snapshot()["text/html"]

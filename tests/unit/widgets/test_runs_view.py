"""The view of runs shows what was asked, and does with those chosen what its callbacks do; what is refused is said."""

from __future__ import annotations

import math
import re

import numpy as np
import pytest

from tests.unit.runs.test_asked_runs import Kept, build
from workbench.errors import Refused
from workbench.runs.table.question import Question
from workbench.runs.table.reading import RunTableReader
from workbench.widgets.acting_view import Deeds
from workbench.widgets.runs_view import RunsView


class Done:
    def __init__(self) -> None:
        self.archived, self.nominated = [], []

    def archive(self, runs):
        self.archived += runs
        return f"{len(runs)} put aside."

    def nominate(self, run, model):
        if model == "taken":
            raise Refused("It is taken.", why="Somebody was first.")
        self.nominated.append((run, model))
        return f"{model}/1 is nominated."


def show(done=None, source=None, **question):
    source = source or build()
    deeds = Deeds(done.archive, done.nominate, lambda run: f"workbench run {run}") if done else None
    return RunsView(RunTableReader(lambda: source, None, ["roc_auc"]), Question(**question), place="here", deeds=deeds)


def send(view, **content):
    view._receive(view, content, None)
    return view.reply


def read(view, name):
    column = next(each for each in view.state["columns"] if each["name"] == name)
    if column["kind"] == "text":
        return [None if code < 0 else column["texts"][code] for code in np.frombuffer(column["codes"], "<i4")]
    return [None if math.isnan(value) else value for value in np.frombuffer(column["values"], "<f8")]


def test_rows_are_sent_whole_as_typed_arrays():
    view = show()
    assert view.state["headline"] == "6 runs"
    assert read(view, "params.family") == ["forest", "ridge", "forest", "forest", "ridge", None]
    assert read(view, "metrics.roc_auc") == [0.9, 0.8, 0.92, None, 0.84, None]
    assert (len(view.state["ids"]), view.state["rows"], view.is_ours) == (6, 6, False)


def test_a_frame_has_all_rows_and_columns_as_they_are_shown():
    frame = show(source=build(params_run=["1"] * 5 + ["2"]), sort="-roc_auc").to_frame()
    assert list(frame.columns) == ["run", "roc_auc", "family", "params.run", "seed"]
    assert frame.run.tolist() == [f"{number:012x}" for number in (2, 0, 4, 1, 3, 5)]
    assert frame.roc_auc.tolist()[:4] == [0.92, 0.9, 0.84, 0.8]
    assert frame.roc_auc.isna().sum() == 2
    assert len(show(where="roc_auc > 0.85").to_frame()) == 2


def test_a_frame_of_groups_says_what_their_metrics_are_like_and_one_of_an_opened_group_its_runs():
    view = show(group_by=["family"], source=build(run_scored_rows=["x", "x", "y", "x", "x", "x"]))
    frame = view.to_frame().set_index("family")
    assert (frame.loc["forest", "runs"], frame.loc["forest", "roc_auc.n"]) == (3, 2)
    assert (frame.loc["forest", "roc_auc.holdouts"], math.isnan(frame.loc["forest", "roc_auc.low"])) == (2, True)
    assert frame.loc["ridge", "roc_auc.mean"] == pytest.approx(0.82)
    assert frame.loc["ridge", "roc_auc.low"] < 0.82 < frame.loc["ridge", "roc_auc.high"]
    assert frame.loc["forest", "runs.id"] == [f"{number:012x}" for number in (0, 2, 3)]
    send(view, kind="open group", group=0)
    assert view.to_frame().run.tolist() == [f"{number:012x}" for number in (0, 2, 3)]


def test_over_how_many_holdouts_a_mean_goes_stands_beside_it_and_what_that_means_below():
    view = show(group_by=["family"], source=build(run_scored_rows=["x", "x", "y", "x", "x", "x"]))
    assert read(view, "metrics.roc_auc holdouts") == [2, 1, None]
    (counts,) = (each for each in view.state["columns"] if each["label"] == "holdouts")
    assert counts["decimals"] is None
    assert "several holdouts" in view.state["legend"]
    assert "several holdouts" not in show(group_by=["family"]).state["legend"]


def test_the_notebooks_of_groups_are_named_by_what_tells_them_apart():
    paths = [f"notebooks/{name}.ipynb" for name in ("grouped", "people", "people", "grouped", "timed", "timed")]
    view = show(all_but=["seed", "family"], source=build(run_notebook=paths))
    assert sorted(read(view, "run.notebook")) == ["grouped", "people", "timed"]
    assert set(view.to_frame().notebook) == set(paths)


def test_the_call_of_the_chapter_takes_and_tells_what_the_view_takes():
    import inspect

    import workbench
    from workbench import interactive

    called, asked = (inspect.signature(each).parameters for each in (workbench.runs, interactive.runs))
    assert {name: each.default for name, each in called.items()} == {name: each.default for name, each in asked.items()}
    assert all(re.search(rf"^{name}  ", workbench.runs.__doc__, re.MULTILINE) for name in asked)
    assert f"wb.runs(*, {', '.join(f'{name}={each.default!r}' for name, each in asked.items())})" in (
        workbench.runs.__doc__.replace('""', "''")
    )


def test_another_question_is_answered_and_its_command_told():
    view = show()
    asked = {"where": "roc_auc > 0.85", "columns": ["roc_auc"], "group_by": [], "all_but": []}
    assert send(view, kind="ask", question=asked)["text"] == "2 runs of 6."
    assert read(view, "metrics.roc_auc") == [0.9, 0.92]
    assert view.state["command"] == "workbench runs --where 'roc_auc > 0.85' --columns roc_auc"


def test_a_group_is_opened_and_left_again():
    view = show()
    send(view, kind="ask", question={"group_by": ["params.family"]})
    assert (view.state["headline"], view.state["is_grouped"]) == ("6 runs in 3 groups", True)
    assert read(view, "params.family") == ["forest", "ridge", None]
    assert read(view, "metrics.roc_auc mean")[0] == pytest.approx(0.91)
    assert read(view, "measured") == [2, 2, 0]
    send(view, kind="open group", group=1)
    assert (view.state["headline"], view.state["within"]) == ("2 runs of family ridge", "family ridge")
    assert read(view, "metrics.roc_auc") == [0.8, 0.84]
    send(view, kind="ask", question={"group_by": ["params.family"]})
    assert view.state["is_grouped"]


def test_a_group_that_is_asked_for_twice_is_opened_once():
    view = show(group_by=["family"])
    for _ in range(3):
        send(view, kind="open group", group=1)
    assert (view.state["headline"], read(view, "metrics.roc_auc")) == ("2 runs of family ridge", [0.8, 0.84])


def test_runs_that_were_sorted_can_be_grouped():
    view = show(sort="-seed")
    assert send(view, kind="ask", question={"group_by": ["params.family"]})["text"] == "6 runs in 3 groups."
    view = show(group_by=["family"], sort="-roc_auc")
    same = {**view.state["question"], "where": "seed < 3"}
    send(view, kind="ask", question=same)
    assert "--sort=-roc_auc" in view.state["command"]


def test_whole_numbers_are_shown_in_full_and_larger_ones_as_texts():
    seeds = ["20261120", "20261121", "7"]
    big = [str(2**53 + 1), str(10**400), "1"]
    view = show(source=Kept(params_seed=seeds, params_big=big, params_mixed=["0.5", "123456", "2"]))
    assert read(view, "params.big")[0] == "9,007,199,254,740,993"
    html = view.body().html
    assert all(text in html for text in ("20,261,120", "20,261,121", "123,456"))


def test_one_value_that_is_far_larger_takes_no_decimals_of_the_others():
    html = show(source=Kept(metrics_loss=[1e10, 0.3123, 0.9217, math.inf]), columns=["loss"]).body().html
    assert all(text in html for text in ("0.3123", "0.9217", "10,000,000,000", "\N{INFINITY}"))


def test_runs_of_a_store_of_mlflow_are_asked_for_there():
    source = build()
    view = RunsView(RunTableReader(lambda: source, None), Question(["roc_auc"]), place="MLflow", mlflow="http://h:1")
    assert view.state["command"] == "workbench runs --mlflow http://h:1 --columns roc_auc"


@pytest.mark.parametrize(
    "content",
    [
        *(
            {"kind": "archive", "runs": "0123"},
            {"kind": "archive"},
            {"kind": "open group", "group": 9},
            {"kind": "ask"},
        ),
        *(
            {"kind": "ask", "question": 7},
            {"kind": "ask", "question": {"columns": 3}},
            {"kind": "nominate", "run": "x"},
        ),
    ],
)
def test_a_message_that_is_none_does_nothing_and_says_so(content):
    done = Done()
    view = show(done)
    before = dict(view.state)
    assert send(view, **content)["is_refused"]
    assert (view.state, done.archived, done.nominated) == (before, [], [])


def test_what_cannot_be_asked_leaves_what_is_shown():
    view = show()
    reply = send(view, kind="ask", question={"where": "roc_auk > 1"})
    assert (reply["is_refused"], "Near it: roc_auc" in reply["text"]) == (True, True)
    assert view.state["headline"] == "6 runs"


def test_deeds_are_done_with_the_runs_that_were_chosen():
    done = Done()
    view = show(done)
    first, second = view.state["ids"][:2]
    assert send(view, kind="archive", runs=[first, second])["text"] == "2 put aside."
    assert send(view, kind="nominate", run=first, model="churn")["text"] == "churn/1 is nominated."
    assert send(view, kind="spell command", run=first)["copy"] == f"workbench run {first}"
    assert (done.archived, done.nominated) == ([first, second], [(first, "churn")])
    refused = send(view, kind="nominate", run=first, model="taken")
    assert (refused["is_refused"], "Somebody was first." in refused["text"]) == (True, True)


def test_runs_of_another_store_are_only_looked_at():
    view = show()
    before = dict(view.reply)
    assert send(view, kind="archive", runs=view.state["ids"]) == before


def test_what_decides_a_metric_is_drawn_until_something_else_is_asked():
    count = 50
    seeds = [str(number % 7) for number in range(count)]
    rates = [number / count for number in range(count)]
    source = Kept(params_rate=[str(rate) for rate in rates], params_seed=seeds, metrics_loss=rates)
    view = RunsView(RunTableReader(lambda: source, None, ["loss"]), Question(), place="here")
    reply = send(view, kind="explain", metric="metrics.loss")
    assert not reply["is_refused"], reply
    assert (view.worth["title"], view.worth["rows"][0][0]) == ("What decides loss", "rate")
    assert "What decides loss" in view.body().html
    send(view, kind="ask", question={})
    assert (dict(view.worth), "What decides loss" in view.body().html) == ({}, False)
    refused = show()
    send(refused, kind="explain", metric="metrics.roc_auc")
    assert "at least 40" in refused.reply["text"]


def test_of_an_open_group_its_own_runs_are_explained():
    rates = [number / 50 for number in range(50)]
    families = ['"a"'] * 44 + ['"b"'] * 6
    source = Kept(params_family=families, params_rate=list(map(str, rates)), metrics_loss=rates)
    view = RunsView(RunTableReader(lambda: source, None, ["loss"]), Question(group_by=["family"]), place="here")
    send(view, kind="open group", group=0)
    send(view, kind="explain", metric="metrics.loss")
    assert ("of 44 runs" in view.worth["says"], view.reply["text"]) == (True, "What decides loss is drawn below.")


def test_the_same_words_twice_are_two_replies():
    view = show()
    one, other = (send(view, kind="ask", question={})["number"] for _ in range(2))
    assert other == one + 1


def test_the_twin_shows_the_first_rows_and_says_how_many_there_are():
    html = show().body().html
    assert ("6 runs" in html, html.partition("wb-compared")[2].count("<tr"), "0.9200" in html) == (True, 7, True)
    grouped = show(group_by=["family"]).body().html
    assert ("6 runs in 3 groups" in grouped, "Student" in grouped) == (True, True)


def test_names_of_runs_are_texts_and_nothing_else():
    view = show()
    view._answer.table._read["run.name"] = ["<script>alert(1)</script>"] * 6
    view._show()
    assert "<script>" not in view.body().html

"""The view of runs shows what was asked, and does with those chosen what its callbacks do; what is refused is said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.unit.runs.test_asked_runs import Kept, build
from workbench.errors import Refused
from workbench.runs.table.reading import Question, RunTableReader
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


def show(done=None, **question):
    source = build()
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

"""A run that goes on, as a view shows it: what is said, what is asked, and that the kernel need not wait."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from tests.contract.stores import build_run
from tests.unit.widgets.test_widgets import HOSTILE, Tags
from workbench.errors import Unavailable
from workbench.runs.run import RunState
from workbench.runs.seen import Kind, Seen
from workbench.widgets.follow_page import follow_body
from workbench.widgets.follow_state import FollowedRun, Tail, follow_state
from workbench.widgets.follow_view import FollowView

RUNNING = FollowedRun(
    build_run(id="3f9a1c27d05b", state=RunState.RUNNING),
    cell=3,
    cells=7,
    at=1.0,
    metrics={"loss": 0.25},
    lines=("epoch 1",),
)


def ended(state: RunState, error: str | None = None) -> FollowedRun:
    return replace(RUNNING, run=replace(RUNNING.run, state=state, error=error))


def wait_for(view: FollowView) -> None:
    view._thread.join(timeout=30)
    assert not view._thread.is_alive()


def test_a_run_that_goes_on_says_where_it_is_and_how_to_stop_it():
    state = follow_state(RUNNING)
    assert state["headline"] == "Run 3f9a1c27d05b of 01_train is running: cell 3 of 7"
    assert (state["done"], state["progress"], state["is_over"]) == (2, "2 of 7 cells done", False)
    assert (state["metrics"], state["lines"]) == ([{"name": "loss", "value": "0.25"}], ["epoch 1"])
    assert state["command"] == "workbench stop 3f9a1c27d05b"


@pytest.mark.parametrize(
    ("state", "done", "tone"),
    [(RunState.FINISHED, 7, "good"), (RunState.FAILED, 2, "bad"), (RunState.KILLED, 2, "bad")],
)
def test_a_run_that_ended_says_how_and_why(state, done, tone):
    shown = follow_state(ended(state, "because"))
    assert shown["headline"] == f"Run 3f9a1c27d05b of 01_train is {state.lower()}"
    assert (shown["done"], shown["tone"], shown["reason"], shown["is_over"]) == (done, tone, "because", True)


def test_before_anything_was_shown_that_is_said():
    state = follow_state(replace(RUNNING, cell=0, metrics={}, lines=()))
    assert state["headline"].endswith("is running")
    assert "nothing so far" in Tags(follow_body(state).html).text


def test_the_last_lines_go_on_where_a_stream_goes_on():
    tail = Tail()
    for text in ("epoch", " 1\nepoch 2", "\r90 %"):
        tail.add([Seen(Kind.STDOUT, text)])
    tail.add([Seen(Kind.METRIC, "loss 0.5"), Seen(Kind.SHOWN, "[image/png]"), Seen(Kind.STDERR, "no")])
    assert tail.lines == ["epoch 1", "90 %", "[image/png]", "no"]
    tail.add([Seen(Kind.STDOUT, "\n".join(map(str, range(100))) + "\n")])
    assert tail.lines == [str(number) for number in range(80, 100)]


def test_no_text_of_a_run_becomes_markup():
    run = build_run(state=RunState.FAILED, error=HOSTILE, notebook=HOSTILE)
    html = follow_body(follow_state(FollowedRun(run, 1, 2, 1.0, {HOSTILE: 0.5}, (HOSTILE,)))).html
    found = Tags(html)
    assert not {"script", "img", "textarea"} & set(found.tags)
    assert found.text.count("<script>alert(1)</script>") >= 3


def test_a_view_looks_until_its_run_is_over_though_the_store_was_away_for_a_moment():
    looks = [RUNNING, Unavailable("The store did not answer."), replace(RUNNING, cell=4), ended(RunState.FINISHED)]

    def read() -> FollowedRun:
        look = looks.pop(0)
        if isinstance(look, Exception):
            raise look
        return look

    view = FollowView(read, lambda: None, pause_s=lambda: 0.0)
    wait_for(view)
    assert looks == []
    assert view.reply == "The store did not answer."
    assert view.summary() == "Run 3f9a1c27d05b of 01_train is finished"
    assert "is finished" in view.snapshot()["text/html"]


def test_a_view_that_is_closed_looks_no_more():
    view = FollowView(lambda: RUNNING, lambda: None, pause_s=lambda: 0.01)
    view.close()
    wait_for(view)


def test_the_button_asks_for_the_end_from_a_thread_of_its_own_and_says_what_became_of_that():
    asked, may_go_on, answers = threading.Event(), threading.Event(), [None, RuntimeError("the store is locked")]

    def stop() -> None:
        asked.set()
        assert may_go_on.wait(30)
        if answer := answers.pop(0):
            raise answer

    view = FollowView(lambda: ended(RunState.FINISHED), stop, pause_s=lambda: 0.0)
    said, told = [], threading.Event()
    view.observe(lambda change: (said.append(change["new"]), told.set()), "reply")
    for _ in range(2):
        view._receive(view, {"kind": "stop"}, [])  # returns though it is not done yet
        assert asked.wait(30)
        may_go_on.set()
        assert told.wait(30)
        told.clear()
    assert said == ["Asked for its end; the process that runs it looks every second.", "the store is locked"]

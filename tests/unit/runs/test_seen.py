"""What is seen of a run is told once, whatever its notebook showed before and shows next."""

from __future__ import annotations

from typing import Any

from workbench.runs.points import Point
from workbench.runs.seen import Kind, Seen, SeenMetrics, SeenNotebook


def cell(source: str, *outputs: dict[str, Any], begun: bool = True, tags: tuple[str, ...] = ()) -> dict[str, Any]:
    metadata = {"tags": list(tags), "papermill": {"start_time": "2026-11-20T11:00:00" if begun else None}}
    kind = {"cell_type": "code", "source": source, "metadata": metadata}
    return {**kind, "outputs": list(outputs), "execution_count": None}


def stream(text: str, name: str = "stdout") -> dict[str, Any]:
    return {"output_type": "stream", "name": name, "text": text}


def shown(**data: Any) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": data}


def look(notebook: SeenNotebook, *cells: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(each.kind), each.text) for each in notebook.look({"cells": list(cells)})]


def test_of_a_stream_that_goes_on_the_rest_is_told_and_a_cell_once():
    notebook, waiting = SeenNotebook(), cell("b", begun=False)
    assert look(notebook, cell("\na = 1", stream("one")), waiting) == [("cell", "1 of 2: a = 1"), ("stdout", "one")]
    assert look(notebook, cell("\na = 1", stream("one")), waiting) == []
    assert look(notebook, cell("\na = 1", stream("one two"), stream("no", "stderr")), cell("b")) == [
        ("stdout", " two"), ("stderr", "no"), ("cell", "2 of 2: b"),
    ]  # fmt: skip
    assert (notebook.cell, notebook.cells) == (2, 2)


def test_what_came_late_to_a_cell_before_is_told_too():
    notebook = SeenNotebook()
    look(notebook, cell("a", stream("one")), cell("b", stream("two")))
    assert look(notebook, cell("a", stream("one more")), cell("b", stream("two"))) == [("stdout", " more")]


def test_a_picture_is_told_by_its_kind_and_everything_else_by_its_text():
    outputs = (
        shown(**{"image/png": "aGVq", "text/plain": "<Figure>"}),
        shown(**{"text/html": "<b>", "text/plain": ["a\n", "b"]}),
    )
    raised = {
        "output_type": "error",
        "ename": "ValueError",
        "evalue": "no",
        "traceback": ["\x1b[31mValueError\x1b[0m", "no"],
    }
    assert look(SeenNotebook(), cell("a", *outputs, raised))[1:] == [
        ("shown", "[image/png]"), ("shown", "a\nb"), ("error", "ValueError\nno"),
    ]  # fmt: skip


def test_after_its_outputs_were_cleared_a_cell_is_told_anew():
    notebook = SeenNotebook()
    look(notebook, cell("a", stream("10 %"), stream("no", "stderr")))
    assert look(notebook, cell("a", stream("20 %"))) == [("stdout", "20 %")]


def test_another_attempt_is_told_from_its_beginning():
    notebook = SeenNotebook()
    look(notebook, cell("a", stream("one")), cell("b"))
    assert look(notebook, cell("a", stream("one")), cell("b", begun=False)) == [
        ("cell", "1 of 2: a"),
        ("stdout", "one"),
    ]


def test_injected_parameters_are_no_cell_of_the_author_but_what_they_print_is_told():
    injected = cell("a = 2", stream("x"), tags=("injected-parameters",))
    assert look(SeenNotebook(), cell("a = 1"), injected) == [("cell", "1 of 1: a = 1"), ("stdout", "x")]


def test_a_metric_is_told_when_it_changed_with_its_course():
    metrics, points = SeenMetrics(), [Point("loss", 0.5, 1, 1), Point("loss", 0.25, 2, 2), Point("auc", 0.9, 0, 2)]
    assert list(metrics.look(points[:1])) == [Seen(Kind.METRIC, "loss 0.5 at step 1")]
    assert [each.text for each in metrics.look(points)] == ["loss 0.25 at step 2 (2 points)", "auc 0.9"]
    assert list(metrics.look(points)) == []
    assert metrics.values == {"loss": 0.25, "auc": 0.9}

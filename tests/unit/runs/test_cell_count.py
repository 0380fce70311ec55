"""The cells of runs are counted as their author counts them, and each once."""

from __future__ import annotations

import nbformat

from workbench.notebooks.notebook import number_cells
from workbench.runs.batch import CurrentCell
from workbench.runs.cell_count import CellCount


def test_a_cell_counts_once_it_is_over():
    count = CellCount(each=3)
    done = []
    for note in (
        lambda: count.enter("a", 0, 1.0),
        lambda: count.enter("a", 1, 2.0),
        lambda: count.enter("a", 3, 3.0),
        lambda: count.leave("a"),
        lambda: count.end("a"),
    ):
        note()
        done.append(count.done)
    assert done == [0, 0, 2, 3, 4]


def test_the_cell_that_has_been_running_the_longest_is_told_with_whole_seconds():
    count = CellCount(each=3)
    assert count.find_longest(0.0) is None
    for run_id, cell, now_s in (("a", 1, 1.0), ("b", 2, 2.0), ("b", 2, 5.0), ("a", 2, 4.0)):
        count.enter(run_id, cell, now_s)
    assert count.find_longest(5.7) == CurrentCell("b", 2, 3, 3)
    count.leave("b")
    assert count.find_longest(5.7) == CurrentCell("a", 2, 3, 1)


def test_a_run_that_is_tried_again_is_counted_from_its_first_cell():
    count = CellCount(each=3)
    count.enter("a", 3, 1.0)
    count.leave("a")
    count.enter("a", 1, 2.0)
    assert count.done == 0


def test_text_and_injected_parameters_count_as_the_cell_before():
    code, text = nbformat.v4.new_code_cell, nbformat.v4.new_markdown_cell
    injected = code("a = 2", metadata={"tags": ["injected-parameters"]})
    document = {"cells": [text("# Title"), code("a = 1"), injected, text("and"), code("a"), code(""), code("a + 1")]}
    assert number_cells(document) == [1, 1, 1, 1, 2, 2, 3]

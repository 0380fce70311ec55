"""What an executed notebook itself shows: which cells ran, in which order, what failed and where."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.notebooks.builders import SEED, code, document, error, markdown
from workbench.notebooks.notebook import INJECTED, find_failed_line, read_execution


def test_a_notebook_that_ran_top_to_bottom_is_clean():
    execution = read_execution(document(SEED | {"execution_count": 1}, markdown("x"), code("1", 2)), completed=True)
    assert execution.is_clean
    assert (execution.code_cells, execution.executed_cells, execution.failed_cell) == (2, 2, None)


@pytest.mark.parametrize(
    "cells",
    [
        [code("1", 1), code("2", None)],
        [code("1", 1), code("2", None, outputs=[{"output_type": "stream", "name": "stdout", "text": "stale"}])],
        [code("1", 2), code("2", 1)],
        [code("1", 1), code("2", 1)],
        [code("1", 1), code("2", 2, outputs=[error()])],
        [code("", 1, outputs=[]), code("2", None)],
    ],
    ids=["never ran", "stale output", "out of order", "one count twice", "error", "only an empty cell ran"],
)
def test_a_notebook_with_a_cell_that_did_not_run_in_its_place_is_not_clean(cells):
    assert not read_execution(document(*cells), completed=True).is_clean


def test_a_notebook_the_kernel_did_not_confirm_is_not_clean():
    assert not read_execution(document(code("1", 1)), completed=False).is_clean


def test_empty_cells_are_not_expected_to_run():
    execution = read_execution(document(code("1", 1), code(" \n\t", None), code("2", 2)), completed=True)
    assert execution.is_clean
    assert execution.code_cells == 2


def test_a_jump_in_the_counts_is_in_order():
    assert read_execution(document(code("1", 3), code("2", 9)), completed=True).in_order


def test_a_failed_cell_is_numbered_as_its_author_sees_it():
    cells = [markdown("x"), SEED | {"execution_count": 1}, code("seed = 3", 2, tags=[INJECTED])]
    execution = read_execution(
        document(*cells, code("1 / 0", 3, outputs=[error("ZeroDivisionError", "division by zero")])), completed=True
    )
    assert (execution.failed_cell, execution.error) == (2, "ZeroDivisionError: division by zero")
    assert execution.code_cells == 3


def test_the_first_error_is_the_one_that_is_told():
    cells = [code("a", 1, outputs=[error("First")]), code("b", 2, outputs=[error("Second")])]
    assert read_execution(document(*cells), completed=True).error == "First: no"


def test_a_cell_that_was_expected_to_fail_is_not_told_in_place_of_the_one_that_ended_the_run():
    expected = code("a", 1, outputs=[error("Expected")], tags=["raises-exception"])
    execution = read_execution(document(expected, code("b", 2, outputs=[error("Real")])), completed=True)
    assert (execution.failed_cell, execution.error) == (2, "Real: no")
    alone = read_execution(document(expected), completed=True)
    assert (alone.failed_cell, alone.error) == (1, "Expected: no")


TOLD = [
    "\x1b[31mZeroDivisionError\x1b[39m  Traceback (most recent call last)",
    "\x1b[36mCell\x1b[39m\x1b[36m \x1b[39m\x1b[32mIn[4]\x1b[39m\x1b[32m, line 3\x1b[39m",
    "Cell In[2], line 2, in ratio(a, b)",
]


def fail(source: str, traceback: object) -> str | None:
    cells = [code("a", 2), code("seed = 3", 3, tags=[INJECTED]), code(source, 4)]
    cells[2]["outputs"] = [error() | {"traceback": traceback}]
    return find_failed_line(document(*cells), 2)


def test_the_line_that_failed_is_that_of_the_cell_and_not_of_a_function_it_called():
    assert fail("x = 1\n\n  y = ratio(x, 0)\n", TOLD) == "line 3: y = ratio(x, 0)"


def test_a_long_line_is_cut():
    line = fail("\n\n" + "x" * 200, TOLD)
    assert line == f"line 3: {'x' * 79}…"


@pytest.mark.parametrize(
    ("source", "traceback"),
    [("one line", TOLD), ("a\nb\nc", []), ("a\nb\nc", None), ("a\nb\nc", 7), ("a\nb\nc", ["In[4], line 0"])],
)
def test_what_tells_no_line_of_the_cell_gives_none(source, traceback):
    assert fail(source, traceback) is None


@given(st.lists(st.none() | st.integers(1, 6), min_size=1, max_size=6))
def test_a_clean_notebook_has_rising_counts_in_every_cell(counts):
    execution = read_execution(document(*(code("x", count) for count in counts)), completed=True)
    rises = None not in counts and all(a < b for a, b in itertools.pairwise(counts))
    assert execution.is_clean is rises

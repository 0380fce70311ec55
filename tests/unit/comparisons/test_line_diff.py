"""Lines that differ: as few as can be, both texts whole in them, and an end to it whatever the texts are."""

from __future__ import annotations

from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.comparisons.difference.cell_pairs import list_cells, match_cells
from workbench.comparisons.difference.line_diff import MOST_DIFFERING, align, diff_texts, find_first_difference

LINES = st.lists(st.sampled_from("abc"), max_size=12)


@given(LINES, LINES)
def test_both_texts_are_whole_in_the_lines_and_no_other_way_has_fewer_marks(before, after):
    lines = align(before, after)
    assert lines is not None
    assert [line[1:] for line in lines if line[0] != "+"] == before
    assert [line[1:] for line in lines if line[0] != "-"] == after
    common = sum(block.size for block in SequenceMatcher(None, before, after, autojunk=False).get_matching_blocks())
    assert sum(line[0] == " " for line in lines) >= common


def test_texts_that_differ_in_too_many_lines_are_shown_by_their_beginnings():
    before, after = ("\n".join(f"{letter}{number}" for number in range(3_000)) for letter in "ab")
    found = diff_texts("log", before, after)
    assert found.lines[0] == "-a0"
    assert found.lines[12] == "+b0"
    assert found.cut == f"more than {MOST_DIFFERING} lines differ, of 3,000 and 3,000: these are the first"


def test_far_lines_are_told_apart_and_long_ones_are_cut():
    lines = [str(number) for number in range(50)]
    found = diff_texts("", "\n".join(lines), "\n".join(["first", *lines[1:-1], "x" * 10_000]))
    assert found.lines[:4] == ("-0", "+first", " 1", " 2")
    assert found.lines[4] == ""
    assert found.lines[-1].endswith("x… (10,000 characters)")


CELL = st.sampled_from(["import a", "x = 1\ny = 2\nz = 3", "x = 1\ny = 2\nz = 4", "fit(x)", "fit(y)", "# text"])


@given(st.lists(CELL, max_size=8), st.lists(CELL, max_size=8))
def test_no_cell_is_lost_and_none_is_two(before, after):
    cells = [
        list_cells({"cells": [{"cell_type": "code", "source": text} for text in each]}) for each in (before, after)
    ]
    found = match_cells(*cells)
    assert sorted([*(each.before.number for each in found.matched), *(each.number for each in found.removed)]) == [
        cell.number for cell in cells[0]
    ]
    assert sorted([*(each.after.number for each in found.matched), *(each.number for each in found.added)]) == [
        cell.number for cell in cells[1]
    ]
    if before == after:
        assert not any(each.is_moved or each.is_changed for each in found.matched)


def test_hundreds_of_cells_that_are_all_alike_are_matched_in_no_time():
    cells = [
        list_cells(
            {"cells": [{"cell_type": "code", "source": f"plot(data, {shift + number})"} for number in range(600)]}
        )
        for shift in (0, 10_000)
    ]
    found = match_cells(*cells)
    assert len(found.matched) == 600
    assert all(each.before.number == each.after.number for each in found.matched)


def test_of_long_lines_what_differs_is_in_sight():
    before, after = ("x" * 5_000 + end + "y" * 5_000 for end in ("one", "two"))
    ours, theirs = diff_texts("", before, after).lines
    assert ours.startswith(f"-…{'x' * 40}one")
    assert theirs.startswith(f"+…{'x' * 40}two")
    assert diff_texts("", "", "z" * 300).lines == (f"+{'z' * 200}… (300 characters)",)


@pytest.mark.parametrize("place", [0, 1, 4_095, 4_096, 4_097, 9_999])
def test_where_two_texts_first_differ_is_found(place):
    text = "x" * 10_000
    assert find_first_difference(text, f"{text[:place]}y{text[place + 1 :]}") == place
    assert find_first_difference(text, text[:place]) == place
    assert find_first_difference(text, text) == len(text)

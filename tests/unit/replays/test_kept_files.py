"""A replay tells which kept files have other bytes, and judges none of them."""

from __future__ import annotations

from workbench.replays.kept_files import compare_kept
from workbench.runs.kept_files import KeptFile


def test_what_has_the_same_bytes_is_counted_and_the_rest_is_named():
    then = [KeptFile("a", 1, "1"), KeptFile("b", 1, "1"), KeptFile("c", 1, "1")]
    (said,) = compare_kept(then, [KeptFile("a", 1, "1"), KeptFile("b", 1, "2"), KeptFile("d", 1, "1")])
    assert said.endswith("1 with the same bytes; other bytes: b; kept only then: c; kept only now: d.")


def test_of_many_the_first_are_named():
    (said,) = compare_kept([KeptFile(f"{number}", 1, "1") for number in range(9)], [])
    assert said.endswith("0 with the same bytes; kept only then: 0, 1, 2, 3, 4 and 4 more.")


def test_where_nothing_was_kept_nothing_is_said():
    assert compare_kept([], []) == []

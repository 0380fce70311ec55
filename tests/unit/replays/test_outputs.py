"""Of two outputs counts what a notebook means to show, up to computed numbers."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.replays.builders import code, outputs, stream
from workbench.notebooks.cell_output import Shown
from workbench.records.closeness import find_difference, find_text_difference
from workbench.records.digest import sha256_hex


@given(st.floats(allow_nan=False), st.floats(allow_nan=False))
def test_a_difference_is_the_same_from_both_sides_and_zero_only_for_equals(one, other):
    assert find_difference(one, other) == find_difference(other, one)
    assert (find_difference(one, one), find_difference(one, other) >= 0) == (0, True)


@pytest.mark.parametrize(
    ("then", "now", "expected"),
    [
        ("auc 0.5", "auc 0.5", 0),
        ("auc 0.50", "auc 0.55", pytest.approx(0.0909, abs=1e-4)),
        ("auc 0.5 of 3", "auc 0.5 of 4", None),
        ("auc 0.5", "AUC 0.5", None),
        ("1e-3 and 2.0", "1e-3 and 2.5", pytest.approx(0.2)),
        ("version 1.2.3", "version 1.2.4", None),
        ("0.5", "0.5 0.5", None),
    ],
)
def test_two_texts_are_close_when_only_computed_numbers_differ(then, now, expected):
    assert find_text_difference(then, now) == expected


def shown(**data) -> dict:
    kinds = {"plain": "text/plain", "html": "text/html", "png": "image/png", "svg": "image/svg+xml"}
    return {"output_type": "display_data", "metadata": {}, "data": {kinds[key]: value for key, value in data.items()}}


def test_what_a_stream_said_is_one_text_however_it_came():
    found = outputs(code("a = 1"), code("b", stream("one "), stream("oh", "stderr"), stream(["two", "\n"])))
    assert found == {"cell 2 stdout": Shown("one two\n"), "cell 2 stderr": Shown("oh")}


def test_cells_are_numbered_as_the_author_sees_them():
    injected = code("a = 2", stream("never counted"), tags=("injected-parameters",))
    found = outputs(
        {"cell_type": "markdown", "source": "#"}, code("a = 1"), injected, code("  "), code("a", stream("2"))
    )
    assert found == {"cell 2 stdout": Shown("2")}


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (stream("<object object at 0x7f3a5c0d1e20>"), stream("<object object at 0x7fffb2c3d4e5>")),
        (stream("kept in runs/aaaa1111"), stream("kept in runs/bbbb2222")),
        (shown(html="<style>#T_1a2b3 {}</style>"), shown(html="<style>#T_ffe01 {}</style>")),
        (shown(png="aGVs\nbG8=\n"), shown(png="aGVsbG8=")),
    ],
)
def test_what_is_another_one_at_every_execution_does_not_count(then, now):
    names = ("aaaa1111", "bbbb2222")
    assert outputs(code("x", then), own_names=names) == outputs(code("x", now), own_names=names)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        (stream("0.5"), stream("0.6")),
        (stream("1"), stream("1", "stderr")),
        (shown(plain="3"), shown(plain="4")),
        (shown(png=base64.b64encode(b"one").decode()), shown(png=base64.b64encode(b"two").decode())),
        (stream("colour 0xff"), stream("colour 0xfe")),
        (stream("3f2504e0-4f89-11d3-9a0c-0305e82c3301"), stream("3f2504e0-4f89-11d3-9a0c-0305e82c3302")),
    ],
)
def test_what_a_notebook_means_to_show_counts(then, now):
    assert outputs(code("x", then)) != outputs(code("x", now))


def test_a_picture_is_known_by_its_bytes():
    assert outputs(code("x", shown(png="aGVsbG8="))) == {
        "cell 1 output 1 image/png": Shown(sha256_hex(b"hello"), is_text=False)
    }

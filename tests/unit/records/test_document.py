"""A record is read back from its document, or it is refused."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import pytest

from workbench.records.document import build_record
from workbench.runs.run import RunState


@dataclass(frozen=True)
class Inner:
    count: int
    share: float | None


@dataclass(frozen=True)
class Outer:
    name: str
    state: RunState
    is_done: bool
    inner: Inner | None
    many: tuple[Inner, ...]
    none: tuple[str, ...] | None
    free: dict[str, Any]


RECORD = Outer("a", RunState.LOST, True, Inner(1, None), (Inner(2, 0.5), Inner(3, 1.0)), None, {"x": [1]})
DOCUMENT = {**asdict(RECORD), "many": [asdict(item) for item in RECORD.many]}


def test_a_record_comes_back_as_it_was():
    assert build_record(Outer, DOCUMENT) == RECORD


def test_a_whole_number_is_a_number():
    assert build_record(Inner, {"count": 1, "share": 1}) == Inner(1, 1)


@pytest.mark.parametrize(
    "change",
    [
        {"name": 3},
        {"name": None},
        {"state": "GONE"},
        {"is_done": 1},
        {"inner": {"count": 1}},
        {"inner": {"count": 1, "share": None, "more": 2}},
        {"inner": {"count": 1.0, "share": None}},
        {"inner": {"count": True, "share": None}},
        {"inner": {"count": 1, "share": "0.5"}},
        {"inner": [1, None]},
        {"many": "ab"},
        {"many": {"0": None}},
        {"many": [None]},
        {"none": [1]},
        {"more": 1},
    ],
)
def test_another_shape_is_refused(change):
    with pytest.raises((ValueError, TypeError)):
        build_record(Outer, {**DOCUMENT, **change})

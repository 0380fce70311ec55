"""Which files several runs wrote is said as far as it is known, and no further."""

from __future__ import annotations

from collections.abc import Iterable

from tests.unit.runs.reports import build_run
from workbench.runs.local_files import SeenBy
from workbench.runs.run import Run
from workbench.runs.written_files import find_overwritten

FILE = {"path": "models/best.joblib", "bytes": 9, "appended": False, "seen_by": SeenBy.KERNEL}


def build(name: str, start: int, end: int, *files: dict, kept: Iterable[dict] = ()) -> Run:
    record = {"written_files": [*files], "kept_files": [*kept]}
    times = (f"2026-01-01T00:00:{second:02}+00:00" for second in (start, end))
    started, ended = times
    return build_run(id=name, created=started, started=started, ended=ended, record=record)


def said(*runs: Run) -> list[str]:
    return [str(each) for each in find_overwritten(runs)]


def test_of_runs_one_after_the_other_the_last_one_is_named():
    runs = [build("b", 3, 4, FILE), build("a", 0, 2, FILE), build("c", 5, 6, FILE)]
    words = "models/best.joblib, by 3 runs, one after the other: what is left is of the last, run c"
    assert said(*runs) == [words]


def test_of_runs_at_the_same_time_nobody_is():
    (words,) = said(build("a", 0, 2, FILE), build("b", 1, 3, FILE))
    assert words.endswith("by 2 runs, some at the same time: what is left is of one of them")


def test_one_run_or_a_name_for_each_is_nothing():
    assert said(build("a", 0, 2, FILE), build("b", 3, 4, {**FILE, "path": "models/b.joblib"}), build("c", 5, 6)) == []


def test_what_only_grew_is_not_overwritten():
    assert said(*(build(name, 0, 1, {**FILE, "appended": True}) for name in "abc")) == []


def test_what_the_system_saw_in_runs_at_the_same_time_one_of_them_may_have_written():
    by_system = {**FILE, "seen_by": SeenBy.SYSTEM}
    assert said(build("a", 0, 2, by_system), build("b", 1, 3, by_system)) == []
    assert said(build("a", 0, 2, FILE), build("b", 1, 3, by_system)) == []
    pairs = [
        build("a", 0, 2, by_system),
        build("b", 1, 3, by_system),
        build("c", 3, 5, by_system),
        build("d", 4, 6, by_system),
    ]
    assert said(*pairs) == ["models/best.joblib, while each of 2 runs went on, by them or another program"]


def test_what_each_kept_is_not_lost_unless_they_wrote_at_the_same_time():
    copies = [{"path": "best.joblib", "bytes": 9, "digest": "d"}]
    assert said(build("a", 0, 2, FILE, kept=copies), build("b", 3, 4, FILE, kept=copies)) == []
    assert len(said(build("a", 0, 2, FILE, kept=copies), build("b", 3, 4, FILE))) == 1
    assert len(said(build("a", 0, 2, FILE, kept=copies), build("b", 1, 4, FILE, kept=copies))) == 1

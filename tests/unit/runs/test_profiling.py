"""Every moment of a run belongs to one part of its profile, and what the kernel was waited for is told by what it did."""

from __future__ import annotations

import time

import pytest

from workbench.runs.profiling import is_profiled, note_execution, profiled, timed


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still but for what a test says."""
    now = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])

    def wait(seconds: float) -> None:
        now[0] += seconds

    return wait


def cell(source: str, start: str, seconds: float) -> dict:
    ran = {"start_time": f"2026-01-01T00:00:{start}+00:00", "duration": seconds}
    return {"cell_type": "code", "source": source, "metadata": {"papermill": ran}}


def test_a_part_within_another_takes_its_time_from_it(clock):
    with profiled() as profile:
        clock(1)
        with timed("collecting"):
            clock(2)
            with timed("report"):
                clock(4)
            clock(8)
    started = profile.seconds.pop("command's start")
    assert started >= 0
    assert profile.seconds == {"preparing": 1, "collecting": 10, "report": 4}


def test_what_the_kernel_was_waited_for_is_its_start_imports_cells_and_end(clock):
    document = {
        "metadata": {"papermill": {"start_time": "2026-01-01T00:00:01+00:00"}},
        "cells": [
            {"cell_type": "markdown", "source": "# Title", "metadata": {}},
            cell("import pandas\nimport sklearn", "03", 2.0),
            cell("\nfit(rows)", "05", 3.0),
        ],
    }
    with profiled() as profile, timed("kernel"):
        clock(8)
    note_execution(document, 1.5)  # of no run that is measured any more
    profile.note_execution(document, 1.5)
    del profile.seconds["command's start"]
    assert profile.seconds == {
        "preparing": 0,
        "kernel's start": 2,
        "imports": 1.5,
        "cells": 3.5,
        "kernel's end, waiting": 1,
    }
    assert profile.cells == (("fit(rows)", 3.0), ("import pandas", 2.0))


def test_what_is_not_measured_costs_nothing_and_is_told_nowhere(clock):
    with timed("report"):
        assert not is_profiled()
    with profiled() as profile:
        assert is_profiled()
    assert not is_profiled()
    assert "report" not in profile.seconds


def test_an_error_ends_a_part_as_well(clock):
    with profiled() as profile:
        with pytest.raises(ValueError, match="no"), timed("report"):
            clock(1)
            raise ValueError("no")
        clock(2)
    assert (profile.seconds["report"], profile.seconds["preparing"]) == (1, 2)

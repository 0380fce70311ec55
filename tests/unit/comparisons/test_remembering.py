"""What is kept of comparisons: what no program of ours wrote is nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from workbench.comparisons.remembering import KeptResults
from workbench.stats.interval import Interval


@pytest.mark.parametrize("said", ['["a", 1, 2, 3]', "[null, 1, 2, 3]", "[1, 2, 3]", "[NaN, 1, 2, 3]", '"text"'])
def test_an_interval_that_is_none_is_computed_again(tmp_path: Path, said: str) -> None:
    kept, interval = KeptResults(tmp_path / "results.db"), Interval(0.2, 0.1, 0.3, 0.95)
    kept.keep_intervals({"one": interval, "other": interval})
    with closing(sqlite3.connect(tmp_path / "results.db")) as connection, connection:
        connection.execute("UPDATE results SET said = ? WHERE asked = 'one'", (said,))
    assert kept.find_intervals(["one", "other"]) == {"other": interval}

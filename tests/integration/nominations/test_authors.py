"""Nobody approves what they wrote: authors are known before a run starts, by the lines that survive, however names are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import NOTEBOOKS, run_command
from workbench.config import Settings
from workbench.workflow import Workbench

NOTEBOOK = NOTEBOOKS / "logs_everything.ipynb"


@pytest.mark.parametrize("author", ["Ada <ada@example.org>", "\u0430da@example.org"])
def test_an_author_who_could_not_be_a_principal_is_refused_before_anything_starts(project: Path, author: str) -> None:
    done = run_command(project, "run", str(NOTEBOOK), WORKBENCH_AUTHOR=author)
    said = " ".join(done.stderr.split())
    assert done.returncode == 2
    assert "cannot be an author" in said
    assert "WORKBENCH_AUTHOR=" in said
    bench = Workbench.open(Settings(project))
    assert (bench.list_runs(), bench.store.read_ledger()) == ([], [])
    bench.store.close()

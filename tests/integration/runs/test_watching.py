"""What runs can be watched while it runs, and by others: how far it is, what its notebook shows, what it measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from tests.conftest import AUTHOR
from workbench.config import Settings
from workbench.runs.batch import Progress
from workbench.workflow import Workbench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(make_project(tmp_path_factory.mktemp("watched") / "project"), author=AUTHOR))
    yield opened
    opened.store.close()


def write_notebook(folder: Path, *cells: str, declared: str = "gate = ''") -> Path:
    path = folder / "watched.ipynb"
    parameters = nbformat.v4.new_code_cell(declared, metadata={"tags": ["parameters"]})
    made = nbformat.v4.new_notebook(cells=[parameters, *map(nbformat.v4.new_code_cell, cells)])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(made, path)
    return path


WAIT = "import pathlib, time\nwhile not pathlib.Path(gate).exists():\n    time.sleep(0.02)"


def test_while_the_last_cell_runs_it_is_not_said_to_be_done(bench: Workbench, tmp_path: Path) -> None:
    gate, told = tmp_path / "gate", list[Progress]()

    def note(progress: Progress) -> None:
        told.append(progress)
        if progress.current and progress.current.cell == 2 and progress.current.for_s >= 1:
            gate.touch()

    bench.run(write_notebook(tmp_path, WAIT), {"gate": str(gate)}, on_progress=note)
    last = [each for each in told if each.current and each.current.cell == 2]
    assert {(each.cells, each.current.cells, each.all_cells) for each in last} == {(1, 2, 3)}
    assert max(each.current.for_s for each in last) >= 1
    kept = told[told.index(last[-1]) + 1 :]
    assert [(each.cells, each.current) for each in kept] == [(2, None), (3, None)]

"""What is said to stop a notebook does stop its run, at the very cell and line; what is said to run does run."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, examples
from tests.unit.readiness.builders import code, notebook
from workbench.config import Settings
from workbench.errors import RunFailed
from workbench.workflow import Workbench

STOPS = {
    "input": "x = 1\ninput('Which?')",
    "no Python": "x = 1\nfor",
    "module": "x = 1\nimport no_such_module",
    "submodule": "x = 1\nfrom sklearn.cross_validation import KFold",
    "name": "x = 1\nfrom sklearn.metrics import plot_confusion_matrix",
    "file": "x = 1\nopen('no_such.txt')",
    "style": "import matplotlib.pyplot as plt\nplt.style.use('seaborn-whitegrid')",
    "extension": "x = 1\n%load_ext no_such_extension",
    "debugger": "import pdb; x = 1\npdb.set_trace()",
    "password": "from getpass import getpass\ngetpass()",
}
RUNS = {
    "magics": "%matplotlib inline\nfiles = !ls\n%time x = 1\nassert x == 1",
    "breakpoint": "breakpoint()\n%debug",
    "files": "open('new.txt', 'w').write('1')\nassert open('new.txt').read() == '1'",
    "beside": "import helper_of_mine\nassert helper_of_mine.x == 1",
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(make_project(tmp_path_factory.mktemp("checked") / "project"), author=AUTHOR))
    yield opened
    opened.store.close()


def write(bench: Workbench, source: str) -> Path:
    path = bench.settings.project / "n.ipynb"
    (path.parent / "helper_of_mine.py").write_text("x = 1\n", encoding="utf-8")
    path.write_text(json.dumps(notebook(code("seed: int = 0", tags=("parameters",)), source)), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", examples(STOPS, ["input", "submodule"]))
def test_what_is_said_to_stop_a_run_stops_it_there(bench: Workbench, name: str) -> None:
    path = write(bench, STOPS[name])
    (found,) = bench.check(path).hindrances
    assert (found.effect, found.cell, found.line) == ("stops", 2, 2)
    with pytest.raises(RunFailed) as failed:
        bench.run(path, {})
    assert failed.value.reasons[0].startswith("Cell 2 raised")


@pytest.mark.parametrize("name", examples(RUNS, ["magics"]))
def test_what_is_said_to_run_runs(bench: Workbench, name: str) -> None:
    path = write(bench, RUNS[name])
    assert bench.check(path).runs_unattended
    assert bench.run(path, {}).is_finished

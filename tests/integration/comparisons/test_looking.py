"""Whatever had the holdout at hand counts as a try: runs that failed, were killed or lost, first attempts, drafts, noisy copies."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import nbformat
import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, examples, own_environment, start_command
from workbench.comparisons.holdouts import holdout_digest
from workbench.comparisons.looking import find_looks, find_looks_at
from workbench.config import Settings
from workbench.errors import RunFailed
from workbench.ledger.ledger import Event
from workbench.runs.folder import LOOKS
from workbench.runs.looks import Look, count_distinct
from workbench.runs.reaping import reap_lost_runs
from workbench.runs.run import Run, RunState
from workbench.workflow import Workbench

ENDING = {
    "raise": 'print("it scored", score[0])\nraise ValueError("after the score was shown")',
    "die": "import os\nos.kill(os.getpid(), 9)",
    "wait": "import time\ntime.sleep(120)",
    "noise": "",
}
COLUMNS = {"raise": 1, "die": 2, "noise": 3}


def write(folder: Path, ending: str) -> Path:
    """Write the notebook that logs everything with another end, or on a holdout with a little noise and in another order."""
    notebook = nbformat.read(NOTEBOOKS / "logs_everything.ipynb", as_version=4)
    model = notebook.cells.pop()
    notebook.cells.append(nbformat.v4.new_code_cell(ENDING[ending] or model.source))
    if ending == "noise":
        noisy = "train, holdout = table[:300], table[300:].sample(frac=1).reset_index(drop=True).assign(x0=lambda t: t.x0 + 1e-7)"
        notebook.cells[2].source = notebook.cells[2].source.replace("train, holdout = table[:300], table[300:]", noisy)
    path = folder / f"{ending}.ipynb"
    nbformat.write(notebook, path)
    return path


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    project = make_project(tmp_path_factory.mktemp("looked") / "project")
    opened = Workbench.open(Settings(project, author=AUTHOR, retries=1))
    yield opened
    opened.store.close()


@pytest.fixture(scope="module")
def good(bench: Workbench) -> Run:
    return bench.run(NOTEBOOKS / "logs_everything.ipynb", {})


def looks_since(bench: Workbench, good: Run, before: list[Look]) -> list[tuple[str, int]]:
    """Return what looks came to the holdout: the state of the attempt (or draft), and which it was."""
    known = {(look.folder, look.run.attempt if look.run else 0) for look in before}
    new = [look for look in find_looks(bench, good) if (look.folder, look.run.attempt if look.run else 0) not in known]
    return sorted((look.run.state, look.run.attempt) if look.run else ("draft", 0) for look in new)


@pytest.mark.parametrize(
    ("ending", "seen"),
    [
        ("raise", [(RunState.FAILED, 1)]),
        ("die", [(RunState.FAILED, 1), (RunState.FAILED, 2)]),
        ("noise", [(RunState.FINISHED, 1)]),
    ],
)
def test_a_run_that_had_the_holdout_at_hand_is_a_try_each_attempt(
    bench: Workbench, good: Run, tmp_path: Path, ending: str, seen: list[tuple[str, int]]
) -> None:
    before = find_looks(bench, good)
    with suppress(RunFailed):
        bench.run(write(tmp_path, ending), {"columns": COLUMNS[ending]})
    assert looks_since(bench, good, before) == seen
    after, digest = find_looks(bench, good), str(holdout_digest(good))
    assert count_distinct(after) > count_distinct(before)
    just_these = [(look.since, look.predicted) for look in after if look.digest == digest]
    assert sorted((look.since, look.predicted) for look in find_looks_at(bench, digest)) == sorted(just_these)


ENDINGS = [(signal.SIGINT, RunState.KILLED), (signal.SIGKILL, RunState.LOST)]


@pytest.mark.parametrize(("how", "state"), examples(ENDINGS, ENDINGS[:1]))
def test_a_run_that_is_stopped_after_it_showed_its_score_is_a_try(
    bench: Workbench, good: Run, tmp_path: Path, how: signal.Signals, state: RunState
) -> None:
    before = find_looks(bench, good)
    folder = bench.settings.runs_folder
    known = set(folder.glob(f"*/{LOOKS}"))
    with start_command(bench.settings.project, "run", str(write(tmp_path, "wait"))) as running:
        while set(folder.glob(f"*/{LOOKS}")) <= known:
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(how)
        running.communicate(timeout=60)
    reap_lost_runs(bench.settings, bench.store)
    assert looks_since(bench, good, before) == [(state, 1)]


def test_a_draft_is_a_try_and_the_rules_are_in_the_ledger_before_it(
    bench: Workbench, good: Run, make_project: Callable[[Path], Path], tmp_path: Path
) -> None:
    notebook = nbformat.read(NOTEBOOKS / "logs_everything.ipynb", as_version=4)
    draft = tmp_path / "by_hand.py"
    draft.write_text("\n".join(cell.source for cell in notebook.cells if cell.cell_type == "code"), encoding="utf-8")
    before = find_looks(bench, good)
    project = make_project(tmp_path / "fresh")
    for folder in (bench.settings.project, project):
        subprocess.run([sys.executable, str(draft)], cwd=folder, env=own_environment(), check=True, capture_output=True)
    assert looks_since(bench, good, before) == [("draft", 0)]
    assert count_distinct(find_looks(bench, good)) == count_distinct(before)  # it saw what the run had shown
    fresh = Workbench.open(Settings(project, author=AUTHOR))
    (planned,) = [entry for entry in fresh.store.read_ledger() if entry.event is Event.PLANNED]
    run = fresh.run(NOTEBOOKS / "logs_everything.ipynb", {})
    (look,) = [look for look in find_looks(fresh, run) if look.run is None]
    assert planned.time < look.since
    review = fresh.nominate(run.id, "shop")
    (finding,) = [finding for finding in review.findings if finding.check == "planned_first"]
    assert finding.status == "PASS"
    fresh.store.close()

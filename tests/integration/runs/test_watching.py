"""What runs can be watched while it runs, and by others: how far it is, what its notebook shows, what it measured."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest

from tests.conftest import AUTHOR, run_command, run_process, start_command, wait_until
from workbench.config import Settings
from workbench.runs.batch import Progress
from workbench.runs.following import Follower
from workbench.runs.seen import Kind, Seen
from workbench.workflow import Workbench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = Workbench.open(
        Settings(make_project(tmp_path_factory.mktemp("watched") / "project"), author=AUTHOR, cell_timeout_s=30)
    )
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


SECRET = "sk-4f9aQ7zLx81"
STEPS = (
    "print('half', flush=True)",
    f"import workbench as wb\nwb.log_metrics({{'loss': 0.25}})\nprint('sk-' + {SECRET[3:7]!r}, end='', flush=True)",
    f"{WAIT}\nprint({SECRET[7:]!r})",
)


def test_a_run_is_seen_by_others_while_it_runs_without_its_secrets(
    bench: Workbench, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.setenv("SOME_TOKEN", SECRET)
    gate, seen, reports = tmp_path / "gate", list[Seen](), set[bool]()
    followers: list[Follower] = []

    def look(progress: Progress) -> None:
        if not followers and progress.current:
            followers.append(bench.follow(progress.current.run_id))
        if not gate.exists():
            seen.extend(new := followers[0].read_new())
            assert all(SECRET[:7] not in each.text for each in new)
            report = bench.settings.runs_folder / progress.current.run_id / "report.html"
            text = report.read_text(encoding="utf-8") if report.exists() else ""
            reports.add('http-equiv="refresh"' in text and "half" in text and "0.25" in text and SECRET[:7] not in text)
            if {"half\n", "loss 0.25"} <= {each.text for each in seen} and True in reports:
                assert "4 of 4" in [each.text for each in seen if each.kind is Kind.CELL][-1]
                gate.touch()

    run = bench.run(write_notebook(tmp_path, *STEPS), {"gate": str(gate)}, on_progress=look)
    seen += followers[0].read_new()
    told = [each.text for each in seen if each.kind is Kind.STDOUT]
    assert told == ["half\n", "[secret]", "\n"]
    report = (bench.settings.runs_folder / run.id / "report.html").read_text(encoding="utf-8")
    assert 'http-equiv="refresh"' not in report


def ids_of(project: Path) -> list[str]:
    return [path.name for path in (project / "runs" / "by-id").glob("*")]


def test_another_terminal_shows_what_a_run_prints_and_ends_with_it(project: Path, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    path = write_notebook(project, "print('before', flush=True)", f"{WAIT}\nraise ValueError('no rows')")
    running = start_command(project, "run", str(path), "-p", f"gate={gate}")
    wait_until(lambda: len(ids_of(project)) == 1)
    with running, start_command(project, "show", ids_of(project)[0], "--follow") as watching:
        seen = "".join(watching.stdout.readline() for _ in range(3))
        gate.touch()
        rest, err = watching.stdout.read(), watching.stderr.read()
        running.communicate(timeout=60)
    assert (running.returncode, watching.returncode) == (1, 1)
    assert seen == "cell 1 of 3: gate = ''\ncell 2 of 3: print('before', flush=True)\nbefore\n"
    assert "cell 3 of 3: import pathlib, time\n" in rest
    assert "ValueError: no rows\n" in rest
    assert f"Run {ids_of(project)[0]} of watched.ipynb failed." in err
    assert "\x1b" not in seen + rest + err


def test_a_run_prints_what_it_shows_as_it_comes_and_then_itself(project: Path) -> None:
    path = write_notebook(
        project, "import workbench as wb\nwb.log_metrics({'loss': 0.5})\nprint('a', end='')", "'b\\x1b[2J'"
    )
    done = run_command(project, "run", str(path), "--follow")
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    shown = [
        "cell 1 of 3: gate = ''",
        "cell 2 of 3: import workbench as wb",
        "a",
        "cell 3 of 3: 'b\\x1b[2J'",
        "'b\\x1b[2J'",
    ]
    assert [line for line in lines[:6] if line != "metric loss 0.5"] == shown
    assert "watched.ipynb: finished just now" in lines[6]
    again = run_command(project, "show", ids_of(project)[0], "--follow", "--json")
    assert json.loads(again.stdout)["id"] == ids_of(project)[0]
    assert sorted(again.stderr.splitlines()[:6]) == sorted(lines[:6])


def test_the_end_is_told_where_it_is_asked_for_or_took_long_and_a_notifier_that_fails_costs_no_run(
    project: Path,
) -> None:
    path = write_notebook(project, "import workbench as wb\nwb.log_metrics({'loss': 0.5})")
    told = run_command(project, "run", str(path), "--notify", WORKBENCH_NOTIFY="cp /dev/stdin told.json")
    assert told.returncode == 0, told.stderr
    (described,) = json.loads((project / "told.json").read_text(encoding="utf-8"))["runs"]
    assert (described["state"], described["metrics"]) == ("FINISHED", {"loss": 0.5})
    bench = Workbench.open(Settings(project, author=AUTHOR, notify="touch again", notify_after_s=10))
    run = bench.show(described["id"])
    for took_s, asked in ((9.9, False), (10.0, False)):
        bench.tell_end([run], took_s, asked=asked)
        assert (project / "again").exists() == (took_s >= 10)
    bench.store.close()
    failed = run_process(project, "run", str(path), "--notify", WORKBENCH_NOTIFY="false")
    assert failed.returncode == 0
    assert "Nobody was told by command: false ended with 1." in failed.stderr

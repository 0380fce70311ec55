"""What people and machines do wrong, through the real command line: three parts, the right exit code, nothing half-done."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.conftest import (
    NOTEBOOKS,
    examples,
    find_processes,
    own_environment,
    run_command,
    run_process,
    start_command,
    wait_until,
)
from workbench.config import Settings
from workbench.workflow import Workbench

FINISHES = str(NOTEBOOKS / "finishes.ipynb")


def require_three_parts(done: subprocess.CompletedProcess[str], exit_code: int, *words: str) -> None:
    """The error says what, why and what next, once, without a traceback."""
    assert done.returncode == exit_code, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    first_why = next(number for number, line in enumerate(lines) if line.startswith("  - "))
    what, following = lines[first_why - 1], lines[-1]
    assert what.endswith("."), done.stderr
    assert following.startswith("  Next: "), done.stderr
    for word in words:
        assert word in done.stderr


def count_runs(project: Path, state: str | None = None) -> int:
    bench = Workbench.open(Settings(project))
    runs = bench.list_runs()
    bench.store.close()
    return sum(state in (None, run.state) for run in runs)


@contextmanager
def locked(database: Path, kind: str) -> Iterator[None]:
    """Hold a lock on an SQLite database, as another program would."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute(f"BEGIN {kind}")
        yield


def test_a_run_that_finishes_exits_with_0(project: Path) -> None:
    done = run_command(project, "run", FINISHES, "-p", "rounds=3")
    assert done.returncode == 0, done.stderr
    assert "63" in done.stdout


def test_a_notebook_that_raises_exits_with_1_and_names_the_cell(project: Path) -> None:
    done = run_command(project, "run", str(NOTEBOOKS / "raises_in_cell_three.ipynb"))
    require_three_parts(done, 1, "Cell 3 raised ValueError: the third cell fails", "report.html")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "nowhere.ipynb"], "There is no notebook nowhere.ipynb."),
        (["run", str(NOTEBOOKS)], "There is no notebook"),
        (["run", str(NOTEBOOKS / "broken.ipynb")], "It is not JSON"),
        (["run", str(NOTEBOOKS / "no_parameters_cell.ipynb"), "-p", "rounds=3"], "property inspector"),
        (["run", FINISHES, "-p", "rounds=many"], "rounds"),
        (["run", FINISHES, "-p", "__import__=1"], "__import__"),
        (["run", FINISHES, "-p", "rounds"], "is not NAME=VALUE"),
        (["show", "../../../etc/passwd"], "is neither a run's id nor the name of one"),
        (["show", "0000000g"], "is neither a run's id nor the name of one"),
        (["show", ""], "is neither a run's id nor the name of one"),
        (["show", "deadbeef"], "No run begins"),
        (["review", "../../etc/1"], "is not a nominee"),
        (["review", "model/²"], "is not a nominee"),
        (["promote", "model/01"], "is not a nominee"),
        (["promote", "model/1"], "There is no nominee model/1"),
        (["rollback", "../.."], "no version to go back to"),
        (["serve", "nothing"], "serves nothing yet"),
        (["new", "../escaped"], "cannot name a notebook"),
        (["new", "mine", "--template", "../../pyproject"], "template"),
    ],
)
def test_what_is_wrong_usage_exits_with_2_and_writes_nothing(project: Path, arguments: list[str], words: str) -> None:
    done = run_command(project, *arguments)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not list((project / "runs").glob("by-id/*"))
    assert not (project / "notebooks").exists()


def test_a_locked_mlflow_database_is_told_in_time_and_the_same_command_works_afterwards(project: Path) -> None:
    with locked(project / "runs" / "mlflow.db", "EXCLUSIVE"):
        require_three_parts(run_command(project, "run", FINISHES), 1, "MLflow at", "database is locked")
    assert count_runs(project) == 0
    assert run_command(project, "run", FINISHES).returncode == 0


@pytest.mark.parametrize("commands", examples([1, 2], []))
def test_a_command_killed_while_it_makes_the_mlflow_database_leaves_none_that_is_half_made(
    tmp_path: Path, commands: int
) -> None:
    (tmp_path / "workbench.toml").touch()
    first = start_command(tmp_path, "run", FINISHES)
    wait_until(lambda: (tmp_path / "runs" / ".mlflow.db.new").is_file())
    first.kill()
    first.communicate()
    assert not (tmp_path / "runs" / "mlflow.db").exists()
    together = [start_command(tmp_path, "run", FINISHES) for _ in range(commands)]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in together]
    assert [returncode for _, _, returncode in ended] == [0] * commands, ended
    assert count_runs(tmp_path, "FINISHED") == commands


def test_an_mlflow_server_that_is_not_there_starts_no_kernel(project: Path) -> None:
    away = {"WORKBENCH_TRACKING_URI": "http://127.0.0.1:1"}
    require_three_parts(run_command(project, "run", FINISHES, **away), 1, "MLflow at http://127.0.0.1:1")
    assert count_runs(project) == 0
    assert not list((project / "runs").glob("by-id/*"))


def test_while_the_store_is_locked_nothing_is_written_and_reading_goes_on(project: Path) -> None:
    assert run_command(project, "run", FINISHES).returncode == 0
    store = project / "runs" / "workbench.db"
    impatient = {"WORKBENCH_STORE_URL": f"sqlite:///{store}?timeout=1"}
    with locked(store, "IMMEDIATE"):
        require_three_parts(run_command(project, "run", FINISHES, **impatient), 1, "database is locked")
        assert count_runs(project) == 1
        assert run_command(project, "ledger", **impatient).returncode == 0
    assert run_command(project, "run", FINISHES).returncode == 0


@pytest.mark.parametrize(
    ("address", "exit_code", "words"),
    [
        ("nonsense", 2, "No store can be opened"),
        ("mongodb://somewhere/x", 2, "No store can be opened"),
        ("sqlite:////proc/nowhere/workbench.db", 1, "The store cannot be kept in /proc/nowhere"),
        ("sqlite:///{file}", 1, "file is not a database"),
        ("sqlite:///{file}/below/workbench.db", 1, "The store cannot be kept in"),
    ],
)
def test_a_store_that_cannot_be_opened_says_why(project: Path, address: str, exit_code: int, words: str) -> None:
    file = project / "notes.txt"
    file.write_text("shopping list " * 500, encoding="utf-8")
    done = run_command(project, "runs", WORKBENCH_STORE_URL=address.format(file=file))
    require_three_parts(done, exit_code, words)


def test_an_unknown_setting_is_named(project: Path) -> None:
    require_three_parts(run_command(project, "runs", WORKBENCH_COLOUR="red"), 2, "'colour' is no setting")


def test_a_disk_that_takes_no_more_fails_the_command_and_afterwards_it_works(project: Path) -> None:
    # A limit on the size of files answers like a full disk, also where nobody may mount a small one.
    limited = ["bash", "-c", 'ulimit -f 100; exec "$0" -m workbench "$@"', sys.executable, "run", FINISHES]
    done = subprocess.run(
        limited, cwd=project, env=own_environment(), capture_output=True, text=True, check=False, timeout=120
    )
    require_three_parts(done, 1)
    assert find_processes(project) == []
    assert count_runs(project, "RUNNING") == 0
    assert run_command(project, "run", FINISHES).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, where we may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", str(folder)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.soak
def test_a_full_disk_leaves_no_run_half_done(small_disk: Path, project: Path) -> None:
    home = {
        "WORKBENCH_HOME": str(small_disk / "runs"),
        "WORKBENCH_TRACKING_URI": f"sqlite:///{project / 'runs' / 'mlflow.db'}",
    }
    notebook = str(NOTEBOOKS / "logs_everything.ipynb")
    assert run_command(project, "runs", **home).returncode == 0
    (small_disk / "fill").write_bytes(bytes(shutil.disk_usage(small_disk).free - 120 * 1024))
    # Lost is only a run whose process is gone.
    require_three_parts(run_process(project, "run", notebook, **home), 1)
    assert find_processes(small_disk) == []
    (small_disk / "fill").unlink()
    assert run_command(project, "run", notebook, **home).returncode == 0
    runs = json.loads(run_command(project, "runs", "--json", **home).stdout)
    for run in runs:
        recorded = (small_disk / "runs" / "by-id" / run["id"] / "record.json").exists()
        assert recorded == (run["state"] == "FINISHED")
    assert {run["state"] for run in runs} <= {"FINISHED", "FAILED", "KILLED", "LOST"}
    assert runs[0]["state"] == "FINISHED"

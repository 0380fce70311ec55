"""Hogs in real kernels: whatever they use too much of, they are ended, the limit is named, and nothing of them is left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, find_processes, run_command
from workbench.config import Settings
from workbench.domain.run import Run
from workbench.errors import RunFailed
from workbench.workflow import Workbench

# By themselves the hogs end after 90 s; a test in which nobody ended them earlier fails by what the run says.
MEMORY = {"memory": "700MB"}
CELL = {"cell_timeout_s": 2}
OUTPUT = {"output_size": "200kB"}
DISK = {"disk": "10MB"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Settings:
    return Settings(make_project(tmp_path_factory.mktemp("limits") / "project"), author=AUTHOR)


def run_hog(settings: Settings, what: str, how: str, **limits: Any) -> Run:
    """Run a hog to its end, and return the run as the store knows it."""
    bench = Workbench.open(replace(settings, **limits))
    try:
        return bench.show(bench.run(NOTEBOOKS / f"hogs_{what}.ipynb", {"how": how}).id)
    except RunFailed as exc:
        return bench.show(exc.what.split()[1])
    finally:
        bench.store.close()


def require_ended(settings: Settings, run: Run, option: str) -> None:
    """The run failed because of this limit and no other, and nothing of it runs any more."""
    assert f"--{option} allows" in str(run.error)
    assert not run.is_finished
    assert find_processes(settings.runs_folder / run.id) == []


@pytest.mark.parametrize("how", ["slowly", "in_a_child", "in_a_fork", "in_a_stranger"])
def test_a_notebook_that_takes_too_much_memory_is_ended(settings: Settings, how: str) -> None:
    require_ended(settings, run_hog(settings, "memory", how, **MEMORY), "memory")


@pytest.mark.parametrize("how", ["sleeps", "stops_itself", "ignores_signals"])
def test_a_cell_that_takes_too_long_is_ended(settings: Settings, how: str) -> None:
    require_ended(settings, run_hog(settings, "time", how, **CELL), "cell-timeout")


def test_a_run_that_takes_too_long_is_ended_even_if_it_stands_still(settings: Settings) -> None:
    require_ended(settings, run_hog(settings, "time", "stops_itself", timeout_s=3), "timeout")


@pytest.mark.parametrize(
    "how",
    [
        "flushes",
        "one_string",
        "html",
        "nothing_much",
        "clears",
        "updates",
        "in_a_thread",
        "in_an_exception",
    ],
)
def test_a_notebook_that_shows_too_much_is_ended(settings: Settings, how: str) -> None:
    run = run_hog(settings, "output", how, **OUTPUT)
    require_ended(settings, run, "output-size")
    assert (settings.runs_folder / run.id / "notebook.ipynb").stat().st_size < 2_000_000


@pytest.mark.parametrize(
    "how", ["small_files", "a_deleted_file", "temporary_files", "past_the_notebook", "ends_at_once"]
)
def test_a_notebook_that_fills_the_disk_is_ended(settings: Settings, how: str) -> None:
    require_ended(settings, run_hog(settings, "disk", how, **DISK), "disk")


def test_a_hole_in_a_file_takes_no_disk(settings: Settings) -> None:
    run = run_hog(settings, "disk", "a_hole", **DISK)
    assert run.error is None
    assert run.is_finished


@pytest.mark.parametrize(
    ("what", "option", "value"),
    [
        ("memory", "memory", "700MB"),
        ("time", "timeout", "3"),
        ("time", "cell-timeout", "2"),
        ("output", "output-size", "200kB"),
        ("disk", "disk", "10MB"),
    ],
)
def test_every_limit_can_be_given_on_the_command_line_and_is_no_reason_to_try_again(
    project: Path, what: str, option: str, value: str
) -> None:
    done = run_command(project, "run", str(NOTEBOOKS / f"hogs_{what}.ipynb"), f"--{option}", value, "--retries", "2")
    assert done.returncode == 1
    assert f"--{option} allows" in " ".join(done.stderr.split())
    bench = Workbench.open(Settings(project, author=AUTHOR))
    assert [run.attempt for run in bench.list_runs()] == [1]
    bench.store.close()


def test_a_limit_that_is_not_passed_changes_nothing(project: Path) -> None:
    limits = ("--memory", "4GB", "--output-size", "10kB", "--disk", "1MB", "--timeout", "300", "--cell-timeout", "300")
    done = run_command(project, "run", str(NOTEBOOKS / "finishes.ipynb"), *limits)
    assert done.returncode == 0, done.stderr

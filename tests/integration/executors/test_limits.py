"""Hogs in real kernels: whatever they use too much of, they are ended, the limit is named, and nothing of them is left."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, run_command
from tests.soak.hogs import HOGS, Hog, find_faults, run_hog
from workbench.config import Settings
from workbench.workflow import Workbench

# The others run in `make soak`.
HARDEST = {"in_a_stranger", "stops_itself", "one_string", "updates", "a_deleted_file"}


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Settings:
    return Settings(make_project(tmp_path_factory.mktemp("limits") / "project"), author=AUTHOR)


@pytest.mark.parametrize("hog", [hog for hog in HOGS if hog.how in HARDEST], ids=lambda hog: f"{hog.option}-{hog.how}")
def test_a_notebook_that_takes_too_much_is_ended(settings: Settings, hog: Hog) -> None:
    assert find_faults(settings, hog) == []


def test_a_hole_in_a_file_takes_no_disk(settings: Settings) -> None:
    run = run_hog(settings, Hog("disk", "a_hole", "disk", {"disk": "10MB"}))
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

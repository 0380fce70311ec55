"""The doctor says what does not go as it should: a disk that takes nothing, and what goes on or lies about after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.conftest import wait_until
from tests.contract.memory_tracker import MemoryTracker
from tests.soak.ledger_faults import can_mount
from workbench.config import Settings
from workbench.files.scratch_folders import scratch_folder
from workbench.nominations.freezing import INSPECTED
from workbench.runs.sqlalchemy_store import Store
from workbench.workflow import Workbench
from workbench.workflow.doctor import Symptom
from workbench.workflow.workbench import list_known


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "project" / "runs"
    folder.mkdir(parents=True)
    return folder


def examine(home: Path) -> dict[str, Symptom]:
    settings = Settings(home.parent, author="ada@example.org")
    store = Store(settings.store_address, last_seen=settings.checkpoints_folder)
    try:
        return {found.part: found for found in Workbench(settings, store, MemoryTracker(), list_known).examine()}
    finally:
        store.close()


def make_read_only(home: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(home)], check=True, capture_output=True)


def fill(home: Path) -> None:
    with (home / "filler").open("wb", buffering=0) as filler, suppress(OSError):
        while filler.write(bytes(512)):
            pass


@contextmanager
def small_disk(home: Path) -> Iterator[None]:
    if not can_mount():
        pytest.skip("this machine lets us mount no disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(home)], check=True, capture_output=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(home)], check=True)


@pytest.mark.parametrize(("fault", "words"), [(make_read_only, "Read-only file system"), (fill, "No space left")])
def test_a_home_that_takes_nothing_is_not_well(home: Path, fault: Callable[[Path], None], words: str) -> None:
    with small_disk(home):
        assert examine(home)["home"].is_well
        fault(home)
        found = examine(home)["home"]
        assert not found.is_well
        assert f"{home} cannot be written: {words}" in found.found
        assert "served" in found.remedy


def test_a_home_that_is_not_there_yet_is_judged_by_the_folder_it_will_lie_in(home: Path) -> None:
    home.rmdir()
    assert examine(home)["home"].is_well


# A stand-in for what the workbench starts: it says who started it as an endpoint and an inspection do, and does nothing.
STARTER = """
import os, subprocess, sys, time
from workbench.files.processes import name_starter
variables = {**os.environ, **name_starter(sys.argv[1]), "WORKBENCH_SUBJECT": sys.argv[2]}
print(subprocess.Popen(["sleep", "600"], env=variables, stdout=subprocess.DEVNULL).pid, flush=True)
time.sleep(600)
"""


def find_orphans(home: Path, name: str) -> list[str]:
    found = examine(home).get(name)
    return [] if found is None or found.is_well else found.found.split()


@pytest.mark.parametrize(("part", "subject"), [("endpoint", "shop/1"), ("inspection", "")])
def test_what_goes_on_though_its_starter_was_killed_is_named_with_how_to_end_it(
    home: Path, part: str, subject: str
) -> None:
    name = f"{part} {subject}".strip()
    command = [sys.executable, "-c", STARTER, part, subject]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = starter.stdout.readline().strip()
        try:
            assert pid not in find_orphans(home, name)
            starter.kill()
            starter.wait()
            assert pid in find_orphans(home, name)
            advice = examine(home)[name].remedy.split("`")[1].split()
        finally:
            os.kill(int(pid), signal.SIGTERM)
    assert advice[0] == "kill"
    assert pid in advice
    wait_until(lambda: pid not in find_orphans(home, name))


IN_USE = """
import sys, time
from pathlib import Path
from workbench.files.scratch_folders import scratch_folder
with scratch_folder(Path(sys.argv[1]), sys.argv[2]) as folder:
    print(folder, flush=True)
    time.sleep(600)
"""


def test_a_folder_is_left_over_once_whoever_used_it_was_killed(home: Path) -> None:
    model = home / "models" / "shop"
    model.mkdir(parents=True)
    command = [sys.executable, "-c", IN_USE, str(model), INSPECTED]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as user:
        assert user.stdout is not None
        folder = user.stdout.readline().strip()
        assert examine(home)["left-over folders"].is_well
        user.kill()
    found = examine(home)["left-over folders"]
    assert not found.is_well
    assert folder in found.found
    subprocess.run(found.remedy.split(), check=True)
    assert examine(home)["left-over folders"].is_well


def test_one_of_an_older_version_that_holds_something_is_left_over_and_one_that_is_being_made_is_not(
    home: Path,
) -> None:
    made, older = (home / "models" / "shop" / f"{INSPECTED}{name}" for name in ("made", "older"))
    made.mkdir(parents=True)
    (older / "run").mkdir(parents=True)
    found = examine(home)["left-over folders"]
    assert str(older) in found.found
    assert str(made) not in found.found


def test_an_inspection_leaves_no_folder(home: Path) -> None:
    with scratch_folder(home, INSPECTED) as folder:
        (folder / "copy").touch()
    assert list(home.iterdir()) == []

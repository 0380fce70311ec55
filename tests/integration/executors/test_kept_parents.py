"""What kernels and commands are forked from outlives who asked for it, is its user's alone, and holds nobody's state."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import COMMAND, NOTEBOOKS, is_running, own_environment, wait_until
from workbench.cli.kept_command import find_parent
from workbench.executors.kept_parents import (
    KEPT,
    KERNEL_PARENT,
    ask_keeper,
    is_kept_here,
    list_kept,
    stop_kept,
    tell_keeper,
)
from workbench.executors.warm_kernels import WarmKernelManager
from workbench.executors.warm_parents import KernelSource, ParentGone, WarmParent, close_parents

TIMEOUT_S = 120


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder for sockets of this test alone; what is kept goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="kept-"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    monkeypatch.setenv(KEPT, "1")
    yield folder
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    pids = [parent.pid for parent in stop_kept()]
    wait_until(lambda: not any(map(is_running, pids)))
    close_parents()  # those of this process have their folders there, too
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def kept_parent(environment: Mapping[str, str] | None = None) -> Iterator[KernelSource]:
    request = {"do": "find", "program": KERNEL_PARENT, "modules": []}
    answer, requests = ask_keeper(request, environment or own_environment(), kept_min=1)
    assert requests is not None
    with requests:
        yield KernelSource(requests, answer["pid"])


def ask_for_parent(environment: Mapping[str, str] | None = None) -> int:
    with kept_parent(environment) as source:
        return source.pid


def test_all_who_ask_for_the_same_get_the_same_parent_and_kernels_of_their_own(runtime):
    with kept_parent() as first, kept_parent() as second:
        assert first.pid == second.pid != ask_for_parent({**own_environment(), "OMP_NUM_THREADS": "3"})
        kernels = [source.take(own_environment(), "/", standby=0) for source in (first, second)]
        assert len({kernel.pid for kernel in kernels}) == 2
        assert [parent.processes for parent in list_kept() if parent.pid == first.pid] == [2]
    for kernel in kernels:
        kernel.kill()
        assert kernel.wait(TIMEOUT_S) == -signal.SIGKILL


def test_who_does_not_wait_for_the_answer_has_the_same_parent_started(runtime):
    tell_keeper({"do": "find", "program": KERNEL_PARENT, "modules": []}, own_environment(), kept_min=1)
    wait_until(lambda: len(list_kept()) == 1)
    assert ask_for_parent() == list_kept()[0].pid


_ASKS = """
import os, sys, time
from tests.integration.executors.test_kept_parents import kept_parent
from tests.conftest import own_environment
os.environ["WORKBENCH_KERNELS_KEPT_MIN"] = "1"
with kept_parent() as source:
    kernel = source.take(own_environment(), "/", standby=0)
    print(source.pid, kernel.pid, flush=True)
    time.sleep(600)
"""


def test_a_kernel_ends_with_the_process_that_asked_for_it_and_what_it_was_forked_from_does_not(runtime):
    asking = subprocess.Popen(
        [sys.executable, "-c", _ASKS], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]
    )
    assert asking.stdout is not None
    parent, kernel = map(int, asking.stdout.readline().split())
    asking.kill()
    asking.communicate()
    wait_until(lambda: not is_running(kernel))
    assert ask_for_parent() == parent


def test_one_that_was_killed_is_replaced(runtime):
    with kept_parent() as parent:
        kernel = parent.take(own_environment(), "/", standby=0)
        os.kill(parent.pid, signal.SIGKILL)
        assert kernel.wait(TIMEOUT_S) == -signal.SIGKILL
        wait_until(lambda: not is_running(parent.pid))
        assert ask_for_parent() != parent.pid


def test_a_parent_goes_once_it_was_not_used_for_its_time(runtime):
    parent = WarmParent((), own_environment(), keep_s=0.5)
    kernel = parent.take(own_environment(), "/", standby=1)
    asyncio.run(asyncio.sleep(1))
    assert parent.is_alive()
    kernel.kill()
    kernel.wait(TIMEOUT_S)
    wait_until(lambda: not parent.is_alive())
    parent.close()


def test_a_keeper_goes_with_the_last_of_its_parents_and_the_next_who_asks_starts_another(runtime):
    pid = ask_for_parent()
    assert [parent.pid for parent in stop_kept()] == [pid]
    wait_until(lambda: not list((runtime / "workbench").glob("*.sock")))
    assert ask_for_parent() != pid


def test_only_its_user_may_enter_the_folder_of_its_sockets(runtime):
    ask_for_parent()
    folder = runtime / "workbench"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    with pytest.raises(PermissionError):
        ask_for_parent()
    with pytest.raises(PermissionError):
        list_kept()
    folder.chmod(0o700)


def test_what_a_process_takes_over_by_being_forked_is_that_of_who_asks(runtime):
    pid = ask_for_parent()
    before = os.umask(0o027)
    try:
        other = ask_for_parent()
        assert other != pid
        assert "Umask:\t0027" in Path(f"/proc/{other}/status").read_text(encoding="utf-8")
    finally:
        os.umask(before)


def test_a_parent_that_cannot_fork_goes_and_what_runs_goes_on(runtime):
    with kept_parent() as parent:
        running = parent.take(own_environment(), "/", standby=0)
        folder = Path(running.connection_file).parent
        folder.rename(folder.with_name("moved"))
        with pytest.raises(ParentGone):
            parent.take(own_environment(), "/", standby=0)
        assert running.poll() is None
        assert ask_for_parent() != parent.pid
        running.kill()
        assert running.wait(TIMEOUT_S) == -signal.SIGKILL


def test_a_kernel_hears_of_a_terminal_that_is_gone_as_every_other(runtime):
    with kept_parent() as parent:
        kernel = parent.take(own_environment(), "/", standby=0)
        status = Path(f"/proc/{kernel.pid}/status").read_text(encoding="utf-8")
        ignored = int(next(line for line in status.splitlines() if line.startswith("SigIgn:")).split()[1], 16)
        assert not ignored & (1 << (signal.SIGHUP - 1))
        kernel.kill()
        kernel.wait(TIMEOUT_S)


def test_in_a_sandbox_nothing_is_kept_that_was_started_outside_of_it(runtime):
    code = "from workbench.executors.kept_parents import is_kept_here; print(is_kept_here())"
    command = [sys.executable, "-c", code]
    plain = subprocess.run(command, capture_output=True, text=True, check=True)
    confined = subprocess.run(["setpriv", "--no-new-privs", *command], capture_output=True, text=True, check=True)
    assert (plain.stdout, confined.stdout) == ("True\n", "False\n")


def test_within_a_run_nothing_is_kept_that_would_outlive_it(runtime, monkeypatch):
    assert is_kept_here()
    monkeypatch.setenv("WORKBENCH_SPOOL", "/somewhere")
    assert not is_kept_here()


def test_a_manager_of_kernels_uses_what_is_kept_and_where_nothing_can_be_a_parent_of_its_own(runtime, monkeypatch):
    async def start() -> Any:
        manager = WarmKernelManager(kept_min=1, standby=0)
        await manager.start_kernel()
        found = manager.is_warm, getattr(manager.provisioner, "forked_from", 0)
        await manager.shutdown_kernel(now=True)
        return found

    is_warm, parent = asyncio.run(start())
    assert is_warm
    assert parent in {kept.pid for kept in list_kept()}
    kept = [each.pid for each in stop_kept()]
    wait_until(lambda: not any(map(is_running, kept)))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime / ("x" * 200)))
    monkeypatch.setenv(KEPT, "0")
    is_warm, own = asyncio.run(start())
    assert is_warm
    assert own != parent


# Commands


@pytest.fixture
def project(make_project, tmp_path: Path) -> Path:
    folder: Path = make_project(tmp_path / "project")
    for name in ("finishes", "says_where_it_is", "hogs_time", "raises_in_cell_three"):
        shutil.copy(NOTEBOOKS / f"{name}.ipynb", folder)
    return folder


def start(project: Path, *arguments: str, **variables: str) -> subprocess.Popen[str]:
    environment = own_environment(**{KEPT: "1", **variables})
    return subprocess.Popen(
        [COMMAND, *arguments], cwd=project, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(project: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    process = start(project, *arguments, **variables)
    out, err = process.communicate(timeout=TIMEOUT_S)
    return process.returncode, out, err


def list_forking_commands() -> list[int]:
    return [kept.pid for kept in list_kept() if kept.program == "workbench.cli.command_parent"]


def test_the_second_command_is_forked_and_is_as_the_first_in_all_that_can_be_seen(runtime, project):
    first = run(project, "run", "finishes.ipynb", "--json")
    (parent,) = list_forking_commands()
    wait_until(lambda: is_ready())
    second = run(project, "run", "finishes.ipynb", "--json")
    runs = [json.loads(out) for _, out, _ in (first, second)]
    assert [code for code, _, _ in (first, second)] == [0, 0]
    # A line that says where it is comes only of what takes long.
    assert first[2].splitlines()[-1:] == second[2].splitlines()[-1:]
    assert runs[0]["id"] != runs[1]["id"]
    same = ("state", "record", "parameters", "author", "provenance", "notebook")
    own = ("files", "sizes")
    told = [{name: each[name] for name in same} for each in runs]
    for each in told:
        each["record"] = {name: value for name, value in each["record"].items() if name not in own}
    assert told[0] == told[1]

    code, out, err = run(project, "run", "raises_in_cell_three.ipynb", WORKBENCH_AUTHOR="grace@example.org")
    assert (code, out) == (1, "")
    assert "Cell 3 raised ValueError" in err
    assert json.loads(run(project, "runs", "--json")[1])[0]["author"] == "grace@example.org"
    assert list_forking_commands() == [parent]

    running = start(project, "run", "hogs_time.ipynb")
    wait_until(lambda: states(project)[0] == "RUNNING")
    (command,) = [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text("ascii").split()]
    running.send_signal(signal.SIGTSTP)
    wait_until(lambda: [state_of(running.pid), state_of(command)] == ["T", "T"])
    running.send_signal(signal.SIGCONT)
    wait_until(lambda: "T" not in (state_of(running.pid), state_of(command)))
    running.send_signal(signal.SIGINT)
    assert "Stopped: 0 of 1 runs finished." in running.communicate(timeout=TIMEOUT_S)[1]
    assert running.returncode == 1

    running = start(project, "run", "hogs_time.ipynb")
    wait_until(lambda: states(project)[0] == "RUNNING")
    running.kill()
    running.communicate(timeout=TIMEOUT_S)
    wait_until(lambda: states(project)[0] == "KILLED")
    assert "processes are kept for 1 min after the last use" in run(project, "kernels", "status")[1]


def is_ready() -> bool:
    """True once the next command is forked."""
    requests = find_parent(own_environment(**{KEPT: "1"}), ready=True)
    if requests:
        requests.close()
    return requests is not None


def state_of(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]


def states(project: Path) -> list[str]:
    return [each["state"] for each in json.loads(run(project, "runs", "--json")[1])] or [""]

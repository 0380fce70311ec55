"""The processes that warm kernels are forked from: how many there are, when they are replaced, what goes when they go."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import is_running, own_environment, wait_until
from tests.integration.started_kernels import SCIENCE, TIMEOUT_S, parent_of
from workbench.executors import warm_parents
from workbench.executors.warm_parents import WarmParent, WarmUnavailable, close_parents, find_parent

pytestmark = pytest.mark.usefixtures("kept_parents")


@pytest.fixture
def own_parents(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None of the other tests' processes to fork from, and three at most, as ever."""
    monkeypatch.setattr(warm_parents, "_parents", {})
    monkeypatch.setattr(warm_parents, "_leaving", [])
    monkeypatch.setattr(warm_parents, "_MOST_PARENTS", 3)
    yield
    close_parents()


def test_memory_is_shared_with_the_parent(start):
    kernels = [start.warm(SCIENCE) for _ in range(2)]
    for kernel in kernels:
        kernel.run("import pandas, sklearn.ensemble, matplotlib.pyplot")
    fields = Path(f"/proc/{kernels[1].pid}/smaps_rollup").read_text(encoding="utf-8").split()
    resident, shared = (int(fields[fields.index(name) + 1]) for name in ("Rss:", "Pss:"))
    assert shared < 0.6 * resident


def test_a_parent_has_one_thread(start):
    kernel = start.warm(SCIENCE)
    assert len(list(Path(f"/proc/{parent_of(kernel)}/task").iterdir())) == 1


def test_a_variable_that_is_read_at_import_gives_another_parent_and_any_other_does_not(own_parents):
    environment = own_environment()
    parent = find_parent((), environment)
    assert find_parent((), {**environment, "API_TOKEN": "x", "JOBLIB_TEMP_FOLDER": "y"}) is parent
    assert find_parent((), {**environment, "OMP_NUM_THREADS": "3"}) is not parent
    assert find_parent((), environment) is parent


def test_a_parent_is_replaced_when_what_is_installed_changes(monkeypatch, own_parents):
    parent = find_parent((), own_environment())
    monkeypatch.setattr(warm_parents, "_read_installed", lambda: (0,))
    assert find_parent((), own_environment()) is not parent
    wait_until(lambda: not parent.is_alive())


def test_of_more_parents_than_are_kept_the_one_used_longest_ago_goes_after_its_last_kernel(monkeypatch, own_parents):
    monkeypatch.setattr(warm_parents, "_MOST_PARENTS", 2)
    environments = [own_environment(OMP_NUM_THREADS=str(number)) for number in range(1, 4)]
    first = find_parent((), environments[0])
    kernel = first.take(environments[0], "/")
    others = [find_parent((), environment) for environment in environments[1:]]
    assert find_parent((), environments[1]) is others[0]
    assert kernel.poll() is None
    assert first.is_alive()
    kernel.kill()
    assert kernel.wait(60) == -signal.SIGKILL
    wait_until(lambda: not first.is_alive())
    assert all(other.is_alive() for other in others)


def test_kernels_can_be_asked_for_from_several_threads():
    parent, environment, kernels = find_parent((), own_environment()), own_environment(), []
    threads = [threading.Thread(target=lambda: kernels.append(parent.take(environment, "/"))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert len({kernel.pid for kernel in kernels}) == len({kernel.connection_file for kernel in kernels}) == 6
    for kernel in kernels:
        kernel.kill()
        kernel.wait(60)


def test_an_environment_may_be_long(start):
    kernel = start.warm(env=own_environment(**{f"LONG_{number}": "x" * 100_000 for number in range(5)}))
    assert kernel.read("len(__import__('os').environ['LONG_4'])") == 100_000


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(WarmUnavailable, match="No such file"):
        find_parent((), own_environment()).take(own_environment(), tmp_path / "gone")


def test_closing_a_parent_ends_its_kernels_and_leaves_no_folder():
    parent = WarmParent((), own_environment())
    kernel = parent.take(own_environment(), "/")
    folder = Path(kernel.connection_file).parent
    assert folder.is_dir()
    parent.close()
    assert kernel.wait(60) == -signal.SIGKILL
    wait_until(lambda: not is_running(kernel.pid))
    assert not folder.exists()


def test_when_a_parent_is_killed_its_kernels_die_and_the_next_has_another(start):
    kernel = start.warm()
    child = int(kernel.run("import subprocess; child = subprocess.Popen(['sleep', '600']); print(child.pid)"))
    parent = parent_of(kernel)
    process = kernel.manager.provisioner.process
    os.kill(parent, signal.SIGKILL)
    assert process.wait(60) == -signal.SIGKILL
    wait_until(lambda: not is_running(kernel.pid))
    wait_until(lambda: not is_running(child))
    assert parent_of(start.warm()) != parent


def test_the_next_has_another_also_while_a_parent_that_answers_no_more_is_still_ending(start):
    parent = parent_of(start.warm())
    find_parent((), own_environment()).requests.shutdown(socket.SHUT_RDWR)
    assert parent_of(start.warm()) != parent


OWNER = """
import json, os, sys, time
from workbench.executors.warm_parents import find_parent
parent = find_parent((), dict(os.environ))
kernel = parent.take(dict(os.environ), os.getcwd())
print(json.dumps([parent.pid, kernel.pid, kernel.connection_file]), flush=True)
time.sleep(600)
"""


def test_when_the_owner_is_killed_no_process_and_no_folder_is_left(tmp_path):
    import psutil

    with subprocess.Popen(
        [sys.executable, "-c", OWNER], cwd=tmp_path, env=own_environment(), stdout=subprocess.PIPE, text=True
    ) as owner:
        try:
            parent, kernel, file = json.loads(owner.stdout.readline())
            started = {parent, kernel, *(child.pid for child in psutil.Process(parent).children(recursive=True))}
        finally:
            owner.kill()
    assert len(started) > 2
    wait_until(lambda: not any(is_running(pid) for pid in started))
    wait_until(lambda: not Path(file).parent.exists())


FORKED_OWNER = """
import os, sys
from workbench.executors.warm_parents import find_parent
environment = dict(os.environ)
ours = find_parent((), environment)
kernel = ours.take(environment, "/")
pid = os.fork()
if pid == 0:
    theirs = find_parent((), environment)
    other = theirs.take(environment, "/")
    sys.exit(0 if theirs.pid != ours.pid and other.pid != kernel.pid else 1)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
print(code, ours.is_alive(), kernel.poll(), ours.take(environment, "/").pid > 0)
"""


def test_a_fork_of_the_owner_has_parents_of_its_own_and_spares_the_others(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED_OWNER],
        cwd=tmp_path, env=own_environment(), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stdout.split() == ["0", "True", "None", "True"], done.stderr

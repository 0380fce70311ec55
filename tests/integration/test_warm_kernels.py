"""A forked kernel behaves as an ordinary one does, shares nothing with its brothers, and never outlives its owner."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.multikernelmanager import AsyncMultiKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from tests.conftest import is_running, own_environment, wait_until
from workbench.executors import warm_parents
from workbench.executors.warm_kernels import KERNEL_NAME, WarmKernelManager
from workbench.executors.warm_parents import WarmParent, WarmUnavailable, close_parents, find_parent

SCIENCE = ("matplotlib.pyplot", "numpy.random", "pandas", "sklearn.ensemble")
TIMEOUT_S = 120


@pytest.fixture(scope="module", autouse=True)
def _kept_parents() -> Iterator[None]:
    """Keep the processes to fork from for all these tests, and none of them for longer."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warm_parents, "_MOST_PARENTS", 8)
        yield
        close_parents()


@pytest.fixture
def own_parents(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """None of the other tests' processes to fork from, and three at most, as ever."""
    monkeypatch.setattr(warm_parents, "_parents", {})
    monkeypatch.setattr(warm_parents, "_leaving", [])
    monkeypatch.setattr(warm_parents, "_MOST_PARENTS", 3)
    yield
    close_parents()


class CellFailed(Exception):
    """A cell raised; the message is what its kernel said."""


class Kernel:
    """A kernel that was started, and a client of it, on an event loop of their own."""

    def __init__(self, manager: AsyncKernelManager, **options: Any) -> None:
        self._runner = asyncio.Runner()
        self.manager: Any = manager
        self.outputs: list[dict[str, Any]] = []
        self.await_(manager.start_kernel(**{"env": own_environment(), **options}))
        self._connect()

    def _connect(self) -> None:
        self.client = self.manager.client()
        self.client.start_channels()
        self.await_(self.client.wait_for_ready(timeout=TIMEOUT_S))

    def await_(self, awaitable: Any) -> Any:
        async def run() -> Any:
            return await awaitable

        return self._runner.run(run())

    def run(self, code: str, *, and_when_it_prints: Any = None) -> str:
        """Execute code and return what it printed; raise what it raised."""
        self.outputs, printed = [], []

        def hear(message: dict[str, Any]) -> None:
            self.outputs.append(message["content"])
            if message["msg_type"] == "stream":
                printed.append(message["content"]["text"])
                if and_when_it_prints:
                    and_when_it_prints()

        running = self.client.execute_interactive(
            textwrap.dedent(code), output_hook=hear, timeout=TIMEOUT_S, allow_stdin=False
        )
        content = self.await_(running)["content"]
        if content["status"] != "ok":
            raise CellFailed(f"{content.get('ename')}: {content.get('evalue')}")
        return "".join(printed).strip()

    def read(self, code: str) -> Any:
        """Return what an expression is in the kernel; JSON values."""
        return json.loads(self.run(f"import json; print(json.dumps({code}))"))

    @property
    def pid(self) -> int:
        return int(self.manager.provisioner.pid)

    def restart(self, *, now: bool) -> None:
        self.client.stop_channels()
        self.await_(self.manager.restart_kernel(now=now))
        self._connect()

    def close(self) -> None:
        self.client.stop_channels()
        self.await_(self.manager.shutdown_kernel(now=True))
        self._runner.close()


class Start:
    """Starts kernels that end with the test."""

    def __init__(self, ends: ExitStack, cwd: Path) -> None:
        self._ends, self._cwd = ends, cwd

    def warm(self, preloads: Sequence[str] = (), **options: Any) -> Kernel:
        kernel = self.any(WarmKernelManager(preloads=list(preloads)), **options)
        assert kernel.manager.is_warm
        return kernel

    def any(self, manager: AsyncKernelManager, **options: Any) -> Kernel:
        kernel = Kernel(manager, **{"cwd": str(self._cwd), **options})
        self._ends.callback(kernel.close)
        return kernel


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as ends:
        yield Start(ends, tmp_path)


def parent_of(kernel: Kernel) -> int:
    return int(kernel.read("__import__('os').getppid()"))


# It is an ordinary kernel


def test_a_kernel_is_forked_and_executes(start):
    assert start.warm().run("print(6 * 7)") == "42"


def test_environment_folder_and_arguments_are_the_runs_own(start, tmp_path):
    (tmp_path / "here").mkdir()
    kernels = [
        start.warm(env=own_environment(WHOSE="one"), cwd=str(tmp_path)),
        start.warm(env=own_environment(WHOSE="two", MORE="x"), cwd=str(tmp_path / "here")),
    ]
    assert parent_of(kernels[0]) == parent_of(kernels[1])
    for kernel in kernels:
        kernel.run("import os, sys")
    assert [kernel.read("[os.environ['WHOSE'], 'MORE' in os.environ]") for kernel in kernels] == [
        ["one", False],
        ["two", True],
    ]
    assert [kernel.read("os.getcwd()") for kernel in kernels] == [str(tmp_path), str(tmp_path / "here")]
    assert [kernel.read("str(_dh[0])") for kernel in kernels] == [str(tmp_path), str(tmp_path / "here")]
    for kernel in kernels:
        assert kernel.read("sys.argv[1:]") == ["-f", kernel.manager.connection_file]


def test_a_warm_kernel_has_the_variables_path_and_flags_of_a_cold_one(start):
    kernels = [start.warm(), start.any(AsyncKernelManager())]
    looks = [
        "sys.path",
        "list(sys.flags)",
        "{k: v for k, v in os.environ.items()}",
        "[sys.argv[0], sys.executable, sys.prefix, __name__, '__file__' in globals()]",
        "[signal.getsignal(s).__class__.__name__ for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)]",
        "[os.getpgrp() == os.getpid(), os.getsid(0) == os.getpid(), sys.stdin.read()]",
        "os.fstat(0).st_rdev >= 0",
    ]
    for kernel in kernels:
        kernel.run("import os, sys, signal")
    for look in looks:
        assert kernels[0].read(look) == kernels[1].read(look), look


def test_nothing_of_the_parent_is_left_open_in_a_kernel(start):
    kernels = [start.warm() for _ in range(3)]
    counts = [kernel.read("len(__import__('os').listdir('/proc/self/fd'))") for kernel in kernels]
    assert max(counts) <= min(counts) + 3


def test_its_chance_is_its_own(start):
    draw = """
        import json, random, tempfile, uuid, numpy as np
        names = tempfile._get_candidate_names()
        print(json.dumps([random.random(), np.random.rand(), np.random.default_rng().random(), next(names), uuid.uuid4().hex]))
    """
    kernels = [start.warm(SCIENCE) for _ in range(3)]
    draws = [json.loads(kernel.run(draw)) for kernel in kernels]
    for each in zip(*draws, strict=True):
        assert len(set(each)) == 3


def test_what_one_kernel_changes_no_other_sees(start):
    first = start.warm(SCIENCE)
    first.run("import pandas as pd, builtins; pd.set_option('display.max_rows', 7); builtins.leaked = 1; mine = 1")
    second = start.warm(SCIENCE)
    assert second.read("__import__('pandas').get_option('display.max_rows')") == 60
    assert second.read("[hasattr(__import__('builtins'), 'leaked'), 'mine' in globals()]") == [False, False]


def test_a_local_module_is_read_again_by_each_kernel(start, tmp_path):
    for value in ("1", "'another text'"):
        (tmp_path / "beside.py").write_text(f"VALUE = {value}\n", encoding="utf-8")
        assert start.warm().read("__import__('beside').VALUE") == eval(value)


def test_a_local_file_that_hides_an_installed_module_is_what_is_imported(start, tmp_path):
    (tmp_path / "pandas.py").write_text("WHOSE = 'mine'\n", encoding="utf-8")
    kernel = start.any(WarmKernelManager(preloads=list(SCIENCE)))
    assert kernel.read("__import__('pandas').WHOSE") == "mine"
    assert not kernel.manager.is_warm


def test_a_module_that_looks_for_its_kernel_finds_it(start):
    kernel = start.warm(("ipywidgets",))
    kernel.run("import ipywidgets")
    assert kernel.read("'jupyter.widget.control' in get_ipython().kernel.comm_manager.targets")


def test_a_secret_of_a_run_is_not_in_the_process_it_is_forked_from(start):
    kernel = start.warm(env=own_environment(API_TOKEN="planted-7c1f"))
    assert kernel.read("__import__('os').environ['API_TOKEN']") == "planted-7c1f"
    for pid in (parent_of(kernel), kernel.pid):
        assert b"planted-7c1f" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_a_kernel_and_its_forks_show_the_mark_of_their_run(start):
    kernel = start.warm(env=own_environment(WORKBENCH_SPOOL="/some/run"))
    child = int(
        kernel.run("""
            import os, time
            pid = os.fork()
            if pid == 0:
                time.sleep(600)
            print(pid)
        """)
    )
    for pid in (kernel.pid, child):
        assert b"WORKBENCH_SPOOL=/some/run" in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")


def test_no_history_is_kept(start, tmp_path):
    kernel = start.warm(env=own_environment(IPYTHONDIR=str(tmp_path / "ipython")))
    kernel.run("x = 1")
    assert "x = 1" in kernel.run("%history")
    assert list((tmp_path / "ipython").rglob("*.sqlite*")) == []


def test_what_a_kernel_itself_says_goes_to_its_log(start, tmp_path):
    with (tmp_path / "kernel.log").open("wb") as log:
        kernel = start.warm(stdout=log, stderr=log)
    kernel.run("import os, sys; os.write(sys.stdout._original_stdstream_copy, b'said by the kernel')")
    assert "said by the kernel" in (tmp_path / "kernel.log").read_text(encoding="utf-8")


def test_output_of_its_children_is_shown(start):
    kernel = start.warm()
    seen = [kernel.run("import os; done = os.system('echo from outside')")]
    # It comes through a pipe, when it comes.
    wait_until(lambda: seen.append(kernel.run("1")) or "from outside" in "".join(seen))
    caught = "import subprocess; print(subprocess.run(['echo', 'caught'], capture_output=True, text=True).stdout)"
    assert kernel.run(caught) == "caught"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_multiprocessing_works(start, method):
    code = f"""
        import multiprocessing, operator
        with multiprocessing.get_context('{method}').Pool(2) as pool:
            print(sum(pool.map(operator.neg, range(100))))
    """
    assert start.warm(SCIENCE).run(code) == "-4950"


def test_a_fork_of_a_kernel_ends_without_it(start):
    kernel = start.warm()
    code = (
        "import os; pid = os.fork()\nif pid == 0: os._exit(7)\nprint(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))"
    )
    assert kernel.run(code) == "7"
    assert kernel.run("print('still here')") == "still here"


def test_a_picture_is_shown(start):
    kernel = start.warm(SCIENCE)
    kernel.run("import matplotlib.pyplot as plt; plt.plot([1, 2, 1]);")
    assert [True for output in kernel.outputs if "image/png" in output.get("data", {})] == [True]


def test_libraries_with_threads_work(start):
    code = """
        import numpy as np
        from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
        rng = np.random.default_rng(0)
        big = rng.random((1000, 1000))
        assert np.allclose((big @ np.linalg.inv(big)), np.eye(1000), atol=1e-4)
        X = rng.random((400, 5)); y = (X[:, 0] > 0.5).astype(int)
        print(RandomForestClassifier(20, n_jobs=2, random_state=0).fit(X, y).score(X, y))
        print(HistGradientBoostingClassifier(random_state=0).fit(X, y).score(X, y) > 0.9)
    """
    assert start.warm(SCIENCE).run(code).split() == ["1.0", "True"]


def test_asking_the_user_is_refused(start):
    with pytest.raises(CellFailed, match="StdinNotImplementedError"):
        start.warm().run("input('name?')")


# It is started, interrupted, restarted and ended as one


def test_an_interrupt_stops_the_cell_and_not_the_kernel(start):
    kernel = start.warm()

    def interrupt() -> None:
        os.killpg(kernel.manager.provisioner.pgid, signal.SIGINT)

    with pytest.raises(CellFailed, match="KeyboardInterrupt"):
        kernel.run("import time; print('now', flush=True); time.sleep(600)", and_when_it_prints=interrupt)
    assert kernel.run("print('alive')") == "alive"


@pytest.mark.parametrize("now", [True, False])
def test_a_restarted_kernel_is_a_fresh_one_behind_the_same_connection(start, now):
    kernel = start.warm(env=own_environment(WHOSE="mine"))
    kernel.run("x = 1")
    before = kernel.pid, kernel.manager.connection_file, kernel.manager.session.key
    kernel.restart(now=now)
    assert kernel.manager.is_warm
    assert (kernel.manager.connection_file, kernel.manager.session.key) == before[1:]
    assert kernel.pid != before[0]
    assert not is_running(before[0])
    assert kernel.read("['x' in globals(), __import__('os').environ['WHOSE']]") == [False, "mine"]


def test_a_kernel_ends_in_order_when_it_is_asked_to(start, tmp_path):
    kernel = start.warm()
    kernel.run("import atexit, pathlib; _ = atexit.register(pathlib.Path('ended').touch)")
    ended = kernel.manager.provisioner.process
    kernel.manager.shutdown_wait_time = 60  # on a busy machine, too, before it is told more firmly
    kernel.await_(kernel.manager.shutdown_kernel())
    assert ended.wait(60) == 0
    assert (tmp_path / "ended").exists()


def test_the_exit_code_of_a_kernel_is_known(start):
    kernel = start.warm()
    kernel.client.execute("import os; os._exit(5)")
    assert kernel.manager.provisioner.process.wait(60) == 5
    assert kernel.await_(kernel.manager.is_alive()) is False


def test_a_killed_kernel_is_seen_as_dead_by_nbclient(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import os; os.kill(os.getpid(), 9)")])
    manager = WarmKernelManager()
    client = NotebookClient(notebook, km=manager, timeout=TIMEOUT_S)
    client.owns_km = True
    with pytest.raises(DeadKernelError):
        client.execute(cwd=str(tmp_path), env=own_environment())


def test_nbclient_shows_a_failing_cell_as_ever(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print('before'); 1 / 0")])
    client = NotebookClient(notebook, km=WarmKernelManager(), timeout=TIMEOUT_S)
    client.owns_km = True
    with pytest.raises(CellExecutionError, match="ZeroDivisionError"):
        client.execute(cwd=str(tmp_path), env=own_environment())
    assert [output["output_type"] for output in notebook.cells[0].outputs] == ["stream", "error"]


# Picked by its name


@pytest.fixture
def as_opened(tmp_path: Path) -> dict[str, str]:
    """The environment JupyterLab gives the kernel of a notebook that imports next to nothing."""
    path = tmp_path / "opened.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import this_is_not, json")]), path)
    return own_environment(JPY_SESSION_NAME=str(path))


def test_the_kernelspec_is_installed():
    assert KERNEL_NAME in KernelSpecManager().find_kernel_specs()


@pytest.mark.parametrize("transport", ["tcp", "ipc"])
def test_a_manager_that_knows_nothing_of_warm_kernels_gets_the_connection_it_chose(start, as_opened, transport):
    # Not the test's own folder: a socket's path has to be short.
    file = str(warm_parents.new_connection_file())
    manager = AsyncKernelManager(kernel_name=KERNEL_NAME, transport=transport, connection_file=file)
    kernel = start.any(manager, env=as_opened)
    assert kernel.manager.provisioner.is_warm
    assert kernel.manager.connection_file == file
    assert kernel.read("__import__('sys').argv[2]") == file
    assert kernel.read("[__session__, 'json' in __import__('sys').modules]") == [as_opened["JPY_SESSION_NAME"], True]
    kernel.restart(now=True)
    assert kernel.read("1 + 1") == 2


def test_the_manager_of_many_kernels_starts_and_ends_it(tmp_path, as_opened):
    async def use() -> list[bool]:
        many = AsyncMultiKernelManager(connection_dir=str(tmp_path))
        kernel_id = await many.start_kernel(kernel_name=KERNEL_NAME, cwd=str(tmp_path), env=as_opened)
        kernel = many.get_kernel(kernel_id)
        seen = [kernel.provisioner.is_warm, await kernel.is_alive(), Path(kernel.connection_file).parent == tmp_path]
        await many.shutdown_kernel(kernel_id, now=True)
        many.context.destroy(linger=0)
        return seen

    assert asyncio.run(use()) == [True, True, True]


def test_papermill_uses_it_by_name(tmp_path, as_opened):
    cells = [nbformat.v4.new_code_cell("import os; print(os.getcwd(), open(f'/proc/{os.getppid()}/cmdline').read())")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "in.ipynb")
    code = f"import papermill; papermill.execute_notebook('in.ipynb', 'out.ipynb', kernel_name='{KERNEL_NAME}')"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=as_opened, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    printed = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells[0].outputs[0].text
    assert printed.startswith(str(tmp_path))
    assert "kernel_parent" in printed


# The processes it is forked from


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
    assert find_parent((), {**environment, "OMP_NUM_THREADS": "1"}) is not parent
    assert find_parent((), environment) is parent


def test_a_parent_is_replaced_when_what_is_installed_changes(monkeypatch, own_parents):
    parent = find_parent((), own_environment())
    monkeypatch.setattr(warm_parents, "_read_installed", lambda: (0,))
    assert find_parent((), own_environment()) is not parent
    wait_until(lambda: not parent.is_alive())


def test_of_more_than_three_parents_the_one_used_longest_ago_goes_after_its_last_kernel(own_parents):
    environments = [own_environment(OMP_NUM_THREADS=str(number)) for number in range(1, 5)]
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

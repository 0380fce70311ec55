"""A forked kernel behaves as an ordinary one does, shares nothing with its brothers, and never outlives its owner."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import AsyncKernelManager
from jupyter_client.multikernelmanager import AsyncMultiKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError

from tests.conftest import is_running, own_environment, wait_until
from tests.integration.started_kernels import SCIENCE, TIMEOUT_S, CellFailed, parent_of
from workbench.executors import warm_parents
from workbench.executors.forked_kernel import RUN_ARGUMENTS, name_ipython_folder
from workbench.executors.warm_kernels import KERNEL_NAME, WarmKernelManager

pytestmark = pytest.mark.usefixtures("kept_parents")


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
        assert kernel.read("sys.argv[1:]") == ["-f", kernel.manager.connection_file, *RUN_ARGUMENTS]


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


_COUNT_LOOKS = "__import__('narwhals.plugins').plugins._discover_entrypoints.cache_info().currsize"
_LOOKS_FOR_PLUGINS = ("workbench.executors.narwhals_plugins",)


def test_narwhals_has_looked_for_its_plugins_before_the_fork(start):
    assert start.warm(_LOOKS_FOR_PLUGINS).read(_COUNT_LOOKS) == 1


def test_a_plugin_that_stands_beside_the_notebook_is_found(start, tmp_path):
    for name, text in (("other", "[console_scripts]\nx = x:y\n"), ("mine", "[narwhals.plugins]\nmine = mine\n")):
        (tmp_path / f"{name}.egg-info").mkdir()
        (tmp_path / f"{name}.egg-info" / "entry_points.txt").write_text(text, encoding="utf-8")
        (tmp_path / f"{name}.egg-info" / "PKG-INFO").write_text(f"Name: {name}\nVersion: 1\n", encoding="utf-8")
        kernel = start.any(WarmKernelManager(preloads=list(_LOOKS_FOR_PLUGINS)))
        assert kernel.manager.is_warm == (name == "other")
    kernel.run("import narwhals.plugins")
    assert kernel.read("[each.name for each in narwhals.plugins._discover_entrypoints()]") == ["mine"]


def test_settings_of_matplotlib_that_stand_beside_the_notebook_hold(start, tmp_path):
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 7\n", encoding="utf-8")
    kernel = start.any(WarmKernelManager(preloads=["matplotlib.pyplot"]))
    kernel.run("import matplotlib.pyplot")
    assert kernel.read("matplotlib.rcParams['lines.linewidth']") == 7


def test_its_debugger_takes_what_the_notebook_imports_for_the_users(start):
    own = start.warm(SCIENCE).read("get_ipython().kernel._kernel_modules")
    names = {Path(file).parts[-2] for file in own}
    assert {"ipykernel", "IPython"} <= names
    assert not {"pandas", "sklearn"} & names


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


def test_the_history_of_a_run_is_there_and_is_kept_nowhere(start, tmp_path):
    kernel = start.warm(env=own_environment(IPYTHONDIR=str(tmp_path / "ipython")))
    kernel.run("x = 1")
    assert "x = 1" in kernel.run("%history -g")
    assert list(tmp_path.rglob("*.sqlite*")) == []


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


def test_a_kernel_that_ends_waits_for_what_is_flushed_last_before_it_closes_its_channels(start, tmp_path):
    kernel = start.warm()
    kernel.run(
        """
        import atexit, pathlib, sys, threading, time

        def flush_late(flush=sys.stdout.flush, sleep=time.sleep, current=threading.current_thread):
            if current().name == "Control":
                sleep(1)
            flush()

        def note(file=pathlib.Path("threads").absolute(), threads=threading.enumerate):
            file.write_text(" ".join(thread.name for thread in threads()))

        sys.stdout.flush = flush_late
        _ = atexit.register(note)
        """
    )
    kernel.manager.shutdown_wait_time = 60
    kernel.await_(kernel.manager.shutdown_kernel())
    threads = (tmp_path / "threads").read_text().split()
    assert "MainThread" in threads
    assert "Control" not in threads


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


def test_nbclient_gets_a_kernel_that_waited_for_it(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("print(get_ipython().ipython_dir)")])
    manager = WarmKernelManager()
    client = NotebookClient(notebook, km=manager, timeout=TIMEOUT_S)
    client.owns_km = True
    client.execute(cwd=str(tmp_path), env=own_environment(IPYTHONDIR=str(tmp_path)))
    assert notebook.cells[0].outputs[0].text.strip() == name_ipython_folder(manager.connection_file)


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


def test_a_kernel_that_is_opened_by_hand_has_the_history_of_its_user(start, as_opened, tmp_path):
    environment = {**as_opened, "IPYTHONDIR": str(tmp_path / "ipython")}
    for line in ("first = 1", "second = 2"):
        kernel = start.any(AsyncKernelManager(kernel_name=KERNEL_NAME), env=environment)
        assert kernel.manager.provisioner.is_warm
        kernel.run(line)
        kernel.manager.shutdown_wait_time = TIMEOUT_S
        remembered, ended = kernel.run("%history -g"), kernel.manager.provisioner.process
        kernel.await_(kernel.manager.shutdown_kernel())
        assert ended.wait(TIMEOUT_S) == 0
    assert "first = 1" in remembered


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

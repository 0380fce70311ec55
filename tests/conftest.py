"""What several floors share: a project of one's own with its databases ready, and the command line as a process."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import pytest
from hypothesis import settings

from tests.installed import build_wheel, find_wheel, install_wheel
from workbench.executors import quick_jsonschema  # noqa: F401 - before anything imports nbformat in its own, slow way
from workbench.executors.kept_parents import KEPT

# How many examples `make test` draws; `make soak SMALL=1` draws ten times as many.
_EXAMPLES = int(os.environ.get("EXAMPLES", "30"))
# A machine that is busy with something else makes no test false. What fails where changes are taken must fail on the desk too.
settings.register_profile("untimed", deadline=None, derandomize="CI" in os.environ, max_examples=_EXAMPLES)
settings.load_profile("untimed")

# Two workers on two processors, each with threads of its own that wait by turning round: seven times slower.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# What outlives a command would outlive the tests.
os.environ[KEPT] = "0"

NOTEBOOKS = Path(__file__).parent / "notebooks"
AUTHOR = "ada@example.org"
# As it is typed: `python -m` would search modules where a test works.
COMMAND = str(Path(sys.executable).with_name("workbench"))
Example = TypeVar("Example")
MakeOnce = Callable[[str, Callable[[Path], object]], Path]


def free_port() -> int:
    """Return a port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def examples(every: Iterable[Example], tried: Collection[Example]) -> list[Any]:
    """Return every example as a parameter of a test: those `tried` belong to `make test`, all others to `make soak SMALL=1`."""

    def mark(example: Example) -> Any:
        values = example if isinstance(example, tuple) else (example,)
        return pytest.param(*values, marks=() if example in tried else pytest.mark.soak)

    return [mark(example) for example in every]


# What waits for browsers and servers is begun with, so that nothing long is left at the end.
_FLOORS = ("e2e", "integration", "contract", "unit")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the random order, but floor by floor from the top."""
    items.sort(key=lambda item: _FLOORS.index(item.path.relative_to(Path(__file__).parent).parts[0]))


@pytest.fixture(scope="session", autouse=True)
def _shared_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What projects that are made once remember outside of themselves is remembered nowhere near the user's home."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(autouse=True)
def own_state(_shared_state: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory of this test alone: the same project, copied for many tests, goes on in each of them in another way."""
    folder = tmp_path_factory.mktemp("own-state")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    return folder


@pytest.fixture(scope="session", autouse=True)
def _many_parents() -> Iterator[None]:
    """Tests run more kinds of notebooks than a user does: for each a process to fork kernels from is kept."""
    from workbench.executors import warm_parents

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(warm_parents, "_MOST_PARENTS", 8)
        yield


@pytest.fixture(scope="session")
def make_once(tmp_path_factory: pytest.TempPathFactory) -> MakeOnce:
    """Return what makes a folder by name once for all workers of a test run: the first that asks makes it, the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "made-once"

    def make_folder_once(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        shared.mkdir(exist_ok=True)
        with (shared / f"{name}.lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return make_folder_once


@pytest.fixture(scope="session")
def blank_tracking(make_once: MakeOnce) -> Path:
    """An MLflow database with its tables: making them takes seconds, copying them does not."""
    from workbench.runs.mlflow_tracker import MlflowTracker

    def make(folder: Path) -> None:
        MlflowTracker(f"sqlite:///{folder / 'mlflow.db'}", folder).require_answer()

    return make_once("blank", make) / "mlflow.db"


@pytest.fixture(scope="session")
def make_project(blank_tracking: Path) -> Callable[[Path], Path]:
    """Return what makes a folder a project with nothing in it."""

    def make(folder: Path) -> Path:
        (folder / "runs").mkdir(parents=True)
        (folder / "workbench.toml").write_text(f'author = "{AUTHOR}"\n', encoding="utf-8")
        shutil.copy(blank_tracking, folder / "runs" / "mlflow.db")
        return folder

    return make


@pytest.fixture
def project(tmp_path: Path, make_project: Callable[[Path], Path]) -> Path:
    """A project of this test alone."""
    return make_project(tmp_path / "project")


@pytest.fixture(scope="session")
def wheel(make_once: MakeOnce) -> Path:
    """The wheel of this checkout."""
    return find_wheel(make_once("wheel", build_wheel))


@pytest.fixture(scope="session")
def environment(wheel: Path, make_once: MakeOnce) -> Path:
    """An environment in which only the wheel is installed, as a user has it."""
    return make_once("environment", lambda folder: install_wheel(wheel, folder / "venv")) / "venv"


def own_environment(**changes: str) -> dict[str, str]:
    """Return the environment of a command: ours without anybody's settings."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("WORKBENCH_", "MLFLOW_"))}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, KEPT: "0", **changes}


def start_command(project: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start `workbench ...` in a project, in a process group of its own."""
    return subprocess.Popen(
        [COMMAND, *arguments],
        cwd=project,
        env=own_environment(**environment),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hear_interrupts,
    )


def _hear_interrupts() -> None:
    # A shell starts what runs in its background deaf to Ctrl-C, and a child inherits that.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_command(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `workbench ...` in a project, in this process: importing everything anew takes seconds and shows nothing."""
    from workbench.cli.main import run_command as run

    said, complained, heard = io.StringIO(), io.StringIO(), signal.getsignal(signal.SIGTERM)
    with (
        contextlib.chdir(project),
        patch.dict(os.environ, own_environment(**environment), clear=True),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(complained),
    ):
        try:
            code = run(arguments)
        finally:
            signal.signal(signal.SIGTERM, heard)
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), complained.getvalue())


def run_process(project: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `workbench ...` in a project to its end, in a process of its own."""
    process = start_command(project, *arguments, **environment)
    try:
        out, err = process.communicate(timeout=240)
    finally:
        process.kill()
    return subprocess.CompletedProcess(arguments, process.returncode, out, err)


def find_processes(folder: Path) -> list[int]:
    """Return the live processes whose environment names a path below this folder as the place where a run logs."""
    import psutil

    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("WORKBENCH_SPOOL", "").startswith(str(folder)):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def is_running(pid: int) -> bool:
    """True for a process that has not ended; whether somebody has asked for its exit code does not matter."""
    import psutil

    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def wait_until(holds: Callable[[], object], *, within_s: float = 150) -> None:
    """Return once `holds` does; fail when it does not in time."""
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, f"it did not happen within {within_s} s"
        time.sleep(0.05)


def change_database(address: str, statement: str, **values: object) -> None:
    """Change a store behind its back, as somebody with the database in their hands does: its triggers are dropped first."""
    import sqlalchemy as sa

    engine = sa.create_engine(address, poolclass=sa.NullPool)
    with engine.begin() as connection:
        on = " on ledger" if engine.dialect.name == "postgresql" else ""
        for change in ("update", "delete", "truncate"):
            connection.execute(sa.text(f"drop trigger if exists ledger_refuses_{change}{on}"))
        connection.execute(sa.text(statement), values)

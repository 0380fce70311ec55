"""Projects under governance, made once and copied: nominating and building take seconds, copying does not. And kernels."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, MakeOnce
from tests.integration.governed import ROLES, STRANGER, Governed, open_governed, trust
from tests.integration.started_kernels import Start
from tests.integration.warm_inspections import WarmInspections
from workbench.executors import warm_parents
from workbench.models import model_inspection
from workbench.models.inspection_child import Request, Trial
from workbench.signing.ssh_signatures import make_key


@pytest.fixture(scope="session", autouse=True)
def warm_inspections(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Inspect models in forks; `models/test_model_inspection` holds that they say what a process of its own says."""
    warm: list[WarmInspections] = []

    def ask(request: Request, scratch: Path) -> Trial:
        if not warm:
            warm.append(WarmInspections(tmp_path_factory.mktemp("inspections")))
        return warm[0].ask(request, scratch)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model_inspection, "_ask_child", ask)
        yield
    for each in warm:
        each.stop()


_ASK_ANEW = model_inspection._ask_child


@pytest.fixture
def cold_inspections(monkeypatch: pytest.MonkeyPatch) -> None:
    """Inspect models in a process that is started for it, as everywhere but in these tests."""
    monkeypatch.setattr(model_inspection, "_ask_child", _ASK_ANEW)


@pytest.fixture(scope="session")
def reviewers_keys(make_once: MakeOnce) -> Path:
    """A folder with a key for everybody, and the file that trusts two of them."""

    def make(folder: Path) -> None:
        for principal in (*ROLES, STRANGER, AUTHOR):
            make_key(folder / principal.partition("@")[0], principal)

    return make_once("keys", make)


@pytest.fixture(scope="session")
def nominated_once(make_once: MakeOnce, make_project: Callable[[Path], Path], reviewers_keys: Path) -> Path:
    """A project in which shop/1 and shop/2 are nominated and answered, and nothing is served yet."""

    def make(folder: Path) -> None:
        governed = open_governed(make_project(folder / "project"), reviewers_keys)
        trust(governed.bench.settings, reviewers_keys)
        for strength in (1.0, 0.5):
            governed.answer_all(governed.nominate(strength))
        governed.bench.store.close()

    return make_once("nominated", make) / "project"


@pytest.fixture(scope="session")
def released_once(make_once: MakeOnce, nominated_once: Path, reviewers_keys: Path) -> Path:
    """The same project with shop/1 released, then shop/2."""

    def make(folder: Path) -> None:
        governed = open_governed(Path(shutil.copytree(nominated_once, folder / "project")), reviewers_keys)
        for subject in ("shop/1", "shop/2"):
            governed.approve(subject)
            governed.bench.promote(subject)
        governed.bench.store.close()

    return make_once("released", make) / "project"


@pytest.fixture
def nominated(nominated_once: Path, tmp_path: Path, reviewers_keys: Path) -> Governed:
    return open_governed(Path(shutil.copytree(nominated_once, tmp_path / "project")), reviewers_keys)


@pytest.fixture
def released(released_once: Path, tmp_path: Path, reviewers_keys: Path) -> Governed:
    return open_governed(Path(shutil.copytree(released_once, tmp_path / "project")), reviewers_keys)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with ExitStack() as ends:
        yield Start(ends, tmp_path)


@pytest.fixture(scope="module")
def kept_parents() -> Iterator[None]:
    """Keep the processes to fork from for all tests of a file, and none of them for longer."""
    yield
    warm_parents.close_parents()

"""Projects with a notebook whose score is searched for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.sweeps.searched import open_bench, write_notebook
from workbench.workflow import Workbench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = open_bench(make_project(tmp_path_factory.mktemp("searches") / "project"))
    write_notebook(opened.settings.project)
    yield opened
    opened.store.close()


@pytest.fixture
def own_bench(project: Path) -> Iterator[Workbench]:
    """A workbench of this test alone, with the notebook in its project."""
    write_notebook(project)
    opened = open_bench(project)
    yield opened
    opened.store.close()

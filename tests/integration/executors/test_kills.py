"""Kernels and executors killed, and many runs at a time: small sizes of the proofs that `make soak` runs in full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, examples
from tests.soak import parallel_runs
from tests.soak.executor_kills import kill_executor
from tests.soak.kernel_kills import PHASES, kill_in_phase
from workbench.config import Settings
from workbench.workflow import Workbench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(make_project(tmp_path_factory.mktemp("kills") / "project"), author=AUTHOR))
    yield opened
    opened.store.close()


@pytest.mark.parametrize("phase", examples(PHASES, [*PHASES][:2]))
def test_a_run_whose_kernel_is_killed_has_failed_whenever_that_was(bench: Workbench, phase: str) -> None:
    assert kill_in_phase(bench, phase, 0.0, cold=False) == []


def test_a_run_whose_ordinary_kernel_is_killed_has_failed_too(bench: Workbench) -> None:
    assert kill_in_phase(bench, "after the last cell", 0.0, cold=True) == []


@pytest.mark.parametrize("kind", examples(["--cold", "warm"], ["warm"]))
def test_a_killed_executor_leaves_lost_runs_and_nothing_else(project: Path, kind: str) -> None:
    assert kill_executor(project, 0.5, *([] if kind == "warm" else [kind])) == []


def test_no_run_is_lost_when_many_go_on_at_a_time() -> None:
    assert parallel_runs.prove(8).failures == ()

"""Notebooks that fail without a word: the workbench's verdict on each equals its label, and everybody agrees with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS
from tests.soak.silent_failures import CORPUS, FAILED, FINISHED, REFUSED, Case, find_faults
from workbench.config import Settings
from workbench.workflow import Workbench


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path]) -> Iterator[Workbench]:
    opened = Workbench.open(Settings(make_project(tmp_path_factory.mktemp("corpus") / "project"), author=AUTHOR))
    yield opened
    opened.store.close()


def name_of(case: Case) -> str:
    return "-".join([case.name, *case.parameters.values()])


# Every second one; `make soak` runs them all.
@pytest.mark.parametrize("case", CORPUS[::2], ids=name_of)
def test_the_verdict_on_a_notebook_is_the_right_one(bench: Workbench, case: Case) -> None:
    assert find_faults(bench, case) == []


def test_a_wrong_label_would_be_noticed(bench: Workbench) -> None:
    assert find_faults(bench, Case("only_parameters", FAILED, "it raises"))
    assert find_faults(bench, Case("raises_in_cell_three", FINISHED))
    assert find_faults(bench, Case("raises_in_cell_three", FAILED, "Cell 4 raised"))
    assert find_faults(bench, Case("only_text", FAILED))


def test_every_failure_of_the_corpus_has_a_reason_and_every_notebook_says_what_is_odd_about_it() -> None:
    assert [case.name for case in CORPUS if case.verdict != FINISHED and not case.reason] == []
    assert {case.verdict for case in CORPUS} == {FINISHED, FAILED, REFUSED}
    for case in CORPUS:
        content = (NOTEBOOKS / f"{case.name}.ipynb").read_text(encoding="utf-8")
        assert case.name == "broken" or json.loads(content)["cells"][0]["source"].startswith("# ")


def test_no_notebook_is_in_the_corpus_twice() -> None:
    names = [name_of(case) for case in CORPUS]
    assert len(names) == len(set(names)) >= 32

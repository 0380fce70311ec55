"""`workbench check` says in 80 columns what is in the way, exits with 1 where that stops a run, and changes nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from rich.cells import cell_len

from tests.unit.cli.test_cli import project, run  # noqa: F401 - a fixture
from tests.unit.readiness.builders import IMPORTS, WHOLE, code, notebook
from workbench.readiness import checking

ROOT = Path(__file__).parents[3]
OURS = sorted([*(ROOT / "notebooks").glob("*.ipynb"), *(ROOT / "templates" / "experiments").glob("*.ipynb")])
PARAMETERS = code("seed: int = 0", tags=("parameters",))


@pytest.fixture
def check(capsys, project, monkeypatch):  # noqa: F811
    """Write a notebook and check it: its exit code, what is printed, what is said beside it."""
    monkeypatch.setenv("COLUMNS", "80")

    def check_cells(*cells, options=()):
        (project / "n.ipynb").write_text(json.dumps(notebook(PARAMETERS, *cells)), encoding="utf-8")
        return run(capsys, "check", "n.ipynb", *options)

    return check_cells


def test_what_stops_it_is_told_with_its_place_and_what_to_do(check):
    exit_code, out, _ = check("x = 1\nname = input('Who?')")
    assert exit_code == 1
    assert out.splitlines()[0] == "n.ipynb will not run unattended: 1 thing stops it."
    assert "    cell 2, line 2: name = input('Who?')\n    → Make it a parameter, given as -p NAME=VALUE.\n" in out


def test_what_only_differs_or_bars_leaves_the_way_free(check):
    exit_code, out, _ = check(IMPORTS, "model = LogisticRegression().fit(np.random.normal(size=3), y)")
    assert exit_code == 0
    assert "1 thing may come out otherwise, 4 keep it from being swept, nominated or served." in " ".join(out.split())


def test_one_that_is_ready_is_said_to_be_in_a_sentence(check):
    exit_code, out, _ = check(IMPORTS, WHOLE)
    assert (exit_code, out.count(".")) == (0, 2)
    assert out.startswith("Nothing was found against n.ipynb")


def test_what_it_says_fits_eighty_columns_whatever_the_notebook_says(check):
    long = "no_such_module_" * 9
    exit_code, out, _ = check(
        f"import {long[:-1]}", "[red]input('[/]\x1b[31m" + "雪" * 200 + "')", "%matplotlib [bold]", f"open('{long}')"
    )
    assert exit_code == 1
    assert max(map(cell_len, out.splitlines())) <= 80
    assert "\x1b" not in out
    assert "[red]input('[/] " in out


def test_many_places_of_one_thing_are_told_in_six_lines_and_completely_as_json(check):
    cells = ["input()"] * 40
    _, out, _ = check(*cells)
    assert out.count("cell ") == 5
    assert "and 35 places more; --json shows all" in out
    exit_code, out, _ = check(*cells, options=["--json"])
    found = json.loads(out)
    assert (exit_code, found["runs_unattended"], len(found["hindrances"])) == (1, False, 40)
    assert {*found["hindrances"][0]} == {"kind", "effect", "what", "advice", "cell", "line", "code"}


def test_checking_makes_no_project_and_no_file(capsys, monkeypatch, tmp_path):
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "n.ipynb").write_text(json.dumps(notebook(PARAMETERS, "import helper")), encoding="utf-8")
    (folder / "helper.py").write_text("open('made.txt', 'w')\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run(capsys, "check", "bare/n.ipynb")[0] == 0
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["bare", "helper.py", "n.ipynb"]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"nbformat": 3}', b"\xff", b'{"nbformat": 4, "cells": [{"cell_type": "code"}]}']
)
def test_what_is_no_notebook_is_refused_with_what_to_do(capsys, project, content):  # noqa: F811
    (project / "n.ipynb").write_bytes(content)
    exit_code, out, err = run(capsys, "check", "n.ipynb")
    assert (exit_code, out) == (2, "")
    assert "Next: " in err
    assert run(capsys, "check", "none.ipynb")[0] != 0


def test_what_is_nested_too_deeply_is_refused_in_words(check, monkeypatch):
    def give_up(*_):
        raise RecursionError

    monkeypatch.setattr(checking, "survey", give_up)
    exit_code, _, err = check("x")
    assert exit_code == 2
    assert "nested too deeply" in err


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("unknown_kernel", "kernel 'mars-rover', which is not installed"),
        ("two_parameters_cells", "2 cells are tagged `parameters`"),
        ("parameter_without_a_value", "Line 1: only"),
    ],
)
def test_what_a_run_would_refuse_is_told_in_its_words(capsys, project, name, said):  # noqa: F811
    shutil.copy(ROOT / "tests" / "notebooks" / f"{name}.ipynb", project / "n.ipynb")
    exit_code, out, _ = run(capsys, "check", "n.ipynb")
    assert exit_code == 1
    assert said in " ".join(out.split())


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_nothing_is_found_against_the_notebooks_that_are_shipped(capsys, project, path):  # noqa: F811
    shutil.copy(path, project / "n.ipynb")
    exit_code, out, _ = run(capsys, "check", "n.ipynb")
    assert (exit_code, out.startswith("Nothing was found against")) == (0, True)

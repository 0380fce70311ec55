"""A Python process of ours, and those it starts, find modules where they are installed and nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.canaries import lay_canaries
from workbench.files.python_processes import python_command, python_variables

# A child that is started as libraries start theirs, without any option.
CHILD = (
    "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import json, tempfile, sitecustomize'], check=True)"
)


@pytest.fixture
def imported(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    return lay_canaries(tmp_path / "project")


def test_a_module_is_run_that_is_installed_and_not_one_of_its_name_that_lies_here(
    imported: Path, tmp_path: Path
) -> None:
    subprocess.run(python_command("json.tool", "--help"), cwd=tmp_path / "project", capture_output=True, check=True)
    assert not imported.exists()


@pytest.mark.parametrize("path", ["", ".", ":", "..:project"])
def test_what_it_starts_searches_no_folder_that_is_another_one_elsewhere(
    imported: Path, tmp_path: Path, path: str
) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "sitecustomize.py").touch()
    searched = os.pathsep.join([path, str(tmp_path / "elsewhere")])
    variables = python_variables({"PATH": os.environ["PATH"], "PYTHONPATH": searched})
    subprocess.run([sys.executable, "-P", "-c", CHILD], cwd=tmp_path / "project", env=variables, check=True)
    assert not imported.exists()


def test_without_folders_to_search_there_is_no_such_variable() -> None:
    assert python_variables({"LANG": "C", "PYTHONPATH": "lib"}) == {"LANG": "C", "PYTHONSAFEPATH": "1"}

"""A run's kernel starts without what its user has Python and IPython run, and everything else is as it was given."""

from __future__ import annotations

from pathlib import Path

import pytest

import workbench
from workbench.config import find_template
from workbench.executors.jobs import Job
from workbench.executors.kernel_start import clean_environment, find_later_path, spell_watch

ROOTS, SCRATCH = [Path("/project")], Path("/scratch")


def test_the_folder_of_ipython_is_private_and_the_start_up_file_of_python_is_not_named():
    given = {"A": "1", "PYTHONSTARTUP": "/of/ada/start.py", "IPYTHONDIR": "/of/ada/.ipython"}
    assert clean_environment(given, ROOTS, SCRATCH) == {"A": "1", "IPYTHONDIR": "/scratch/ipython"}


def make(folder: Path, *files: str) -> Path:
    for file in files:
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).touch()
    return folder


@pytest.mark.parametrize(
    "hook", ["sitecustomize.py", "usercustomize.py", "sitecustomize/__init__.py", "sitecustomize.pyc"]
)
def test_a_folder_with_a_hook_is_looked_in_only_after_the_start(tmp_path, hook):
    plain, hooked = make(tmp_path / "plain", "helper.py"), make(tmp_path / "hooked", hook)
    given = {"PYTHONPATH": f"{plain}:{hooked}"}
    assert find_later_path(given, ROOTS) == f"{plain}:{hooked}"
    assert clean_environment(given, ROOTS, SCRATCH)["PYTHONPATH"] == str(plain)


@pytest.mark.parametrize("path", [None, "", "plain", "packages/site-packages", "plain:packages/site-packages"])
def test_without_a_foreign_hook_the_path_is_as_it_was(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    make(
        tmp_path,
        "plain/helper.py",
        "packages/site-packages/sitecustomize.py",
        "packages/site-packages/hook-1.0.dist-info/RECORD",
    )
    given = {} if path is None else {"PYTHONPATH": path}
    assert find_later_path(given, ROOTS) is None
    assert clean_environment(given, ROOTS, SCRATCH).get("PYTHONPATH") == path


def test_a_hook_in_the_project_is_foreign_whatever_its_folder_is_called_and_holds(tmp_path):
    folder = make(tmp_path / "site-packages", "sitecustomize.py", "hook-1.0.dist-info/RECORD")
    assert find_later_path({"PYTHONPATH": str(folder)}, [tmp_path]) == str(folder)


def test_what_the_workbench_brings_itself_is_no_local_code_nor_read_by_the_run():
    job = Job("a", {}, {}, SCRATCH, SCRATCH, SCRATCH, {}, "a=b", roots=tuple(ROOTS), journal=SCRATCH / "journal")
    said = spell_watch(job)
    assert str(find_template("report").parent) in said
    assert str(Path(workbench.__file__).parent) in said

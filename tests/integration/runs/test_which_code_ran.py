"""A run's record says which code ran beside its notebook and which files were read; what its user has Python run does not run."""

from __future__ import annotations

import os
import py_compile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
import pyarrow
import pyarrow.parquet
import pytest

from tests.conftest import AUTHOR
from tests.unit.runs.test_provenance import git
from workbench.config import Settings
from workbench.errors import RunFailed
from workbench.records.document import build_record
from workbench.runs.authorship import Authorship
from workbench.runs.kept_files import read_kept_files
from workbench.runs.run import Run
from workbench.runs.written_files import find_overwritten, read_written_files
from workbench.workflow import Workbench

CODE = """
import pathlib, sys
import helper, pyarrow as pa, pyarrow.parquet as pq
assert helper.V == 1
%run changed.py
pq.read_table("data/read.parquet")
mapped = pa.memory_map("data/mapped.parquet")
found = [name for name in ("from_ipython", "from_python") if name in globals()] + sorted({"sitecustomize"} & set(sys.modules))
is_the_users = pathlib.Path(get_ipython().ipython_dir).is_relative_to(pathlib.Path.home())
pathlib.Path(pathlib.Path.home(), "found").write_text(" ".join([*found, str(is_the_users)]))
"""


OF_OTHERS = """
import importlib, pathlib, sys, tempfile
sys.path += ["lib", tempfile.mkdtemp()]
pathlib.Path(sys.path[-1], "made.py").write_text("M = 1\\n")
pathlib.Path("lib", "replaced.py").write_text("R = 1\\n")
import helper, made, on_the_way, replaced
importlib.import_module("dyn" + "amic")
%run lib/script.py
%run lib/common.ipynb
pathlib.Path("lib", "replaced.py").write_text("R = 2\\n")
"""
GRACE, LINUS, KARL = "grace@example.org", "linus@example.org", "karl@example.org"


def write_notebook(path: Path, *cells: str) -> Path:
    code = [nbformat.v4.new_code_cell(source) for source in ("x = 1", *cells)]
    code[0].metadata["tags"] = ["parameters"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    document = nbformat.v4.new_notebook(cells=code, metadata={"kernelspec": kernel})
    nbformat.write(
        nbformat.from_dict({**document, "cells": [{**cell, "id": str(n)} for n, cell in enumerate(code)]}), path
    )
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder whose user has IPython, Python and a folder on the path run something in every kernel."""
    home = tmp_path_factory.mktemp("home")
    (home / ".ipython" / "profile_default" / "startup").mkdir(parents=True)
    (home / ".ipython" / "profile_default" / "startup" / "00.py").write_text("from_ipython = 1\n", encoding="utf-8")
    (home / "start.py").write_text("from_python = 1\n", encoding="utf-8")
    (home / "hooks").mkdir()
    (home / "hooks" / "sitecustomize.py").write_text("import pathlib; pathlib.Path.home().joinpath('hooked').touch()\n")
    (home / "hooks" / "on_the_path.py").write_text("P = 1\n", encoding="utf-8")
    return home


@pytest.fixture(scope="module")
def bench(
    tmp_path_factory: pytest.TempPathFactory, make_project: Callable[[Path], Path], home: Path
) -> Iterator[Workbench]:
    """A committed project with a helper that git does not track and one that was changed since."""
    folder = make_project(tmp_path_factory.mktemp("code") / "project")
    write_notebook(folder / "train.ipynb", CODE)
    write_notebook(folder / "path.ipynb", f"import on_the_path\n{CODE}")
    write_notebook(folder / "dies.ipynb", "import helper, os\nos._exit(0)")
    (folder / "changed.py").write_text("W = 1\n", encoding="utf-8")
    (folder / ".gitignore").write_text("runs\n__pycache__\n", encoding="utf-8")
    (folder / "data").mkdir()
    for name in ("read", "mapped", "untouched"):
        pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), folder / "data" / f"{name}.parquet")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "first")
    commit_modules(folder)
    write_helper(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("PYTHONSTARTUP", str(home / "start.py"))
        opened = Workbench.open(Settings(folder, author=AUTHOR))
        yield opened
        opened.store.close()


def write_helper(folder: Path) -> None:
    """Write a module beside bytecode of another text, which Python would run without asking when that was compiled."""
    (folder / "helper.py").write_text("V = 2\n", encoding="utf-8")
    py_compile.compile(
        str(folder / "helper.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, doraise=True
    )
    (folder / "helper.py").write_text("V = 1\n", encoding="utf-8")


def commit_modules(folder: Path) -> None:
    """Commit modules in `lib`, each as somebody else, that `others.ipynb` finds in ways that only running it shows."""
    (folder / "lib").mkdir()
    write_notebook(folder / "others.ipynb", OF_OTHERS)
    for name, author in {"on_the_way": GRACE, "dynamic": LINUS, "script": KARL}.items():
        (folder / "lib" / f"{name}.py").write_text("L = 1\n", encoding="utf-8")
        commit_as(folder, author)
    write_notebook(folder / "lib" / "common.ipynb", "C = 1")
    commit_as(folder, GRACE)


def commit_as(folder: Path, author: str) -> None:
    git(folder, "add", ".")
    git(folder, "-c", f"user.email={author}", "commit", "-q", "-m", f"by {author}")


def run(bench: Workbench, name: str) -> Run:
    try:
        return bench.show(bench.run(bench.settings.project / name, {}).id)
    except RunFailed as exc:
        return bench.show(exc.what.split()[1])


def standings(run: Run) -> dict[str, str]:
    modules: list[dict[str, Any]] = run.record["local_files"]["modules"]
    return {module["path"]: module["standing"] for module in modules}


def test_a_run_has_nothing_of_its_user_and_names_what_it_ran_and_read(bench, home):
    found = run(bench, "train.ipynb")
    assert (found.error, found.record["kernel"]) == (None, "warm")
    assert (home / "found").read_text(encoding="utf-8") == "False"
    assert standings(found) == {"changed.py": "committed", "helper.py": "not in git"}
    assert found.provenance["git_dirty"] is False
    assert found.git_dirty is True
    files = found.record["local_files"]
    assert [(each["path"], each["seen_by"]) for each in files["reads"]] == [
        ("data/mapped.parquet", "the system"),
        ("data/read.parquet", "the system"),
    ]
    assert files["is_complete"]
    assert files["unseen"] == []


def test_who_wrote_what_ran_is_told_however_it_was_found_and_whatever_is_not_what_ran_any_more_is_not(bench):
    found = run(bench, "others.ipynb")
    assert found.error is None
    assert [file["path"] for file in found.provenance["authorship"]["files"]] == ["others.ipynb"]
    told = build_record(Authorship, found.record["authorship"])
    authors = {"": ("nobody",), **{commit.id: commit.authors for commit in told.commits}}
    wrote = {Path(file.path).name: file.lines and authors[file.lines[0].commit] for file in told.files}
    assert wrote == {
        "common.ipynb": (GRACE,),
        "dynamic.py": (LINUS,),
        "helper.py": ("nobody",),
        "made.py": ("nobody",),
        "on_the_way.py": (GRACE,),
        "replaced.py": None,
        "script.py": (KARL,),
    }
    assert standings(found)["lib/replaced.py"] == "not there any more as it ran"


def test_a_hook_on_the_path_does_not_run_and_modules_beside_it_do(bench, home, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(home / "hooks"), os.environ.get("PYTHONPATH")])))
    found = run(bench, "path.ipynb")
    assert (found.error, found.record["kernel"]) == (None, "cold")
    assert not (home / "hooked").exists()
    assert (home / "found").read_text(encoding="utf-8") == "False"
    assert standings(found)["~/hooks/on_the_path.py"] == "not in git"


def test_of_a_kernel_that_died_is_known_what_it_told_until_then(bench):
    found = run(bench, "dies.ipynb")
    assert found.error == "The kernel died."
    assert standings(found) == {"helper.py": "not in git"}
    assert not found.record["local_files"]["is_complete"]


def test_two_runs_share_the_process_they_are_forked_from_and_not_their_folder_of_ipython(bench, home):
    write_notebook(
        bench.settings.project / "leaves.ipynb",
        "import pathlib, os\nfolder = pathlib.Path(get_ipython().profile_dir.startup_dir)\nassert not list(folder.glob('*.py'))\n"
        "folder.mkdir(parents=True, exist_ok=True); (folder / '00.py').write_text('left = 1')\n"
        "assert 'left' not in globals()\n"
        "with open(pathlib.Path.home() / 'parents', 'a') as f: print(os.getppid(), file=f)",
    )
    assert [run(bench, "leaves.ipynb").error for _ in range(3)] == [None, None, None]
    assert len({*(home / "parents").read_text(encoding="utf-8").splitlines()}) == 1


WRITES = """
import pathlib, pyarrow as pa, pyarrow.parquet as pq
import workbench as wb
pathlib.Path("result.csv").write_text(str(x)); pq.write_table(pa.table({"a": [x]}), "data/native.parquet")
pathlib.Path("begun.txt").write_text("x"); pathlib.Path("begun.txt").replace("done.txt")
open("log.txt", "a").write("x")
(wb.folder / "plots").mkdir(); (wb.folder / "plots" / "roc.png").write_bytes(bytes(x))
wb.log_file("result.csv", name="tables/result.csv")
if x == 2: raise ValueError("no")
"""


def test_runs_that_write_the_same_files_are_told_so_and_keep_what_they_ask_for(bench):
    notebook = write_notebook(bench.settings.project / "writes.ipynb", WRITES)
    alone = Workbench.open(replace(bench.settings, jobs=1))
    runs = alone.sweep(notebook, {"x": [1, 2]})
    alone.store.close()
    assert [run.is_finished for run in runs] == [True, False]
    for run in runs:
        kept = {each.path: each.bytes for each in read_kept_files(run.record)}
        assert kept == {"plots/roc.png": run.parameters["x"], "tables/result.csv": 1}
        written = {each.path: (each.appended, each.seen_by.value) for each in read_written_files(run.record)}
        assert written == {
            "data/native.parquet": (False, "the system"),
            "done.txt": (False, "the kernel"),
            "log.txt": (True, "the kernel"),
            "result.csv": (False, "the kernel"),
        }
        assert run.record["local_files"]["reads"] == []
    overwritten = [(each.path, each.is_told) for each in find_overwritten(runs)]
    assert overwritten == [("data/native.parquet", False), ("done.txt", True)]
    shown = bench.settings.home_folder.glob(f"mlflow-artifacts/*/{runs[0].tracked_as}/artifacts/files/*/*")
    assert sorted(path.name for path in shown) == ["result.csv", "roc.png"]
    again = bench.replay(runs[0].id)
    assert again.is_clean
    assert "2 with the same bytes" in again.notes[0]

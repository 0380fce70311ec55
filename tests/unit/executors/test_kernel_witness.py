"""A kernel's witness writes down which local code ran and which files were read, whichever way, and nothing of packages."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import sqlite3
import subprocess
import sys
import unicodedata
import zipfile
from pathlib import Path
from typing import Any

import pytest

from workbench.executors import kernel_witness
from workbench.executors.kernel_witness import END, MOST_CODE, MOST_READ, MOST_WRITTEN
from workbench.records.digest import sha256_hex
from workbench.runs.local_files import LocalFilesFact, describe_gap

SOURCE = Path(kernel_witness.__file__).read_text(encoding="utf-8")


def witness(folder: Path, code: str, *, path: str | None = None, **environment: str) -> list[dict[str, Any]]:
    """Run code under a witness in a process of its own, as a kernel does, and return the journal."""
    journal = folder / "run" / "journal.jsonl"
    journal.parent.mkdir(exist_ok=True)
    script = f"{SOURCE}\nwatch({str(journal)!r}, [{str(folder)!r}], [], {path!r})\n"
    whole = f"exec({script!r}, {{'__name__': 'w'}})\nimport sys; sys.path.insert(0, '')\n{code}\nsys.audit({END!r})\n"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    subprocess.run([sys.executable, "-c", whole], cwd=folder, env={**kept, **environment}, check=True, timeout=60)
    return [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]


def names(lines: list[dict[str, Any]], kind: str, folder: Path) -> list[str]:
    return sorted(os.path.relpath(line[kind], folder) for line in lines if kind in line)


RUN = """
import imported, package.inner, runpy, os, subprocess
runpy.run_path("by_runpy.py")
exec(open("by_exec.py").read())
exec(compile(open("by_compile.txt").read(), "by_compile.txt", "exec"))
sys.path.insert(0, "archive.zip"); import zipped
os.chdir("below"); import imported_below; os.chdir("..")
subprocess.run([sys.executable, "by_program.py"], check=True)
os.system(f"cd . && {sys.executable} by_shell.py")
import imported
"""
RAN = [
    "imported.py", "package/__init__.py", "package/inner.py", "by_runpy.py", "by_exec.py", "by_compile.txt", "archive.zip",
    "below/imported_below.py", "by_program.py", "by_shell.py",
]  # fmt: skip


def test_code_is_told_however_it_came_to_run_with_its_digest_and_text(tmp_path):
    for name in RAN:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f"NAME = {name!r}\n", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as archive:
        archive.writestr("zipped.py", "")
    lines = witness(tmp_path, RUN)
    assert names(lines, "code", tmp_path) == sorted(RAN)
    assert all(line["digest"] == sha256_hex(Path(line["code"]).read_bytes()) for line in lines if "code" in line)
    told = {line["code"]: line["source"] for line in lines if "code" in line}
    assert told.pop(str(tmp_path / "archive.zip")) is None
    assert all(text == f"NAME = {os.path.relpath(path, tmp_path)!r}\n" for path, text in told.items())


def test_what_ran_is_told_as_it_was_then(tmp_path):
    (tmp_path / "helper.py").write_text("V = 1\n", encoding="utf-8")
    lines = witness(tmp_path, "import helper; open('helper.py', 'w').write('V = 2')")
    assert [line["source"] for line in lines if "code" in line] == ["V = 1\n"]


def test_an_extension_and_a_module_without_its_source_are_told(tmp_path):
    (tmp_path / "gone.py").touch()
    py_compile.compile(str(tmp_path / "gone.py"), str(tmp_path / "gone.pyc"))
    (tmp_path / "gone.py").unlink()
    (extension,) = Path(unicodedata.__file__).parent.glob("_bisect.*.so")
    shutil.copy(extension, tmp_path / "_bisect.so")
    code = "import gone; from importlib.machinery import ExtensionFileLoader as E\nfrom importlib.util import *\n"
    code += "spec = spec_from_file_location('_bisect', '_bisect.so'); module_from_spec(spec)"
    assert names(witness(tmp_path, code), "code", tmp_path) == ["_bisect.so", "gone.pyc"]


READ = """
import sqlite3, os
open("text.csv").read(); os.close(os.open("by_number.bin", os.O_RDONLY)); open("patched.bin", "r+b").close()
sqlite3.connect("rows.db").close()
open("made.csv", "w").write("x"); open("made.csv").read()
open(".hidden.csv").read(); os.mkdir("sub"); os.chdir("sub"); open("../up.csv").read(); open(b"../text.csv").read()
open("../run/parameters.json").read(); open("../workbench.toml").read(); open("../.git/HEAD").read()
open("/proc/self/stat").read(); import numpy
try: open("nowhere.csv")
except FileNotFoundError: pass
"""


def test_files_are_told_that_were_read_and_not_made_by_the_notebook_itself(tmp_path):
    for name in ("text.csv", "by_number.bin", "patched.bin", ".hidden.csv", "up.csv", "workbench.toml"):
        (tmp_path / name).write_text("abc", encoding="utf-8")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "HEAD").touch()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "parameters.json").touch()
    sqlite3.connect(tmp_path / "rows.db").execute("create table t (x)").connection.close()
    lines = witness(tmp_path, READ)
    read = [".hidden.csv", "by_number.bin", "patched.bin", "rows.db", "text.csv", "up.csv"]
    assert names(lines, "read", tmp_path) == read
    assert names(lines, "code", tmp_path) == []
    (told,) = [line for line in lines if line.get("read") == str(tmp_path / "text.csv")]
    assert (told["bytes"], told["mtime_ns"]) == (3, (tmp_path / "text.csv").stat().st_mtime_ns)


WRITE = """
import logging, os, pathlib, shutil, tempfile
open("made.csv", "w").close(); open("made.csv", "w").close(); pathlib.Path("text.txt").write_text("x")
os.close(os.open("by_number.bin", os.O_WRONLY | os.O_CREAT)); open("patched.bin", "r+b").close(); open("new.bin", "xb").close()
open("begun.bin", "w").close(); os.replace("begun.bin", "renamed.bin"); shutil.copy("text.txt", "copied.txt")
open("text.txt").read(); open("text.txt", "a").close()
open("log.txt", "a").close(); open("log.txt", "a").close(); open("both.txt", "a").close(); open("both.txt", "w").close()
pathlib.Path("read.txt").read_text(); pathlib.Path(os.path.abspath("read.txt")).write_text("y")
open("run/own.txt", "w").close(); open(os.devnull, "w").close(); tempfile.NamedTemporaryFile().close()
try: open("nowhere/x", "w")
except FileNotFoundError: pass
"""


def test_files_are_told_that_were_written_and_which_of_them_only_grew(tmp_path, tmp_path_factory):
    for name in ("patched.bin", "read.txt"):
        (tmp_path / name).write_text("abc", encoding="utf-8")
    temporary = tmp_path_factory.mktemp("temporary")
    lines = [line for line in witness(tmp_path, WRITE, TMPDIR=str(temporary)) if line.get("written") != str(temporary)]
    told = [(os.path.relpath(line["written"], tmp_path), line["appended"]) for line in lines if "written" in line]
    once = ["made.csv", "text.txt", "by_number.bin", "patched.bin", "new.bin", "begun.bin", "renamed.bin", "copied.txt"]
    grown = [("log.txt", True), ("both.txt", True), ("both.txt", False)]
    rest = [("read.txt", False), ("nowhere/x", False)]
    assert told == [*((name, False) for name in once), *grown, *rest]


def test_of_very_many_written_files_the_first_are_told(tmp_path):
    lines = witness(tmp_path, f"for n in range({MOST_WRITTEN} + 5): open(f'f{{n}}', 'w').close()")
    assert len(names(lines, "written", tmp_path)) == MOST_WRITTEN


def test_what_a_forked_process_does_is_told_too(tmp_path):
    (tmp_path / "helper.py").touch()
    lines = witness(tmp_path, "import os\nif os.fork() == 0:\n    import helper\n    os._exit(0)\nos.wait()")
    assert names(lines, "code", tmp_path) == ["helper.py"]


def test_it_says_that_it_listened_to_the_end_and_how_much_it_left_out(tmp_path):
    for number in range(MOST_READ + 3):
        (tmp_path / f"{number}.txt").touch()
    for number in range(600):
        (tmp_path / f"m{number}.py").touch()
    code = "import glob\nfor f in glob.glob('*.txt'): open(f).close()\n"
    lines = witness(tmp_path, f"{code}for n in range(600): __import__(f'm{{n}}')")
    assert list(lines[0]) == ["begin"]
    assert lines[-1] == {"end": True, "lost": 0, "more_code": 0, "more_read": 3}
    assert (len(names(lines, "read", tmp_path)), len(names(lines, "code", tmp_path))) == (MOST_READ, 600)
    assert all(line["digest"] for line in lines if "code" in line)


def test_of_more_code_than_it_can_name_it_says_how_much(tmp_path, monkeypatch):
    monkeypatch.setattr(f"{__name__}.SOURCE", SOURCE.replace(f"= {MOST_CODE:_},", "= 1,"))
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.py").touch()
    lines = witness(tmp_path, "import a, b, c")
    assert (names(lines, "code", tmp_path), lines[-1]["more_code"]) == (["a.py"], 2)
    assert f"more than {MOST_CODE:,}" in str(describe_gap(LocalFilesFact((), (), 0, False, ())))


def test_what_it_fails_to_note_is_counted_and_harms_nobody(tmp_path):
    code = "import shutil\nshutil.move('run', 'away')\nimport helper\nshutil.move('away', 'run')"
    (tmp_path / "helper.py").touch()
    assert witness(tmp_path, code)[-1]["lost"] == 2  # the import, and that the folder was named again


def test_what_ran_before_it_came_is_told(tmp_path):
    (tmp_path / "hooks").mkdir()
    (tmp_path / "hooks" / "sitecustomize.py").touch()
    lines = witness(tmp_path, "", PYTHONPATH=str(tmp_path / "hooks"))
    assert names(lines, "code", tmp_path) == ["hooks/sitecustomize.py"]


def test_start_up_files_of_this_machine_are_told(tmp_path):
    # IPython's list of folders is a list of its module; nothing on this machine is written to.
    (tmp_path / "etc" / "startup").mkdir(parents=True)
    (tmp_path / "etc" / "startup" / "00.py").touch()
    before = f"from IPython.core import application; application.SYSTEM_CONFIG_DIRS[:] = [{str(tmp_path / 'etc')!r}]\n"
    hook = tmp_path / "etc" / "site-packages"
    (hook / "hook-1.0.dist-info").mkdir(parents=True)
    (hook / "sitecustomize.py").write_text(before, encoding="utf-8")
    project = tmp_path / "project"
    project.mkdir()
    lines = witness(project, "", PYTHONPATH=str(hook))
    assert names(lines, "code", tmp_path) == ["etc/startup/00.py"]


def test_a_later_path_is_where_python_would_have_put_it(tmp_path):
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "helper.py").touch()
    code = "import helper, os; assert os.environ['PYTHONPATH'] == '/else:late'; assert '/else' in sys.path"
    assert names(witness(tmp_path, code, path="/else:late"), "code", tmp_path) == ["late/helper.py"]


@pytest.mark.parametrize(("text", "kept"), [("x = 'é'\n".encode("latin-1"), None), (b"x = 1\r\n", "x = 1\r\n")])
def test_a_text_that_is_none_is_told_by_its_digest_alone(tmp_path, text, kept):
    (tmp_path / "helper.py").write_bytes(b"# coding: latin-1\n" + text)
    (line,) = [line for line in witness(tmp_path, "import helper") if "code" in line]
    assert line["digest"] == sha256_hex(b"# coding: latin-1\n" + text)
    assert line["source"] == (kept and f"# coding: latin-1\n{kept}")


PLANTED = """
import helper; del sys.modules["helper"]
import sl; del sys.modules["sl"]
import runpy; runpy.run_path("ran.pyc")
assert helper.V == 1, helper.V
"""


def plant(path: Path, to: str, *, name: str | None = None) -> None:
    """Compile another text than the one that is there into a file that Python takes without asking when it was made."""
    text = path.read_text(encoding="utf-8") if path.exists() else None
    path.write_text("V = 2\n", encoding="utf-8")
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(path), str(path.parent / to), name or path.name, invalidation_mode=unchecked)
    path.unlink()
    if text is not None:
        path.write_text(text, encoding="utf-8")


def test_what_runs_is_what_is_told_whatever_pycache_holds_and_bytecode_without_source_is_told(tmp_path):
    (tmp_path / "helper.py").write_text("V = 1\n", encoding="utf-8")
    plant(tmp_path / "helper.py", f"__pycache__/helper.{sys.implementation.cache_tag}.pyc")
    plant(tmp_path / "sl.py", "sl.pyc", name="helper.py")
    plant(tmp_path / "ran.py", "ran.pyc", name="helper.py")
    lines = witness(tmp_path, PLANTED)
    assert names(lines, "code", tmp_path) == ["helper.py", "ran.pyc", "sl.pyc"]
    assert [line["source"] for line in lines if line.get("source")] == ["V = 1\n"]


def test_what_an_installed_package_has_compiled_is_still_taken(tmp_path):
    lines = witness(tmp_path, "import wave; assert wave.__cached__")
    assert names(lines, "code", tmp_path) == []


def test_code_that_another_file_of_the_same_name_was_compiled_from_before_it_came_is_unknown(tmp_path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "sitecustomize.py").write_text("V = 1\n", encoding="utf-8")
    plant(hooks / "sitecustomize.py", f"__pycache__/sitecustomize.{sys.implementation.cache_tag}.pyc")
    lines = witness(tmp_path, "", PYTHONPATH=str(hooks))
    assert [line["digest"] for line in lines if "code" in line] == [None]


def test_a_text_that_was_put_back_is_told_beside_the_one_that_ran_in_between(tmp_path):
    (tmp_path / "helper.py").write_text("V = 1\n", encoding="utf-8")
    code = "import helper, importlib, pathlib\nfile = pathlib.Path('helper.py')\n"
    code += "file.write_text('V = 22'); importlib.reload(helper); file.write_text('V = 1\\n')"
    lines = witness(tmp_path, code)
    assert [line["source"] for line in lines if "code" in line] == ["V = 1\n", "V = 22"]


@pytest.mark.parametrize(
    ("where", "told"), [("project", ["helper.py"]), ("elsewhere", ["helper.py"]), ("installed", [])]
)
def test_a_folder_is_of_packages_where_installers_filled_it_outside_of_the_project(tmp_path, where, told):
    project = tmp_path / "p"
    folder = (project if where == "project" else tmp_path) / "site-packages"
    folder.mkdir(parents=True)
    project.mkdir(exist_ok=True)
    (folder / "helper.py").touch()
    if where != "elsewhere":
        (folder / "helper-1.0.dist-info").mkdir()
    assert names(witness(project, "import helper", PYTHONPATH=str(folder)), "code", folder) == told


def test_what_packages_install_beside_their_modules_is_no_local_code(tmp_path):
    (tmp_path / "own.j2").write_text("V = 1", encoding="utf-8")
    shared = f"{sys.prefix}/share/jupyter/nbconvert/templates/null.j2"
    code = f"exec(compile('V = 1', {shared!r}, 'exec')); exec(compile(open('own.j2').read(), 'own.j2', 'exec'))"
    assert names(witness(tmp_path, code), "code", tmp_path) == ["own.j2"]

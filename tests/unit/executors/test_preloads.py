"""What is imported ahead is what the notebook imports and is installed."""

from __future__ import annotations

import builtins
import gc
import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from IPython import InteractiveShell
from traitlets.config import Application

from workbench.executors import kernel_parent
from workbench.executors.preloads import LOGGING_PRELOADS, find_preloads, installation_folders, is_installed


def notebook(*cells: str | list[str]) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "source": source} for source in cells]}


def test_every_form_of_import_is_found():
    code = "import yaml, numpy.linalg as p\nfrom jinja2 import ext\n"
    code += "def f():\n    from click import *\ntry:\n    import rich\nexcept E: pass"
    assert find_preloads(notebook(code)) == ("click", "jinja2", "jinja2.ext", "numpy.linalg", "rich", "yaml")


def test_the_standard_library_is_left_out():
    assert find_preloads(notebook("import json, os.path\nfrom xml import dom")) == ()


def test_what_the_workbench_needs_to_log_is_added_when_the_notebook_uses_it():
    assert find_preloads(notebook("import workbench as wb")) == ("workbench",)
    for call, modules in LOGGING_PRELOADS.items():
        code = f"import workbench as wb\nwb.{call}"
        assert {*modules, "workbench", "workbench.runs.spool"} <= set(find_preloads(notebook(code)))
    assert find_preloads(notebook("import yaml\nother.log_model(1)")) == ("yaml",)


def test_neither_a_local_nor_a_missing_nor_a_relative_module_is_found(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_preloads(notebook("import only_here\nimport not_there_at_all\nfrom . import x\nimport yaml")) == (
        "yaml",
    )


def test_a_local_module_that_hides_an_installed_one_is_not_found(tmp_path, monkeypatch):
    # One that nobody here has imported: what is loaded is not looked for again.
    (tmp_path / "this.py").write_text("")
    assert is_installed("this")
    monkeypatch.syspath_prepend(tmp_path)
    assert not is_installed("this")


@pytest.mark.parametrize(
    "broken",
    [
        "%matplotlib inline\nimport yaml",
        "!ls -l\nimport yaml",
        "%%time\nimport yaml",
        "files = !ls\nimport yaml",
        "import yaml\nthis is (not python",
        "import yaml\n\0",
        ["import ", "yaml"],
    ],
)
def test_magics_and_mistakes_hide_no_import(broken):
    assert find_preloads(notebook(broken, "import click")) == ("click", "yaml")


@pytest.mark.parametrize(
    "code", ["import sys\nsys.path.insert(0, 'vendored')", "%cd ..", "import os\nos.chdir('x')", "site.addsitedir('x')"]
)
def test_a_notebook_that_changes_where_modules_are_found_imports_them_itself(code):
    assert find_preloads(notebook(code, "import yaml")) == ()


def test_what_a_package_imports_on_its_way_comes_with_it():
    found = find_preloads(notebook("import matplotlib.pyplot as plt"))
    assert {"matplotlib.pyplot", "matplotlib.backends.backend_agg"} <= set(found)


def test_text_cells_and_notebooks_without_cells_have_none():
    assert find_preloads({"cells": [{"cell_type": "markdown", "source": "import yaml"}]}) == ()
    assert find_preloads({}) == ()


def test_a_package_that_brings_local_code_along_is_left_to_each_kernel(tmp_path, monkeypatch):
    for name, text in (("site/wb_brings", "import wb_local"), ("site/wb_alone", ""), ("local/wb_local", "")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    for folder in ("site", "local"):
        monkeypatch.syspath_prepend(tmp_path / folder)
    monkeypatch.setattr(kernel_parent, "installation_folders", lambda: (*installation_folders(), tmp_path / "site"))
    assert kernel_parent.preload(["wb_alone", "wb_brings"]) == {"wb_brings"}


def preload_module(folder: Path, monkeypatch: pytest.MonkeyPatch, code: str) -> Any:
    """Import an installed module of this code ahead, and return it; None where it is left to each kernel."""
    (folder / "wb_looks.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(folder)
    monkeypatch.setattr(kernel_parent, "installation_folders", lambda: (*installation_folders(), folder))
    monkeypatch.delitem(sys.modules, "wb_looks", raising=False)
    return None if kernel_parent.preload(["wb_looks"]) else importlib.import_module("wb_looks")


@pytest.mark.parametrize(
    "look",
    [
        "hasattr(get_ipython(), 'kernel')",
        "'zmq' in str(type(get_ipython())).lower()",
        "__import__('IPython').get_ipython().__class__.__name__ == 'ZMQInteractiveShell'",
        "isinstance(get_ipython(), __import__('IPython').InteractiveShell)",
        "__import__('IPython').InteractiveShell.initialized()",
        "__import__('traitlets').config.Application.initialized()",
        "__IPYTHON__ and callable(display)",
        "__import__('sys').stdout.encoding == 'UTF-8'",
    ],
)
def test_a_module_that_looks_whether_it_is_in_a_kernel_sees_one(tmp_path, monkeypatch, look):
    assert preload_module(tmp_path, monkeypatch, f"seen = {look}").seen is True


@pytest.mark.parametrize(
    "code",
    [
        "get_ipython().events.register('post_execute', print)",
        "__import__('IPython').get_ipython().config",
        "shell = get_ipython()",
        "kernel = __import__('IPython').InteractiveShell.instance().kernel",
        "__import__('traitlets').config.Application.instance().log",
        "import sys; sys.excepthook = lambda *_: None",
        "import builtins; builtins.planted = 1",
        "import sys; sys.path.append('elsewhere')",
    ],
)
def test_a_module_that_wants_more_of_its_kernel_or_sets_what_that_sets_is_left_to_it(tmp_path, monkeypatch, code):
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(builtins, "planted", 0, raising=False)
    monkeypatch.delattr(builtins, "planted")
    assert preload_module(tmp_path, monkeypatch, code) is None


def test_nothing_of_the_kernel_that_modules_see_is_left_when_they_are_imported(tmp_path, monkeypatch):
    preload_module(tmp_path, monkeypatch, "get_ipython()")
    assert not {"get_ipython", "display", "__IPYTHON__"} & vars(builtins).keys()
    assert not InteractiveShell.initialized()
    assert not Application.initialized()


_LOGS = """
import importlib, sys
from workbench.executors.preloads import find_preloads
code = '''
import workbench as wb, pandas as pd
from sklearn.linear_model import LogisticRegression
rows = pd.DataFrame({"x": range(40), "y": [0, 1] * 20})
model = LogisticRegression().fit(rows[["x"]], rows["y"])
wb.log_dataset(rows, role="train")
wb.log_dataset(rows.tail(9), role="holdout", target="y")
wb.log_predictions(rows.tail(9).index, rows.tail(9)["y"], model.predict_proba(rows.tail(9)[["x"]])[:, 1])
wb.log_model(model, rows.tail(9)[["x"]])
'''
for name in find_preloads({"cells": [{"cell_type": "code", "source": code}]}):
    try:
        importlib.import_module(name)
    except ImportError:
        pass
before = set(sys.modules)
exec(code)
print(sorted(name for name in sys.modules.keys() - before if name.startswith("workbench")))
"""


def test_logging_a_model_with_its_data_imports_nothing_of_the_workbench_any_more(tmp_path):
    own = {"WORKBENCH_SPOOL": str(tmp_path), "WORKBENCH_PROJECT": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", _LOGS], env={**os.environ, **own}, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n", done.stderr


@pytest.mark.parametrize("given", [None, "26"])
def test_how_long_the_threads_of_openblas_spin_is_set_while_packages_are_imported_only(monkeypatch, given):
    monkeypatch.delenv("OPENBLAS_THREAD_TIMEOUT", raising=False)
    if given:
        monkeypatch.setenv("OPENBLAS_THREAD_TIMEOUT", given)
    with kernel_parent.brief_spinning():
        assert os.environ["OPENBLAS_THREAD_TIMEOUT"] == (given or "20")
    assert os.environ.get("OPENBLAS_THREAD_TIMEOUT") == given


def test_no_garbage_is_looked_for_while_packages_are_imported_and_a_package_that_sets_when_has_its_way():
    before = gc.get_threshold()
    try:
        with kernel_parent.collecting_later():
            assert gc.get_threshold() == (0, 0, 0)
        assert gc.get_threshold() == before
        with kernel_parent.collecting_later():
            gc.set_threshold(900, 9, 9)
        assert gc.get_threshold() == (900, 9, 9)
    finally:
        gc.set_threshold(*before)

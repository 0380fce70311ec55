"""What is imported ahead is what the notebook imports and is installed."""

from __future__ import annotations

from typing import Any

import pytest

from workbench.executors.preloads import LOGGING_PRELOADS, find_preloads, is_installed


def notebook(*cells: str | list[str]) -> dict[str, Any]:
    return {"cells": [{"cell_type": "code", "source": source} for source in cells]}


def test_every_form_of_import_is_found():
    code = "import json, os.path as p\nfrom xml import dom\ndef f():\n    from csv import *\ntry:\n    import gzip\nexcept E: pass"
    assert find_preloads(notebook(code)) == ("csv", "gzip", "json", "os.path", "xml", "xml.dom")


def test_what_the_workbench_needs_to_log_is_added_when_the_notebook_uses_it():
    assert set(LOGGING_PRELOADS) < set(find_preloads(notebook("import workbench as wb")))
    assert find_preloads(notebook("import json")) == ("json",)


def test_neither_a_local_nor_a_missing_nor_a_relative_module_is_found(tmp_path, monkeypatch):
    (tmp_path / "only_here.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    assert find_preloads(notebook("import only_here\nimport not_there_at_all\nfrom . import x\nimport json")) == (
        "json",
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
        "%matplotlib inline\nimport json",
        "!ls -l\nimport json",
        "%%time\nimport json",
        "files = !ls\nimport json",
        "import json\nthis is (not python",
        "import json\n\0",
        ["import ", "json"],
    ],
)
def test_magics_and_mistakes_hide_no_import(broken):
    assert find_preloads(notebook(broken, "import csv")) == ("csv", "json")


def test_text_cells_and_notebooks_without_cells_have_none():
    assert find_preloads({"cells": [{"cell_type": "markdown", "source": "import json"}]}) == ()
    assert find_preloads({}) == ()

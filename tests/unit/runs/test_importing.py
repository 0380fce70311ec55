"""Which files of the user's own a notebook imports is read from it and from them, without running any."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from workbench.runs.importing import find_local_modules


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with modules beside its notebooks, above them and in src."""
    for name, source in {
        "notebooks/shop.py": "import pandas\nfrom rules import limits\n",
        "notebooks/rules/__init__.py": "from . import checks\n",
        "notebooks/rules/checks.py": "from .. import nothing\nfrom .deep import far\nraise SystemExit\n",
        "notebooks/rules/limits.py": "",
        "notebooks/rules/deep/far.py": "import shop\n",
        "notebooks/unused.py": "",
        "notebooks/broken.py": "def (",
        "top.py": "",
        "src/churn/__init__.py": "",
        "src/churn/features.py": "import churn.rows",
        "src/churn/rows.py": "",
        "pandas.py": "",
        "json.py": "",
        "notebooks/csv.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(source, encoding="utf-8")
    return tmp_path


def find(project: Path, *cells: str) -> list[str]:
    document = {"cells": [{"cell_type": "code", "source": cell} for cell in cells]}
    found = find_local_modules(project / "notebooks" / "train.ipynb", document, project)
    return [path.relative_to(project).as_posix() for path in found]


@pytest.mark.parametrize(
    ("cell", "files"),
    [
        ("x = 1", []),
        ("import json, pandas as pd", []),
        ("import csv", ["notebooks/csv.py"]),
        ("import top", ["top.py"]),
        ("from churn.features import build", ["src/churn/__init__.py", "src/churn/features.py", "src/churn/rows.py"]),
        ("from churn import *", ["src/churn/__init__.py"]),
        ("import broken", ["notebooks/broken.py"]),
        ("import nowhere.at.all", []),
        ("%matplotlib inline\nif True:\n    import top", ["top.py"]),
        ("files = !ls\nimport top", ["top.py"]),
        ("def fit():\n    import top\n", ["top.py"]),
    ],
)
def test_what_a_notebook_imports_is_found_where_it_lies(project, cell, files):
    assert find(project, cell) == files


def test_what_its_modules_import_is_found_too_however_they_go_round(project):
    assert find(project, "x = 1", "import shop") == [
        "notebooks/rules/__init__.py", "notebooks/rules/checks.py", "notebooks/rules/deep/far.py", "notebooks/rules/limits.py",
        "notebooks/shop.py",
    ]  # fmt: skip


def test_a_module_that_this_environment_has_from_elsewhere_is_ones_own(project, tmp_path_factory, monkeypatch):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "our_rules.py").write_text("", encoding="utf-8")
    monkeypatch.setattr(sys, "path", [*sys.path, str(elsewhere)])
    document = {"cells": [{"cell_type": "code", "source": "import our_rules"}]}
    assert find_local_modules(project / "train.ipynb", document, project) == [elsewhere / "our_rules.py"]

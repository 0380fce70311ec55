"""What the README promises about the tree is true of the tree."""

from __future__ import annotations

import ast
import json
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from tests.unit.builders import STRICT_POLICY, read_policy
from workbench.checks import CHECKS
from workbench.config import Settings
from workbench.domain.task import TASKS
from workbench.packaging import reviewed_types
from workbench.packaging.servable_models import list_servable
from workbench.stats.metrics import METRICS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workbench"
README = (ROOT / "README.md").read_text(encoding="utf-8")
MODULES = sorted(PACKAGE.rglob("*.py"))
NOTEBOOKS = sorted(
    path for name in ("notebooks", "templates", "tests/benchmarks") for path in (ROOT / name).rglob("*.ipynb")
)

HEAVY = {
    "optuna",
    "distributed",
    "pandas",
    "numpy",
    "sklearn",
    "mlflow",
    "papermill",
    "bentoml",
    "sqlalchemy",
    "IPython",
}

# Which word in a file's name (or in its folder's) allows it to import a library.
CARRIERS = {
    "anywidget": "widgets",
    "bentoml": "bentoml",
    "dask": "dask",
    "distributed": "dask",
    "ipywidgets": "widgets",
    "jupyter_client": "papermill",  # papermill runs notebooks through it
    "keyring": "keyring",
    "mlflow": "mlflow",
    "nbclient": "papermill",
    "nbconvert": "nbconvert",
    "onnx": "onnx",
    "onnxruntime": "onnx",
    "optuna": "optuna",
    "papermill": "papermill",
    "skops": "skops",
    "sqlalchemy": "sqlalchemy",
}
EXCEPTIONS = {
    (
        "warm_kernels.py",
        "jupyter_client",
    ): "a provisioner, through which papermill, nbclient and JupyterLab start kernels",
    ("inspection_child.py", "skops"): "a process that is confined before it imports what parses foreign bytes",
    ("inspection_child.py", "onnxruntime"): "as above",
}

# What decides touches neither disk, network, clock nor chance; a run id is the one thing drawn.
FORBIDDEN_WHERE_DECIDED = {
    "io", "os", "pathlib", "random", "requests", "shutil", "socket", "subprocess", "tempfile", "time", "urllib",
}  # fmt: skip


def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imported_by(path: Path) -> set[str]:
    """The top-level names of everything a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found


def lengths_of_functions() -> dict[str, int]:
    """Lines of each function, without its signature and docstring."""
    found = {}
    for path in MODULES:
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
                found[f"{path.relative_to(ROOT)}:{node.name}"] = lines
    return found


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def rows_of_table(header: str) -> list[str]:
    """The names in backticks in the first column of the README's table with this header."""
    table = README.split(f"| {header} |", 1)[1].split("\n\n", 1)[0]
    return re.findall(r"^\| `(?:workbench )?([a-z_]+)` \|", table, re.MULTILINE)


# Tables = files = policy = README = tests


def test_every_check_is_a_file_a_row_of_the_table_a_key_of_the_policy_a_row_of_the_readme_and_a_test():
    files = {path.stem for path in (PACKAGE / "checks").glob("*.py") if not path.name.startswith("_")}
    policy = read_policy(STRICT_POLICY.read_bytes())
    assert files == set(CHECKS)
    assert list(policy.checks) == list(CHECKS) == rows_of_table("check")
    assert all(check.__name__ == name for name, check in CHECKS.items())
    tests = (ROOT / "tests" / "unit" / "test_checks.py").read_text(encoding="utf-8")
    assert {name for name in CHECKS if name not in tests} == set()


def test_what_can_be_served_is_the_table_of_the_readme():
    table = README.split("| family |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    families = [
        (each.family, ", ".join(each.compiled), ", ".join(each.uncompiled), each.checked) for each in list_servable()
    ]
    assert [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in table] == families


def test_every_family_of_reviewed_types_is_a_file_with_a_line_in_the_list():
    files = {path.stem for path in (PACKAGE / "packaging" / "reviewed_types").glob("*.py")} - {"__init__", "family"}
    assert {name.rpartition(".")[2] for name in vars(reviewed_types) if name in files} == files


def test_every_task_is_a_row_of_the_readme_with_its_metrics_and_a_line_of_every_policy():
    assert rows_of_table("task") == list(TASKS)
    table = README.split("| task |", 1)[1].split("\n\n", 1)[0].splitlines()
    for task in TASKS:
        row = next(line for line in table if line.startswith(f"| `{task}` |"))
        told = set(re.findall(r"`(\w+)`", row.split("|")[4]))
        assert told == {name for name, metric in METRICS.items() if task in metric.tasks}
        assert all(task in read_policy(path.read_bytes()).metrics for path in STRICT_POLICY.parent.glob("*.yaml"))


@pytest.mark.parametrize("path", sorted((ROOT / "templates" / "policies").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_policy_that_is_shipped_can_be_used(path):
    policy = read_policy(path.read_bytes())
    assert policy.name == path.stem
    assert policy.checks


def test_every_setting_is_in_the_readme():
    assert rows_of_table("setting") == [field.name for field in fields(Settings) if field.name != "project"]


def test_no_variable_is_read_that_is_neither_a_setting_nor_in_the_readme():
    words = {
        word for path in MODULES for word in re.findall(r"\bWORKBENCH_[A-Z_]+\b", path.read_text(encoding="utf-8"))
    }
    settings = {f"WORKBENCH_{field.name.upper()}" for field in fields(Settings)}
    inner = {"WORKBENCH_SPOOL"}  # what the workbench says to its own kernels
    assert {word for word in words - settings - inner if word not in README} == set()


# Who imports what


@pytest.mark.parametrize("code", ["import workbench", "from workbench.cli import run_command; run_command(['--help'])"])
def test_a_start_loads_nothing_heavy(code):
    report = f"{code}; import sys, json; print('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert HEAVY & loaded == set()
    assert len(loaded) < 600


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_a_library_is_imported_only_by_files_that_carry_its_name(path):
    name = f"{path.parent.name}/{path.stem}"
    foreign = {library for library in imported_by(path) if CARRIERS.get(library, name) not in name}
    assert {library for library in foreign if (path.name, library) not in EXCEPTIONS} == set()


def test_every_exception_to_that_is_still_needed():
    needed = {(path.name, library) for path in MODULES for library in imported_by(path)}
    assert set(EXCEPTIONS) <= needed


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.parent.name in ("domain", "stats", "checks")], ids=relative
)
def test_what_decides_touches_neither_disk_nor_network_nor_clock(path):
    assert imported_by(path) & FORBIDDEN_WHERE_DECIDED == set()
    calls = {
        node.func.id for node in ast.walk(parse(path)) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert calls & {"open", "print", "input", "exec", "eval", "__import__"} == set()


def test_imports_go_downward_only():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# Sizes and words


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_file_is_longer_than_four_hundred_lines(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_functions_are_small():
    lengths = lengths_of_functions()
    ordered = sorted(lengths.values())
    assert statistics.median(ordered) <= 6
    assert ordered[int(0.95 * len(ordered))] <= 30
    assert {name: lines for name, lines in lengths.items() if lines > 60} == {}


def public_things(path: Path) -> Iterator[tuple[str, ast.AST]]:
    """The module, its public classes and functions, and the public methods of those classes."""
    module = parse(path)
    yield path.stem, module
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    for node in module.body:
        if not isinstance(node, kinds) or node.name.startswith("_"):
            continue
        yield node.name, node
        inner = node.body if isinstance(node, ast.ClassDef) else []
        yield from ((f"{node.name}.{n.name}", n) for n in inner if isinstance(n, kinds) and not n.name.startswith("_"))


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_every_public_thing_says_what_it_is_for(path):
    assert [name for name, node in public_things(path) if not ast.get_docstring(node)] == []


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_no_file_is_named_after_nothing(path):
    assert path.stem.strip("_") not in {
        "utils",
        "util",
        "helpers",
        "helper",
        "common",
        "base",
        "manager",
        "core",
        "misc",
    }


# What is kept in git


@pytest.mark.parametrize("path", NOTEBOOKS, ids=relative)
def test_a_notebook_carries_no_outputs(path):
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []


def test_no_file_names_a_folder_of_somebodys_machine():
    names = ("Makefile", "README.md", "bentofile.yaml", "pyproject.toml", "requirements.lock")
    folders = ("workbench", "templates", "notebooks", "tests", ".ci")
    files = [ROOT / name for name in names] + [path for name in folders for path in (ROOT / name).rglob("*")]
    texts = [path for path in files if path.is_file() and path.suffix not in (".pyc", ".png")]
    machine = re.compile(r"/(?:home|root|Users|work)/[A-Za-z0-9_]")
    assert [relative(path) for path in texts if machine.search(path.read_text(encoding="utf-8"))] == []
    assert len(texts) > 100

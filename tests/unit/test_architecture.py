"""The order of the tree, its tables, its sizes and its names, each rule with all that offends it."""

from __future__ import annotations

import ast
import json
import re
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import fields
from functools import cache
from graphlib import TopologicalSorter
from importlib import import_module
from pathlib import Path

import pytest

from tests.unit.policies.builders import STRICT_POLICY, read_policy
from workbench.checks import CHECKS
from workbench.evidence.evidence import Evidence
from workbench.evidence.measuring import MEASURES
from workbench.executors import EXECUTORS
from workbench.ledger.events import EVENTS
from workbench.ledger.ledger import Event
from workbench.models import reviewed_types
from workbench.reviews.signed_records import READERS
from workbench.sweeps.search import SEARCHES

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "workbench"
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
    "jupyter_server": "jupyter_server",
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

# Who starts Python, and why it is safe from what lies beside it.
STARTS_PYTHON = {
    "files/python_processes": "the one way for processes of ours",
    "executors/kernel_parent": "starts itself again, in a private folder",
    "executors/papermill_kernels": "compares",
    "executors/papermill_client": "compares: a kernel of a notebook is its author's",
    "executors/warm_kernels": "a kernel of a notebook is its author's, and finds what lies beside it",
    "executors/warm_parents": "in a private folder, with the very options a kernel has",
    "releases/bentoml_packager": "by file name, with -P, so that the workbench it finds is the staged one",
}

# What decides touches neither disk, network, clock nor chance, and knows no library; a run id is the one thing drawn.
FORBIDDEN_WHERE_DECIDED = {
    "io", "os", "random", "requests", "shutil", "socket", "subprocess", "tempfile", "time", "urllib",
    *CARRIERS, "pandas", "sklearn",
}  # fmt: skip
# A path is a name; these look at what it names.
LOOKING = {
    "exists", "glob", "is_dir", "is_file", "iterdir", "lstat", "mkdir", "open", "read_bytes", "read_text", "resolve", "rglob",
    "rmdir", "stat", "touch", "unlink", "write_bytes", "write_text",
}  # fmt: skip
# Chapters and rooms that act by what they are for; in all others whatever is no gerund and carries no library's name decides.
ACTING = ("cli", "executors", "files", "jupyterlab", "widgets", "workflow")
ACTING_ROOMS = ("models/boosters", "models/compiler", "models/reviewed_types", "notifying/notifiers", "secrets/sources")
# What acts under the name of a thing; this list only shrinks.
ACTS = {
    "ledger/last_seen", "models/column_problems", "models/confinement", "models/fitted_model", "models/frames",
    "models/inspection_child", "models/logged_task", "models/model_files", "models/model_inspection",
    "models/own_code", "models/own_modules", "models/servability", "models/servable_models",
    "models/served_code", "models/served_model", "models/serving_trial", "policies/policy_files", "releases/aliases",
    "releases/release_audit", "releases/release_lock", "releases/releases", "reviews/nominees", "reviews/said",
    "runs/artifacts", "runs/call_journal", "runs/heartbeat", "runs/logged_calls", "runs/metric_points",
    "runs/point_clock", "runs/project", "runs/provenance", "runs/spool", "secrets/redacting_files",
    "signing/allowed_signers", "signing/askpass", "signing/ssh_signatures", "sweeps/random_search",
}  # fmt: skip


@cache
def parse(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
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


# Tables = files = policy = tests


def test_every_check_is_a_file_a_row_of_the_table_a_key_of_the_policy_and_a_test():
    files = {path.stem for path in (PACKAGE / "checks").glob("*.py") if not path.name.startswith("_")}
    policy = read_policy(STRICT_POLICY.read_bytes())
    assert files == set(CHECKS)
    assert list(policy.checks) == list(CHECKS)
    assert all(check.__name__ == name for name, check in CHECKS.items())
    tests = (ROOT / "tests" / "unit" / "checks" / "cases.py").read_text(encoding="utf-8")
    assert {name for name in CHECKS if name not in tests} == set()


def test_every_family_of_reviewed_types_is_a_file_with_a_line_in_the_list():
    files = {path.stem for path in (PACKAGE / "models" / "reviewed_types").glob("*.py")} - {"__init__", "family"}
    assert {name.rpartition(".")[2] for name in vars(reviewed_types) if name in files} == files


def test_every_fact_that_is_measured_is_a_field_of_the_evidence_and_a_file():
    files = {path.stem for path in (PACKAGE / "evidence" / "measures").glob("[!_]*.py")}
    assert set(MEASURES) <= {field.name for field in fields(Evidence)}
    assert files - set(MEASURES) == {"tries"}  # what other runs say, and not this one


def test_every_event_of_the_ledger_is_a_row_of_its_table_and_every_kind_that_is_signed_can_be_read():
    assert set(EVENTS) == set(Event) - {Event.UNREADABLE}
    assert {kind.signed for kind in EVENTS.values()} - {None} == set(READERS)


def test_every_executor_and_every_search_is_a_line_of_its_table_and_a_file():
    assert {path.stem for path in (PACKAGE / "executors").glob("*_executor.py")} == set(EXECUTORS.values())
    assert {path.stem for path in (PACKAGE / "sweeps").glob("*_search.py")} == {f"{name}_search" for name in SEARCHES}
    for name, kind in SEARCHES.items():
        module = import_module(f"workbench.sweeps.{name}_search")
        assert hasattr(module, "open_trials" if kind.learns else "propose")


def test_every_policy_that_is_shipped_can_be_used():
    paths = sorted((ROOT / "templates" / "policies").glob("*.yaml"))
    policies = [read_policy(path.read_bytes()) for path in paths]
    assert [policy.name for policy in policies] == [path.stem for path in paths] != []
    assert all(policy.checks for policy in policies)


# Who imports what


@pytest.mark.parametrize(
    "code", ["import workbench", "from workbench.cli.main import run_command; run_command(['--help'])"]
)
def test_a_start_loads_nothing_heavy(code):
    report = f"{code}; import sys, json; print('\\n' + json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=ROOT)
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    assert HEAVY & loaded == set()
    assert len(loaded) < 600


def test_a_library_is_imported_only_by_files_that_carry_its_name():
    foreign = {
        (path.name, library)
        for path in MODULES
        for library in imported_by(path)
        if CARRIERS.get(library, "") not in f"{path.parent.name}/{path.stem}"
    }
    assert foreign - set(EXCEPTIONS) == set()


def test_every_exception_to_that_is_still_needed():
    needed = {(path.name, library) for path in MODULES for library in imported_by(path)}
    assert set(EXCEPTIONS) <= needed


def name_of(path: Path) -> str:
    """A module as `chapter/file`, a chapter itself by its name."""
    return str(path.relative_to(PACKAGE).with_suffix("")).removesuffix("/__init__")


def is_deciding(path: Path) -> bool:
    """Whether a file decides: by its chapter, its name, and the list of those that act under the name of a thing."""
    name, stem = name_of(path), path.stem
    acts = stem.endswith("ing") or stem == "verbs" or any(word in stem for word in CARRIERS) or name in ACTS
    return "/" in name and not acts and not name.startswith((*(f"{each}/" for each in ACTING), *ACTING_ROOMS))


def deeds_of(path: Path) -> set[str]:
    """What a file does that no file does which only decides: the libraries it imports, and what it calls."""
    calls = [node.func for node in ast.walk(parse(path)) if isinstance(node, ast.Call)]
    named = {each.id for each in calls if isinstance(each, ast.Name)}
    looking = {each.attr for each in calls if isinstance(each, ast.Attribute)} & LOOKING
    forbidden = {"open", "print", "input", "exec", "eval", "__import__"}
    return imported_by(path) & FORBIDDEN_WHERE_DECIDED | named & forbidden | looking


def acting_by(path: Path, deciding: Collection[str]) -> set[str]:
    """By which deeds of its own, and by whom it asks, a file does more than decide."""
    chapters = {name_of(each) for each in MODULES if each.name == "__init__.py"}
    return deeds_of(path) | (edges()[name_of(path)] - {*deciding, *chapters, "config", "errors"})


def test_what_decides_touches_neither_disk_nor_network_nor_clock_knows_no_library_and_asks_nobody_who_does():
    deciding = {name_of(path): path for path in filter(is_deciding, MODULES)}
    assert {name: acts for name, path in deciding.items() if (acts := acting_by(path, deciding))} == {}
    assert len(deciding) > 90


def test_everything_that_acts_under_the_name_of_a_thing_is_there_and_acts():
    files = {name_of(path): path for path in MODULES}
    deciding = {name_of(path) for path in filter(is_deciding, MODULES)}
    assert {name for name in ACTS if name not in files or not acting_by(files[name], deciding)} == set()


def test_a_python_process_is_started_in_the_one_way_that_searches_no_project():
    named = {name_of(path): path.read_text(encoding="utf-8") for path in MODULES}
    assert {name for name, source in named.items() if "sys.executable" in source} == set(STARTS_PYTHON)


@cache
def edges() -> dict[str, frozenset[str]]:
    """By module: the modules of the workbench it imports, wherever in it, for types as well."""
    known = {f"workbench.{name_of(path)}".replace("/", ".") for path in MODULES}
    found = {}
    for path in MODULES:
        names = set()
        for node in ast.walk(parse(path)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("workbench"):
                whole = {f"{node.module}.{alias.name}" for alias in node.names}
                names |= (whole & known) | ({node.module} if whole - known else set())
            elif isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names} & known
        found[name_of(path)] = frozenset(each.removeprefix("workbench.").replace(".", "/") for each in names)
    return found


def test_no_module_is_reached_from_itself():
    sorter = TopologicalSorter(edges())
    sorter.prepare()  # raises CycleError, with the cycle


def test_imports_go_downward_only():
    program = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([program, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


# Sizes and words


def test_no_file_is_longer_than_four_hundred_lines():
    files = [*MODULES, *(ROOT / "tests").rglob("*.py")]
    lines = {relative(path): len(path.read_text(encoding="utf-8").splitlines()) for path in files}
    assert {name: count for name, count in lines.items() if count > 400} == {}


def test_no_folder_holds_more_than_an_eighth_of_the_lines():
    lines = Counter()
    for path in MODULES:
        lines[relative(path.parent)] += len(path.read_text(encoding="utf-8").splitlines())
    assert {name: count for name, count in lines.items() if count > 0.13 * lines.total()} == {}


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


def test_every_public_thing_says_what_it_is_for():
    things = [(relative(path), name, node) for path in MODULES for name, node in public_things(path)]
    assert [(path, name) for path, name, node in things if not ast.get_docstring(node)] == []


def test_no_file_is_named_after_nothing():
    empty = {"utils", "util", "helpers", "helper", "common", "base", "manager", "core", "misc"}
    assert [relative(path) for path in MODULES if path.stem.strip("_") in empty] == []


# What is kept in git


def test_no_notebook_carries_outputs():
    cells = [(relative(path), cell) for path in NOTEBOOKS for cell in json.loads(path.read_text("utf-8"))["cells"]]
    code = [(name, cell) for name, cell in cells if cell["cell_type"] == "code"]
    assert [name for name, cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    assert len(code) > 20


def test_no_file_names_a_folder_of_somebodys_machine():
    names = ("Makefile", "README.md", "bentofile.yaml", "pyproject.toml", "requirements.lock")
    folders = ("workbench", "templates", "notebooks", "tests", ".ci")
    files = [ROOT / name for name in names] + [path for name in folders for path in (ROOT / name).rglob("*")]
    texts = [path for path in files if path.is_file() and path.suffix not in (".pyc", ".png")]
    machine = re.compile(r"/(?:home|root|Users|work)/[A-Za-z0-9_]")
    assert [relative(path) for path in texts if machine.search(path.read_text(encoding="utf-8"))] == []
    assert len(texts) > 100

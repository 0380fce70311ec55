"""Own code is recorded from the very source it was imported from, and imported from the very bytes that were recorded."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

import pandas as pd
import pytest
import skops.io
from sklearn.cluster import BisectingKMeans
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from workbench.errors import Refused, UsageError
from workbench.models import own_modules
from workbench.models.own_code import record_own_code, write_files
from workbench.models.own_code_source import OwnModule
from workbench.models.own_modules import MODULES_FILE, OwnModules, import_modules, read_modules
from workbench.models.servability import LoggedModel
from workbench.models.skops_loader import find_untrusted_types, load_model
from workbench.runs import spool

PLAIN = """FACTOR = 2


def double(rows):
    return rows * FACTOR


class Shift:
    def apply(self, rows):
        return rows
"""


@pytest.fixture(autouse=True)
def _own_imports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what a test imported, and let nothing of it be found later."""
    monkeypatch.setattr(sys, "modules", sys.modules)
    known, path = {*sys.modules}, [*sys.meta_path]
    yield
    for name in {*sys.modules} - known:
        if name.startswith("wb_own"):
            del sys.modules[name]
    sys.meta_path[:] = path
    own_modules._IMPORTED.clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of own modules that Python searches."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def write(folder: Path, **sources: str) -> None:
    for name, source in sources.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".py")
        path.parent.mkdir(exist_ok=True)
        path.write_text(source, encoding="utf-8")
    importlib.invalidate_caches()


def record(model: object, folder: Path) -> dict[str, bytes]:
    return {**record_own_code(model, skops.io.dumps(model), [folder]).files}


def refusal(model: object, folder: Path) -> str:
    with pytest.raises(UsageError) as caught:
        record(model, folder)
    return f"{' '.join(caught.value.reasons)} {caught.value.next_step}"


# Logging


def log(model: object, folder: Path, monkeypatch: pytest.MonkeyPatch) -> LoggedModel:
    """Log a model, fitted on three rows, in a project that is this folder; its files are in `model`."""
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(folder))
    monkeypatch.setenv(spool.PROJECT_VARIABLE, str(folder))
    features = pd.DataFrame({"age": [31.0, 42.0, 57.0], "weight": [61.5, 70.0, 80.25]})
    return spool.log_model(model.fit(features, [0, 1, 1]), features)


def test_a_model_with_own_code_is_logged_with_its_source_and_not_said_to_be_compiled(folder, monkeypatch):
    write(folder, wb_own_logged=PLAIN)
    double = importlib.import_module("wb_own_logged").double
    logged = log(make_pipeline(FunctionTransformer(double), LogisticRegression()), folder, monkeypatch)
    assert "by scikit-learn (it holds own code, which nothing can compile)" in repr(logged)
    files = {path.name: path.read_bytes() for path in (folder / spool.MODEL).iterdir()}
    assert {*files} == {"contract.json", "model.skops", "modules.json", "wb_own_logged.py"}
    assert read_modules(files).modules == (OwnModule("wb_own_logged", PLAIN.encode(), ("double",)),)


def test_what_nobody_reviewed_is_refused_beside_own_code_too(folder, monkeypatch):
    write(folder, wb_own_beside=PLAIN)
    double = importlib.import_module("wb_own_beside").double
    model = make_pipeline(FunctionTransformer(double), BisectingKMeans(2), LogisticRegression())
    said = repr(log(model, folder, monkeypatch))
    assert "Nobody reviewed sklearn.cluster._bisect_k_means.BisectingKMeans." in said
    assert "wb_own_beside" not in said
    assert not (folder / spool.MODEL).exists()


HELD = """import re
from sklearn.base import BaseEstimator, TransformerMixin


class Clip(TransformerMixin, BaseEstimator):
    def fit(self, rows, target=None):
        self.patterns_ = {"first": [re.compile("a+")]}
        self.patterns_["self"] = self.patterns_["first"]
        return self

    def transform(self, rows):
        return rows
"""


def test_what_an_own_class_holds_is_told_by_its_attribute_with_what_to_keep_instead(folder, monkeypatch):
    write(folder, wb_own_held=HELD)
    clip = importlib.import_module("wb_own_held").Clip
    said = repr(log(make_pipeline(clip(), LogisticRegression()), folder, monkeypatch))
    assert "Nobody reviewed re.Pattern, which attribute patterns_ of wb_own_held.Clip holds." in said
    assert "Instead of re.Pattern: keep its text in patterns_ of wb_own_held.Clip" in said
    assert "write it into a .py file" not in said


# Recording


def test_a_function_brings_its_module_and_what_that_imports(folder):
    write(
        folder,
        wb_own_a="import wb_own_b\nfrom wb_own_pack.inner import one\nimport numpy as np\n\n\ndef f(rows):\n    return rows\n",
        wb_own_b="import json\n",
    )
    (folder / "wb_own_pack").mkdir()
    (folder / "wb_own_pack" / "__init__.py").write_text("")
    (folder / "wb_own_pack" / "inner.py").write_text("one = 1\n")
    module = importlib.import_module("wb_own_a")
    own = read_modules(record(FunctionTransformer(module.f), folder))
    assert {each.name: each.names for each in own.modules} == {
        "wb_own_a": ("f",),
        "wb_own_b": (),
        "wb_own_pack": (),
        "wb_own_pack.inner": (),
    }


def test_a_model_of_reviewed_parts_alone_brings_nothing(folder):
    assert record(make_pipeline(StandardScaler()), folder) == {}


def test_what_the_notebook_itself_defines_is_refused_at_once_with_what_to_do(folder, monkeypatch):
    write(folder, wb_own_main=PLAIN)
    double = importlib.import_module("wb_own_main").double
    monkeypatch.setattr(double, "__module__", "__main__")
    said = refusal(FunctionTransformer(double), folder)
    assert "double is defined in the notebook itself" in said
    assert "a .py file beside the notebook" in said


def test_a_lambda_has_no_name_to_be_found_by(folder):
    write(folder, wb_own_lambda="twice = lambda rows: rows * 2\n")
    assert "no name at the top" in refusal(FunctionTransformer(importlib.import_module("wb_own_lambda").twice), folder)


def test_a_module_from_elsewhere_is_not_the_projects(folder, tmp_path_factory):
    write(folder, wb_own_far=PLAIN)
    model = FunctionTransformer(importlib.import_module("wb_own_far").double)
    assert "neither in the project nor beside" in refusal(model, tmp_path_factory.mktemp("project"))


def test_what_cannot_be_found_beside_it_is_named(folder):
    write(folder, wb_own_lost="def f(rows):\n    import wb_own_missing\n    return rows\n")
    said = refusal(FunctionTransformer(importlib.import_module("wb_own_lost").f), folder)
    assert "imports wb_own_missing, which is neither installed nor beside it" in said


@pytest.mark.parametrize(
    ("before", "after", "named"),
    [
        ("return rows * FACTOR", "return rows * FACTOR + 1", "double in memory"),
        ("return rows\n", "return 0 * rows\n", "Shift.apply in memory"),
        ("FACTOR = 2", "FACTOR = 3", "FACTOR in memory"),
        ("FACTOR = 2", "# FACTOR\nFACTOR = 2", "in memory is not what the file says"),
    ],
)
def test_a_file_that_was_changed_after_its_import_is_refused(folder, before, after, named):
    write(folder, wb_own_late=PLAIN)
    model = FunctionTransformer(importlib.import_module("wb_own_late").double)
    write(folder, wb_own_late=PLAIN.replace(before, after))
    assert named in refusal(model, folder)


def test_a_file_that_was_written_after_python_compiled_it_is_refused(folder, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    write(folder, wb_own_time="TABLE = {1: 2}\n\n\ndef f(rows):\n    return rows\n")
    model = FunctionTransformer(importlib.import_module("wb_own_time").f)
    write(folder, wb_own_time="TABLE = {1: 3}\n\n\ndef f(rows):\n    return rows\n")
    os.utime(folder / "wb_own_time.py", (1, 1))
    assert "changed since it was imported" in refusal(model, folder)


def test_a_function_of_a_module_that_was_imported_again_is_refused(folder):
    write(folder, wb_own_again=PLAIN)
    module = importlib.import_module("wb_own_again")
    model = FunctionTransformer(module.double)
    importlib.reload(module)
    assert "was imported again since the model was made" in refusal(model, folder)


def test_the_own_code_of_a_model_that_was_logged_before_is_gone(tmp_path):
    write_files(tmp_path / "model", {"model.skops": b"1", "a.py": b"", MODULES_FILE: b"{}"})
    write_files(tmp_path / "model", {"model.skops": b"2"})
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["model.skops"]


# Importing


def own(**sources: str) -> OwnModules:
    return OwnModules(
        tuple(OwnModule(name.replace("__", "."), source.encode(), ()) for name, source in sources.items())
    )


def test_what_is_imported_are_the_recorded_bytes_whatever_lies_in_a_folder(folder):
    write(folder, wb_own_here="VALUE = 'from the folder'\n")
    import_modules(own(wb_own_here="VALUE = 'recorded'\n"))
    assert importlib.import_module("wb_own_here").VALUE == "recorded"


def test_a_module_imports_the_recorded_others_and_nothing_else_of_its_package(folder):
    write(folder, wb_own_pair__other="VALUE = 'from the folder'\n")
    pack = OwnModule("wb_own_pair", b"from wb_own_pair.one import VALUE\n", (), is_package=True)
    import_modules(OwnModules((pack, *own(wb_own_pair__one="VALUE = 1\n").modules)))
    assert importlib.import_module("wb_own_pair").VALUE == 1
    with pytest.raises(ModuleNotFoundError, match="not among the model's recorded modules"):
        importlib.import_module("wb_own_pair.other")


def test_two_sources_of_one_name_do_not_meet_in_a_process():
    import_modules(own(wb_own_once="VALUE = 1\n"))
    import_modules(own(wb_own_once="VALUE = 1\n"))
    with pytest.raises(Refused, match="Another wb_own_once is imported"):
        import_modules(own(wb_own_once="VALUE = 2\n"))


def test_a_module_that_is_imported_already_is_not_replaced(folder):
    write(folder, wb_own_early="VALUE = 1\n")
    importlib.import_module("wb_own_early")
    with pytest.raises(Refused, match="Another wb_own_early is imported"):
        import_modules(own(wb_own_early="VALUE = 1\n"))


def test_what_raises_when_it_is_imported_is_said():
    with pytest.raises(Refused, match="wb_own_raises: ZeroDivisionError"):
        import_modules(own(wb_own_raises="1 / 0\n"))


# Loading


def test_a_model_may_hold_only_the_names_that_were_recorded(folder):
    write(folder, wb_own_named=PLAIN)
    module = importlib.import_module("wb_own_named")
    content = skops.io.dumps(FunctionTransformer(module.double))
    del sys.modules["wb_own_named"]
    source = PLAIN.encode()
    other = OwnModules((OwnModule("wb_own_named", source, ("Shift",)),))
    assert find_untrusted_types(content, other) == ("wb_own_named.double",)
    with pytest.raises(Refused, match="not trusted"):
        load_model(content, other)
    assert "wb_own_named" not in sys.modules
    named = OwnModules((OwnModule("wb_own_named", source, ("double",)),))
    assert load_model(content, named).func(3) == 6


def test_a_class_where_a_function_is_expected_is_written_in_another_way_than_recorded(folder):
    write(folder, wb_own_way=PLAIN)
    content = skops.io.dumps(FunctionTransformer(importlib.import_module("wb_own_way").Shift().apply))
    named = OwnModules((OwnModule("wb_own_way", PLAIN.encode(), ("Shift",)),))
    assert "wb_own_way.Shift (as MethodNode)" in find_untrusted_types(content, named)

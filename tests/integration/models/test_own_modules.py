"""Own code in the confined process: it runs there only if that is allowed, from the recorded bytes, with no rights."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.integration.own_code import FEATURES, SCALING
from tests.integration.release_builder import inspect, train_model, write_model
from workbench.models.own_code import record_own_code
from workbench.models.own_modules import MODULES_FILE


@pytest.fixture
def logged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model with an own transformer as a notebook would log it, its modules lying elsewhere."""
    beside = tmp_path / "beside"
    beside.mkdir()
    (beside / "features.py").write_text(FEATURES)
    (beside / "scaling.py").write_text(SCALING)
    monkeypatch.syspath_prepend(beside)
    for name in ("features", "scaling"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    trained = train_model(make_pipeline(importlib.import_module("features").Centre(), LogisticRegression()))
    folder = write_model(trained, tmp_path)
    for name, content in record_own_code(trained.model, skops.io.dumps(trained.model), [beside]).files.items():
        (folder / name).write_bytes(content)
    monkeypatch.delitem(sys.modules, "features")
    monkeypatch.delitem(sys.modules, "scaling")
    return tmp_path


def replace_source(folder: Path, name: str, source: str) -> None:
    """Put another source among the model's files and list it as if it had been recorded."""
    from workbench.models.own_code_source import OwnModule
    from workbench.models.own_modules import OwnModules, read_modules

    files = {path.name: path.read_bytes() for path in (folder / "model").iterdir()}
    own = read_modules(files)
    changed = OwnModules(
        tuple(
            OwnModule(each.name, source.encode() if each.name == name else each.source, each.names)
            for each in own.modules
        )
    )
    for file, content in changed.to_files().items():
        (folder / "model" / file).write_bytes(content)


def test_it_is_tried_from_its_recorded_bytes_and_served_by_itself(logged):
    (logged / "beside" / "scaling.py").write_text("raise RuntimeError('from the folder')\n")
    fact = inspect(logged, allows_own_code=True)
    assert (fact.load_error, fact.served_as, fact.largest_difference) == (None, "skops", 0.0)
    assert fact.formats == ("json", "py", "skops")
    assert (fact.refused_files, fact.untrusted_types) == ((), ())


def test_where_the_policy_does_not_allow_it_nothing_of_it_runs(logged):
    fact = inspect(logged)
    assert fact.load_error == (
        "It holds own code, which the policy does not allow, and was not loaded: features (Centre), scaling."
    )
    assert fact.served_as is None


def test_a_module_that_writes_a_file_when_it_is_imported_is_stopped(logged):
    canary = logged / "canary"
    replace_source(logged, "scaling", f"open({str(canary)!r}, 'w').write('x')\n\n\n{SCALING}")
    fact = inspect(logged, allows_own_code=True)
    assert "PermissionError: open is not allowed while a model is inspected" in (fact.load_error or "")
    assert not canary.exists()


def test_a_module_that_answers_otherwise_than_the_one_in_memory_did_shows_as_a_difference(logged):
    replace_source(logged, "scaling", SCALING.replace("-", "+"))
    fact = inspect(logged, allows_own_code=True)
    assert (fact.largest_difference or 0) > 1e-3


def test_a_source_that_is_not_the_listed_one_is_never_imported(logged):
    (logged / "model" / "scaling.py").write_text(SCALING.replace("-", "+"))
    fact = inspect(logged, allows_own_code=True)
    assert fact.refused_files == (f"scaling.py: it is not the source that {MODULES_FILE} names.",)
    assert fact.load_error == "It has files that are not allowed and was not opened."

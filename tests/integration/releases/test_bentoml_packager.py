from importlib import metadata
from pathlib import Path

import pytest
import yaml

import workbench
from tests.integration.release_builder import BENTOFILE
from workbench.errors import Refused, Unavailable, UsageError
from workbench.files.trees import read_tree
from workbench.models.served_code import find_served_code, stage_bundle
from workbench.releases.bentoml_packager import SERVICE, build_bento
from workbench.serving import bentoml_server

PACKAGE = Path(workbench.__file__).parent
MODEL = {"model.onnx": b"\x08\x09", "contract.json": b"{}"}


def build(home: Path, files: dict[str, bytes] | None = None, **changes) -> Path:
    asked = {"name": "tumour", "version": "3", "bentofile": BENTOFILE.read_bytes(), "home": home}
    return build_bento(stage_bundle(MODEL) if files is None else files, **{**asked, **changes})


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    return home, build(home)


def test_a_bundle_is_the_serving_code_and_the_model():
    bundle = stage_bundle(MODEL)
    own = {path for path in bundle if not path.startswith("release/model/")}
    assert {path.removeprefix("release/model/") for path in bundle} >= set(MODEL)
    stops = {path for path in own if path.endswith("/__pycache__")}
    assert all(path.startswith("workbench/") and path.endswith(".py") for path in own - stops)
    assert {bundle[path] for path in stops} == {b""}
    assert bundle["workbench/__init__.py"] == Path(workbench.__file__).read_bytes()
    assert "workbench/bentoml_service.py" in own
    assert own - stops == set(find_served_code())


def test_a_bundle_holds_no_code_that_makes_runs_or_shows_them():
    chapters = {path.split("/")[1] for path in find_served_code()}
    left_out = {"executors", "sweeps", "nominations", "widgets", "words", "workflow", "cli", "config.py", "demo.py"}
    assert chapters & left_out == set()
    everything = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*.py")}
    assert set(find_served_code()) < everything


def test_own_code_that_imports_the_workbench_brings_all_of_it():
    bundle = stage_bundle({**MODEL, "own/helpers.py": b"def f():\n    from workbench import log_metrics\n"})
    assert "workbench/runs/spool.py" in bundle
    assert "workbench/runs/spool.py" not in stage_bundle({**MODEL, "own/helpers.py": b"import numpy\n"})


def test_a_bento_holds_exactly_the_files_of_the_release(built):
    home, bento = built
    assert bento == home / "bentos" / "tumour" / "3"
    assert read_tree(bento / "src") == stage_bundle(MODEL)


def test_building_leaves_nothing_but_the_bento(built):
    home, bento = built
    assert [path.relative_to(home).as_posix() for path in home.rglob("*") if bento not in path.parents] == [
        "bentos",
        "bentos/tumour",
        "bentos/tumour/3",
    ]


def test_a_bento_installs_what_serving_needs_and_no_more(built):
    _, bento = built
    wanted = set((bento / "env" / "python" / "requirements.txt").read_text().split())
    needed = {"bentoml", "httptools", "msgspec", "numpy", "onnxruntime", "pyyaml", "uvloop"}
    assert {line.split("==")[0] for line in wanted} == needed


def test_a_model_that_is_not_compiled_brings_its_library(tmp_path):
    bento = build(tmp_path, stage_bundle({"model.skops": b"PK", "contract.json": b"{}"}))
    wanted = (bento / "env" / "python" / "requirements.txt").read_text().split()
    assert f"scikit-learn=={metadata.version('scikit-learn')}" in wanted
    assert f"skops=={metadata.version('skops')}" in wanted


def test_pinned_versions_are_the_tested_ones():
    for pinned in yaml.safe_load(BENTOFILE.read_bytes())["python"]["packages"]:
        name, version = pinned.split("==")
        assert metadata.version(name) == version


def test_the_service_has_one_name():
    assert yaml.safe_load(BENTOFILE.read_bytes())["service"] == SERVICE == bentoml_server.SERVICE


def test_a_version_is_never_built_over(built):
    home, bento = built
    before = read_tree(bento)
    with pytest.raises(Refused, match="exists already"):
        build(home)
    assert read_tree(bento) == before


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "Ünicode", "UPPER", "a b", ".", "-a", "x" * 80])
def test_a_name_that_bentoml_cannot_take_is_refused(tmp_path, name):
    with pytest.raises(UsageError):
        build(tmp_path, name=name)
    assert list(tmp_path.iterdir()) == []


def test_code_that_cannot_be_imported_is_not_built_and_leaves_nothing(tmp_path):
    files = {**stage_bundle(MODEL), "workbench/bentoml_service.py": b"raise RuntimeError('broken')"}
    with pytest.raises(Unavailable, match="broken"):
        build(tmp_path, files)
    assert list(tmp_path.iterdir()) == []


def test_files_that_bentoml_would_drop_are_noticed(tmp_path):
    with pytest.raises(Refused, match=r"\.DS_Store"):
        build(tmp_path, {**stage_bundle(MODEL), "release/.DS_Store": b"x"})
    assert list(tmp_path.iterdir()) == []


def test_the_home_folder_of_the_user_is_not_touched(tmp_path, monkeypatch):
    home = tmp_path / "person"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("BENTOML_HOME", str(home / "bentoml"))
    build(tmp_path / "ours")
    assert list(home.iterdir()) == []

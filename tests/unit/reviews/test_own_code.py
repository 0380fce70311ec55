"""What may be recorded as own code is what a reader sees; what is recorded is what is imported, and nothing else."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.unit.evidence.builders import build_evidence, build_model
from tests.unit.policies.builders import build_policy, build_policy_bytes
from tests.unit.reviews.builders import build_review, build_source
from workbench.checks.safe_format import safe_format
from workbench.errors import Refused
from workbench.evidence.evidence import Status, parse_evidence
from workbench.models.model_facts import ModuleFact
from workbench.models.model_files import find_refused_files
from workbench.models.own_code_source import (
    MOST_LINES,
    WIDEST_LINE,
    OwnModule,
    find_constants,
    find_defined,
    find_imports,
    find_source_fault,
    name_module,
)
from workbench.models.own_modules import OwnModules, find_module_faults, find_packages, find_shadowed
from workbench.nominations.recomputing import find_differing_files
from workbench.releases.release import Release
from workbench.releases.release_audit import AuditedRelease, read_own_code
from workbench.reviews.bundle import POLICY
from workbench.reviews.changes import find_changes
from workbench.reviews.decision import decide
from workbench.reviews.own_code import review_own_code
from workbench.widgets.own_code_state import own_code_state
from workbench.widgets.review_page import review_page
from workbench.words.changes import changes_state

SOURCE = b"class Centre:\n    pass\n\n\ndef ratio(rows):\n    return rows\n"
OWN = OwnModules((OwnModule("wb_own_features", SOURCE, ("Centre", "ratio")),))
FACT = ModuleFact("wb_own_features", OWN.modules[0].digest, ("Centre", "ratio"))


# What may be recorded


@pytest.mark.parametrize(
    ("source", "why"),
    [
        (b"def f(:\n", "no Python"),
        (b"x = '\xff'\n", "no text in UTF-8"),
        (b"# coding: latin-1\nx = 1\n", "iso-8859-1"),
        (b"\xef\xbb\xbfx = 1\n", "without a mark"),
        ("x = 1  # \u202e\n".encode(), "line 1 holds '\\u202e'"),
        ("x = 'a\u200bb'\n".encode(), "line 1 holds '\\u200b'"),
        (b"x = 1\n\x0cy = 2\n", "line 2 holds"),
        (b"x = 1\ry = 2\n", "line 1 holds '\\r'"),
        (b"x = '" + b"a" * WIDEST_LINE + b"'\n", "characters, and a review shows"),
        (b"x = 1\n" * (MOST_LINES + 1), "lines, and a review shows"),
    ],
)
def test_a_source_that_does_not_read_as_it_runs_is_not_recorded(source, why):
    assert why in (find_source_fault(source) or "")


def test_a_source_of_as_many_lines_as_a_review_shows_is_recorded():
    assert find_source_fault(b"x = 1\n" * MOST_LINES) is None


@pytest.mark.parametrize("source", [SOURCE, b"", b"x = 'd\xc3\xa9j\xc3\xa0'\r\n", b"# coding: utf-8\n"])
def test_a_plain_source_may_be_recorded(source):
    assert find_source_fault(source) is None


def test_what_a_module_defines_is_what_stands_at_its_top():
    source = "try:\n    def a(): pass\nexcept ImportError:\n    def b(): pass\nclass C:\n    def d(self): pass\ne = lambda: 1\n"
    assert find_defined(ast.parse(source)) == {"a": "function", "b": "function", "C": "class"}


def test_what_a_module_imports_is_found_wherever_it_stands():
    tree = ast.parse("import a.b\nfrom . import c\nfrom ..d import e\ndef f():\n    from g import h\n")
    found = find_imports(tree, "shop.sub.mod", is_package=False)
    assert found == [("a.b", ()), ("shop.sub", ("c",)), ("shop.d", ("e",)), ("g", ("h",))]


def test_a_constant_is_what_is_assigned_once():
    source = "A = 1\nB = 2\nB = 3\nC = []\nfor D in ():\n    pass\nE = 'x'\nF = -0.5\nG = (1, ('a', -2))\nH = (1, [])\n"
    assert find_constants(ast.parse(source)) == {"A": 1, "E": "x", "F": -0.5, "G": (1, ("a", -2))}


@pytest.mark.parametrize("file", ["features.pyc", "a b.py", "__main__.py", "../x.py", ".py", "é.py", "a..b.py"])
def test_a_file_that_names_no_module_is_none(file):
    with pytest.raises(ValueError, match="names no module"):
        name_module(file)


def test_modules_keep_their_names_without_folders():
    assert name_module("shop.features.py") == ("shop.features", False)
    assert name_module("shop.__init__.py") == ("shop", True)
    assert OwnModule("shop", b"", (), is_package=True).file == "shop.__init__.py"


# Which files count


def changed(**files: bytes | None) -> dict[str, bytes]:
    named = {f"{name}.{'json' if name == 'modules' else 'py'}": content for name, content in files.items()}
    return {name: content for name, content in {**OWN.to_files(), **named}.items() if content is not None}


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (changed(wb_own_features=SOURCE + b"\n"), "wb_own_features.py: it is not the source that modules.json names."),
        (changed(wb_own_features=None), "wb_own_features.py: it is missing."),
        (changed(modules=None), "wb_own_features.py: modules.json does not name it."),
        (changed(extra=b"x = 1\n"), "extra.py: modules.json does not name it."),
        (changed(modules=b"[]"), "wb_own_features.py: modules.json does not name it."),
        (changed(modules=b'{"x.py":1}'), "modules.json: it is no list of modules"),
        (
            OwnModules((OwnModule("wb_own_x", b"x = 1\n", ("y",)),)).to_files(),
            "wb_own_x.py: it defines no y at its top.",
        ),
        (
            OwnModules((OwnModule("json", b"x = 1\n", ()),)).to_files(),
            "json is the name of a module that comes with Python",
        ),
        (OwnModules((OwnModule("numpy", b"x = 1\n", ()),)).to_files(), "numpy is the name of an installed package"),
        (OwnModules((OwnModule("workbench.x", b"", ()),)).to_files(), "the package workbench is not among the modules"),
        (OwnModules((OwnModule("wb_own.x", b"", ()),)).to_files(), "the package wb_own is not among the modules"),
        (OwnModules((OwnModule("wb_own_x", b"\x0c", ()),)).to_files(), "which a reader does not see"),
    ],
)
def test_own_code_that_is_not_as_it_was_recorded_is_refused(files, why):
    assert any(why in fault for fault in find_module_faults(files)), find_module_faults(files)
    assert find_refused_files(files)


def test_own_code_as_it_was_recorded_may_stay():
    assert find_refused_files(OWN.to_files()) == ()
    assert find_refused_files({"contract.json": b"{}"}) == ()
    assert OwnModules().to_files() == {}


@pytest.mark.parametrize("name", ["random", "_json", "sklearn", "sklearn.evil", "yaml", "workbench", "pip"])
def test_a_name_that_is_taken_shadows_nothing(name):
    assert find_shadowed(name)


def test_a_class_may_be_made_or_named_and_a_function_may_only_be_named():
    assert OWN.forms == {
        "wb_own_features.Centre": frozenset({"ObjectNode", "TypeNode"}),
        "wb_own_features.ratio": frozenset({"FunctionNode"}),
    }


def test_what_own_code_imports_is_installed_where_it_is_served():
    source = b"import json\nimport yaml\nfrom sklearn.base import BaseEstimator\nimport wb_own_other\n"
    assert find_packages(OwnModules((OwnModule("wb_own_x", source, ()),)).to_files()) == ["PyYAML", "scikit-learn"]
    assert find_packages({"contract.json": b"{}"}) == []


# Whether it may be approved


def with_own_code(**facts):
    model = build_model(formats=("json", "py", "skops"), served_as="skops")
    return build_evidence(**{"model": model, "own_code": (FACT,), **facts})


def test_own_code_passes_only_where_the_policy_allows_it():
    allowed = safe_format(with_own_code(), build_policy())
    refused = safe_format(with_own_code(), build_policy(allows_own_code=False))
    assert (allowed.status, refused.status) == (Status.PASS, Status.FAIL)
    assert "wb_own_features (Centre, ratio)" in allowed.value
    assert "The policy allows no own code: wb_own_features (Centre, ratio)." in refused.reason


def test_a_source_that_the_evidence_does_not_name_never_passes():
    assert safe_format(with_own_code(own_code=()), build_policy()).status is Status.FAIL


def test_evidence_keeps_own_code_and_another_source_is_other_evidence():
    evidence = with_own_code()
    assert parse_evidence(evidence.to_bytes()) == evidence
    other = with_own_code(own_code=(ModuleFact("wb_own_features", "0" * 64, FACT.names),))
    assert other.digest != evidence.digest


# How it is reviewed


def reviewed(before=None, gone=()):
    own = review_own_code([FACT], {"wb_own_features": SOURCE}, before or {}, gone)
    return build_review(evidence=with_own_code(), own_code=own)


def test_a_new_module_is_shown_line_by_line_everywhere():
    state = own_code_state(reviewed())
    (module,) = state["modules"]
    (whole,) = module["code"]
    assert whole["summary"] == "wb_own_features is new: 6 lines"
    assert [line["text"] for line in whole["hunks"][0]["lines"]] == SOURCE.decode().splitlines()
    assert {line["kind"] for line in whole["hunks"][0]["lines"]} == {"added"}
    assert '<ins class="wb-line wb-added">+ class Centre:</ins>' in review_page(reviewed())


def test_a_changed_module_shows_what_changed_and_the_whole_of_it():
    before = {"wb_own_features": SOURCE.replace(b"return rows", b"return rows / 3")}
    (module,) = own_code_state(reviewed(before))["modules"]
    diff, whole = module["code"]
    assert diff["summary"] == "wb_own_features changed since version 2: 1 line added, 1 line removed"
    assert len(whole["hunks"][0]["lines"]) == len(SOURCE.splitlines())


def test_a_module_that_is_the_same_or_gone_says_so():
    gone = ModuleFact("wb_own_old", "0" * 64, ())
    state = own_code_state(reviewed({"wb_own_features": SOURCE}, [gone, FACT]))
    assert [module["code"][0]["summary"] for module in state["modules"]] == [
        "wb_own_features is the same since version 2: 6 lines",
        "wb_own_old is gone since version 2",
    ]


def test_own_code_that_changed_is_among_what_changed():
    before = with_own_code(own_code=(ModuleFact("wb_own_features", "0" * 64, FACT.names),))
    changes = find_changes(before, with_own_code(), source_before=build_source(), source_after=build_source())
    (changed,) = changes.facts
    assert (changed.name, changed.before) == ("own code", "wb_own_features sha256 000000000000")
    assert "The own code changed." in changes_state(changes, with_own_code())["text"]
    same = find_changes(build_evidence(), build_evidence(), source_before=build_source(), source_after=build_source())
    assert same.facts == ()


def test_a_model_without_own_code_has_no_section_on_it():
    assert own_code_state(build_review())["modules"] == []
    assert "Own code" not in review_page(build_review())


# Whether it is served


def audited(policy: bytes, own: OwnModules = OWN, **facts):
    """A release as it is audited, whose own code is that of `own`."""
    evidence = with_own_code(**facts)
    release = Release(evidence, "0" * 64, decide("serve", "tumour/3", []), ())
    served = {"contract.json": b"{}", "model.skops": b"PK\x03\x04", **own.to_files()}
    files = {f"release/model/{name}": content for name, content in served.items()}
    return AuditedRelease(release, {**files, POLICY: policy})


def without_own_code() -> bytes:
    return build_policy_bytes().replace(b"own_code: {allowed: true}", b"own_code: {allowed: false}")


@pytest.mark.parametrize(
    ("release", "why"),
    [
        (lambda: audited(without_own_code()), "does not allow it"),
        (lambda: audited(build_policy_bytes().replace(b"own_code: {allowed: true}", b"")), "does not allow it"),
        (lambda: audited(build_policy_bytes(), own_code=()), "not the code that the evidence names"),
        (lambda: audited(build_policy_bytes(), OwnModules()), "not the code that the evidence names"),
    ],
    ids=["forbidden", "not_said", "not_in_the_evidence", "not_in_the_release"],
)
def test_the_service_imports_no_own_code_that_nobody_approved(release, why):
    with pytest.raises(Refused, match="own code cannot be loaded") as refused:
        read_own_code(release())
    assert why in " ".join(refused.value.reasons)
    assert "wb_own_features" not in sys.modules


def test_the_service_takes_own_code_that_was_approved():
    assert read_own_code(audited(build_policy_bytes())).modules == OWN.modules


def test_a_module_that_is_another_in_the_runs_folder_is_named_before_promotion():
    frozen = {"release/model/features.py": b"one", "release/model/model.onnx": b"made anew", "workbench/x.py": b""}
    assert find_differing_files(frozen, {"features.py": b"one"}) == []
    (said,) = find_differing_files(frozen, {"features.py": b"other"})
    assert said.startswith("features.py was ")

"""What `make check` runs: the fast tests of the chapters at and above a change, and all where a change belongs to none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.changed import ALL, ALWAYS, ROOT, choose_tests
from workbench.cli.chapters import CHAPTERS


@pytest.mark.parametrize(
    "changed",
    [
        [],
        ["pyproject.toml"],
        ["workbench/config.py"],
        ["tests/conftest.py"],
        ["workbench/checks/robust.py", "Makefile"],
    ],
)
def test_what_belongs_to_no_chapter_asks_for_all(changed):
    assert choose_tests(changed) == ALL


def folders_of(chosen):
    return {str(Path(name).parent) for name in chosen if name not in ALWAYS}


def test_a_change_asks_for_its_chapter_and_those_above_it():
    chosen = choose_tests(["workbench/checks/robust.py", "workbench/checks/README.md"])
    assert {"tests/unit/checks", "tests/unit/reviews", "tests/unit/cli"} <= folders_of(chosen)
    assert {"tests/unit/stats/test_wilson.py", "tests/unit/records/test_iso8601.py"} & {*chosen} == set()
    assert choose_tests(["workbench/cli/main.py", "tests/integration/checks/test_x.py"]) == chosen


def test_a_test_that_imports_what_was_changed_is_asked_for_wherever_it_lies():
    assert "tests/unit/policies/test_policy.py" in choose_tests(["workbench/checks/robust.py"])
    assert "tests/unit/models/test_seen.py" in choose_tests(["workbench/serving/answering.py"])
    assert "tests/unit/signing/test_statement.py" in choose_tests(["workbench/reviews/approval.py"])
    assert "tests/contract/test_tracker.py" in choose_tests(["workbench/workflow/doctor.py"])


def test_what_is_recorded_is_held_against_its_contract_where_it_or_what_lies_below_changes():
    assert "tests/contract" in folders_of(choose_tests(["workbench/runs/sqlalchemy_store.py"]))
    assert "tests/contract" in folders_of(choose_tests(["tests/unit/records/test_iso8601.py"]))


def test_documentation_alone_asks_for_little():
    assert choose_tests(["README.md", "workbench/models/README.md", "findings/x.sh"]) == ALWAYS


def test_every_test_of_a_chapter_lies_in_its_folder():
    floors = [ROOT / "tests" / floor for floor in ("unit", "integration")]
    folders = {path.parent.name for floor in floors for path in floor.glob("*/test_*.py")}
    assert folders <= {*CHAPTERS}
    assert {f"tests/unit/{path.name}" for path in floors[0].glob("test_*.py")} == {*ALWAYS}
    assert [path.name for path in floors[1].glob("test_*.py")] == []

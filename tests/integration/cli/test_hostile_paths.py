"""A text that leads elsewhere opens nothing outside of the project, at any input."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.soak.hostile_paths import PATHS, try_texts
from tests.soak.odd_paths import INPUTS, VERBS
from tests.soak.watched import Allowed, Watch

SIZE = 1


@pytest.mark.soak
def test_a_path_or_id_makes_no_file_outside_be_opened_at_any_input() -> None:
    calls, faults = try_texts(SIZE)
    assert faults == []
    assert calls >= SIZE * (len(INPUTS) + len(VERBS) - 2)


def test_every_input_that_takes_a_path_is_one_that_is_tried() -> None:
    assert {*INPUTS, *(f"Workbench.{name}" for name in VERBS)} >= PATHS


def test_a_file_that_is_opened_outside_would_be_noticed(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    watch = Watch(tmp_path / "log", Allowed((str(inside),), (str(inside),)))
    see = watch._find_fault
    assert see("open", (str(outside), "r", 0))
    assert see("open", (str(inside / ".." / "outside"), None, 1))
    assert see("os.listdir", (str(tmp_path),))
    assert see("sqlite3.connect", (str(outside),))
    assert see("os.rename", (str(inside), str(outside), -1, -1))
    assert see("subprocess.Popen", ("touch", ["touch"], None, None))
    assert see("socket.connect", (None, ("127.0.0.1", 9)))
    assert see("exec", (compile("import os; os.system('true')", "<string>", "exec"),))
    assert see("pickle.find_class", ("os", "system"))
    assert see("open", (str(inside / "x"), "w", 0)) is None
    assert see("open", ("x", None, 0)) is None

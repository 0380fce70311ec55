"""papermill's engines of other packages are imported when they are asked for, and not before."""

from __future__ import annotations

import subprocess
import sys

_ENGINE = """
import sys
from pathlib import Path
sys.path.insert(0, {folder!r})
import workbench.executors.papermill_executor
from papermill.engines import papermill_engines
assert "their_engine" not in sys.modules
assert papermill_engines.get_engine("workbench").__name__ == "_Engine"
assert "their_engine" not in sys.modules
print(papermill_engines.get_engine("theirs").said)
"""


def test_the_engine_of_another_package_is_imported_when_it_is_asked_for(tmp_path):
    (tmp_path / "their_engine.py").write_text("class Engine:\n    said = 'here'\n", encoding="utf-8")
    stated = tmp_path / "theirs-1.0.dist-info"
    stated.mkdir()
    (stated / "METADATA").write_text("Name: theirs\nVersion: 1.0\n", encoding="utf-8")
    (stated / "entry_points.txt").write_text("[papermill.engine]\ntheirs = their_engine:Engine\n", encoding="utf-8")
    code = _ENGINE.format(folder=str(tmp_path))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "here\n", done.stderr

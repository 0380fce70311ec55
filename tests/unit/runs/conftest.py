"""A folder that a run logs into."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.runs import spool


@pytest.fixture
def run_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path

"""What the tests of measures share: what a notebook with some rows would leave behind."""

from __future__ import annotations

import shutil

import pytest

from workbench.runs import spool
from workbench.runs.folder import DATASETS


@pytest.fixture
def leave(tmp_path, monkeypatch):
    """Leave behind what a notebook with these rows would, in a folder."""
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(tmp_path))

    def write(data, features=("x", "kind"), slices=None):
        shutil.rmtree(tmp_path / DATASETS, ignore_errors=True)
        spool.log_dataset(data.drop(columns=["score", "y"], errors="ignore"), role="holdout")
        truth = data.get("y", data.bought)
        spool.log_predictions(data.index, truth, data.score, slices=slices)
        data[list(features)].to_parquet(tmp_path / spool.FEATURES, index=False)
        return tmp_path

    return write

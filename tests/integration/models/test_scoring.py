"""A frozen model is asked about rows as its endpoint would be, in a process without rights, and whatever it does is a record."""

from __future__ import annotations

import importlib
import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from tests.integration.release_builder import COLUMNS, TrainedModel, train_model, write_model
from workbench.models import scoring
from workbench.models.confinement import Limits
from workbench.models.model_files import CONTRACT_FILE, SKOPS_FILE
from workbench.models.own_code import record_own_code
from workbench.models.scoring import Scoring, score_rows
from workbench.records.row_digests import encode_float

# What a model may not do, each as harmless as it can be; the answer to a row says how many of them were refused.
TRIES = """
import os
import signal
import socket
import subprocess
import numpy as np
import resource
from sklearn.base import BaseEstimator, TransformerMixin

CANARY = {canary!r}


def count_refused():
    tries = (
        lambda: socket.socket(),
        lambda: subprocess.run(["true"]),
        lambda: open(CANARY, "w"),
        lambda: os.kill(os.getpid(), 0),
        lambda: os.mkdir(CANARY),
    )
    refused = 0
    for each in tries:
        try:
            each()
        except PermissionError:
            refused += 1
    limited = resource.getrlimit(resource.RLIMIT_CPU)[1] == 240 and resource.getrlimit(resource.RLIMIT_AS)[1] == 4 * 1024**3
    return refused + limited


class Tries(TransformerMixin, BaseEstimator):
    def fit(self, values, truth=None):
        self.found_ = 0
        return self

    def transform(self, values):
        values = np.asarray(values, dtype=float)
        return np.column_stack([values, np.full(len(values), count_refused() if os.environ["HOME"].endswith("output") else 0)])
"""


def spelled(trained: TrainedModel) -> dict[str, list[str]]:
    return {name: [encode_float(float(value)) for value in trained.holdout[name]] for name in COLUMNS}


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (folder / "model").iterdir()}


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    return train_model()


@pytest.fixture(scope="module")
def files(trained: TrainedModel, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("scored")
    write_model(trained, folder)
    return files_of(folder)


def test_the_model_itself_answers_as_it_did_in_the_notebook_row_by_row(
    trained: TrainedModel, files: dict[str, bytes], tmp_path: Path
) -> None:
    (tmp_path / "model").mkdir()
    for name, content in files.items():
        (tmp_path / "model" / name).write_bytes(content)
    (tmp_path / "columns.json").write_text(json.dumps(spelled(trained)))
    request = scoring.ScoringRequest(str(tmp_path), str(tmp_path), "skops", os.getpid(), Limits())
    np.testing.assert_array_equal(scoring._score(files, request).scores, trained.scores)


def test_what_it_may_not_do_is_refused_to_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Own code that people allowed runs in there, with no network, no programs, no files and the usual limits."""
    (tmp_path / "wb_own_tries.py").write_text(TRIES.format(canary=str(tmp_path / "canary")), encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    own = importlib.import_module("wb_own_tries")
    trained = train_model(make_pipeline(own.Tries(), LogisticRegression()))
    trained.model[-1].coef_[:] = [[0, 0, 0, 0, 1]]  # the score is how many were refused
    trained.model[-1].intercept_[:] = 0
    write_model(trained, tmp_path)
    recorded = record_own_code(trained.model, skops.io.dumps(trained.model), [tmp_path]).files
    monkeypatch.delitem(sys.modules, "wb_own_tries")
    files = {**files_of(tmp_path), **recorded}
    refused = score_rows(files, "skops", spelled(trained))
    assert refused.fault == (
        "It holds own code, which its policy does not allow, and was not loaded: wb_own_tries (Tries)."
    )
    said = score_rows(files, "skops", spelled(trained), allows_own_code=True)
    assert said.fault is None
    assert np.log(said.scores[0] / (1 - said.scores[0])) == pytest.approx(6)
    assert not (tmp_path / "canary").exists()


def test_it_ends_with_whoever_asked(
    files: dict[str, bytes], trained: TrainedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring.os, "getpid", lambda: 1)  # as if somebody else had started it, who is gone
    assert str(score_rows(files, "skops", spelled(trained)).fault).startswith(
        "The process that loaded it ended with 1 and no answer"
    )


def test_what_takes_too_long_is_stopped(files: dict[str, bytes], trained: TrainedModel) -> None:
    said = score_rows(files, "skops", spelled(trained), limits=replace(Limits(), wall_s=0))
    assert said == Scoring(fault="Loading and predicting took longer than 0 s and was stopped.")


@pytest.mark.parametrize(
    ("change", "served_as", "said"),
    [
        ({SKOPS_FILE: None}, "skops", "It is served as skops, and has no model.skops."),
        ({}, "onnx", "It is served as onnx, and has no model.onnx."),
        ({CONTRACT_FILE: None}, "skops", "It is served as skops, and has no contract.json."),
        ({}, "None", "It is served as None, and has no files for that."),
        ({"model.pkl": b"x"}, "skops", "It has files that are not allowed and was not opened."),
    ],
)
def test_files_that_are_not_those_of_a_model_are_not_opened(
    files: dict[str, bytes], change: dict[str, bytes | None], served_as: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "run_confined", lambda *_, **__: pytest.fail("a process was started"))
    changed = {name: content for name, content in {**files, **change}.items() if content is not None}
    assert score_rows(changed, served_as, {}).fault == said

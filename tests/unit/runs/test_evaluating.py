"""One call logs the holdout, the model's own scores, their metrics and the model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import accuracy_score, log_loss, r2_score, roc_auc_score
from sklearn.svm import LinearSVC

import workbench as wb
from tests.unit.runs.spooled import datasets
from workbench.errors import UsageError
from workbench.models.predictions import parse_outcome
from workbench.runs import spool

DRAWN = np.random.default_rng(1)
FEATURES = pd.DataFrame(DRAWN.normal(size=(60, 3)), columns=["a", "b", "c"])
SIGN = FEATURES["a"] + DRAWN.normal(size=60) > 0
TRAIN, HOLDOUT = slice(0, 30), slice(30, 60)


def evaluate(model: Any, truth: Any, **how: Any) -> Any:
    """Fit a model on the first rows and evaluate it in one line on the others; `note` is a column it does not know."""
    table = FEATURES.assign(note="x", y=truth)
    model.fit(table[TRAIN][["a", "b", "c"]], table[TRAIN]["y"])
    return wb.log_evaluation(model, table[HOLDOUT], target="y", training=table[TRAIN], **how)


def metrics_of(folder: Path) -> dict[str, float]:
    lines = map(json.loads, (folder / spool.LOGGED_METRICS).read_text(encoding="utf-8").splitlines())
    return {line["name"]: line["value"] for line in lines}


def test_of_two_classes_scores_model_tables_and_metrics_are_logged(run_folder: Path) -> None:
    model = LogisticRegression()
    truth = np.where(SIGN, "left", "stayed")
    evaluate(model, truth, positive="left", slices={"half": ["x"] * 30})
    features, held = FEATURES[HOLDOUT], truth[HOLDOUT]
    score = model.predict_proba(features)[:, 0]
    predictions = parse_outcome((run_folder / spool.PREDICTIONS).read_bytes(), "run")
    assert (predictions.positive_class, predictions.score.tolist()) == ("left", score.tolist())
    assert metrics_of(run_folder) == pytest.approx(
        {
            **metrics_of(run_folder),
            "roc_auc": roc_auc_score(held == "left", score),
            "log_loss": log_loss(held == "left", score),
            "accuracy": accuracy_score(held, model.predict(features)),
        }
    )
    assert {(each["role"], each["target"], each["rows"]) for each in datasets(run_folder)} == {
        ("train", None, 30),
        ("holdout", "y", 30),
    }
    assert (run_folder / spool.MODEL / "model.skops").is_file()


@pytest.mark.parametrize(
    ("model", "truth", "expected"),
    [
        (LogisticRegression(), np.arange(60) % 3, {"accuracy", "brier_score", "f1_macro", "f1_weighted", "log_loss"}),
        (LinearSVC(), SIGN.astype(int) + 1, {"accuracy", "f1", "roc_auc"}),
        (LinearRegression(), FEATURES["a"] * 2 + 1, {"r2", "mean_absolute_error", "root_mean_squared_error"}),
    ],
    ids=["three classes", "no probabilities", "numbers"],
)
def test_every_metric_of_the_task_is_logged(run_folder: Path, model: Any, truth: Any, expected: set[str]) -> None:
    evaluate(model, truth)
    assert expected <= metrics_of(run_folder).keys()
    if "r2" in expected:
        assert metrics_of(run_folder)["r2"] == pytest.approx(r2_score(truth[HOLDOUT], model.predict(FEATURES[HOLDOUT])))


def test_a_model_that_cannot_be_served_is_scored_all_the_same(run_folder: Path) -> None:
    table = pd.DataFrame(FEATURES.to_numpy()).assign(y=SIGN)  # its columns are called 0, 1, 2
    model = LogisticRegression().fit(table[TRAIN][[0, 1, 2]].to_numpy(), table[TRAIN]["y"])
    refused = wb.log_evaluation(model, table[HOLDOUT], target="y")
    assert "Names of columns must be texts" in str(refused)
    score = model.predict_proba(FEATURES[HOLDOUT].to_numpy())[:, 1]
    assert metrics_of(run_folder)["roc_auc"] == roc_auc_score(SIGN[HOLDOUT], score)
    assert not (run_folder / spool.MODEL).exists()


def test_a_model_without_a_task_says_why_and_nothing_is_scored(run_folder: Path) -> None:
    from sklearn.cluster import DBSCAN

    table = FEATURES.assign(y=SIGN)
    refused = wb.log_evaluation(DBSCAN().fit(FEATURES), table[HOLDOUT], target="y")
    assert "DBSCAN" in str(refused)
    assert not (run_folder / spool.PREDICTIONS).exists()


def test_rows_without_a_feature_of_the_model_are_refused_with_the_line_to_write(run_folder: Path) -> None:
    model = LogisticRegression().fit(FEATURES, SIGN)
    with pytest.raises(UsageError, match="fitted on b") as caught:
        wb.log_evaluation(model, FEATURES.assign(y=SIGN).drop(columns="b"), target="y")
    assert "X_test.assign(y=y_test)" in str(caught.value.next_step)


OWN = """
[metrics.{0}]
function = "metrics.py:{0}"
direction = "higher"
tasks = ["classification"]
"""


def test_metrics_of_the_projects_own_are_logged_and_one_that_fails_is_told(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names = ("gain", "broken", "missing")
    (tmp_path / "workbench.toml").write_text("".join(map(OWN.format, names)), encoding="utf-8")
    code = """
def gain(truth, score, rows):
    return truth * rows["a"] * (rows["note"] == "x")

def broken(truth, score, rows):
    return rows["amount"]
"""
    (tmp_path / "metrics.py").write_text(code, encoding="utf-8")
    monkeypatch.setenv(spool.PROJECT_VARIABLE, str(tmp_path))
    evaluate(LogisticRegression(), SIGN.astype(int))
    logged = metrics_of(run_folder)
    assert logged["gain"] == pytest.approx((SIGN * FEATURES["a"])[HOLDOUT].mean())
    assert "roc_auc" in logged
    assert {"broken", "missing"}.isdisjoint(logged)
    assert "The holdout has no column 'amount'; it has 'a', 'b', 'c', 'note', 'y'." in caplog.text
    assert "metrics.py has no function missing; it has gain, broken." in caplog.text

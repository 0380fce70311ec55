"""What a run came to is read from what it stored, and a store that cannot be read costs no report."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.unit.drawings.test_pictures import numbers, two_classes
from tests.unit.runs.reports import build_run
from workbench.models.predictions import spell_predictions
from workbench.runs.concluding import NO_RESULTS, Results, is_of_training, read_results
from workbench.runs.folder import PREDICTIONS
from workbench.runs.points import Point


def store(predictions) -> dict[str, bytes]:
    rows = tuple(f"r{number}" for number in range(len(predictions.truth)))
    return {PREDICTIONS: spell_predictions(replace(predictions, rows=rows), {})}


def conclude(files: dict[str, bytes], metrics: list[str], **known) -> Results:
    return read_results(build_run(record={"metrics": dict.fromkeys(metrics, 0.5)}), files, **known)


def test_two_classes_are_counted_at_the_threshold_that_decided():
    found, predictions = conclude(store(two_classes()), ["roc_auc", "r2", "mine"]), two_classes()
    wrong = int(((predictions.score >= 0.5) != predictions.truth).sum())
    assert found.says[0].startswith(f"Of 300 rows {wrong} are named wrong at a threshold of 0.5: ")
    assert list(found.recomputed) == ["roc_auc"]
    titles = ["What was called what", "ROC curve", "Precision-recall curve", "Calibration"]
    assert [picture.title for picture in found.pictures] == titles


def test_numbers_are_told_in_the_unit_of_the_target():
    found = conclude(store(numbers()), ["r2"], target="price")
    assert "Half of the 200 predictions of price are off by at most" in found.says[0]
    assert list(found.recomputed) == ["r2"]


def test_metrics_are_drawn_in_the_order_of_their_steps():
    points = [Point("loss", 2.0, 5, 1), Point("loss", 9.0, 0, 2), Point("loss", math.nan, 3, 3), Point("f1", 1.0, 0, 1)]
    found = conclude({}, [], points=points)
    assert [picture.says for picture in found.courses] == ["From 9 at step 0 to 2 at step 5."]


def test_a_run_that_stored_nothing_has_no_results_and_what_cannot_be_read_is_said():
    assert conclude({}, ["roc_auc"]) == NO_RESULTS
    found = conclude({PREDICTIONS: b"no parquet"}, ["roc_auc"])
    assert found.says[0].startswith("The predictions of run 3f9a1c27d05b cannot be used.")
    assert not found.pictures


@pytest.mark.parametrize("name", ["train_loss", "training_f1_score", "loss/train", "Train.Loss", "xgb train-auc"])
def test_a_metric_that_says_so_is_one_of_the_training_rows(name):
    assert is_of_training(name)


@pytest.mark.parametrize("name", ["val_loss", "trainer", "strain", "pretrained", "restraining", "roc_auc"])
def test_other_metrics_are_not(name):
    assert not is_of_training(name)


def test_many_rows_are_counted_exactly():
    predictions = two_classes(50_000)
    found = conclude(store(predictions), [])
    wrong = int(np.sum((predictions.score >= 0.5) != predictions.truth))
    assert found.says[0].startswith(f"Of 50,000 rows {wrong:,} are named wrong")

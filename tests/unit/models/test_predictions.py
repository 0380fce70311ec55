"""The file of predictions says what its truth and its scores are; what it cannot be is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from workbench.errors import UsageError
from workbench.models.predictions import (
    PREDICTIONS,
    Predictions,
    parse_outcome,
    parse_predictions,
    parse_slices,
    spell_predictions,
)
from workbench.stats.metrics import METRICS
from workbench.stats.units import Units

CLASSES = ("a", "b", "c")


def build(**changes) -> Predictions:
    facts = {
        "rows": ("x", "y", "z"),
        "truth": np.array([0.0, 2.0, 1.0]),
        "score": np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8], [0.6, 0.3, 0.1]]),
        "task": "multiclass",
        "label": np.array([0.0, 2.0, 1.0]),
        "classes": CLASSES,
        "response": "predict_proba",
    }
    return Predictions(**{**facts, **changes})


def written(predictions: Predictions, folder: Path, slices=None) -> bytes:
    (folder / PREDICTIONS).write_bytes(spell_predictions(predictions, slices or {}))
    return (folder / PREDICTIONS).read_bytes()


def edited(content: bytes, folder: Path, change) -> bytes:
    """Return a file with other columns, or that says other things of itself."""
    table = pq.read_table(pa.BufferReader(content))
    said = json.loads(table.schema.metadata[b"workbench"])
    table = change(table, said) or table
    pq.write_table(table.replace_schema_metadata({b"workbench": json.dumps(said).encode()}), folder / "edited.parquet")
    return (folder / "edited.parquet").read_bytes()


@given(st.integers(3, 6).flatmap(lambda k: st.tuples(st.just(k), stn.arrays(float, (5, k), elements=st.floats(-9, 9)))))
def test_what_is_written_of_several_classes_is_what_is_read(tmp_path_factory, drawn):
    classes, score = drawn
    truth = np.arange(5) % classes
    own = Predictions(
        tuple("edcba"), truth.astype(float), score, "multiclass", truth[::-1].astype(float),
        tuple(f"class {place}" for place in range(classes)), None, "decision_function",
    )  # fmt: skip
    read = parse_predictions(written(own, tmp_path_factory.mktemp("run")), "r")
    assert read.rows == tuple("abcde")
    assert read.score.tolist() == score[::-1].tolist()
    assert (read.truth.tolist(), read.label.tolist()) == (own.truth[::-1].tolist(), own.label[::-1].tolist())
    assert (read.task, read.classes, read.response) == ("multiclass", own.classes, "decision_function")


def test_a_file_from_before_it_said_anything_is_read_by_its_truth(tmp_path):
    for truth, task in (([0.0, 1.0], "classification"), ([1.0, 2.0], "regression")):
        pq.write_table(pa.table({"row": ["a", "b"], "truth": truth, "score": [0.5, 0.25]}), tmp_path / PREDICTIONS)
        read = parse_predictions((tmp_path / PREDICTIONS).read_bytes(), "r")
        assert (read.task, read.classes, read.label) == (task, None, None)
        assert read.score.tolist() == [0.5, 0.25]


def test_slices_stand_beside_the_scores_of_several_classes(tmp_path):
    content = written(build(rows=("z", "x", "y")), tmp_path, {"town": ["Ulm", "Bern", "Rom"]})
    assert parse_slices(content, "r") == {"town": ["Bern", "Rom", "Ulm"]}


@pytest.mark.parametrize("kind", ["group", "time"])
def test_groups_and_times_are_read_in_the_order_of_the_rows_and_taken_with_them(tmp_path, kind):
    content = written(build(rows=("z", "x", "y"), units=Units(kind, np.array([7, 0, 3]))), tmp_path)
    read = parse_predictions(content, "r")
    assert (read.units.kind, read.units.labels.tolist()) == (kind, [0, 3, 7])
    assert parse_outcome(content, "r").units.labels.tolist() == [7, 0, 3]
    assert parse_predictions(content, "r").take(np.array([2, 0])).units.labels.tolist() == [7, 0]


def test_a_file_that_says_nothing_of_itself_may_have_a_column_that_is_called_like_them(tmp_path):
    columns = {"row": ["a", "b"], "truth": [0.0, 1.0], "score": [0.5, 0.2], "group": ["x", "y"]}
    pq.write_table(pa.table(columns), tmp_path / PREDICTIONS)
    assert parse_predictions((tmp_path / PREDICTIONS).read_bytes(), "r").units is None


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"group": ["a", "b", "c"]}, "Its column group is no whole number in each row."),
        ({"time": [1, None, 2]}, "Its column time is no whole number in each row."),
        ({"group": [1, 2, 3], "time": [1, 2, 3]}, "It names both groups and times."),
    ],
)
def test_groups_that_cannot_be_are_refused(tmp_path, columns, says):
    def change(table, _):
        for name, values in columns.items():
            table = table.append_column(name, pa.array(values))
        return table

    with pytest.raises(UsageError, match=says):
        parse_predictions(edited(written(build(), tmp_path), tmp_path, change), "r")


def drop(column):
    return lambda table, _: table.drop([column])


def says(**changes):
    return lambda _, said: said.update(changes)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (drop("score_1"), "It needs one column row of text, truth and score"),
        (drop("score_2"), "It names 3 classes and has scores for 2"),
        (says(task="regression"), "its task is regression"),
        (says(task="ranking"), "its task is 'ranking'"),
        (says(task="classification"), "its task is classification"),
        (says(classes=["a", "b"]), "It names 2 classes and has scores for 3"),
        (says(classes=["a", "b", "b"]), "It names 3 classes and has scores for 3"),
        (says(classes=None), "It names 0 classes"),
        (says(response="guess"), "its response 'guess'"),
        (says(format=3), "other things than expected"),
        (says(more=1), "other things than expected"),
        (says(classes=3), "cannot be read"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(tmp_path, change, reason):
    with pytest.raises(UsageError) as caught:
        parse_predictions(edited(written(build(), tmp_path), tmp_path, change), "r")
    assert reason in " ".join(caught.value.reasons)


@pytest.mark.parametrize("wrong", [{"truth": np.array([0.0, 3.0, 1.0])}, {"label": np.array([0.0, 0.5, 1.0])}])
def test_a_truth_that_is_no_place_of_a_class_is_refused(tmp_path, wrong):
    with pytest.raises(UsageError, match="is no place of one of 3 classes"):
        parse_predictions(written(build(**wrong), tmp_path), "r")


# What metrics read


def test_what_is_decided_for_is_the_models_own_label_not_its_largest_score():
    own, nobody = build(), build(label=None)
    assert METRICS["accuracy"].value(own.truth, own.read_by(METRICS["accuracy"])) == 1
    assert METRICS["accuracy"].value(nobody.truth, nobody.read_by(METRICS["accuracy"])) == pytest.approx(2 / 3)
    assert own.read_by(METRICS["roc_auc"]) is own.score


def test_of_two_classes_the_label_counts_where_the_threshold_is_another():
    two = build(truth=np.array([0.0, 1.0, 0.0]), score=np.array([0.2, 0.4, 0.1]), task="classification", classes=(0, 1))
    labelled = build(**{**vars(two), "label": np.array([0.0, 1.0, 0.0])})
    unlabelled = build(**{**vars(two), "label": None})
    assert METRICS["accuracy"].value(two.truth, labelled.read_by(METRICS["accuracy"])) == 1
    assert METRICS["accuracy"].value(two.truth, unlabelled.read_by(METRICS["accuracy"])) == pytest.approx(2 / 3)


def test_a_decision_function_without_labels_decides_at_nought():
    two = build(
        truth=np.array([0.0, 1.0, 0.0]), score=np.array([-0.2, 0.4, 0.6]), task="classification", label=None,
        classes=(0, 1), response="decision_function",
    )  # fmt: skip
    assert two.places().tolist() == [0, 1, 1]


def test_two_classes_stand_in_the_order_of_their_places():
    two = build(task="classification", classes=("churned", "stayed"), positive_class="churned")
    assert two.named_classes() == ("stayed", "churned")
    assert build().named_classes() == CLASSES

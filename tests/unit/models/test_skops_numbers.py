"""Settings and coefficients of a model are read from its archive; whatever is none tells nothing, and nothing is built."""

from __future__ import annotations

import io
import json
from zipfile import ZipFile

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from workbench.models import skops_numbers
from workbench.models.skops_canonical import write_model
from workbench.models.skops_numbers import read_model_numbers

RANDOM = np.random.default_rng(7)
ROWS, TRUTH = RANDOM.normal(size=(60, 2)), RANDOM.integers(0, 3, 60)


def archive_of(**members: bytes) -> bytes:
    held = io.BytesIO()
    with ZipFile(held, "w") as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return held.getvalue()


def test_coefficients_are_called_like_their_columns_one_for_each_class():
    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.5)).fit(ROWS, TRUTH)
    told = read_model_numbers(write_model(model), ["age", "weight"])
    found = told.coefficients
    assert (told.settings["LogisticRegression.C"], told.untold) == ("0.5", "")
    assert found["age"] == model[-1].coef_[:, 0].tolist()
    assert found["intercept"] == model[-1].intercept_.tolist()


def test_where_columns_do_not_keep_their_places_coefficients_have_numbers():
    swapped = make_column_transformer((StandardScaler(), [1]), remainder="passthrough")
    model = make_pipeline(swapped, LogisticRegression()).fit(ROWS, TRUTH > 1)
    assert [*read_model_numbers(write_model(model), ["age", "weight"]).coefficients] == [
        "coefficient 1",
        "coefficient 2",
        "intercept",
    ]


def test_what_is_no_archive_or_holds_a_pickle_tells_nothing():
    state = {"__loader__": "DictNode", "content": {"coef_": {"file": "1.npy"}}}
    node = {"__loader__": "ObjectNode", "__class__": "Odd", "content": state}
    pickled = io.BytesIO()
    np.save(pickled, np.array([print], dtype=object), allow_pickle=True)
    broken = b"[1, 2"
    for content in (
        b"",
        b"PK\x03\x04",
        archive_of(schema_json=broken),
        archive_of(schema_json=json.dumps(node).encode(), **{"1_npy": pickled.getvalue()}),
    ):
        told = read_model_numbers(content, [])
        assert (told.settings, told.coefficients) == ({}, None)
        assert told.untold


def test_settings_of_trees_in_a_pipeline_are_told_and_what_they_hold_inside_is_none():
    columns = make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough")
    boosting = GradientBoostingRegressor(
        loss="quantile", n_estimators=2, learning_rate=np.float64(0.03), random_state=4
    )
    rows = pd.DataFrame({"kind": ["a", "b"] * 30, "age": ROWS[:, 0]})
    told = read_model_numbers(write_model(make_pipeline(columns, boosting).fit(rows, ROWS[:, 1])), ["kind", "age"])
    parts = [name.partition(".")[0] for name in told.settings]
    assert [*dict.fromkeys(parts)] == ["Pipeline", "ColumnTransformer", "OneHotEncoder", "GradientBoostingRegressor"]
    assert told.settings["GradientBoostingRegressor.learning_rate"] == "0.03"
    assert told.settings["GradientBoostingRegressor.random_state"] == "4"
    assert told.settings["ColumnTransformer.transformers"] == '[("onehotencoder", OneHotEncoder, ["kind"])]'
    assert told.coefficients is None
    assert told.untold == ""


def test_settings_that_are_no_plain_values_are_told_apart():
    def tell(**changes):
        words = {"stop_words": ["und"], "tokenizer": None, "vocabulary": None}
        model = TfidfVectorizer(**words | changes).fit(["ja und nein"])
        return read_model_numbers(write_model(model), []).settings

    assert tell()["TfidfVectorizer.stop_words"] == '["und"]'
    assert tell()["TfidfVectorizer.dtype"] == "float64"
    long = [[f"word{number}" for number in range(100)] for _ in range(2)]
    long[1][99] = "another"
    one, other = (tell(stop_words=words)["TfidfVectorizer.stop_words"] for words in long)
    assert one != other
    assert len(one) < 250
    weights = make_pipeline(DummyClassifier(constant=np.arange(100), random_state=np.random.RandomState(1))).fit(
        ROWS, TRUTH
    )
    settings = read_model_numbers(write_model(weights), []).settings
    assert settings["DummyClassifier.constant"].startswith("array (sha256 ")
    assert settings["DummyClassifier.random_state"].startswith("RandomState (sha256 ")
    forest = DecisionTreeClassifier(class_weight={0: 1, 1: 2.5, 2: 1}).fit(ROWS, TRUTH)
    assert (
        read_model_numbers(write_model(forest), []).settings["DecisionTreeClassifier.class_weight"]
        == "{0: 1, 1: 2.5, 2: 1}"
    )


def test_what_is_too_large_to_be_read_is_said_and_takes_nothing_else_away(monkeypatch):
    content = write_model(LogisticRegression().fit(ROWS, TRUTH))
    monkeypatch.setattr(skops_numbers, "_MOST_NUMBERS", 3)
    told = read_model_numbers(content, [])
    assert (told.settings["LogisticRegression.C"], told.coefficients) == ("1.0", None)
    assert told.untold == "Its coefficients are not read: they are too many: 6; up to 3 are read."
    monkeypatch.setattr(skops_numbers, "_LARGEST_SCHEMA", 10)
    assert "bytes; up to 10 are read." in read_model_numbers(content, []).untold

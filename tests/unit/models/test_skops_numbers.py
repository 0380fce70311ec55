"""Settings and coefficients of a model are read from its archive; whatever is none tells nothing, and nothing is built."""

from __future__ import annotations

import io
import json
from zipfile import ZipFile

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

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
    settings, found = read_model_numbers(write_model(model), ["age", "weight"])
    assert settings["LogisticRegression.C"] == "0.5"
    assert found["age"] == model[-1].coef_[:, 0].tolist()
    assert found["intercept"] == model[-1].intercept_.tolist()


def test_where_columns_do_not_keep_their_places_coefficients_have_numbers():
    swapped = make_column_transformer((StandardScaler(), [1]), remainder="passthrough")
    model = make_pipeline(swapped, LogisticRegression()).fit(ROWS, TRUTH > 1)
    _, found = read_model_numbers(write_model(model), ["age", "weight"])
    assert [*found] == ["coefficient 1", "coefficient 2", "intercept"]


def test_what_is_no_archive_or_holds_a_pickle_tells_nothing():
    node = {"__loader__": "ObjectNode", "__class__": "Odd", "content": {"content": {"coef_": {"file": "1.npy"}}}}
    pickled = io.BytesIO()
    np.save(pickled, np.array([print], dtype=object), allow_pickle=True)
    broken = b"[1, 2"
    for content in (
        b"",
        b"PK\x03\x04",
        archive_of(schema_json=broken),
        archive_of(schema_json=json.dumps(node).encode(), **{"1_npy": pickled.getvalue()}),
    ):
        assert read_model_numbers(content, []) == ({}, None)

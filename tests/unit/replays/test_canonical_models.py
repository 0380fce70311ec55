"""A model is written in the same bytes everywhere, and how far two are apart is measured."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import scipy.sparse
import skops.io
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from workbench.models.skops_canonical import find_model_difference, to_canonical

ROWS = 120


def fitted(model):
    table, target = load_breast_cancer(return_X_y=True, as_frame=True)
    return model.fit(table[:ROWS], target[:ROWS])


def features():
    return load_breast_cancer(as_frame=True).data[ROWS : 2 * ROWS]


MODELS = {
    "tree": lambda: DecisionTreeClassifier(random_state=0),
    "forest": lambda: RandomForestClassifier(10, random_state=0),
    "extra_trees_with_a_random_state": lambda: ExtraTreesClassifier(5, random_state=np.random.RandomState(3)),
    "gradient_boosting": lambda: GradientBoostingClassifier(n_estimators=5, random_state=0),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=5, random_state=0),
    "pipeline": lambda: make_pipeline(
        ColumnTransformer([("few", StandardScaler(), ["mean radius", "mean texture"])], remainder="drop"),
        LogisticRegression(),
    ),
    "function": lambda: make_pipeline(FunctionTransformer(np.log1p), DecisionTreeClassifier(random_state=0)),
}


def load(content: bytes):
    return skops.io.loads(content, trusted=skops.io.get_untrusted_types(data=content))


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_written_in_the_same_bytes_twice_and_loads_as_it_was(name):
    model = fitted(MODELS[name]())
    first = to_canonical(skops.io.dumps(model))
    assert first == to_canonical(skops.io.dumps(model)) == to_canonical(first)
    loaded = load(first)
    assert type(loaded) is type(model)
    assert loaded.predict_proba(features()).tolist() == model.predict_proba(features()).tolist()
    assert loaded.get_params().keys() == model.get_params().keys()


def nested() -> dict:
    shared = {"words": {"one", "two", "three"}, "table": np.arange(6.0).reshape(2, 3)}
    return {
        "first": shared,
        "again": shared,
        "frozen": frozenset({("a", 1), ("b", 2), ("c", 3)}),
        "bytes": [b"abc", b"abc", bytearray(b"xyz")],
        "sparse": scipy.sparse.csr_matrix(np.eye(3)),
        "objects": np.array(["a", None, 2], dtype=object),
        "generator": np.random.default_rng(4),
        "state": np.random.RandomState(5),
        "treacherous": {"__id__": 7, "file": "schema.json", "__loader__": "SetNode"},
        "half": "\ud800",
        "slice": slice(1, None, 2),
    }


def test_what_is_nested_loads_with_everything_in_it_and_shared_where_it_was():
    value, loaded = nested(), load(to_canonical(skops.io.dumps(nested())))
    assert list(loaded) == list(value)
    assert loaded["first"] is loaded["again"]
    assert loaded["first"]["words"] == value["first"]["words"]
    assert loaded["first"]["table"].tolist() == value["first"]["table"].tolist()
    for name in ("frozen", "bytes", "treacherous", "half", "slice"):
        assert loaded[name] == value[name], name
    assert loaded["objects"].tolist() == value["objects"].tolist()
    assert loaded["sparse"].toarray().tolist() == value["sparse"].toarray().tolist()
    assert loaded["generator"].integers(1000, size=5).tolist() == value["generator"].integers(1000, size=5).tolist()
    assert loaded["state"].randint(1000, size=5).tolist() == value["state"].randint(1000, size=5).tolist()


_IN_ANOTHER_PROCESS = """
import skops.io
from tests.unit.replays import test_canonical_models as ours
from workbench.records.digest import sha256_hex
from workbench.models.skops_canonical import to_canonical
for name, make in ours.MODELS.items():
    print(name, sha256_hex(to_canonical(skops.io.dumps(ours.fitted(make())))))
print("nested", sha256_hex(to_canonical(skops.io.dumps(ours.nested()))))
print("words", sha256_hex(to_canonical(skops.io.dumps(ours.vectorizer()))))
"""


def vectorizer() -> TfidfVectorizer:
    return TfidfVectorizer(stop_words=["the"]).fit(["the cat or a dog", "a fish and the cat"])


def digests_of_another_process(seed: str) -> dict[str, str]:
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    command = [sys.executable, "-c", _IN_ANOTHER_PROCESS]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


def test_a_model_has_the_same_bytes_in_every_process():
    first, second = digests_of_another_process("1"), digests_of_another_process("2")
    assert first == second
    assert set(first) == {*MODELS, "nested", "words"}


def test_what_was_learnt_otherwise_has_other_bytes():
    one, other = (fitted(RandomForestClassifier(3, random_state=seed)) for seed in (0, 1))
    assert to_canonical(skops.io.dumps(one)) != to_canonical(skops.io.dumps(other))


def canonical_regression(shift: float = 0.0) -> bytes:
    model = fitted(LogisticRegression(max_iter=5000))
    model.coef_ = model.coef_ * (1 + shift)
    return to_canonical(skops.io.dumps(model))


def test_how_far_two_models_are_apart_is_measured_number_by_number():
    assert find_model_difference(canonical_regression(), canonical_regression()) == 0
    assert find_model_difference(canonical_regression(), canonical_regression(1e-12)) == pytest.approx(1e-12, rel=0.01)
    assert find_model_difference(canonical_regression(), canonical_regression(0.5)) == pytest.approx(1 / 3)


def test_two_models_that_differ_in_more_than_numbers_have_no_distance():
    tree = to_canonical(skops.io.dumps(fitted(DecisionTreeClassifier(random_state=0))))
    assert find_model_difference(canonical_regression(), tree) is None
    assert find_model_difference(canonical_regression(), b"no zip") is None

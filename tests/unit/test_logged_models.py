"""What no endpoint could answer is refused when it is logged, for a reason that was known then and with advice that works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.cluster import Birch
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import workbench as wb
from workbench.errors import UsageError
from workbench.runs import spool

_DRAW = np.random.default_rng(3)
FEATURES = pd.DataFrame(_DRAW.normal(size=(80, 2)), columns=["a", "b"])
TWO = (FEATURES.a > 0).astype(int)
FOUR = TWO + 2 * (FEATURES.b > 0)


@pytest.fixture(autouse=True)
def run_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def cached(folder: Path):
    return make_pipeline(StandardScaler(), LogisticRegression(), memory=str(folder)).fit(FEATURES, TWO)


REFUSED = {
    "steps kept in files": (cached, "write memory=None"),
    "two targets": (lambda _: Ridge().fit(FEATURES, FEATURES), "one model for each target"),
    "votes of pairs": (
        lambda _: SVC(decision_function_shape="ovo").fit(FEATURES, FOUR),
        "set_params(decision_function_shape='ovr')",
    ),
    "not fitted": (lambda _: LogisticRegression(), "Fit it"),
    "no regression yet": (lambda _: Ridge(), "Fit it"),
    "not fitted pipeline": (lambda _: make_pipeline(StandardScaler(), LogisticRegression()), "Fit it"),
    "one class": (lambda _: DecisionTreeClassifier().fit(FEATURES, TWO * 0), "rows of two or more"),
    "no skops": (lambda _: Birch().fit(FEATURES), "`workbench models`"),
    "not refitted": (lambda _: GridSearchCV(Ridge(), {}, refit=False, cv=2).fit(FEATURES, TWO), "refit=True"),
    "ranks among its company": (
        lambda _: make_pipeline(FunctionTransformer(np.cumsum, kw_args={"axis": 0}), Ridge()).fit(FEATURES, TWO),
        "depends on the rows beside it",
    ),
    "draws its answers": (
        lambda _: DummyClassifier(strategy="stratified", random_state=0).fit(FEATURES, TWO),
        "depends on the rows beside it",
    ),
    "a function of pandas": (
        lambda _: make_pipeline(FunctionTransformer(pd.get_dummies), Ridge()).fit(FEATURES, TWO),
        "OneHotEncoder",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_served_is_refused_at_once_with_what_to_write(name, run_folder, tmp_path):
    make, advice = REFUSED[name]
    model = make(tmp_path / "cache")
    with pytest.raises(UsageError) as caught:
        wb.log_model(model, FEATURES)
    assert advice in " ".join([caught.value.what, *caught.value.reasons, caught.value.next_step])
    assert not (run_folder / spool.MODEL).exists()


def test_the_advice_on_votes_of_pairs_works():
    model = SVC(decision_function_shape="ovo").fit(FEATURES, FOUR)
    assert "can be served" in repr(wb.log_model(model.set_params(decision_function_shape="ovr"), FEATURES))


def test_a_model_that_needs_settings_of_this_kernel_is_refused_and_what_is_set_on_itself_is_served():
    def make():
        return make_pipeline(StandardScaler(), make_column_transformer(("passthrough", ["a", "b"])), Ridge())

    with sklearn.config_context(transform_output="pandas"):
        model = make().fit(FEATURES, TWO)
        with pytest.raises(UsageError) as caught:
            wb.log_model(model, FEATURES)
    assert "sklearn.set_config(transform_output='pandas')" in caught.value.next_step
    assert "can be served" in repr(wb.log_model(make().set_output(transform="pandas").fit(FEATURES, TWO), FEATURES))

"""What no endpoint could answer is refused when it is logged, for a reason that was known then and with advice that works."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.cluster import Birch
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import RadiusNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

import workbench as wb
from tests.unit.runs.refusals import refuse
from workbench.errors import UsageError
from workbench.models.frames import describe_columns
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
    "several labels of a network": (
        lambda _: MLPClassifier((4,), solver="lbfgs", max_iter=2_000).fit(
            FEATURES, pd.DataFrame({"x": TWO, "y": 1 - TWO}).to_numpy()
        ),
        "one model for each label",
    ),
    "types in a selector": (
        lambda _: make_pipeline(
            make_column_transformer(("passthrough", make_column_selector(dtype_include=np.number))), Ridge()
        ).fit(FEATURES, TWO),
        'make_column_selector(dtype_include="number")',
    ),
    "no answer to its own rows": (
        lambda _: make_pipeline(make_column_transformer(("passthrough", ["a"])), IsotonicRegression()).fit(
            FEATURES * 0.1, TWO
        ),
        "out_of_bounds='clip'",
    ),
    "dates for classes": (
        lambda _: DecisionTreeClassifier().fit(FEATURES, np.where(TWO, "2020-01-01", "2021-01-01").astype("M8[s]")),
        ".astype(str)",
    ),
    "classes beyond what JSON's readers tell apart": (
        lambda _: DecisionTreeClassifier().fit(FEATURES, TWO + 2**60),
        ".astype(str)",
    ),
    "no neighbours": (
        lambda _: RadiusNeighborsClassifier(radius=1e-9).fit(FEATURES + 1, TWO),
        "fails here as well",
    ),
}


def test_a_frame_without_rows_is_named():
    with pytest.raises(UsageError, match="no rows"):
        wb.log_model(Ridge().fit(FEATURES, TWO), FEATURES[:0])


def test_notes_somebody_keeps_with_a_frame_stop_nothing(run_folder):
    features = FEATURES.copy()
    features.attrs["from"] = Path("table.csv")
    wb.log_model(Ridge().fit(features, TWO), features)
    assert pd.read_parquet(run_folder / spool.FEATURES).equals(FEATURES)
    assert features.attrs == {"from": Path("table.csv")}


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ([2**60, 1], "take .astype('int64') and log the model with as_text=['m']"),
        ([2**63 + 5, 1], "take .astype('uint64') and log the model with as_text=['m']"),
        ([2**70, 1], "take .astype(float), which rounds them"),
        ([-(2**63) - 1, 2**63], "take .astype(float), which rounds them"),
        ([10**400, 0.5], "beyond ±"),
    ],
)
@pytest.mark.parametrize("dtype", [object, "category"])
def test_the_way_out_for_whole_numbers_nobody_can_read_is_one_that_works(values, advice, dtype):
    column = pd.Series(values * 40, dtype=object).astype(dtype)
    table = pd.DataFrame({"m": column})
    with pytest.raises(UsageError) as caught:
        describe_columns(table)
    assert advice in caught.value.reasons[0]
    if "as_text" in advice:
        kind = advice.split("'")[1]
        (described,) = describe_columns(pd.DataFrame({"m": column.astype(kind)}), as_text=["m"])
        assert (described.type, described.dtype) == ("integer_text", kind)


def test_texts_of_arrow_are_named_with_what_to_take():
    table = pd.DataFrame(
        {"m": pd.Series(["a", "b"] * 4, dtype="string[pyarrow]").convert_dtypes(dtype_backend="pyarrow")}
    )
    with pytest.raises(UsageError) as caught:
        describe_columns(table)
    assert "take .astype('str')" in caught.value.reasons[0]
    assert describe_columns(table.astype("str"))[0].type == "string"


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_served_is_refused_at_once_with_what_to_write(name, tmp_path):
    make, advice = REFUSED[name]
    model = make(tmp_path / "cache")
    assert advice in str(refuse(model, FEATURES))


def test_the_advice_on_votes_of_pairs_works():
    model = SVC(decision_function_shape="ovo").fit(FEATURES, FOUR)
    assert "can be served" in repr(wb.log_model(model.set_params(decision_function_shape="ovr"), FEATURES))


def test_a_model_that_needs_settings_of_this_kernel_is_refused_and_what_is_set_on_itself_is_served():
    def make():
        return make_pipeline(StandardScaler(), make_column_transformer(("passthrough", ["a", "b"])), Ridge())

    with sklearn.config_context(transform_output="pandas"):
        model = make().fit(FEATURES, TWO)
        refused = refuse(model, FEATURES)
    assert "sklearn.set_config(transform_output='pandas')" in refused.next_step
    assert "can be served" in repr(wb.log_model(make().set_output(transform="pandas").fit(FEATURES, TWO), FEATURES))

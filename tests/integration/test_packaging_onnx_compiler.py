import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from tests.integration.release_builder import train_model
from workbench.domain.contract import find_row_problems, infer_contract
from workbench.errors import Refused
from workbench.packaging.onnx_compiler import compile_spellings
from workbench.packaging.onnx_predictor import load_onnx_predictor
from workbench.packaging.skops_predictor import predictor_of

NUMBERS = ["a", "b", "count"]


def make_table(*, missing: bool) -> pd.DataFrame:
    generator = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "a": generator.normal(size=300),
            "b": generator.normal(size=300),
            "count": generator.integers(0, 9, 300),
            "site": generator.choice(["left", "right"], 300),
        }
    )
    if missing:
        table.loc[::7, "a"] = np.nan
    return table


def encode() -> ColumnTransformer:
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    return ColumnTransformer(
        [("numbers", numbers, NUMBERS), ("site", OneHotEncoder(handle_unknown="ignore"), ["site"])]
    )


def fit(model, *, task: str, missing: bool = False, columns=("a", "b", "count", "site")):
    table = make_table(missing=missing)[list(columns)]
    target = make_table(missing=False).a + 2 * make_table(missing=False).b
    model.fit(table, target if task == "regression" else (target > 0).astype(int))
    contract = infer_contract([(n, table[n].dtype.kind, bool(table[n].isna().any())) for n in table], task)
    rows = table.astype(object).where(table.notna(), None).to_dict("records")
    assert find_row_problems(contract, rows) == []
    return contract, rows, (model.predict(table) if task == "regression" else model.predict_proba(table)[:, 1])


def differences(model, contract, rows, expected) -> dict[str, float]:
    found = {}
    for spelling, compiled in compile_spellings(model, contract):
        if isinstance(compiled, bytes):
            scores = np.array(load_onnx_predictor(compiled, contract)(rows))
            found[spelling.name] = float(np.abs(scores - expected).max())
    return found


@pytest.mark.parametrize(
    ("model", "task", "options"),
    [
        (make_pipeline(StandardScaler(), LogisticRegression()), "classification", {"columns": NUMBERS}),
        (make_pipeline(SimpleImputer(), LogisticRegression()), "classification", {"columns": NUMBERS, "missing": True}),
        (make_pipeline(encode(), LogisticRegression()), "classification", {"missing": True}),
        (make_pipeline(StandardScaler(), Ridge()), "regression", {"columns": NUMBERS}),
    ],
    ids=["scaled", "imputed", "encoded", "ridge"],
)
def test_a_linear_model_is_compiled_to_the_last_bits(model, task, options):
    found = differences(model, *fit(model, task=task, **options))
    assert min(found.values()) < 1e-12


@pytest.mark.parametrize(
    ("model", "task", "options"),
    [
        (HistGradientBoostingClassifier(max_iter=10), "classification", {"columns": NUMBERS, "missing": True}),
        (HistGradientBoostingRegressor(max_iter=10), "regression", {"columns": NUMBERS}),
        (RandomForestRegressor(10, random_state=1), "regression", {"columns": NUMBERS}),
    ],
    ids=["boosting", "boosting_regressor", "forest"],
)
def test_trees_are_compiled_to_single_precision(model, task, options):
    found = differences(model, *fit(model, task=task, **options))
    assert min(found.values()) < 1e-5


@pytest.mark.parametrize("missing", [False, True])
def test_the_model_itself_answers_rows_like_tables(missing):
    model = make_pipeline(encode(), LogisticRegression())
    contract, rows, expected = fit(model, task="classification", missing=missing)
    assert np.allclose(predictor_of(model, contract)(rows), expected, rtol=0, atol=1e-15)


def test_an_unknown_category_is_answered_alike():
    model = make_pipeline(encode(), LogisticRegression())
    contract, rows, _ = fit(model, task="classification")
    strange = [{**rows[0], "site": "außen"}]
    compiled = next(content for _, content in compile_spellings(model, contract) if isinstance(content, bytes))
    assert load_onnx_predictor(compiled, contract)(strange) == pytest.approx(
        predictor_of(model, contract)(strange), abs=1e-12
    )


def test_missing_strings_are_left_to_the_model_itself():
    trained = train_model()
    contract = infer_contract([("site", "O", True)], "classification")
    assert [content for _, content in compile_spellings(trained.model, contract)] == ["ONNX has no missing strings."]


class Constant(ClassifierMixin, BaseEstimator):
    def fit(self, table, target):
        self.classes_ = np.unique(target)
        return self

    def predict_proba(self, table):
        return np.full((len(table), 2), 0.5)


def test_what_has_no_converter_is_explained_and_not_raised():
    trained = train_model(Constant())
    found = [content for _, content in compile_spellings(trained.model, trained.contract)]
    assert found
    assert all(isinstance(content, str) and "Constant" in content for content in found)


@pytest.mark.parametrize("content", [b"", b"\x08\x09", b"PK\x03\x04", b"\x08\x09" * 100])
def test_bytes_that_are_no_compiled_model_are_refused(content):
    with pytest.raises(Refused):
        load_onnx_predictor(content, train_model().contract)


def test_a_compiled_model_that_takes_other_columns_is_refused():
    model = make_pipeline(encode(), LogisticRegression())
    contract, _, _ = fit(model, task="classification")
    compiled = next(content for _, content in compile_spellings(model, contract) if isinstance(content, bytes))
    with pytest.raises(Refused, match="other columns"):
        load_onnx_predictor(compiled, train_model().contract)


def test_a_model_of_three_classes_has_no_score():
    trained = train_model()
    trained.model[-1].classes_ = np.array([0, 1, 2])
    with pytest.raises(Refused, match="probability"):
        predictor_of(trained.model, trained.contract)

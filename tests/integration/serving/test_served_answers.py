"""Answers that were once served wrongly, each with its right value: the compiled model must give the estimator's own."""

from pathlib import Path

import nbformat
import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import (
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.integration.contracts import infer_contract
from workbench.models.compiler.onnx_compiler import compile_own
from workbench.models.contract import find_row_problems
from workbench.models.frames import to_rows
from workbench.models.onnx_predictor import load_onnx_predictor

NOTEBOOKS = Path(__file__).parents[3] / "notebooks"
LAST_BITS = 1e-14


def serve(model, features, training=None):
    """Return a model's contract and what answers in its place, compiled."""
    contract = infer_contract(model, features, training)
    return contract, load_onnx_predictor(compile_own(model, contract), contract)


def make_visitors(rows: int, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "age": draw.integers(18, 90, rows),
            "income": draw.lognormal(10, 1, rows).round(2),
            "city": draw.choice(["Oslo", "Bergen", "Tromsø", "Ålesund"], rows),
            "plan": draw.choice(["free", "pro", "team"], rows, p=[0.6, 0.3, 0.1]),
        }
    )
    logit = 0.06 * (table.age - 50) + (table.plan == "pro") * 1.5 - (table.city == "Oslo") * 1.2
    table["y"] = (draw.random(rows) < 1 / (1 + np.exp(-logit))).astype(int)
    table.attrs["draw"] = draw
    return table


@pytest.mark.parametrize(("age", "right"), [(78, 0.473662), (60, 0.389686)])
def test_boosting_on_amounts_of_a_billion_answers_by_every_unit(age, right):
    table = make_visitors(4_400, 3)
    draw = table.attrs["draw"]
    table["amount"] = (draw.normal(1_200_000_000, 600_000, 4_400)).round(-1).astype(int)
    deviation = (table["amount"] - 1_200_000_000) / 600_000
    logit = 2.2 * deviation + 0.03 * (table["age"] - 50)
    table["y"] = (draw.random(4_400) < 1 / (1 + np.exp(-logit))).astype(int)
    train, holdout = table[:4_000], table[4_000:]
    model = HistGradientBoostingClassifier(learning_rate=0.03, max_iter=60, max_depth=3, random_state=0)
    _, predict = serve(model.fit(train[["amount", "age"]], train["y"]), holdout[["amount", "age"]])
    assert predict([{"amount": 1_199_730_540, "age": age}]).scores == [pytest.approx(right, abs=5e-7)]


@pytest.mark.parametrize(
    ("row", "right"),
    [
        ({"age": 45.5, "income": 22_000.0, "city": "Stavanger", "plan": "pro"}, 0.767136),
        ({"age": 45.5, "income": 22_000.0, "city": "Oslo", "plan": "enterprise"}, 0.384595),
    ],
)
def test_a_category_that_is_new_is_answered_where_the_encoder_has_a_place_for_the_infrequent(row, right):
    table = make_visitors(900, 7)
    table["age"] = table["age"] + table.attrs["draw"].random(900).round(2)
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5)
    steps = make_column_transformer((StandardScaler(), ["age", "income"]), (encoder, ["city", "plan"]))
    train, features = table[:600], table[600:].drop(columns="y")
    model = make_pipeline(steps, LogisticRegression()).fit(train[features.columns], train["y"])
    contract, predict = serve(model, features)
    own = model.predict_proba(pd.DataFrame([row]))[0, 1]
    assert predict([row]).scores == [pytest.approx(own, abs=LAST_BITS)]
    if row["plan"] == "pro":
        assert own == pytest.approx(right, abs=5e-7)
    assert contract.names == ("age", "income", "city", "plan")


def test_whole_numbers_beside_decimals_and_texts_are_answered_alone_as_among_others():
    table = make_visitors(900, 7)
    steps = make_column_transformer(
        (StandardScaler(), ["age", "income"]), (OneHotEncoder(handle_unknown="ignore"), ["city", "plan"])
    )
    features = table.drop(columns="y")
    model = make_pipeline(steps, LogisticRegression()).fit(features, np.where(table["y"], "yes", "no"))
    _, predict = serve(model, features)
    rows = to_rows(features[:200])
    among = predict(rows)
    alone = [predict([row]).scores[0] for row in rows]
    assert np.abs(np.array(among.scores) - alone).max() < 1e-15
    assert among.labels == model.predict(features[:200]).tolist()


def test_columns_of_categories_are_served_as_they_were_trained():
    table = make_visitors(900, 7).astype({"city": "category", "plan": "category"})
    features = table.drop(columns="y")
    model = HistGradientBoostingClassifier(random_state=0).fit(features[:600], table["y"][:600])
    _, predict = serve(model, features[600:])
    own = model.predict_proba(features[600:])[:, 1]
    assert np.abs(np.array(predict(to_rows(features[600:])).scores) - own).max() < LAST_BITS


def test_a_gap_is_what_the_imputer_was_told_a_gap_is():
    table = make_visitors(900, 7)
    draw = table.attrs["draw"]
    table["city"] = table["city"].astype(object).where(draw.random(900) < 0.7, None)
    texts = make_pipeline(
        SimpleImputer(missing_values=None, strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore"),
    )
    steps = make_column_transformer((StandardScaler(), ["age", "income"]), (texts, ["city"]))
    features = table[["age", "income", "city"]]
    model = make_pipeline(steps, LogisticRegression()).fit(features[:600], table["y"][:600])
    _, predict = serve(model, features[600:])
    assert features["city"][600:].isna().any()
    own = model.predict_proba(features[600:])[:, 1]
    assert np.abs(np.array(predict(to_rows(features[600:])).scores) - own).max() < LAST_BITS


def test_a_gap_in_training_alone_is_answered():
    table = make_visitors(900, 7)
    is_gap = (table.attrs["draw"].random(900) < 0.1) & (table.index < 600)
    table["income"] = table["income"].mask(is_gap)
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    steps = make_column_transformer((numbers, ["age", "income"]), (OneHotEncoder(), ["city", "plan"]))
    features = table.drop(columns="y")
    model = make_pipeline(steps, LogisticRegression()).fit(features[:600], table["y"][:600])
    contract, predict = serve(model, features[600:], features[:600])
    row = {"age": 50, "income": None, "city": "Oslo", "plan": "pro"}
    assert not find_row_problems(contract, [row])
    own = model.predict_proba(pd.DataFrame([row]).astype({"income": float}))[0, 1]
    assert predict([row]).scores == [pytest.approx(own, abs=LAST_BITS)]


@pytest.mark.parametrize(
    "model",
    [
        DecisionTreeClassifier(),
        GradientBoostingClassifier(n_estimators=20),
        HistGradientBoostingClassifier(max_iter=20, min_samples_leaf=1),
    ],
)
def test_a_decimal_between_two_others_goes_the_way_of_the_tree(model):
    table = pd.DataFrame({"x": [0.6, 0.8] * 20})
    asked = pd.DataFrame({"x": [0.6, 0.7, np.nextafter(0.7, 1), np.nextafter(0.7, 0), 0.8]})
    _, predict = serve(model.fit(table, [0, 1] * 20), table)
    assert np.abs(np.array(predict(to_rows(asked)).scores) - model.predict_proba(asked)[:, 1]).max() < LAST_BITS


@pytest.mark.parametrize("trees", [4, 10, 20])
def test_a_forest_of_two_minds_decides_as_it_does_itself(trees):
    draw = np.random.default_rng(0)
    table = pd.DataFrame({"x": draw.integers(0, 1_000, 2_000).astype(float)})
    model = RandomForestClassifier(trees, random_state=0).fit(table, draw.integers(0, 2, 2_000))
    asked = pd.DataFrame({"x": np.arange(1_000.0)})
    _, predict = serve(model, table)
    answers = predict(to_rows(asked))
    assert np.isclose(answers.scores, 0.5).any()
    assert answers.scores == model.predict_proba(asked)[:, 1].tolist()
    assert answers.labels == model.predict(asked).tolist()


@pytest.mark.parametrize("scale", [1, 1e6])
def test_a_target_of_millionths_is_served_as_exactly_as_one_of_units(scale):
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(600, 4)), columns=list("abcd"))
    rate = scale * 5e-6 * np.exp(0.5 * table.a + 0.5 * table.b * table.c + draw.normal(0, 0.1, 600))
    table = table.mask(draw.random(table.shape) < 0.2)
    model = ExtraTreesRegressor(20, random_state=0).fit(table[:400], rate[:400])
    _, predict = serve(model, table[:400])
    scores, own = np.array(predict(to_rows(table[400:])).scores), model.predict(table[400:])
    assert (np.abs(scores - own) / own).max() < 1e-12
    assert r2_score(rate[400:], scores) == pytest.approx(r2_score(rate[400:], own), abs=1e-12)


def test_a_forest_behind_a_scaler_is_compiled_without_a_difference():
    features, target = load_breast_cancer(return_X_y=True, as_frame=True)
    model = make_pipeline(StandardScaler(), RandomForestClassifier(50, random_state=0)).fit(features[::2], target[::2])
    _, predict = serve(model, features[::2])
    assert predict(to_rows(features[1::2])).scores == model.predict_proba(features[1::2])[:, 1].tolist()


@pytest.mark.parametrize("family", ["stump", "logistic_regression", "random_forest", "hist_gradient_boosting"])
@pytest.mark.parametrize("strength", [0.03, 1.0])
def test_our_own_example_answers_its_training_rows_as_its_model_does(family, strength):
    cells = nbformat.read(NOTEBOOKS / "10_train_breast_cancer.ipynb", 4).cells
    source = next(cell.source for cell in cells if "families = " in cell.source)
    table = load_breast_cancer(as_frame=True)
    data = table.data.assign(malignant=1 - table.target)
    train, _ = train_test_split(data, test_size=0.3, random_state=20, stratify=data["malignant"])
    space = {"train": train, "features": list(table.data.columns), "family": family, "strength": strength, "seed": 0}
    exec(source.replace("RandomForestClassifier(200", "RandomForestClassifier(40"), space)
    features = train[space["features"]]
    _, predict = serve(space["model"], features)
    answers, own = predict(to_rows(features)), space["model"].predict_proba(features)[:, 1]
    assert np.abs(np.array(answers.scores) - own).max() < LAST_BITS
    assert answers.labels == space["model"].predict(features).tolist()

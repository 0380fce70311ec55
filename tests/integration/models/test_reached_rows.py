"""A proof tries both sides of every threshold, whatever type a column has and whatever a step before the tree refuses."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier, StackingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    KBinsDiscretizer,
    Normalizer,
    OneHotEncoder,
    PolynomialFeatures,
    PowerTransformer,
    StandardScaler,
)
from sklearn.tree import DecisionTreeClassifier

from tests.integration.models.compiled_families import contract_of
from workbench.models.compiler.choosing import ORIGINAL, choose_form
from workbench.models.compiler.onnx_compiler import OWN, compile_forms, find_obstacle
from workbench.models.compiler.proof_rows import SPECIAL, THRESHOLDS, make_row_sets
from workbench.models.compiler.reached_nodes import reach_nodes
from workbench.models.frames import build_frame, describe_columns, to_rows
from workbench.models.skops_predictor import predictor_of

ROWS, HOLDOUT = 900, 200
DRAW = np.random.default_rng(11)
TABLE = pd.DataFrame(
    {
        "narrow": np.exp(DRAW.normal(0, 1, ROWS)).astype("float32"),
        "wide": np.exp(DRAW.normal(0, 1, ROWS)),
        "other": np.exp(DRAW.normal(0, 1, ROWS)),
        "cents": DRAW.integers(0, 2_000_000_000, ROWS),
        "kind": DRAW.choice(["a", "b", "c"], ROWS),
    }
)
SIGNAL = np.log(TABLE.narrow) + np.log(TABLE.wide) + 0.3 * np.log(TABLE.other) + DRAW.normal(0, 0.4, ROWS)
TRUTH = (SIGNAL > 0).astype(int).to_numpy()


def tree():
    return DecisionTreeClassifier(max_depth=6, random_state=0)


def fit(model, names):
    return model.fit(TABLE[names], TRUTH), contract_of(model, TABLE[names]), to_rows(TABLE[names])


def choose(model, names):
    fitted, contract, rows = fit(model, names)
    data = (rows[:HOLDOUT], rows[HOLDOUT:])
    return choose_form(fitted, contract, data, compile_forms(fitted, contract), largest=1e-6, largest_batch=1e-9)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (make_pipeline(StandardScaler(), tree()), ["narrow", "wide"]),
        (make_pipeline(PowerTransformer(), tree()), ["narrow", "wide"]),
        (make_pipeline(FunctionTransformer(np.log1p), tree()), ["narrow", "wide"]),
        (
            make_pipeline(
                make_column_transformer((OneHotEncoder(), ["kind"]), remainder="passthrough"),
                RandomForestClassifier(4, max_depth=4, random_state=0),
            ),
            ["narrow", "wide", "kind"],
        ),
        (
            HistGradientBoostingClassifier(max_iter=3, categorical_features="from_dtype", random_state=0),
            ["narrow", "wide"],
        ),
        (make_pipeline(PowerTransformer(method="box-cox"), tree()), ["wide", "other"]),
    ],
    ids=["scaled", "power", "log1p", "one_hot_forest", "histograms", "box_cox"],
)
def test_nearly_every_question_is_reached_from_columns_of_any_precision_and_range(model, names):
    reached, asked = reach_nodes(*fit(model, names))
    assert asked >= 20
    assert len(reached) >= 0.9 * asked


@pytest.mark.parametrize(
    ("step", "names"),
    [
        (FunctionTransformer(np.log1p), ["narrow", "wide"]),
        (PowerTransformer(method="box-cox"), ["wide", "other"]),
    ],
    ids=["single_precision", "positive_only"],
)
def test_where_a_step_is_computed_otherwise_by_a_last_bit_a_tree_behind_it_is_the_models_own(step, names):
    choice = choose(make_pipeline(step, tree()), names)
    assert choice.serving.form == ORIGINAL
    own = next(each for each in choice.serving.tried if each.name == OWN)
    assert "thresholds" in own.reason or "single precision" in own.reason


def test_a_compiled_form_whose_thresholds_could_not_be_tried_is_not_served(monkeypatch):
    def fail(*_):
        raise ValueError("refused")

    monkeypatch.setattr("workbench.models.compiler.reached_nodes.find_drivers", fail)
    choice = choose(make_pipeline(StandardScaler(), tree()), ["wide", "other"])
    assert choice.serving.form == ORIGINAL
    (own, *_) = choice.serving.tried
    assert own.reason == "Its thresholds could not be tried: ValueError: refused."
    beside = next(each for each in own.rows if each.kind == THRESHOLDS)
    assert (beside.rows, beside.of > 0) == (0, True)


@pytest.mark.soak
def test_of_a_wide_table_fewer_rows_are_made_and_it_is_said_of_how_many():
    draw = np.random.default_rng(5)
    table = pd.DataFrame(draw.normal(size=(300, 200)), columns=[f"c{at}" for at in range(200)])
    truth = (table.c0 + table.c1 > 0).astype(int).to_numpy()
    model = make_pipeline(StandardScaler(), RandomForestClassifier(60, random_state=0)).fit(table, truth)
    contract, rows = contract_of(model, table), to_rows(table)
    sets = {each.kind: each for each in make_row_sets(model, contract, rows[:50], rows[50:])}
    assert len(sets[THRESHOLDS].rows) < sets[THRESHOLDS].of
    assert len(sets[SPECIAL].rows) < sets[SPECIAL].of
    assert len({name for row in sets[SPECIAL].rows for name, value in row.items() if value == 1e30}) > 20


def test_questions_that_are_not_reached_are_counted():
    model, contract, rows = fit(make_pipeline(StandardScaler(), tree()), ["narrow", "wide"])
    beside = next(each for each in make_row_sets(model, contract, rows[:HOLDOUT], rows) if each.kind == THRESHOLDS)
    assert beside.of >= len(beside.rows) > 0


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(Normalizer("l1"), HistGradientBoostingClassifier(max_iter=2, max_leaf_nodes=3)),
        make_pipeline(PCA(2), DecisionTreeClassifier(max_depth=3, random_state=0)),
        make_pipeline(
            PolynomialFeatures(2, include_bias=False), KBinsDiscretizer(4, subsample=None), LogisticRegression()
        ),
        make_pipeline(StandardScaler(), PCA(2), RandomForestClassifier(3, max_depth=3, random_state=0)),
        StackingClassifier([("a", LogisticRegression()), ("b", tree())], DecisionTreeClassifier(max_depth=2), cv=2),
    ],
    ids=["normalizer", "components", "products", "scaled_components", "stack"],
)
def test_thresholds_on_what_several_columns_are_mixed_into_leave_the_model_to_scikit_learn(model):
    choice = choose(model, ["wide", "other"])
    assert choice.serving.form == ORIGINAL
    (own, *_) = choice.serving.tried
    assert own.reason.startswith("Its thresholds could not be tried: they are of what several columns are mixed into")


def test_both_places_where_a_square_crosses_a_threshold_are_found():
    table = pd.DataFrame({"both": np.log(TABLE.wide)})
    model = make_pipeline(StandardScaler(), FunctionTransformer(np.square), tree()).fit(table, TRUTH)
    reached, asked = reach_nodes(model, contract_of(model, table), to_rows(table))
    assert len({each.values for each in reached}) > asked
    for each in reached:
        assert max(each.values) <= np.nextafter(min(each.values), np.inf)


def test_what_is_squared_behind_a_step_of_other_last_bits_is_the_models_own():
    choice = choose(make_pipeline(PowerTransformer(), FunctionTransformer(np.square), tree()), ["wide", "other"])
    assert choice.serving.form == ORIGINAL


def test_a_forest_on_nullable_numbers_with_gaps_is_tried_at_its_thresholds_and_compiled():
    table = pd.DataFrame({"count": pd.array(TABLE.cents % 1000, dtype="Int64"), "wide": TABLE.wide})
    table.loc[::9, "count"] = pd.NA
    model = RandomForestClassifier(4, max_depth=4, random_state=0).fit(table, TRUTH)
    contract, rows = contract_of(model, table), to_rows(table)
    choice = choose_form(
        model, contract, (rows[:HOLDOUT], rows), compile_forms(model, contract), largest=1e-6, largest_batch=1e-9
    )
    assert choice.serving.form == OWN
    (own,) = choice.serving.tried
    assert next(each for each in own.rows if each.kind == THRESHOLDS).rows > 50


def test_a_table_for_thousands_of_categories_is_not_made():
    table = pd.DataFrame({"kind": [f"k{at}" for at in range(3_000)]})
    model = make_pipeline(OneHotEncoder(handle_unknown="ignore"), LogisticRegression()).fit(table, np.arange(3_000) % 2)
    assert find_obstacle(model, contract_of(model, table)) == "it tells 3,000 categories apart, with a column for each"


# Whole numbers that overflow


@pytest.mark.parametrize(
    "step",
    [
        FunctionTransformer(np.square),
        make_pipeline(SimpleImputer(strategy="most_frequent"), FunctionTransformer(np.square)),
        make_pipeline(SimpleImputer(strategy="constant"), FunctionTransformer(np.absolute)),
    ],
    ids=["square", "filled", "constant"],
)
@pytest.mark.parametrize("dtype", ["int64", "int8", "uint32", "Int64"])
def test_a_function_that_keeps_numbers_whole_is_left_to_numpy_where_they_overflow(step, dtype):
    table = pd.DataFrame({"cents": (TABLE.cents % 100).astype(dtype)})
    model = make_pipeline(step, LogisticRegression()).fit(table, TRUTH)
    assert "whole numbers" in find_obstacle(model, contract_of(model, table))


def test_a_function_that_makes_fractions_of_whole_numbers_is_compiled():
    choice = choose(make_pipeline(FunctionTransformer(np.log1p), LogisticRegression()), ["cents"])
    assert choice.serving.form == OWN


def test_a_flag_with_gaps_of_pythons_none_is_one_hot_encoded_as_scikit_learn_does():
    flags = pd.Series(np.where(DRAW.random(ROWS) < 0.1, None, TABLE.narrow > 1), dtype=object)
    table = pd.DataFrame({"flag": flags, "wide": TABLE.wide})
    steps = make_column_transformer((OneHotEncoder(), ["flag"]), remainder="passthrough")
    model = make_pipeline(steps, LogisticRegression()).fit(table, TRUTH)
    contract, rows = contract_of(model, table), to_rows(table)
    choice = choose_form(
        model, contract, (rows[:HOLDOUT], rows), compile_forms(model, contract), largest=1e-6, largest_batch=1e-9
    )
    assert choice.serving.form == OWN


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8", "int32"])
def test_a_narrow_column_carried_as_text_changes_no_other_row(dtype):
    table = pd.DataFrame({"code": (np.arange(ROWS) % 100).astype(dtype), "narrow": TABLE.narrow})
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, TRUTH)
    contract = contract_of(model, table)
    contract = type(contract)(
        "classification", describe_columns(table, as_text=["code"]), classes=(0, 1), response="predict_proba"
    )
    predict, rows = predictor_of(model, contract), to_rows(table[:5], contract)
    wide = {"code": "9999999999", "narrow": 0.5}
    assert predict([*rows, wide]).scores[:5] == predict(rows).scores
    assert str(build_frame(rows, contract)["code"].dtype) == dtype

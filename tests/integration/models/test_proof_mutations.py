"""Wrong in one place, a compiled model is not served: the rows made for the proof come to every node of its trees."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.tree import DecisionTreeClassifier

from tests.conftest import examples
from tests.integration.mutations import (
    change_constant,
    change_kind,
    change_leaf,
    flip_missing,
    move_threshold,
    mutate,
    swap_children,
    swap_texts,
)
from workbench.models.compiler.onnx_compiler import compile_own
from workbench.models.compiler.onnx_tree_arrays import NODES, add_arrays
from workbench.models.compiler.proof import Measure, compare_form, measure_estimator
from workbench.models.compiler.proof_rows import make_row_sets
from workbench.models.contract import Contract
from workbench.models.frames import describe_columns, to_rows
from workbench.models.model_facts import FormFact
from workbench.models.onnx_predictor import load_onnx_predictor
from workbench.models.skops_predictor import predictor_of

ROWS, TRIES = 260, 10
KINDS = ["left", "right", "middle", "île"]


def make_table() -> pd.DataFrame:
    draw = np.random.default_rng(5)
    table = pd.DataFrame(
        {
            "amount": draw.normal(300, 900, ROWS).round(2),
            "age": draw.normal(44, 14, ROWS).round(1),
            "number": 16_777_216.0 + draw.integers(0, 900, ROWS),
        }
    )
    table = table.mask(draw.random(table.shape) < 0.1)
    return table.assign(kind=pd.Categorical(draw.choice(KINDS, ROWS), KINDS), text=draw.choice(KINDS, ROWS))


TABLE = make_table()
NUMBERS, FULL = TABLE[["amount", "age", "number"]], TABLE[["amount", "age", "number"]].fillna(1.0)
SIGNAL = FULL.amount / 900 + FULL.age / 20 + (TABLE.kind == "left") - (TABLE.text == "île") - FULL.number % 7 / 5
CLASSES = (SIGNAL.median() < SIGNAL).astype(int)
ENCODED = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["text"]), remainder=StandardScaler())
NUMBERED = make_column_transformer((OrdinalEncoder(), ["text"]), remainder="passthrough")
MODELS = {
    "tree": (DecisionTreeClassifier(random_state=0), NUMBERS, CLASSES),
    "forest": (RandomForestClassifier(6, random_state=0), NUMBERS, CLASSES),
    "scaled": (make_pipeline(StandardScaler(), RandomForestRegressor(6, random_state=0)), NUMBERS, SIGNAL),
    "boosting": (GradientBoostingRegressor(n_estimators=9), FULL, SIGNAL),
    "histograms": (HistGradientBoostingRegressor(max_iter=9, min_samples_leaf=5), NUMBERS, SIGNAL),
    "kinds": (HistGradientBoostingClassifier(max_iter=9, min_samples_leaf=5), TABLE.drop(columns="text"), CLASSES),
    "lines": (make_pipeline(ENCODED, Ridge()), FULL.assign(text=TABLE.text), SIGNAL),
    "classes": (make_pipeline(ENCODED, LogisticRegression()), FULL.assign(text=TABLE.text), CLASSES),
    "numbered": (make_pipeline(NUMBERED, RandomForestRegressor(3)), FULL.assign(text=TABLE.text), SIGNAL),
}
SINGLE, DOUBLE = move_threshold(single=True), move_threshold(single=False)
WRONG = [
    *((name, SINGLE) for name in ("tree", "forest", "scaled", "boosting")),
    *((name, DOUBLE) for name in ("histograms", "kinds")),
    *(
        (name, change)
        for name in ("tree", "forest", "scaled", "boosting", "kinds")
        for change in (change_leaf, swap_children)
    ),
    *((name, flip_missing) for name in ("tree", "forest", "scaled", "histograms")),
    ("kinds", change_kind),
    *((name, change_constant) for name in ("lines", "classes")),
    *((name, swap_texts) for name in ("lines", "classes", "numbered")),
]


@cache
def proved(name: str) -> tuple[bytes, Contract, Measure]:
    model, table, truth = MODELS[name]
    model.fit(table[60:], truth[60:])
    classes = tuple(model.classes_.tolist()) if hasattr(model, "classes_") else None
    task = "classification" if classes else "regression"
    contract = Contract(task, describe_columns(table), classes=classes)
    rows = to_rows(table)
    sets = make_row_sets(model, contract, rows[:60], rows[60:])
    return compile_own(model, contract), contract, measure_estimator(predictor_of(model, contract), sets)


def is_served(name: str, content: bytes) -> bool:
    _, contract, measure = proved(name)
    compiled = load_onnx_predictor(content, contract)
    return compare_form("changed", compiled, measure, largest=1e-6, largest_batch=1e-9).served


@pytest.mark.parametrize("name", MODELS)
def test_what_was_compiled_without_a_change_is_served(name):
    assert is_served(name, proved(name)[0])


@pytest.mark.parametrize(("name", "change"), examples(WRONG, [*WRONG][::3]))
def test_a_compiled_model_that_is_wrong_in_one_place_is_not_served(name, change):
    changed = [mutate(proved(name)[0], change, seed) for seed in range(TRIES)]
    assert all(changed)
    served = [seed for seed, content in enumerate(changed) if is_served(name, content)]
    # The leaves of a classifier repeat each other: beyond some nodes it answers the same on either side.
    assert len(served) <= (TRIES // 5 if hasattr(MODELS[name][0], "classes_") else 0)


# Node by node

GROWN = ("tree", "forest", "scaled", "boosting", "histograms", "kinds", "numbered")
CHANGED = (SINGLE, DOUBLE, change_leaf, swap_children, flip_missing)


def add_nodes(name: str, content: bytes) -> FormFact:
    proved(name)
    return add_arrays(FormFact("own", served=True, reason="Fine."), content, MODELS[name][0], most=0)


@pytest.mark.parametrize("name", GROWN)
def test_trees_too_many_for_rows_are_shown_to_be_the_models_node_by_node(name):
    found = add_nodes(name, proved(name)[0])
    assert found.served
    assert found.rows[-1].kind == NODES
    assert found.rows[-1].rows > 20
    assert "bit for bit" in found.reason


@pytest.mark.parametrize("name", GROWN)
@pytest.mark.parametrize("change", CHANGED)
def test_one_bit_in_one_node_is_found_without_any_row(name, change):
    changed = [mutate(proved(name)[0], change, seed) for seed in range(TRIES)]
    assert [content for content in changed if content and add_nodes(name, content).served] == []


def test_few_nodes_are_left_to_the_rows():
    fact = FormFact("own", served=True, reason="Fine.")
    assert add_arrays(fact, proved("tree")[0], MODELS["tree"][0]) == fact

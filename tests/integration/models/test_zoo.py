"""Models of the zoo, compiled and asked rows nobody compiled them on: five here, more and all of them by `make soak`."""

import numpy as np
import pytest

from tests.conftest import examples
from tests.integration.contracts import infer_contract
from tests.soak.customers import make_customers
from tests.soak.families import ZOO
from tests.soak.odd_rows import make_jumps
from tests.soak.zoo import SEED, Served, compare, fit, split_customers
from workbench.models.compiler.onnx_compiler import OWN, compile_own
from workbench.models.onnx_predictor import load_onnx_predictor

ASKED, TRIES, ALONE = 1_000, 2, 3
TRIED = ("logistic_own_labels", "forest_gaps", "boosting_ids", "histograms_kinds", "target_means")
STEPPED = ("trees", "forests", "boosting")
NAMES = (
    *("logistic", "logistic_own_labels", "discriminant", "least_squares_ids", "least_squares_tiny_target", "poisson"),
    *("tree_ids", "tree_nullable", "tree_small_types", "tree_regression_scaled"),
    *("forest_gaps", "forest_ordinal", "extra_regression_tiny", "bagging_columns"),
    *("boosting_ids", "histograms_gaps", "histograms_kinds", "histograms_text", "histograms_poisson", "adaboost"),
    *("gap_texts_marked", "none_marked", "unknown_raises", "infrequent", "ordinal_missing", "target_means"),
    *("small_types", "powers_box", "log1p", "bins_numbered"),
)


def compiled(name: str) -> Served:
    """Return a member of the zoo as our own converters compile it."""
    member = ZOO[name]
    model, (training, holdout) = fit(member), split_customers(member)
    contract = infer_contract(model, holdout[list(member.columns)], training[list(member.columns)])
    return Served(model, contract, load_onnx_predictor(compile_own(model, contract), contract), OWN)


@pytest.mark.parametrize("name", examples(NAMES, TRIED))
def test_a_compiled_model_answers_unseen_rows_as_the_model_does(name):
    tries = TRIES if ZOO[name].family in STEPPED else 0
    faults, asked = compare(compiled(name), ZOO[name], ASKED, tries=tries, alone=ALONE)
    assert faults == []
    assert asked > ASKED


def test_rows_where_a_tree_jumps_are_neighbours_with_other_answers():
    model = fit(ZOO["tree"])
    frame = make_customers(200, SEED)[list(ZOO["tree"].columns)]
    jumps = make_jumps(lambda asked: model.predict_proba(asked)[:, 1], frame, 10, np.random.default_rng(0))
    half = len(jumps) // 4
    low, high = (model.predict_proba(jumps.iloc[at * half : (at + 1) * half])[:, 1] for at in (0, 1))
    assert half > 10
    assert (low != high).all()

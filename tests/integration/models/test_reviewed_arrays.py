"""Arrays that native code would follow out of bounds are refused before anything is asked, and so is what hides a method."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import skops.io
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree
from sklearn.utils import Bunch, check_array

from tests.integration.reviewed_models import LABELS, LOGISTIC, NUMBERS, ROWS, fit
from workbench.errors import Refused
from workbench.models import skops_loader
from workbench.models.hidden_methods import find_hidden_methods
from workbench.models.reviewed_types import find_bounds_faults
from workbench.models.skops_loader import load_model

# Arrays that native code would follow, one step out of bounds: our check alone looks at them, nothing is written, loaded or asked.


def change(holder, name, **at):
    """Return what sets entries of an array of a model's part."""
    key, value = next(iter(at.items()))

    def spoil(model):
        array = getattr(holder(model), name).copy()
        array[int(key[1:])] = value
        setattr(holder(model), name, array)

    return spoil


def put(name, value, holder=lambda model: model):
    return lambda model: setattr(holder(model), name, value)


def reset_tree(**items):
    """Return what changes entries of a search tree's state."""

    def spoil(model):
        state = list(model._tree.__getstate__())
        for at, change_array in items.items():
            array = np.array(state[int(at[1:])])
            change_array(array)
            state[int(at[1:])] = array
        model._tree.__setstate__(tuple(state))

    return spoil


def assign(key, value, field=None):
    def change_array(array):
        (array if field is None else array[field])[key] = value

    return change_array


def encoder(model):
    return model[0].named_transformers_["numbers"].named_transformers_["words"]


def predictor_node(field, value, *, where):
    def spoil(model):
        nodes = model._predictors[0][0].nodes
        nodes[field][np.flatnonzero(nodes[where])[0]] = value

    return spoil


def lose_a_column(model):
    name, step, mask = model._preprocessor.transformers_[1]
    model._preprocessor.transformers_[1] = (name, step, np.zeros_like(mask))


def misplace(model):
    kind, state, _, *rest = model.random_state.get_state()
    model.random_state.set_state((kind, state, 625, *rest))


SPOILED = {
    "a_tree_without_nodes": ("tree", lambda model: setattr(model, "tree_", Tree(4, np.array([2]), 1))),
    "a_vote_of_a_narrower_tree": ("voting_of_trees", put("n_features_in_", 1, lambda model: model.estimators_[1])),
    "a_boosted_tree_of_another_width": ("gradient_boosting", put("n_features_in_", 9)),
    "a_first_guess_of_another_width": (
        "boosting_of_three", put("class_prior_", np.ones(2) / 2, lambda model: model.init_),
    ),
    "a_first_guess_of_two_outputs": ("gradient_boosting", put("n_outputs_", 2, lambda model: model.init_)),
    "a_first_guess_by_a_function": (
        "gradient_boosting", put("init_", make_pipeline(FunctionTransformer(np.sum), DummyClassifier())),
    ),
    "categories_of_a_number": (
        "boosting_of_categories", put("is_categorical_", np.zeros(2, bool), lambda model: model._bin_mapper),
    ),
    "categories_that_do_not_exist": ("boosting_of_categories", predictor_node("bitset_idx", 7, where="is_categorical")),
    "bins_that_are_none": ("histogram_boosting", lambda model: put("_bin_mapper", Bunch(**vars(model._bin_mapper)))(model)),
    "stages_that_are_no_trees": (
        "gradient_boosting", lambda model: model.estimators_.__setitem__((0, 0), Bunch(**vars(model.estimators_[0, 0]))),
    ),
    "a_first_guess_linked_otherwise": (
        "gradient_boosting", lambda model: put("link", Bunch(link=np.sum))(model._loss),
    ),
    "boosting_of_other_rows_than_asked": (
        "boosting_of_categories",
        lambda model: put("func", partial(check_array, NUMBERS))(model._preprocessor.transformers_[1][1]),
    ),
    "boosting_that_loses_a_column": ("boosting_of_categories", lose_a_column),
    "boosting_that_says_it_is_in_training": ("histogram_boosting", put("_in_fit", True)),
    "neighbors_that_do_not_exist": ("neighbors_kd_tree", reset_tree(_1=assign(0, ROWS))),
    "neighbors_counted_twice": ("neighbors_ball_tree", reset_tree(_2=assign(0, 7, "idx_start"))),
    "a_leaf_with_children": ("neighbors_kd_tree", reset_tree(_2=assign(-1, 0, "is_leaf"))),
    "labels_that_do_not_exist": ("neighbors_brute", change(lambda model: model, "_y", _0=7)),
    "more_neighbors_than_rows": ("neighbors_brute", put("n_samples_fit_", ROWS + 1)),
    "neighbors_of_other_features": ("neighbors_brute", put("n_features_in_", 9)),
    "a_distance_of_other_features": (
        "neighbors_weighted",
        lambda model: model._tree.__getstate__()[11].__setstate__((2.0, np.ones(1), np.ones((1, 1)))),
    ),
    "vectors_that_are_not_counted": ("support_vectors", change(lambda model: model, "_n_support", _0=ROWS + 1)),
    "fewer_coefficients_than_vectors": (
        "support_vectors", lambda model: setattr(model, "_dual_coef_", model._dual_coef_[:, :1].copy()),
    ),
    "no_intercept": ("support_vector_regressor", put("_intercept_", np.empty(0))),
    "half_of_the_probabilities": ("support_vectors", put("_probA", np.ones(1))),
    "a_vector_of_no_row": ("support_vectors", change(lambda model: model, "support_", _0=-1)),
    "narrow_vectors": ("support_vectors", put("support_vectors_", np.ones((1, 1)))),
    "another_machine": ("support_vectors", put("_impl", "nu_svc")),
    "coefficients_of_no_vector": (
        "words_and_support_vectors",
        lambda model: setattr(model[-1], "_dual_coef_", model[-1]._dual_coef_[:1]),
    ),
    "narrow_centers": ("clusters", put("cluster_centers_", np.ones((2, 1)))),
    "a_table_too_narrow_for_its_categories": ("encoded", lambda model: put("_n_features_outs", [1])(encoder(model))),
    "a_category_dropped_that_is_none": (
        "encoded_without_the_first",
        lambda model: put("_drop_idx_after_grouping", np.array([9], dtype=object))(encoder(model)),
    ),
    "a_group_that_is_no_column": (
        "encoded_in_groups",
        lambda model: put("_default_to_infrequent_mappings", [np.array([0, 1, 9])])(encoder(model)),
    ),
    "categories_out_of_order": (
        "bins", lambda model: put("categories_", [np.array([2.0, 1.0, 0.0])] * 4)(model[0]._encoder),
    ),
    "a_word_in_no_column": ("words", lambda model: model[0].vocabulary_.update(late=len(model[0].vocabulary_))),
    "words_in_no_column": ("words", lambda model: model.steps.__setitem__(0, ("w", HashingVectorizer(n_features=0)))),
    "knots_out_of_order": ("spline", lambda model: model[0].bsplines_[0]._t.sort() or reverse_knots(model)),
    "a_degree_beyond_the_knots": ("spline", lambda model: put("k", len(model[0].bsplines_[0].t))(model[0].bsplines_[0])),
    "coefficients_of_another_kind": (
        "spline", lambda model: put("_c", np.ones(20, np.float32))(model[0].bsplines_[0]),
    ),
    "a_sparse_index_that_does_not_exist": (
        "words_and_neighbors", lambda model: assign(0, model[-1]._fit_X.shape[1])(model[-1]._fit_X.indices),
    ),
    "a_generator_at_no_place": ("forest", lambda model: (put("random_state", np.random.RandomState(0))(model), misplace(model))),
}  # fmt: skip


def reverse_knots(model):
    spline = model[0].bsplines_[0]
    spline._t = spline._t[::-1].copy()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SPOILED)
def test_what_would_lead_native_code_out_of_bounds_is_refused(name):
    sound, spoil = SPOILED[name]
    model, _ = fit(sound)
    assert list(find_bounds_faults(model)) == []
    spoil(model)
    assert list(find_bounds_faults(model))


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("get_params", np.clip),
        ("get_params", "text"),
        ("n_features_in_", np.ma.masked_array([4], mask=[True])),
        ("n_features_in_", 4.0),
        ("mean_", np.ma.masked_array(np.zeros(4), mask=True)),
    ],
)
def test_an_attribute_in_place_of_a_method_or_behind_a_mask_is_found(attribute, value):
    scaler = StandardScaler().fit(NUMBERS)
    assert list(find_hidden_methods(scaler)) == []
    vars(scaler)[attribute] = value
    assert list(find_hidden_methods(scaler))


@pytest.mark.parametrize(
    ("find", "said"),
    [
        ("find_hidden_methods", "not what it says"),
        ("find_bounds_faults", "lead out of bounds"),
        ("find_outside_effects", "reaches out of its process"),
    ],
)
def test_a_model_that_a_look_at_it_finds_fault_with_is_refused(find, said, monkeypatch):
    content = skops.io.dumps(LOGISTIC())
    assert load_model(content) is not None
    monkeypatch.setattr(skops_loader, find, lambda _: ["It is harmful."])
    with pytest.raises(Refused, match=said) as caught:
        load_model(content)
    assert caught.value.reasons == ("It is harmful.",)
    monkeypatch.setattr(skops_loader, find, lambda model: model["what it is not"])
    with pytest.raises(Refused, match="cannot be read"):
        load_model(content)


def test_trees_behind_a_mask_are_looked_at():
    model, _ = fit("gradient_boosting")
    model.estimators_ = np.ma.masked_array(model.estimators_, mask=True)
    model.estimators_.data[0, 0].n_features_in_ = 1
    assert list(find_bounds_faults(model))


def test_a_search_tree_is_of_the_rows_it_says():
    model = KNeighborsClassifier().fit(NUMBERS, LABELS)
    model._tree = KNeighborsClassifier().fit(NUMBERS[:, :2], LABELS)._tree
    assert list(find_bounds_faults(model))


def test_a_tree_of_one_leaf_is_sound():
    assert list(find_bounds_faults(DecisionTreeClassifier(max_depth=1).fit(NUMBERS, LABELS * 0))) == []

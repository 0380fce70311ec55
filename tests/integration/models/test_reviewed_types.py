"""What is on the reviewed list loads and answers as before; what would lead native code astray is refused before it is asked."""

from __future__ import annotations

import importlib
import io
import subprocess
import sys
import zipfile
from functools import partial

import numpy as np
import pytest
import skops.io
from scipy.stats import loguniform
from sklearn.cluster import DBSCAN, BisectingKMeans, KMeans
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, StackingClassifier
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.manifold import TSNE
from sklearn.metrics import get_scorer, get_scorer_names, make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.tree import DecisionTreeClassifier
from sklearn.tree._tree import Tree
from sklearn.utils import Bunch, all_estimators, check_array

from tests.integration.reviewed_models import LABELS, NAMES, NUMBERS, ROWS, ask, fit
from tests.soak.hostile_skops import mapping, named, node, pack_skops, plain, schema, sequence
from workbench.errors import Refused
from workbench.models import skops_archive, skops_loader
from workbench.models.advice import advise_on
from workbench.models.hidden_methods import find_hidden_methods
from workbench.models.reviewed_types import FAMILIES, FORMS, find_bounds_faults
from workbench.models.reviewed_types.family import FUNCTION
from workbench.models.skops_canonical import to_canonical
from workbench.models.skops_loader import find_untrusted_types, list_types_to_trust, load_model
from workbench.models.skops_schema import judge_names

LOGISTIC = LogisticRegression


# A product of large matrices depends in its last bit on where in memory they lie.
PRODUCTS = {"kernel_ridge"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NAMES)
def test_a_model_of_reviewed_parts_answers_to_the_bit_as_the_one_that_was_kept(name):
    model, rows = fit(name)
    content = to_canonical(skops.io.dumps(model))
    assert find_untrusted_types(content) == ()
    before, after = ask(model, rows), ask(load_model(content), rows)
    assert before.keys() == after.keys()
    for method in before:
        if name in PRODUCTS:
            assert np.allclose(before[method], after[method], rtol=1e-13, atol=0)
        else:
            assert np.array_equal(before[method], after[method])


# The list itself


def test_every_estimator_of_scikit_learn_is_of_one_family_or_has_advice():
    reviewed = [name for family in FAMILIES for name in family.estimators]
    assert len(reviewed) == len(set(reviewed))
    theirs = {f"{kind.__module__}.{kind.__name__}" for _, kind in all_estimators()}
    left_out = theirs - {*reviewed}
    assert {*reviewed} <= theirs
    assert {name.split(".")[1] for name in left_out} == {"cluster", "manifold", "feature_extraction"}
    assert all(advise_on([name]).startswith(f"Instead of {name}: ") for name in left_out)


def test_every_reviewed_name_is_there():
    for name in FORMS:
        module, _, word = name.rpartition(".")
        assert hasattr(importlib.import_module(module), word), name


def test_every_named_scorer_is_reviewed():
    functions = {get_scorer(name)._score_func for name in get_scorer_names()}
    names = {f"{function.__module__}.{function.__name__}" for function in functions}
    assert {name for name in names if FUNCTION not in FORMS.get(name, ())} == set()


def test_every_family_says_why_and_what_it_checks():
    assert len({family.name for family in FAMILIES}) == len(FAMILIES)
    for family in FAMILIES:
        assert family.reason.endswith(".")
        is_checked = family.find_faults.__name__ != "_find_nothing"
        assert bool(family.checked) >= is_checked


def test_other_tools_are_told_only_what_a_model_holds():
    content = skops.io.dumps(fit("tree")[0])
    told = list_types_to_trust(content)
    assert "sklearn.tree._tree.Tree" in told
    assert len(told) < 10
    assert list_types_to_trust(b"") == []


@pytest.mark.filterwarnings("ignore")
def test_what_is_experimental_loads_where_nobody_enabled_it(tmp_path):
    for name in ("iterative_imputer", "search_halving"):
        (tmp_path / name).write_bytes(skops.io.dumps(fit(name)[0]))
    code = (
        "import sys; from pathlib import Path; from workbench.models.skops_loader import load_model;"
        "[load_model(path.read_bytes()) for path in Path(sys.argv[1]).iterdir()]"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code, str(tmp_path)], check=True)


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


def last(model):
    return model[-1]


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


# The way a name is written: only our own reader sees these, and none of the names does anything.


@pytest.mark.parametrize(
    ("way", "name"),
    [
        ("LossNode", "numpy.clip"),
        ("ConstructorFromReduceNode", "numpy.clip"),
        ("ObjectNode", "numpy.clip"),
        ("FunctionNode", "sklearn.pipeline.Pipeline"),
        ("TypeNode", "numpy.clip"),
        ("SetNode", "numpy.clip"),
        ("SparseMatrixNode", "scipy.sparse._csr.csr_matrix"),
    ],
)
def test_a_reviewed_name_is_not_trusted_where_it_would_be_used_otherwise(way, name):
    (objection,) = judge_names(pack_skops(schema(node(way, name))))[1]
    assert objection.startswith(f"{name} (")


def test_a_name_that_is_not_reviewed_is_named_by_our_own_reader_however_it_is_written():
    for way in ("ObjectNode", "LossNode", "NoNodeOfTheirs"):
        assert judge_names(pack_skops(schema(node(way, "fractions.Fraction"))))[1] == {"fractions.Fraction"}


def test_what_our_own_reader_objects_to_is_not_loaded_although_skops_trusts_it(monkeypatch):
    content = skops.io.dumps(LOGISTIC())
    monkeypatch.setattr(
        skops_loader, "judge_names", lambda content, _: (judge_names(content)[0], {"a name (as it is)"})
    )
    with pytest.raises(Refused, match="not trusted") as caught:
        load_model(content)
    assert caught.value.reasons == ("a name (as it is)",)


PARTIAL = {
    "func": node("FunctionNode", "numpy.clip"),
    "args": sequence(kind="tuple"),
    "kwds": mapping(),
    "namespace": plain(None),
}


@pytest.mark.parametrize(
    "parts",
    [
        {"func": named("builtins.str")},
        {"func": node("PartialNode", "functools.partial", content=PARTIAL)},
        {"namespace": mapping(func=plain("x"))},
    ],
    ids=["a_type", "a_partial", "attributes"],
)
def test_a_partial_of_more_than_a_reviewed_function_is_refused(parts):
    sound = pack_skops(schema(node("PartialNode", "functools.partial", content=PARTIAL)))
    assert find_untrusted_types(sound) == ()
    spoiled = pack_skops(schema(node("PartialNode", "functools.partial", content={**PARTIAL, **parts})))
    assert "functools.partial (of more than a function)" in judge_names(spoiled)[1]


@pytest.mark.parametrize("protocol", [0, 1, True, None])
def test_a_file_of_an_older_protocol_is_refused(protocol):
    with pytest.raises(Refused, match="protocol"):
        load_model(pack_skops(schema(plain(1), protocol=protocol)))


def test_a_sparse_table_larger_than_the_limit_is_refused_before_it_is_unpacked(monkeypatch):
    monkeypatch.setattr(skops_archive, "LARGEST_UNPACKED", 10_000)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.npy", bytes(10_001))
    matrix = node("SparseMatrixNode", "scipy.sparse._csr.csr_matrix", type="scipy", file="1.npz")
    with pytest.raises(Refused, match="its tables would be"):
        load_model(pack_skops(schema(matrix, **{"1__npz": inner.getvalue()})))


# What a model would do besides answering


def test_a_model_that_keeps_files_is_refused(tmp_path):
    model = make_pipeline(StandardScaler(), LOGISTIC()).fit(NUMBERS, LABELS)
    model.memory = str(tmp_path)
    with pytest.raises(Refused, match="memory=None"):
        load_model(skops.io.dumps(model))


def test_a_model_that_calls_another_method_for_an_answer_is_refused():
    model = StackingClassifier([("a", LOGISTIC())], cv=2).fit(NUMBERS, LABELS)
    model.stack_method_ = ["fit"]
    with pytest.raises(Refused, match="'fit'"):
        load_model(skops.io.dumps(model))


def test_a_loaded_model_works_alone_and_in_silence(capfd):
    model = RandomForestClassifier(3, n_jobs=2).fit(NUMBERS, LABELS).set_params(verbose=3)
    loaded = load_model(skops.io.dumps(model))
    assert (loaded.n_jobs, loaded.verbose) == (1, 0)
    capfd.readouterr()
    assert loaded.predict(NUMBERS).shape == LABELS.shape
    assert capfd.readouterr() == ("", "")


# Advice


def shift(values):
    return values + 1


def own_score(truth, answer):
    return float((truth == answer).mean())


def _search(**how):
    return GridSearchCV(LOGISTIC(), {"C": [0.1, 1.0]}, cv=2, **how).fit(NUMBERS, LABELS)


def _drawn():
    return RandomizedSearchCV(LOGISTIC(), {"C": loguniform(0.1, 1)}, n_iter=1, cv=2, random_state=0).fit(
        NUMBERS, LABELS
    )


def _with(function):
    return make_pipeline(FunctionTransformer(function), LOGISTIC()).fit(NUMBERS, LABELS)


def _neighbors(algorithm):
    how = {"metric": "mahalanobis", "metric_params": {"VI": np.eye(4)}}
    return KNeighborsClassifier(algorithm=algorithm, **how).fit(NUMBERS, LABELS)


# What was refused, words of the advice, and what was written by it.
ADVISED = {
    "a_lambda": (lambda: _with(lambda values: values + 1), "np.log1p", lambda: _with(np.cbrt)),
    "a_function_of_ones_own": (lambda: _with(shift), "np.log1p", lambda: _with(np.cbrt)),
    "a_score_of_ones_own": (
        lambda: _search(scoring=make_scorer(own_score)), "log search.best_estimator_",
        lambda: _search(scoring=make_scorer(own_score)).best_estimator_,
    ),
    "a_distribution": (_drawn, "log search.best_estimator_", lambda: _drawn().best_estimator_),
    "a_function_of_numpy": (lambda: _with(np.sort), "np.clip", lambda: _with(np.nan_to_num)),
    "mahalanobis": (lambda: _neighbors("ball_tree"), 'algorithm="brute"', lambda: _neighbors("brute")),
    "bisecting": (lambda: BisectingKMeans(2).fit(NUMBERS), "use KMeans", lambda: KMeans(2, n_init=1).fit(NUMBERS)),
    "no_answer": (DBSCAN, "KMeans or MeanShift", lambda: KMeans(2, n_init=1).fit(NUMBERS)),
    "no_place": (TSNE, "PCA or Isomap", lambda: fit("partial_least_squares")[0]),
}  # fmt: skip


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ADVISED)
def test_what_is_refused_is_named_with_advice_that_works(name):
    refused, words, advised = ADVISED[name]
    with pytest.raises(Refused) as caught:
        load_model(skops.io.dumps(refused()))
    assert words in caught.value.next_step
    assert all(reason in caught.value.next_step for reason in caught.value.reasons)
    assert load_model(skops.io.dumps(advised())) is not None


def test_advice_names_each_type_once_and_says_nothing_of_none():
    advice = advise_on(["a.B", "a.C", "xgboost.XGBClassifier", "lightgbm.basic.Booster"])
    assert advice.count("Instead of") == 3
    assert "Instead of a.B, a.C: " in advice
    assert "log a fitted XGBClassifier" in advice
    assert "log a fitted LGBMClassifier" in advice
    assert "not the class itself" in advise_on(["sklearn.pipeline.Pipeline (as TypeNode)"])
    assert "wb.log_model" in advise_on(["sklearn.pipeline.Pipeline (as LossNode)"])
    assert advise_on([]) == ""


def test_a_search_tree_is_of_the_rows_it_says():
    model = KNeighborsClassifier().fit(NUMBERS, LABELS)
    model._tree = KNeighborsClassifier().fit(NUMBERS[:, :2], LABELS)._tree
    assert list(find_bounds_faults(model))


def test_a_tree_of_one_leaf_is_sound():
    assert list(find_bounds_faults(DecisionTreeClassifier(max_depth=1).fit(NUMBERS, LABELS * 0))) == []

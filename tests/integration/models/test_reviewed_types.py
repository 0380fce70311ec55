"""What is on the reviewed list loads and answers as before; what would lead native code astray is refused before it is asked."""

from __future__ import annotations

import importlib
import subprocess
import sys

import numpy as np
import pytest
import skops.io
from scipy.stats import loguniform
from sklearn.cluster import DBSCAN, BisectingKMeans, KMeans
from sklearn.manifold import TSNE
from sklearn.metrics import get_scorer, get_scorer_names, make_scorer
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import all_estimators

from tests.integration.reviewed_models import LABELS, LOGISTIC, NAMES, NUMBERS, ask, fit
from workbench.errors import Refused
from workbench.models.advice import advise_on
from workbench.models.reviewed_types import FAMILIES, FORMS
from workbench.models.reviewed_types.family import FUNCTION
from workbench.models.skops_canonical import to_canonical
from workbench.models.skops_loader import find_untrusted_types, list_types_to_trust, load_model

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

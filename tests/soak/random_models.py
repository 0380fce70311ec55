"""Random models on random tables, compiled by our own converters: where the proof lets one pass, it answers as the model does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st
from sklearn import ensemble as e
from sklearn import linear_model as lm
from sklearn import preprocessing as pp
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.decomposition import PCA
from sklearn.feature_selection import SelectKBest, VarianceThreshold
from sklearn.impute import SimpleImputer
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from tests.soak.customers import spell_rows
from tests.soak.odd_rows import make_jumps, make_odd
from tests.soak.proof import Proof, timed_proof
from tests.soak.zoo import Served, _quiet, _scores, find_faults, measure_scale
from workbench.models.compiler.converters.tables import CannotCompileError
from workbench.models.compiler.onnx_compiler import OWN, compile_own
from workbench.models.compiler.proof import compare_form, measure_estimator
from workbench.models.compiler.proof_rows import make_row_sets
from workbench.models.contract import Contract
from workbench.models.frames import describe_columns, to_rows
from workbench.models.onnx_predictor import load_onnx_predictor
from workbench.models.skops_predictor import predictor_of

FITTED, ASKED = 120, 150
_TRIES, _ALONE = 3, 5
_CALIBRATE_CV = 2


@dataclass(frozen=True)
class Example:
    """A fitted model, and rows of the same making that it has not seen."""

    model: Any
    contract: Contract
    training: pd.DataFrame
    fresh: pd.DataFrame
    is_computed: bool  # trees on what is computed of several columns have their jumps in its last bits


# Tables

Maker = Callable[[np.random.Generator, int], Any]
NUMBERS: Mapping[str, Maker] = {
    "amount": lambda draw, n: draw.normal(300, 900, n).round(2),
    "share": lambda draw, n: draw.random(n),
    "half": lambda draw, n: draw.integers(0, 20, n) / 2,
    "number": lambda draw, n: 2**24 + draw.integers(0, 5_000, n),
    "time": lambda draw, n: draw.integers(1_500_000_000, 1_700_000_000, n),
    "count": lambda draw, n: draw.poisson(3, n),
    "tiny": lambda draw, n: draw.integers(-128, 127, n).astype("int8"),
    "byte": lambda draw, n: draw.integers(0, 255, n).astype("uint8"),
    "single": lambda draw, n: draw.normal(0, 2, n).astype("float32"),
    "whole": lambda draw, n: pd.array(draw.integers(0, 50, n), dtype="Int64"),
    "real": lambda draw, n: pd.array(draw.normal(0, 1, n).round(3), dtype="Float64"),
    "flag": lambda draw, n: draw.random(n) < 0.4,
}
TEXTS: Mapping[str, Maker] = {
    "word": lambda draw, n: draw.choice(["a", "b", "ç", "nan", ""], n, p=[0.4, 0.3, 0.2, 0.05, 0.05]),
    "object": lambda draw, n: draw.choice(["x", "y", "z"], n).astype(object),
    "kind": lambda draw, n: pd.Categorical(draw.choice(["l", "m"], n), ["m", "l", "none of them"]),
    "rank": lambda draw, n: pd.Categorical(draw.choice(["lo", "hi"], n), ["lo", "hi"], ordered=True),
}


def make_table(names: list[str], gaps: set[str], seed: int, rows: int) -> pd.DataFrame:
    """Return a table of the named columns, a sixth of some of them missing."""
    draw = np.random.default_rng(seed)
    table = pd.DataFrame({name: {**NUMBERS, **TEXTS}[name](draw, rows) for name in names})
    for name in sorted(gaps):
        is_kept = draw.random(rows) > 1 / 6
        table[name] = table[name].where(is_kept, None) if table[name].dtype == object else table[name].where(is_kept)
    return table


def learn(table: pd.DataFrame, seed: int) -> Any:
    """Return a target that depends on every column a little."""
    draw = np.random.default_rng(seed)
    signal = draw.normal(0, 0.5, len(table))
    for name in table.columns:
        codes = pd.factorize(table[name], sort=False)[0] if name in TEXTS else table[name].astype("float64").fillna(0)
        spread = np.std(codes) or 1.0
        signal = signal + draw.normal() * (np.asarray(codes, dtype=float) - np.mean(codes)) / spread
    return signal


# Models


def _numbers(draw: st.DrawFn, has_gaps: bool) -> list[Any]:
    strategy = draw(st.sampled_from(["mean", "median", "most_frequent", "constant"]))
    filled = SimpleImputer(strategy=strategy, add_indicator=draw(st.booleans()))
    scalers = [pp.StandardScaler(), pp.MinMaxScaler(clip=True), pp.RobustScaler(), pp.MaxAbsScaler()]
    others = [
        pp.PowerTransformer(),
        pp.KBinsDiscretizer(3, encode="ordinal", subsample=None, quantile_method="averaged_inverted_cdf"),
        pp.Binarizer(threshold=1.5),
        pp.Normalizer(),
        make_pipeline(pp.StandardScaler(), pp.PolynomialFeatures(2, include_bias=False)),
        make_pipeline(pp.FunctionTransformer(np.absolute), pp.FunctionTransformer(np.log1p)),
    ]
    scaler = draw(st.sampled_from([None, *scalers, *others]))
    return [*([filled] if has_gaps else []), *([scaler] if scaler is not None else [])]


def _texts(draw: st.DrawFn, has_gaps: bool) -> list[Any]:
    encoders = [
        pp.OneHotEncoder(handle_unknown="ignore", sparse_output=False),
        pp.OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=0.2, sparse_output=False),
        pp.OneHotEncoder(drop="first", handle_unknown="ignore", sparse_output=False),
        pp.OneHotEncoder(sparse_output=False),
        pp.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2),
        pp.OrdinalEncoder(
            handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-2, max_categories=2
        ),
        pp.TargetEncoder(random_state=0, cv=2),
    ]
    filled = [SimpleImputer(strategy="most_frequent"), SimpleImputer(strategy="constant", fill_value="filled")]
    is_filled = has_gaps and draw(st.booleans())
    return [*([draw(st.sampled_from(filled))] if is_filled else []), draw(st.sampled_from(encoders))]


def _predictor(draw: st.DrawFn, is_class: bool) -> Any:
    seed = {"random_state": 0}
    classes: dict[str, Callable[[], Any]] = {
        "logistic": lambda: lm.LogisticRegression(max_iter=500),
        "descent": lambda: lm.SGDClassifier(loss="modified_huber", **seed),
        "bayes": GaussianNB,
        "tree": lambda: DecisionTreeClassifier(**seed),
        "forest": lambda: e.RandomForestClassifier(5, **seed),
        "extra": lambda: e.ExtraTreesClassifier(5, **seed),
        "boosting": lambda: e.GradientBoostingClassifier(n_estimators=6, **seed),
        "histograms": lambda: e.HistGradientBoostingClassifier(max_iter=6, min_samples_leaf=5, **seed),
        "adaboost": lambda: e.AdaBoostClassifier(n_estimators=4, **seed),
        "bagging": lambda: e.BaggingClassifier(n_estimators=4, max_features=0.7, **seed),
        "calibrated": lambda: CalibratedClassifierCV(LinearSVC(), cv=_CALIBRATE_CV),
        "isotonic": lambda: CalibratedClassifierCV(e.RandomForestClassifier(4, **seed), method="isotonic", cv=2),
        "vote": lambda: e.VotingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier(**seed))], voting="soft"),
        "stack": lambda: e.StackingClassifier([("a", GaussianNB()), ("b", DecisionTreeClassifier(**seed))], cv=2),
    }
    numbers: dict[str, Callable[[], Any]] = {
        "ridge": lm.Ridge,
        "huber": lm.HuberRegressor,
        "poisson": lm.PoissonRegressor,
        "tree": lambda: DecisionTreeRegressor(**seed),
        "forest": lambda: e.RandomForestRegressor(5, **seed),
        "extra": lambda: e.ExtraTreesRegressor(5, **seed),
        "boosting": lambda: e.GradientBoostingRegressor(n_estimators=6, **seed),
        "histograms": lambda: e.HistGradientBoostingRegressor(max_iter=6, min_samples_leaf=5, **seed),
        "counts": lambda: e.HistGradientBoostingRegressor(max_iter=6, loss="poisson", **seed),
        "bagging": lambda: e.BaggingRegressor(lm.Ridge(), n_estimators=3, max_features=0.7, **seed),
        "logarithm": lambda: TransformedTargetRegressor(lm.Ridge(), func=np.log, inverse_func=np.exp),
        "vote": lambda: e.VotingRegressor([("a", lm.Ridge()), ("b", DecisionTreeRegressor(**seed))]),
    }
    known = classes if is_class else numbers
    return known[draw(st.sampled_from(sorted(known)))]()


def _selector(draw: st.DrawFn) -> list[Any]:
    chosen = draw(
        st.sampled_from([None, None, None, VarianceThreshold(0.01), SelectKBest(k=1), PCA(1), pp.StandardScaler()])
    )
    return [] if chosen is None else [chosen]


@st.composite
def examples(draw: st.DrawFn) -> Example:
    """Draw columns, gaps, and a pipeline that suits them, fitted."""
    names = draw(st.lists(st.sampled_from([*NUMBERS, *TEXTS]), min_size=1, max_size=5, unique=True))
    gaps = draw(st.sets(st.sampled_from(names))) - {"number", "time", "count", "tiny", "byte", "flag"}
    seed, is_class = draw(st.integers(0, 10_000)), draw(st.booleans())
    table = make_table(names, gaps, seed, FITTED + ASKED)
    model = _assemble(draw, names, gaps, is_class)
    signal = learn(table, seed)
    low, high = draw(st.sampled_from([(0, 1), ("no", "yes"), (1, 2), (False, True)]))
    truth = np.where(signal > np.median(signal), high, low) if is_class else np.exp(signal / 3)
    training, fresh = table[:FITTED], table[FITTED:].reset_index(drop=True)
    with _quiet():
        fitted = _fit(model, training, truth[:FITTED])
    columns = describe_columns(fresh, training)
    classes = tuple(fitted.classes_.tolist()) if is_class else None
    contract = Contract("classification" if is_class else "regression", columns, classes=classes)
    return Example(fitted, contract, training, fresh, _is_computed(model))


def _assemble(draw: st.DrawFn, names: list[str], gaps: set[str], is_class: bool) -> Pipeline:
    numbers, texts = [n for n in names if n in NUMBERS], [n for n in names if n in TEXTS]
    steps = []
    if numbers:
        steps.append(("numbers", _chain(_numbers(draw, bool(gaps & set(numbers)))), numbers))
    if texts:
        steps.append(("texts", _chain(_texts(draw, bool(gaps & set(texts)))), texts))
    parts = [ColumnTransformer(steps, sparse_threshold=0)] if texts or draw(st.booleans()) else [steps[0][1]]
    return make_pipeline(*parts, *_selector(draw), _predictor(draw, is_class))


def _chain(steps: list[Any]) -> Any:
    return make_pipeline(*steps) if steps else "passthrough"


def _fit(model: Any, table: pd.DataFrame, truth: Any) -> Any:
    try:
        return model.fit(table, truth)
    except (ValueError, TypeError):
        assume(False)


_SUMS = ("PCA", "Normalizer", "PowerTransformer", "PolynomialFeatures", "log1p", "StackingClassifier", "TargetEncoder")


def _is_computed(model: Any) -> bool:
    return any(name in repr(model) for name in _SUMS)


# The proof


def judge(example: Example) -> tuple[str, list[str]]:
    """Return what became of a model, and what is false of it where the proof let it pass."""
    try:
        content = compile_own(example.model, example.contract)
    except CannotCompileError as exc:
        return f"left: {exc}", []
    served = Served(example.model, example.contract, load_onnx_predictor(content, example.contract), OWN)
    faults = _find_faults(served, example)
    if not faults:
        return "compiled", []
    return ("caught by the proof", []) if not _passes(served, example) else ("compiled", faults)


def _find_faults(served: Served, example: Example) -> list[str]:
    draw = np.random.default_rng(0)
    tries = 0 if example.is_computed else _TRIES
    frames = {
        "fresh": example.fresh,
        "jumps": make_jumps(lambda frame: _scores(served, frame), example.fresh, tries, draw),
        "odd": make_odd(example.fresh, example.training, draw),
    }
    rows = {kind: spell_rows(frame) for kind, frame in frames.items()}
    return find_faults(served, frames, rows, measure_scale(served, example.fresh, _ALONE), _ALONE)


def _passes(served: Served, example: Example) -> bool:
    fresh, training = to_rows(example.fresh[:50]), to_rows(example.training)
    own = predictor_of(example.model, example.contract)
    measure = measure_estimator(own, make_row_sets(example.model, example.contract, fresh, training))
    return compare_form(OWN, served.predict, measure, largest=1e-6, largest_batch=1e-9).served


def run(n: int) -> tuple[int, list[str], Counter[str]]:
    """Judge `n` random models; return how many there were, what was false, and what became of them."""
    faults, became = [], Counter[str]()

    @settings(
        max_examples=n, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(examples())
    def judge_one(example: Example) -> None:
        what, wrong = judge(example)
        became[what] += 1
        faults.extend(f"{' '.join(repr(example.model).split())}: {each}" for each in wrong)

    judge_one()
    return sum(became.values()), faults, became


def prove(n: int) -> Proof:
    """Make `n` models of random parts and compare them compiled with themselves."""

    def tries() -> tuple[int, list[str], str]:
        count, faults, became = run(n)
        return count, faults, "; ".join(f"{times} {what}" for what, times in became.most_common())

    return timed_proof(
        "a random model on a random table, compiled and let pass by the proof, answers as the model", tries
    )

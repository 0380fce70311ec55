"""What the models of the zoo are made of: a member, and the steps that many of them share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sklearn import ensemble as e
from sklearn import linear_model as lm
from sklearn import preprocessing as pp
from sklearn.compose import ColumnTransformer
from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - makes IterativeImputer importable
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

from tests.soak.customers import FLAGS, GAP_TEXTS, GAPS, KINDS, MIXED, NULLABLE, PLAIN, SMALL, TEXTS

FULL = (*GAPS, *GAP_TEXTS, *FLAGS)
EVERYTHING = (*GAPS, "account", "since", *SMALL, *NULLABLE, *TEXTS, *GAP_TEXTS[1:], *KINDS, "zone_kind", *FLAGS)


@dataclass(frozen=True)
class Member:
    """A model of the zoo: how it is made, what it predicts, which columns it takes, and how many rows it is fitted on."""

    family: str
    make: Callable[[], Any]
    columns: Sequence[str] = PLAIN
    target: str = "leaves"
    rows: int = 2_000
    options: dict[str, Any] = field(default_factory=dict)


def logistic(**options: Any) -> Any:
    return lm.LogisticRegression(**{"max_iter": 2_000, **options})


def forest(trees: int = 40, **options: Any) -> Any:
    return e.RandomForestClassifier(trees, random_state=0, **options)


def histograms(**options: Any) -> Any:
    return e.HistGradientBoostingClassifier(**{"max_iter": 40, "random_state": 0, **options})


def one_hot(**options: Any) -> Any:
    return pp.OneHotEncoder(**{"handle_unknown": "ignore", **options})


def ordinal(**options: Any) -> Any:
    return pp.OrdinalEncoder(**{"handle_unknown": "use_encoded_value", "unknown_value": -1, **options})


def filled(texts: Any, **options: Any) -> Any:
    return make_pipeline(SimpleImputer(**{"strategy": "most_frequent", **options}), texts)


def prepare(numbers: Any = None, texts: Any = None, *, columns: Sequence[str] = MIXED) -> Any:
    """Return scaled numbers beside encoded texts, flags as they are."""
    kinds = {
        "numbers": (numbers or make_pipeline(SimpleImputer(strategy="median"), pp.StandardScaler()), GAPS),
        "texts": (texts or one_hot(), (*TEXTS, *GAP_TEXTS, *KINDS)),
        "flags": ("passthrough", FLAGS),
    }
    return ColumnTransformer(
        [(name, step, [each for each in columns if each in group]) for name, (step, group) in kinds.items()]
    )


def mixed(*steps: Any, **parts: Any) -> Callable[[], Any]:
    return lambda: make_pipeline(prepare(**parts), *steps)


def scaled(*steps: Any) -> Callable[[], Any]:
    return lambda: make_pipeline(pp.StandardScaler(), *steps)


def chain(*steps: Any) -> Callable[[], Any]:
    return lambda: make_pipeline(*steps)


MANY, SPEND = partial(Member, target="segment"), partial(Member, target="spend")
DENSE = one_hot(sparse_output=False)
FILLED = filled(one_hot())

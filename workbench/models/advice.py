"""What to write instead of a type that nobody reviewed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_OF_SKLEARN = "build it from what `workbench models` lists."
_ELEMENT_WISE = "one of NumPy's element-wise functions, such as FunctionTransformer(np.log1p)"
_OF_YOUR_OWN = (
    "write it into a .py file beside the notebook, import it from there and log the model again, if the policy allows own code; or "
    f"use scikit-learn's own parts and {_ELEMENT_WISE}, or do that step before the model and log the rest; if only a search "
    "was scored by it, log search.best_estimator_."
)
_AS_TEXT = "alone or inside of scikit-learn's parts, with wb.log_model, which writes its text."
_NOTHING_NEW = "it has no answer for rows it has not seen; KMeans or MeanShift has."
_A_VALUE = (
    "a step keeps such values of a column: turn the column into text or numbers before fitting, e.g. .astype(str)."
)
_NO_PLACE = "it has no place for rows it has not seen; PCA or Isomap has."

# By how the name begins; the first that fits, so the longer before the shorter.
_INSTEAD: Mapping[str, str] = {
    "functools.partial": "let it hold one reviewed function and nothing else, as partial(mutual_info_classif, random_state=0).",
    "scipy.stats.": "log search.best_estimator_: the distributions a search draws from are code.",
    "joblib.": "write memory=None.",
    "sklearn.callback.": "fit without callbacks.",
    "sklearn.metrics._dist_metrics.MahalanobisDistance": 'write algorithm="brute".',
    "sklearn.metrics._dist_metrics.PyFuncDistance": 'name a metric, such as metric="manhattan".',
    "sklearn.cluster._bisect_k_means.": "use KMeans.",
    "sklearn.cluster._kmeans.": "use KMeans.",
    "sklearn.cluster.": _NOTHING_NEW,
    "sklearn.manifold.": _NO_PLACE,
    "sklearn.": _OF_SKLEARN,
    "xgboost.": f"log a fitted XGBClassifier, XGBRegressor, XGBRanker or XGBRF…, {_AS_TEXT}",
    "lightgbm.": f"log a fitted LGBMClassifier, LGBMRegressor or LGBMRanker, {_AS_TEXT}",
    "catboost.": f"log a fitted CatBoostClassifier, CatBoostRegressor or CatBoostRanker, {_AS_TEXT}",
    "numpy.": f"name {_ELEMENT_WISE}, or np.clip, np.nan_to_num, np.round.",
    "scipy.": f"name {_ELEMENT_WISE}.",
    **dict.fromkeys(("pandas.", "datetime.", "decimal."), _A_VALUE),
    "": _OF_YOUR_OWN,
}


def advise_on(untrusted: Sequence[str]) -> str:
    """Return what to write instead of these types (their modules and names, as `find_untrusted_types` gives them), in sentences.

    Types with the same advice share a sentence; no types, no advice.
    """
    grouped: dict[str, list[str]] = {}
    for name in untrusted:
        grouped.setdefault(_instead_of(name), []).append(name)
    return " ".join(f"Instead of {', '.join(names)}: {advice}" for advice, names in grouped.items())


def advise_owner(name: str, attribute: str, owner: str) -> str:
    """Return what to do about a type that an attribute of an own class holds, in a sentence."""
    kept = "its text" if name == "re.Pattern" else "what it is made from (text, numbers, arrays)"
    return f"Instead of {name}: keep {kept} in {attribute} of {owner}, and make it where it is used."


# What people give a selector of columns for a type.
_SELECTED: Mapping[str, str] = {
    "numpy.number": "number", "builtins.object": "object", "numpy.bool_": "bool", "numpy.bool": "bool", "builtins.str": "str",
}  # fmt: skip


def _instead_of(name: str) -> str:
    if name in _SELECTED:
        return f'write the type as text, such as make_column_selector(dtype_include="{_SELECTED[name]}").'
    if name.endswith("(as TypeNode)"):
        return "give what the class makes, not the class itself."
    if "(as " in name or name.endswith("(kept in no archive)"):
        return "log the model with wb.log_model, which writes it as it is read."
    if name.startswith("pandas.") and name.rpartition(".")[2].islower():
        return f"use scikit-learn's OneHotEncoder or KBinsDiscretizer, which keep what they learned; or {_OF_YOUR_OWN}"
    if "<lambda>" in name:
        return f"name {_ELEMENT_WISE}, or a function of a .py file beside the notebook."
    return next(advice for start, advice in _INSTEAD.items() if name.startswith(start))

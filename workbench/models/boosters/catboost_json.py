"""What CatBoost writes of a booster as JSON, read as a forest: single precision, `x > border`, sums in double precision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from workbench.errors import Refused
from workbench.models.boosters.booster import Booster, Link
from workbench.models.boosters.forest import MOST_FEATURES, MOST_TARGETS, Tree, Whole, grow_forest, require
from workbench.models.boosters.json_reading import read_json, real_numbers, single_numbers, take, whole_numbers
from workbench.records.digest import canonical_json

_DEEPEST = 16  # an oblivious tree of CatBoost
_MOST_NESTED = 2_000_000
_IN_NUMBERS = "turn it into numbers before the booster, in a Pipeline: OneHotEncoder, OrdinalEncoder, TargetEncoder."
_NAN_IS_LARGE = {"AsIs": False, "AsFalse": False, "AsTrue": True}

_LINKS: Mapping[str, Link] = {
    **dict.fromkeys(("Logloss", "CrossEntropy"), "sigmoid"),
    "MultiClass": "softmax",
    "MultiClassOneVsAll": "sigmoids",
    **dict.fromkeys(("Poisson", "Tweedie"), "exp"),
    **dict.fromkeys(("Expectile", "Huber", "LogCosh", "Lq", "MAE", "MAPE", "Quantile", "RMSE"), "identity"),
    **dict.fromkeys(("PairLogit", "PairLogitPairwise", "QueryRMSE", "QuerySoftMax", "YetiRank"), "identity"),
}


def keep_what_answers(text: bytes) -> bytes:
    """Return CatBoost's JSON with what decides its answers only: no time, no random name, no folders of whoever fitted it."""
    document = read_json(text)
    loss = take(document, "model_info", "params", "loss_function")
    kept = {name: document[name] for name in _KEPT if name in document}
    return canonical_json({**kept, "model_info": {"params": {"loss_function": loss}}})


_KEPT = ("features_info", "oblivious_trees", "scale_and_bias", "trees", "ctr_data")


def read_catboost(text: bytes) -> Booster:
    """Return the booster in CatBoost's JSON; raises Refused, naming the setting, for what is not computed here."""
    document = read_json(text)
    places, nan_is_large = _read_features(take(document, "features_info"))
    scale, base = _read_scale(take(document, "scale_and_bias"))
    link = _find_link(take(document, "model_info", "params", "loss_function", "type"))
    require((len(base) > 1) == (link in ("softmax", "sigmoids")), "Its loss does not fit its number of classes.")
    if "oblivious_trees" in document:
        trees = [
            _read_oblivious(each, places, nan_is_large, len(base)) for each in _listed(document["oblivious_trees"])
        ]
    else:
        trees = [_read_nested(each, places, nan_is_large, len(base)) for each in _listed(take(document, "trees"))]
    features = int(places.max()) + 1
    scaled = [Tree(**{**vars(each), "leaves": each.leaves * scale}) for each in trees]
    return Booster(grow_forest(scaled, features, len(base)), features, base, link, single=True)


def _unsupported(setting: str, instead: str) -> Refused:
    return Refused(f"CatBoost's {setting} cannot be served.", next_step=f"Instead: {instead}")


def _listed(value: Any) -> list[Any]:
    require(isinstance(value, list), "Its trees are no list.")
    return list(value)


def _read_features(info: Any) -> tuple[Whole, Any]:
    """Return the column of each number and whether a missing one counts as larger than every border."""
    for kind in ("categorical_features", "text_features", "embedding_features"):
        if isinstance(info, Mapping) and info.get(kind):
            raise _unsupported(kind.replace("_", " "), _IN_NUMBERS)
    found = _listed(take(info, "float_features"))
    places = whole_numbers([take(each, "flat_feature_index") for each in found], "flat_feature_index")
    require(whole_numbers([take(each, "feature_index") for each in found], "feature_index").tolist() == [*range(len(found))],
            "Its features are not numbered one by one.")  # fmt: skip
    is_inside = len(places) and places.min() >= 0 and places.max() < MOST_FEATURES
    require(bool(is_inside), "Its features have no columns.")
    ways = [take(each, "nan_value_treatment") for each in found]
    require(
        all(isinstance(way, str) and way in _NAN_IS_LARGE for way in ways), "It treats missing values in no known way."
    )
    return places, np.array([_NAN_IS_LARGE[way] for way in ways])


def _read_scale(found: Any) -> tuple[float, tuple[float, ...]]:
    require(isinstance(found, list) and len(found) == 2, "Its scale and bias are none.")
    scale, base = real_numbers(found[:1], "scale"), real_numbers(found[1], "bias")
    require(0 < len(base) <= MOST_TARGETS and bool(np.isfinite([*scale, *base]).all()), "Its scale and bias are none.")
    return float(scale[0]), tuple(base.tolist())


def _find_link(loss: Any) -> Link:
    if not isinstance(loss, str) or loss not in _LINKS:
        raise _unsupported(f"loss_function {str(loss)[:50]!r}", f"loss_function= one of {', '.join(sorted(_LINKS))}.")
    return _LINKS[loss]


# Trees


def _read_split(split: Any, features: int) -> tuple[int, float]:
    kind = take(split, "split_type")
    if kind != "FloatFeature":
        raise _unsupported(f"splits of kind {str(kind)[:50]!r}", _IN_NUMBERS)
    (feature,) = whole_numbers([take(split, "float_feature_index")], "float_feature_index").tolist()
    require(0 <= feature < features, "A tree splits on a feature that does not exist.")
    (border,) = single_numbers([take(split, "border")], "border").tolist()
    return feature, border


def _read_oblivious(tree: Any, places: Whole, nan_is_large: Any, targets: int) -> Tree:
    """Return a tree that asks the same question of all nodes of a level; the first question is the lowest bit of the leaf."""
    splits = [_read_split(each, len(places)) for each in _listed(take(tree, "splits"))]
    require(len(splits) <= _DEEPEST, f"A tree is deeper than {_DEEPEST}.")
    values = real_numbers(take(tree, "leaf_values"), "leaf_values")
    require(len(values) == targets << len(splits), "A tree has not a leaf for each of its answers.")
    inner = (1 << len(splits)) - 1
    # The last question first: then the leaves stand in their order from left to right.
    level = np.repeat(np.arange(len(splits)), 1 << np.arange(len(splits)))
    asked = np.array(splits[::-1], dtype=float).reshape(-1, 2)[level]
    node, rest = np.arange(inner), np.full(inner + 1, -1)
    feature = asked[:, 0].astype(np.int64)
    return Tree(
        feature=np.concatenate([places[feature], 0 * rest]),
        threshold=np.concatenate([asked[:, 1], 0.0 * rest]),
        left=np.concatenate([2 * node + 1, rest]),
        right=np.concatenate([2 * node + 2, rest]),
        missing_left=np.concatenate([~nan_is_large[feature], rest == 0]),
        leaves=np.concatenate([np.zeros((inner, targets)), values.reshape(-1, targets)]),
    )


def _read_nested(tree: Any, places: Whole, nan_is_large: Any, targets: int) -> Tree:
    """Return a tree whose nodes hold their children."""
    waiting, rows = [tree], []
    for node in waiting:  # grows while it is read: the children of a node stand behind it
        require(len(waiting) <= _MOST_NESTED, f"A tree has more than {_MOST_NESTED:,} nodes.")
        if isinstance(node, Mapping) and "split" in node:
            feature, border = _read_split(node["split"], len(places))
            rows.append((places[feature], border, len(waiting), len(waiting) + 1, not nan_is_large[feature]))
            waiting += [take(node, "left"), take(node, "right")]
        else:
            rows.append((0, 0.0, -1, -1, False))
    columns = [np.array(column) for column in zip(*rows, strict=True)]
    leaves = np.array([_read_leaf(each, targets) for each in waiting])
    return Tree(columns[0], columns[1].astype(float), columns[2], columns[3], columns[4].astype(bool), leaves)


def _read_leaf(node: Any, targets: int) -> list[float]:
    if "split" in node:
        return [0.0] * targets
    value = take(node, "value")
    found = real_numbers(value if isinstance(value, list) else [value], "value").tolist()
    require(len(found) == targets, "A leaf has not a value for each sum.")
    return found

"""What CatBoost cannot have written, or sets what is not computed, is refused."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from tests.integration.booster_files import make_text
from tests.unit.models.booster_changes import Change, changed_json, refuse
from workbench.models.boosters import forest
from workbench.models.boosters.catboost_json import keep_what_answers


def oblivious(document: Any) -> Any:
    return document["oblivious_trees"][0]


CATBOOST: dict[str, tuple[str, Change]] = {
    "a feature beyond the end": (
        "feature that does not exist",
        lambda d: oblivious(d)["splits"][0].update(float_feature_index=99),
    ),
    "a feature below zero": (
        "feature that does not exist",
        lambda d: oblivious(d)["splits"][0].update(float_feature_index=-1),
    ),
    "a border that is a text": ("no list of numbers", lambda d: oblivious(d)["splits"][0].update(border="0.5")),
    "a border that is NaN": ("NaN is not allowed", lambda d: oblivious(d)["splits"][0].update(border=math.nan)),
    "leaves that are too few": ("a leaf for each", lambda d: oblivious(d)["leaf_values"].pop()),
    "a tree that is too deep": ("deeper than 16", lambda d: oblivious(d).update(splits=oblivious(d)["splits"] * 9)),
    "a column beyond the limit": (
        "no columns",
        lambda d: d["features_info"]["float_features"][0].update(flat_feature_index=forest.MOST_FEATURES),
    ),
    "missing in an unknown way": (
        "no known way",
        lambda d: d["features_info"]["float_features"][0].update(nan_value_treatment="AsYouLike"),
    ),
    "no scale": ("scale and bias", lambda d: d.update(scale_and_bias=[])),
    "a bias too many": ("does not fit its number", lambda d: d.update(scale_and_bias=[1, [0, 0]])),
    "no trees": ("no trees", lambda d: d.update(oblivious_trees=[])),
    "trees that are none": ("no list", lambda d: d.update(oblivious_trees={})),
}


@pytest.mark.parametrize("case", CATBOOST)
def test_what_catboost_cannot_have_written_is_refused(case):
    said, change = CATBOOST[case]
    assert said in str(refuse("catboost_two_classes", changed_json("catboost_two_classes", change)))


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("categorical features", lambda d: d["features_info"].update(categorical_features=[{}])),
        ("text features", lambda d: d["features_info"].update(text_features=[{}])),
        ("splits of kind 'OnlineCtr'", lambda d: oblivious(d)["splits"][0].update(split_type="OnlineCtr")),
        ("loss_function 'Mystery'", lambda d: d["model_info"]["params"]["loss_function"].update(type="Mystery")),
    ],
)
def test_a_setting_of_catboost_that_is_not_computed_is_named(setting, change):
    assert setting in refuse("catboost_two_classes", changed_json("catboost_two_classes", change)).what


def test_nested_trees_are_read_as_strictly():
    def change(document: Any) -> None:
        document["trees"][0]["left"] = {"value": [1.0, 2.0]}

    assert "a value for each sum" in str(refuse("catboost_lossguide", changed_json("catboost_lossguide", change)))
    deep = {"value": 1.0}
    for _ in range(30):
        split = {"split_type": "FloatFeature", "float_feature_index": 0, "border": 0}
        deep = {"left": {"value": 0.0}, "right": deep, "split": split}
    text = changed_json("catboost_lossguide", lambda d: d.update(trees=[deep]))
    assert make_text("catboost_lossguide", text).booster.forest.depth == 30


def test_what_says_nothing_of_the_answers_is_not_kept_of_catboost():
    params = {"loss_function": {"type": "RMSE"}, "flat_params": {"train_dir": "z"}}
    text = changed_json(
        "catboost_number", lambda d: d["model_info"].update(model_guid="x", train_finish_time="y", params=params)
    )
    kept = json.loads(keep_what_answers(text.encode()))
    assert kept["model_info"] == {"params": {"loss_function": {"type": "RMSE"}}}

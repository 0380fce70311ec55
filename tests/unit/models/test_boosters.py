"""A booster's text is read strictly: what leads out of bounds, leads back, is cut off or is no number is refused, and ends soon."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.integration.booster_files import NAMES, make_text, read_file, rows_beside
from workbench.errors import Refused
from workbench.models.boosters import forest, stand_ins
from workbench.models.boosters.catboost_json import keep_what_answers
from workbench.models.boosters.stand_ins import find_text_faults
from workbench.models.reviewed_types.boosters import find_booster_faults

Change = Callable[[Any], None]


def refuse(name: str, text: str) -> Refused:
    with pytest.raises(Refused) as caught:
        _ = make_text(name, text).booster
    return caught.value


def changed_json(name: str, change: Change) -> str:
    document = json.loads(read_file(name)["text"])
    change(document)
    return json.dumps(document)


# XGBoost


def model_of(document: Any) -> Any:
    return document["learner"]["gradient_booster"]["model"]


def tree_of(document: Any) -> Any:
    return model_of(document)["trees"][0]


XGBOOST: dict[str, tuple[str, Change]] = {
    "a child that is its parent": ("does not exist", lambda d: tree_of(d)["left_children"].__setitem__(0, 0)),
    "a child beyond the end": (
        "does not exist",
        lambda d: tree_of(d)["left_children"].__setitem__(0, len(tree_of(d)["left_children"])),
    ),
    "a child that is negative": ("does not exist", lambda d: tree_of(d)["left_children"].__setitem__(0, -7)),
    "a child that leads back": ("leads back", lambda d: tree_of(d)["left_children"].__setitem__(1, 2)),
    "a child that two share": (
        "leads back",
        lambda d: tree_of(d)["right_children"].__setitem__(0, tree_of(d)["left_children"][0]),
    ),
    "one child only": ("one child only", lambda d: tree_of(d)["left_children"].__setitem__(0, -1)),
    "a child that is a text": ("no list of whole numbers", lambda d: tree_of(d)["left_children"].__setitem__(0, "1")),
    "a child that is true": ("no list of whole numbers", lambda d: tree_of(d)["left_children"].__setitem__(0, True)),
    "a child that no reader can count to": (
        "no list of whole numbers",
        lambda d: tree_of(d)["left_children"].__setitem__(0, 2**53),
    ),
    "a feature beyond the end": (
        "feature that does not exist",
        lambda d: tree_of(d)["split_indices"].__setitem__(0, 3),
    ),
    "a feature below zero": ("feature that does not exist", lambda d: tree_of(d)["split_indices"].__setitem__(0, -1)),
    "a threshold that is a text": (
        "no list of numbers",
        lambda d: tree_of(d)["split_conditions"].__setitem__(0, "1.0"),
    ),
    "a threshold that is too large": ("no finite one", lambda d: tree_of(d)["split_conditions"].__setitem__(-1, 1e300)),
    "a threshold that is NaN": (
        "NaN is not allowed",
        lambda d: tree_of(d)["split_conditions"].__setitem__(0, math.nan),
    ),
    "a leaf that is infinite": ("Infinity is not", lambda d: tree_of(d)["split_conditions"].__setitem__(-1, math.inf)),
    "arrays of other lengths": ("differ in length", lambda d: tree_of(d)["default_left"].append(0)),
    "another number of nodes": ("differ in length", lambda d: tree_of(d)["tree_param"].update(num_nodes="3")),
    "an array that is none": ("no list of whole numbers", lambda d: tree_of(d).update(left_children={"0": 1})),
    "a tree that is none": ("It has no tree_param", lambda d: model_of(d)["trees"].__setitem__(0, [])),
    "trees that are none": ("not as many", lambda d: model_of(d).update(trees="many")),
    "no trees": ("no trees", lambda d: model_of(d).update(trees=[], tree_info=[])),
    "a tree for no sum": ("sum that does not exist", lambda d: model_of(d)["tree_info"].__setitem__(0, 1)),
    "a tree for a sum below": ("sum that does not exist", lambda d: model_of(d)["tree_info"].__setitem__(0, -1)),
    "a feature more than the limit": (
        "the limit is",
        lambda d: d["learner"]["learner_model_param"].update(num_feature=str(forest.MOST_FEATURES + 1)),
    ),
    "features that are no number": (
        "no whole number",
        lambda d: d["learner"]["learner_model_param"].update(num_feature="3.5"),
    ),
    "a class too many": (
        "does not fit its number of classes",
        lambda d: d["learner"]["learner_model_param"].update(num_class="3"),
    ),
    "a base score that is none": ("no number", lambda d: d["learner"]["learner_model_param"].update(base_score="x")),
    "a base score that is one": (
        "no probability",
        lambda d: d["learner"]["learner_model_param"].update(base_score="1E0"),
    ),
    "two base scores": (
        "one for each sum",
        lambda d: d["learner"]["learner_model_param"].update(base_score="[0.5,0.5]"),
    ),
    "no learner": ("It has no learner", lambda d: d.pop("learner")),
    "no objective": ("It has no objective", lambda d: d["learner"].pop("objective")),
    "categories for a number": ("have none", lambda d: tree_of(d)["split_type"].__setitem__(0, 1)),
}


@pytest.mark.parametrize("case", XGBOOST)
def test_what_xgboost_cannot_have_written_is_refused(case):
    said, change = XGBOOST[case]
    assert said in str(refuse("xgboost_two_classes", changed_json("xgboost_two_classes", change)))


def categories_of(document: Any) -> Any:
    return next(tree for tree in model_of(document)["trees"] if tree["categories"])


@pytest.mark.parametrize(
    ("said", "change"),
    [
        (
            "lead out of their list",
            lambda d: categories_of(d)["categories_sizes"].__setitem__(0, len(categories_of(d)["categories"]) + 1),
        ),
        ("lead out of their list", lambda d: categories_of(d)["categories_segments"].__setitem__(0, -1)),
        ("no whole number of 31 bits", lambda d: categories_of(d)["categories"].__setitem__(0, -1)),
        ("no whole number of 31 bits", lambda d: categories_of(d)["categories"].__setitem__(0, 2**31)),
        (
            "have none",
            lambda d: categories_of(d)["categories_nodes"].__setitem__(0, len(categories_of(d)["left_children"])),
        ),
        ("differ in length", lambda d: categories_of(d)["categories_sizes"].append(1)),
    ],
)
def test_categories_that_lead_out_of_their_list_are_refused(said, change):
    assert said in str(refuse("xgboost_categories", changed_json("xgboost_categories", change)))


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ("objective 'binary:hinge'", lambda d: d["learner"]["objective"].update(name="binary:hinge")),
        ("booster 'gblinear'", lambda d: d["learner"]["gradient_booster"].update(name="gblinear")),
        ("several targets", lambda d: d["learner"]["learner_model_param"].update(num_target="2")),
        ("multi_output_tree", lambda d: tree_of(d)["tree_param"].update(size_leaf_vector="3")),
        ("enable_categorical", lambda d: model_of(d).update(cats={"enc": [{"type": 1}]})),
    ],
)
def test_a_setting_of_xgboost_that_is_not_computed_is_named(setting, change):
    refused = refuse("xgboost_two_classes", changed_json("xgboost_two_classes", change))
    assert setting in refused.what
    assert refused.next_step.startswith("Instead: ")


def test_json_that_two_readers_read_differently_is_refused():
    text = read_file("xgboost_two_classes")["text"]
    assert "duplicate key" in str(
        refuse("xgboost_two_classes", text.replace('{"learner":', '{"learner":1,"learner":', 1))
    )


# LightGBM


def replaced(name: str, line: str, value: str) -> str:
    text = read_file(name)["text"]
    start = text.index(f"\n{line}=") + 1
    return text[:start] + f"{line}={value}" + text[text.index("\n", start) :]


LIGHTGBM = {
    "a child beyond the end": ("left_child", "5 -1 -2 -3 -4", "does not exist"),
    "a leaf beyond the end": ("left_child", "-7 -1 -2 -3 -4", "does not exist"),
    "a child that leads back": ("left_child", "1 1 -2 -3 -4", "leads back to itself"),
    "a child that two share": ("left_child", "1 2 2 -3 -4", "leads back"),
    "children that are no numbers": ("left_child", "a b c d e", "no list of whole numbers"),
    "children that are too many": ("left_child", "1 2 3 4 -1 -2", "differ in length"),
    "children that no reader can count to": ("left_child", "9" * 40, "no list of whole numbers"),
    "a threshold that is NaN": ("threshold", "nan 1 1 1 1", "no list of finite numbers"),
    "a threshold that is no number": ("threshold", "1e 1 1 1 1", "no list of numbers"),
    "a threshold with an underscore": ("threshold", "1_0 1 1 1 1", "no list of finite numbers"),
    "a leaf that is infinite": ("leaf_value", "inf 1 1 1 1 1", "no list of finite numbers"),
    "a leaf that becomes infinite": ("leaf_value", "1e999 1 1 1 1 1", "no finite one"),
    "leaves that are too few": ("leaf_value", "1 1", "not as many leaves"),
    "a feature beyond the end": ("split_feature", "3 0 0 0 0", "feature that does not exist"),
    "a feature below zero": ("split_feature", "-1 0 0 0 0", "feature that does not exist"),
    "an unknown way to ask": ("decision_type", "64 8 8 8 8", "not known"),
    "categories that are not there": ("decision_type", "9 8 8 8 8", "It has no cat_boundaries"),
    "a feature more than the limit": ("max_feature_idx", str(forest.MOST_FEATURES), "the limit is"),
    "no sums": ("num_tree_per_iteration", "0", "not one for each sum"),
    "sums of which there are not as many trees": ("num_tree_per_iteration", "99", "not one for each sum"),
    "more classes than sums": ("objective", "multiclass num_class:3", "does not fit its number of classes"),
    "a slope that is none": ("objective", "binary sigmoid:x", "no list of finite numbers"),
}


@pytest.mark.parametrize("case", LIGHTGBM)
def test_what_lightgbm_cannot_have_written_is_refused(case):
    line, value, said = LIGHTGBM[case]
    assert said in str(refuse("lightgbm_two_classes", replaced("lightgbm_two_classes", line, value)))


@pytest.mark.parametrize(
    ("line", "value", "said"),
    [
        ("cat_boundaries", "0 9", "lead out of their list"),
        ("cat_boundaries", "5 1", "lead out of their list"),
        ("cat_threshold", "-1", "lead out of their list"),
        ("cat_threshold", str(2**32), "lead out of their list"),
        ("cat_threshold", "0", "no whole number of 31 bits"),
    ],
)
def test_bits_of_categories_that_lead_out_of_their_list_are_refused(line, value, said):
    assert said in str(refuse("lightgbm_categories", replaced("lightgbm_categories", line, value)))


@pytest.mark.parametrize(
    ("line", "value", "setting"),
    [("is_linear", "1", "linear_tree"), ("objective", "mystery", "objective 'mystery'")],
)
def test_a_setting_of_lightgbm_that_is_not_computed_is_named(line, value, setting):
    assert setting in refuse("lightgbm_two_classes", replaced("lightgbm_two_classes", line, value)).what


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("Tree=1", "Tree=2", "numbered one by one"),
        ("\nnum_leaves=", "\nnum_leaves=6\nnum_leaves=", "twice"),
        ("end of trees", "end", "cut off"),
        ("tree\n", "", "no text of LightGBM"),
    ],
)
def test_lines_that_are_not_in_their_place_are_refused(before, after, said):
    text = read_file("lightgbm_two_classes")["text"].replace(before, after, 1)
    assert said in str(refuse("lightgbm_two_classes", text))


# CatBoost


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


# All of them


@pytest.mark.parametrize("name", ["xgboost_dart", "lightgbm_categories", "catboost_lossguide"])
def test_a_text_that_is_cut_off_is_refused(name):
    text = read_file(name)["text"]
    for end in range(0, len(text) - 20, len(text) // 40):
        refuse(name, text[:end])


@pytest.mark.parametrize(
    "name", ["xgboost_categories", "lightgbm_categories", "catboost_three_classes", "catboost_lossguide"]
)
def test_a_text_with_anything_in_it_is_refused_or_answers_with_numbers(name):
    generator, text = random.Random(20_261), read_file(name)["text"]
    answered = 0
    for _ in range(150):
        at = generator.randrange(len(text))
        piece = generator.choice(["0", "-", "9" * 12, "1e308", "[", '"', "null", " ", "\n", "nan", "e", "é"])
        changed = text[:at] + piece + text[at + generator.randrange(2) :]
        try:
            with np.errstate(all="ignore"):
                found = make_text(name, changed).predict_proba(rows_beside(name)[:5])
        except Refused:
            continue
        except ValueError as exc:  # it takes another number of columns now
            assert "columns" in str(exc)
            continue
        assert found.shape[0] == 5
        answered += 1
    assert answered < 150


def test_limits_hold(monkeypatch):
    monkeypatch.setattr(forest, "MOST_NODES", 10)
    stand_ins.read_booster.cache_clear()
    assert "the limit is 10" in str(refuse("xgboost_number", read_file("xgboost_number")["text"] + " "))
    monkeypatch.setattr(forest, "MOST_NODES", 10**7)
    monkeypatch.setattr(forest, "MOST_DEPTH", 1)
    assert "deeper than 1" in str(refuse("xgboost_number", read_file("xgboost_number")["text"] + "  "))
    monkeypatch.setattr(stand_ins, "LARGEST_TEXT", 10)
    assert "the limit is 10" in str(refuse("xgboost_number", read_file("xgboost_number")["text"] + "   "))


@pytest.mark.parametrize("name", NAMES)
def test_a_text_as_it_was_written_has_no_faults(name):
    assert list(find_booster_faults(make_text(name))) == []


@pytest.mark.parametrize(
    ("said", "attributes"),
    [
        ("extra is not what", {"extra": 1}),
        ("text is not what", {"text": "a text"}),
        ("missing is not what", {"missing": "0"}),
        ("decides is not what", {"decides": 1}),
        ("what wrote it", {"library": "pickle"}),
        ("missing value is no number", {"missing": math.nan}),
        ("another number of features", {"n_features_in_": 99}),
        ("classes_ are not as many", {"classes_": np.array([0, 1, 2])}),
        ("classes_ are not as many", {"classes_": "ab"}),
        ("feature_names_in_ are not as many", {"feature_names_in_": np.array(["a"])}),
        ("cannot be read", {"text": b"{}"}),
    ],
)
def test_what_a_file_may_not_say_of_a_text_is_a_fault(said, attributes):
    text = make_text("xgboost_two_classes")
    vars(text).update(attributes)
    assert any(said in fault for fault in find_text_faults(text))


def test_a_text_without_its_facts_is_a_fault():
    for name in ("library", "text", "missing", "decides", "classes_", "n_features_in_"):
        text = make_text("xgboost_two_classes")
        del vars(text)[name]
        assert list(find_text_faults(text)), name


def test_labels_beside_a_regressor_are_a_fault():
    text = make_text("xgboost_number")
    text.classes_ = np.array([0, 1])
    assert list(find_text_faults(text))

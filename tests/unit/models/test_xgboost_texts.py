"""What XGBoost cannot have written, or sets what is not computed, is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.integration.booster_files import read_file
from tests.unit.models.booster_changes import Change, changed_json, refuse
from workbench.models.boosters import forest


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

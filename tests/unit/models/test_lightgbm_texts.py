"""What LightGBM cannot have written, or sets what is not computed, is refused."""

from __future__ import annotations

import pytest

from tests.integration.booster_files import read_file
from tests.unit.models.booster_changes import refuse
from workbench.models.boosters import forest


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

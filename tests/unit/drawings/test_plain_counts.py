"""What came out is said in plain counts."""

from __future__ import annotations

import numpy as np

from workbench.drawings.plain_counts import say_off, say_wrong
from workbench.stats.residuals import describe_residuals


def test_of_two_classes_both_mistakes_are_told_and_from_where_on_it_decides():
    assert say_wrong(["benign", "malignant"], [[105, 2], [3, 61]], 0.5) == (
        "Of 171 rows 5 are named wrong at a threshold of 0.5: 3 of 64 malignant are called benign, "
        "2 of 107 benign are called malignant."
    )


def test_of_several_classes_the_commonest_mistakes_are_told():
    names = ["Adelie", "Chinstrap", "Gentoo"]
    assert say_wrong(names, [[54, 4, 0], [3, 25, 1], [0, 2, 45]]) == (
        "Of 134 rows 10 are named wrong: 4 of 58 Adelie are called Chinstrap, 3 of 29 Chinstrap are called Adelie, "
        "2 of 47 Gentoo are called Chinstrap, and 1 otherwise."
    )


def test_no_mistake_and_one_mistake_are_told_too():
    assert say_wrong(["0", "1"], [[10, 0], [0, 5]], 0.25) == "Of 15 rows none is named wrong at a threshold of 0.25."
    assert say_wrong(["0", "1"], [[10, 0], [1, 4]]) == (
        "Of 15 rows 1 is named wrong: 1 of 5 of class 1 is called 0, 0 of 10 of class 0 are called 1."
    )


def test_numbers_are_off_in_the_unit_of_their_target():
    truth = np.arange(100.0)
    found = describe_residuals(truth, truth + 2)
    assert say_off(found, "price") == (
        "Half of the 100 predictions of price are off by at most 2, nine in ten by at most 2 (in the unit of price). "
        "On average they are 2 too high."
    )
    assert "in the target's unit" in say_off(found)

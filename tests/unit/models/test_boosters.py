"""A booster's text is read strictly: what leads out of bounds, leads back, is cut off or is no number is refused, and ends soon."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

from tests.integration.booster_files import NAMES, make_text, read_file, rows_beside
from tests.unit.models.booster_changes import refuse
from workbench.errors import Refused
from workbench.models.boosters import forest, stand_ins
from workbench.models.boosters.stand_ins import find_text_faults
from workbench.models.reviewed_types.boosters import find_booster_faults


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

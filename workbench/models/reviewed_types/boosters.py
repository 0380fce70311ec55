"""Boosters of other libraries, which stand in a file as the text those libraries write."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.models.boosters.stand_ins import BoostedClassifier, BoostedRegressor, find_text_faults
from workbench.models.reviewed_types.family import OBJECT, Family, named


def find_booster_faults(part: Any) -> Iterator[str]:
    """Yield what is wrong with the text of a booster, and with what is said beside it."""
    if isinstance(part, BoostedClassifier | BoostedRegressor):
        yield from find_text_faults(part)


BOOSTERS = Family(
    "boosters as text",
    reason="They are texts that our own strict reader turns into arrays, and NumPy walks them; no code of their library is there.",
    estimators=(),
    stands_for=named("catboost", "CatBoostClassifier CatBoostRegressor CatBoostRanker")
    + named("lightgbm", "LGBMClassifier LGBMRegressor LGBMRanker")
    + named("xgboost", "XGBClassifier XGBRegressor XGBRanker XGBRFClassifier XGBRFRegressor"),
    parts={OBJECT: named("workbench.models.boosters.stand_ins", "BoostedClassifier BoostedRegressor")},
    checked="every child is reached once, every feature is one of the model's, every number is finite; depth and size are limited",
    find_faults=find_booster_faults,
)

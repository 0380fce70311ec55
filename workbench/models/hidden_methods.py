"""Attributes in place of what scikit-learn relies on: a file could so switch off the checks that stand before native code."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from typing import Any

from workbench.models.model_parts import children_of, parts_of

_FEATURES = "n_features_in_"


def find_hidden_methods(model: Any) -> Iterator[str]:
    """Yield which parts have an attribute in place of a method, hide values, or count features with what is no number."""
    for part in parts_of(model):
        state = getattr(part, "__dict__", {})
        kind: Any = type(part)
        yield from (
            f"{kind.__name__} has an attribute in place of its method {name}." for name in state if _hides(kind, name)
        )
        # A search's results, a dictionary, have some, and nothing is led by them.
        if not isinstance(part, dict) and any(type(each).__name__ == "MaskedArray" for each in children_of(part)):
            yield f"{kind.__name__} hides values behind a mask."
        if _FEATURES in state and not _is_whole(state[_FEATURES]):
            yield f"{kind.__name__} counts its features with what is no whole number."


@cache
def _hides(kind: Any, name: str) -> bool:
    found = inspect.getattr_static(kind, name, None)
    return hasattr(found, "__get__") and not inspect.isdatadescriptor(found)


def _is_whole(value: Any) -> bool:
    import numpy as np

    return isinstance(value, int | np.integer) and not isinstance(value, bool)

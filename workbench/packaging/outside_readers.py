"""Estimators that open files by name: a row of a request would say which file of the server is read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.packaging.tree_bounds import parts_of

_TEXT = "sklearn.feature_extraction.text"


def find_outside_readers(model: Any) -> Iterator[str]:
    """Yield which parts of a scikit-learn model take their input for the name of a file, or for an open one."""
    for part in parts_of(model):
        if type(part).__module__ == _TEXT and getattr(part, "input", "content") != "content":
            yield f"{type(part).__name__} opens the files that rows name (input={part.input!r})."

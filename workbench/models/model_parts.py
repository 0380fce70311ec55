"""What a model is made of: every object inside it, wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def parts_of(model: Any) -> Iterator[Any]:
    """Yield every object inside a model once, through attributes, mappings, sequences, partials and object arrays."""
    yield from (part for part in _walk(model) if not _is_code(part))


def applies_functions(model: Any) -> bool:
    """True if a model holds a function, alone or with some of its arguments, anywhere in it."""
    return any(_is_code(part) and not isinstance(part, type) for part in _walk(model))


def code_of(model: Any) -> Iterator[Any]:
    """Yield the classes and functions that a model is made of: those it holds, and those its parts are of."""
    for part in _walk(model):
        yield part if _is_code(part) else type(part)


def _walk(model: Any) -> Iterator[Any]:
    seen: set[int] = set()
    kept = []  # an array's items may be made for asking; whoever is gone gives its number to another
    waiting = [model]
    while waiting:
        part = waiting.pop()
        if id(part) in seen or isinstance(part, str | bytes | int | float):
            continue
        seen.add(id(part))
        kept.append(part)
        yield part
        waiting += [] if _is_code(part) else children_of(part)


def _is_code(part: Any) -> bool:
    """True for classes and functions, which are everybody's; what a model made of them has no name of its own."""
    return callable(part) and hasattr(part, "__name__")


def children_of(part: Any) -> list[Any]:
    """Return what an object holds; of numbers and texts nothing."""
    if isinstance(part, dict):
        return list(part.values())
    if isinstance(part, list | tuple | set | frozenset):
        return list(part)
    if hasattr(part, "dtype") and hasattr(part, "ravel"):
        return _items_of(part)
    if type(part).__name__ == "partial":
        return [part.func, *part.args, *part.keywords.values()]
    return list(getattr(part, "__dict__", {}).values())


def _items_of(array: Any) -> list[Any]:
    import numpy as np

    # A masked array's own items would be missing where it is masked.
    return list(np.asarray(array).ravel()) if array.dtype == object else []

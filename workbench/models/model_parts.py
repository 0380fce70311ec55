"""What a model is made of: every object inside it, wherever it is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator
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


def find_holder(model: Any, kind: str, own: Collection[str]) -> tuple[str, str] | None:
    """Return the attribute that holds a part of a type (module and name), and the class whose it is, of the modules `own`.

    None where no object of those holds one, in the attribute itself or in lists and mappings there.
    """
    for part in parts_of(model):
        if type(part).__module__ in own:
            for name, value in getattr(part, "__dict__", {}).items():
                if any(_name_type(type(each)) == kind for each in _walk_plain(value)):
                    return name, _name_type(type(part))
    return None


def _walk_plain(value: Any) -> Iterator[Any]:
    """Yield a value and what stands in it, as far as it is a list, a mapping or the like."""
    seen, waiting = set[int](), [value]
    while waiting:
        part = waiting.pop()
        if id(part) not in seen:
            seen.add(id(part))
            yield part
            waiting += children_of(part) if isinstance(part, dict | list | tuple | set | frozenset) else []


def _name_type(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


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

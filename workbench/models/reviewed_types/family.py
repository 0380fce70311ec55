"""A family of reviewed types: their names, the one way each may stand in a file, why they are harmless, what is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# How skops writes a thing down decides what loading does with its name.
OBJECT = "ObjectNode"  # made empty, then given its attributes
FUNCTION = "FunctionNode"  # named, not called
TYPE = "TypeNode"  # a class, named
PARTIAL = "PartialNode"  # a function with some of its arguments
LOSS = "LossNode"  # called with its arguments
TREE = "TreeNode"  # called with its arguments, then given its arrays
TUPLE = "TupleNode"  # called with its items
MAPPING = "DictNode"  # called without arguments, then filled
CALL = "ConstructorFromReduceNode"  # called with its arguments
SPARSE = "SparseMatrixNode"  # read by SciPy
DTYPE = "DTypeNode"  # the dtype of an empty array

Check = Callable[[Any], Iterator[str]]


def _find_nothing(part: Any) -> Iterator[str]:  # noqa: ARG001 - every check has this shape
    yield from ()


@dataclass(frozen=True)
class Family:
    """Types reviewed together.

    `reason` says in one sentence why loading them runs nothing and opens nothing, `checked` what is looked at in their
    arrays before anything is asked; `find_faults` does that for one part of a model and yields sentences. `estimators`
    are what people build with, `parts` what is found inside them, by the way it is written. `stands_for` are estimators of other
    libraries which are never in a file: when they are logged, one of the parts takes their place.
    """

    name: str
    reason: str
    estimators: tuple[str, ...]
    parts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    checked: str = ""
    find_faults: Check = _find_nothing
    stands_for: tuple[str, ...] = ()

    def forms(self) -> Iterator[tuple[str, str]]:
        """Yield every name with the way it may be written."""
        yield from ((name, OBJECT) for name in self.estimators)
        for way, names in self.parts.items():
            yield from ((name, way) for name in names)


def named(module: str, words: str) -> tuple[str, ...]:
    """Return full names from a module and the words that follow it, one by one."""
    return tuple(f"{module}.{word}" for word in words.split())

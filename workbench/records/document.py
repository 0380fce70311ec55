"""Records read back from plain JSON: what stands in a document is what the record's own annotations say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, cast, get_args, get_origin, get_type_hints

Record = TypeVar("Record")
# JSON has one kind of number; true and false are none.
_PLAIN: Mapping[Any, tuple[type, ...]] = {int: (int,), float: (float, int), str: (str,), bool: (bool,)}


def build_record(kind: type[Record], document: Any) -> Record:
    """Return a record from its document; raises ValueError or TypeError when it has other fields or shapes than the record.

    Understands records, enumerations, plain values, tuples of one kind and what may be None; all else is taken as it is.
    """
    hints = _read_hints(cast("Any", kind))
    if not isinstance(document, Mapping) or set(document) != set(hints):
        raise ValueError(f"{kind.__name__} has other fields than expected")
    return kind(**{name: _build(hint, document[name]) for name, hint in hints.items()})


@cache
def _read_hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in fields(kind)}


def _build(hint: Any, value: Any) -> Any:
    if isinstance(hint, UnionType):
        (inner,) = [each for each in get_args(hint) if each is not type(None)] if value is not None else [None]
        return None if value is None else _build(inner, value)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise TypeError(f"a list is expected, not {type(value).__name__}")
        return tuple(_build(get_args(hint)[0], item) for item in value)
    if isinstance(hint, type) and is_dataclass(hint):
        return build_record(hint, value)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if hint in _PLAIN and type(value) not in _PLAIN[hint]:
        raise TypeError(f"{hint.__name__} is expected, not {type(value).__name__}")
    return value

"""What a skops file says it holds, held against the reviewed list before anything is made."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from typing import Any
from zipfile import ZipFile

from workbench.models.reviewed_types import FORMS
from workbench.models.reviewed_types.family import FUNCTION, PARTIAL, SPARSE
from workbench.models.skops_archive import SCHEMA, TABLES

# These make Python's, NumPy's and SciPy's own data; which names they may carry is skops' own short list.
_PLAIN = frozenset(
    {
        "BytearrayNode", "BytesNode", "CachedNode", "DefaultDictNode", "DictNode", "FunctionNode", "JsonNode", "ListNode",
        "MaskedArrayNode", "NdArrayNode", "RandomGeneratorNode", "RandomStateNode", "SetNode", "SliceNode", "TupleNode",
        "TypeNode",
    }
)  # fmt: skip


_NONE: Mapping[str, frozenset[str]] = {}


def judge_names(content: bytes, own: Mapping[str, frozenset[str]] = _NONE) -> tuple[set[str], set[str]]:
    """Return the names in a sound skops file that are on the reviewed list or among `own`, and what stands against the others.

    That is a name which is not on the list, or is written in another way than reviewed: a function on the list may be named
    but not called while loading, and a class may not stand where a function is expected.
    """
    reviewed: set[str] = set()
    objections: set[str] = set()
    for node in _nodes(content):
        name = _name_of(node)
        ways = FORMS.get(name) or own.get(name)
        if ways:
            reviewed.add(name)
        objections.update(_object_to(node, name, ways))
    return reviewed, objections


def names_in(content: bytes) -> set[str]:
    """Return every name that a sound skops file would have loaded, reviewed or not."""
    return {_name_of(node) for node in _nodes(content) if node["__loader__"] != "JsonNode"}


def _name_of(node: Mapping[str, Any]) -> str:
    return f"{node.get('__module__')}.{node.get('__class__')}"


def _object_to(node: Mapping[str, Any], name: str, reviewed: frozenset[str] | None) -> Iterator[str]:
    way = node["__loader__"]
    if way == "JsonNode":  # text that is read as JSON, whatever it is called
        return
    if reviewed is None and way not in _PLAIN:
        yield name
    elif reviewed is not None and way not in reviewed:
        yield f"{name} (as {way})"
    elif way == PARTIAL and not _is_plain_partial(node):
        yield f"{name} (of more than a function)"
    elif way == SPARSE and not str(node.get("file")).endswith(TABLES):
        yield f"{name} (kept in no archive)"


def _nodes(content: bytes) -> Iterator[Mapping[str, Any]]:
    with ZipFile(io.BytesIO(content)) as archive:
        waiting = [json.loads(archive.read(SCHEMA))]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            if isinstance(part.get("__loader__"), str):
                yield part
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def _is_plain_partial(node: Mapping[str, Any]) -> bool:
    content = node.get("content", {})
    return content["func"].get("__loader__") == FUNCTION and content["namespace"].get("content") in ("null", {})

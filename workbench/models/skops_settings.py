"""The settings in a skops file, spelled: what somebody gave each part of a model when it was built; nothing is constructed."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zipfile import ZipFile

from workbench.records.digest import canonical_json, sha256_hex, short

# An object of a model by its class, with what it holds by name.
ModelPart = tuple[str, Mapping[str, Any]]
_MOST_PARTS, _LONGEST, _DEEPEST = 500, 200, 20
_LARGEST_ARRAY, _MOST_VALUES = 64 * 1024, 20
# What is fitted is not looked into, but for the one estimator that answers.
_ANSWERING = ("best_estimator_",)
_BRACKETS = {"ListNode": "[]", "TupleNode": "()", "SetNode": "{}"}
_BY_NAME = ("ObjectNode", "FunctionNode", "TypeNode", "OperatorFuncNode")


def list_parts(schema: Any) -> tuple[list[ModelPart], bool]:
    """Return each object that was built, not what was fitted in it; False where there are more than are looked at."""
    found, waiting = list[ModelPart](), [schema]
    while waiting and len(found) < _MOST_PARTS:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
        elif _is_of(node, "ObjectNode"):
            held = _list_held(node)
            found.append((str(node["__class__"]), held))
            waiting += [each for name, each in reversed([*held.items()]) if _is_setting(name) or name in _ANSWERING]
        elif isinstance(node, Mapping):
            waiting += reversed([each for each in node.values() if isinstance(each, list | Mapping)])
    return found, not waiting


def spell_settings(archive: ZipFile, parts: Sequence[ModelPart]) -> dict[str, str]:
    """Return the settings by the name of their part; of what is long or large the beginning and a digest stand for it."""
    found: dict[str, str] = {}
    seen: dict[str, int] = {}
    for kind, held in parts:
        seen[kind] = seen.get(kind, 0) + 1
        part = kind if seen[kind] == 1 else f"{kind} {seen[kind]}"
        found |= {f"{part}.{name}": _cut(_spell(archive, node)) for name, node in held.items() if _is_setting(name)}
    return found


def _list_held(node: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the attributes of an object; of one that has none, or keeps its state in a way of its own, there are none."""
    state = node.get("content")
    held = state["content"] if isinstance(state, Mapping) and _is_of(state, "DictNode") else None
    return held if isinstance(held, Mapping) else {}


def _is_setting(name: str) -> bool:
    """True for what scikit-learn's convention has the constructor set: what is fitted ends with _, what is private begins so."""
    return not name.startswith("_") and not name.endswith("_")


def _is_of(node: Any, loader: str) -> bool:
    return isinstance(node, Mapping) and node.get("__loader__") == loader


def _spell(archive: ZipFile, node: Any, depth: int = 0) -> str:
    loader = node.get("__loader__") if isinstance(node, Mapping) else None
    if loader is None or depth > _DEEPEST:
        return "not told"
    if loader == "JsonNode":
        return str(node["content"])
    if loader in _BRACKETS:
        return _BRACKETS[loader][0] + ", ".join(_spell_items(archive, node, depth)) + _BRACKETS[loader][1]
    if loader == "DictNode":
        return "{" + ", ".join(_spell_pairs(archive, node["content"], depth)) + "}"
    if loader == "NdArrayNode":
        return _spell_array(archive, node)
    if loader in _BY_NAME:
        return str(node["__class__"])
    return f"{node['__class__']} (sha256 {short(_digest(archive, node))})"


def _spell_items(archive: ZipFile, node: Mapping[str, Any], depth: int) -> list[str]:
    texts = [_spell(archive, each, depth + 1) for each in node["content"]]
    return sorted(texts) if node["__loader__"] == "SetNode" else texts


def _spell_pairs(archive: ZipFile, held: Mapping[str, Any], depth: int) -> Iterator[str]:
    yield from (f"{name}: {_spell(archive, each, depth + 1)}" for name, each in held.items())


def _spell_array(archive: ZipFile, node: Mapping[str, Any]) -> str:
    """Return the values of a number or a short list of an array's own kind; of a longer one a digest."""
    import numpy as np

    if node.get("type") == "numpy" and archive.getinfo(node["file"]).file_size <= _LARGEST_ARRAY:
        values = np.load(io.BytesIO(archive.read(node["file"])), allow_pickle=False)
        if values.size <= _MOST_VALUES:
            return str(values.tolist())
    return f"array (sha256 {short(_digest(archive, node))})"


def _digest(archive: ZipFile, node: Any) -> str:
    return sha256_hex(canonical_json(_tell_apart(archive, node)))


def _tell_apart(archive: ZipFile, node: Any) -> Any:
    """Return what tells a node from others: files by their checksums, without the numbers of objects, which others give."""
    if isinstance(node, list):
        return [_tell_apart(archive, each) for each in node]
    if not isinstance(node, Mapping):
        return node
    told = {name: _tell_apart(archive, each) for name, each in node.items() if name not in ("__id__", "file")}
    if not isinstance(node.get("file"), str):
        return told
    info = archive.getinfo(node["file"])
    return {**told, "file": [info.CRC, info.file_size]}


def _cut(text: str) -> str:
    """Return a text that others of the same beginning differ from."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… (sha256 {short(sha256_hex(text.encode()))})"

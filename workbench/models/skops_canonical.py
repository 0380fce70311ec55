"""The one spelling of a skops file: the same model has the same bytes in whatever process and on whatever day it is written.

skops names objects by their address in memory, bytes by a random number, writes sets in the order of this process and dates its
members. None of that is the model's; here it is replaced by the order in which things appear.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from workbench.errors import UsageError
from workbench.models.skops_archive import SCHEMA
from workbench.records.closeness import find_text_difference
from workbench.records.digest import canonical_json, sha256_hex

# scikit-learn keeps this address to warn only once; none is 0, so the loaded model looks for itself.
_ADDRESSES = ("_stop_words_id",)
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_UNIX, _PLAIN_FILE = 3, 0o600 << 16


def write_model(model: Any) -> bytes:
    """Return the skops file of a model in its one spelling; raises UsageError for what skops cannot write."""
    import skops.io
    from skops.io.exceptions import UnsupportedTypeException

    try:
        return to_canonical(skops.io.dumps(model))
    except UnsupportedTypeException as exc:
        raise UsageError(
            "The model cannot be served, and was not logged.",
            why=" ".join(str(exc).split()),
            next_step="Build it from what `workbench models` lists.",
        ) from exc


def to_canonical(content: bytes) -> bytes:
    """Return a file that skops wrote in its one spelling; it loads to the same objects, shared in the same places."""
    with ZipFile(io.BytesIO(content)) as source:
        members = {info.filename: source.read(info) for info in source.infolist()}
        compression = {info.filename: info.compress_type for info in source.infolist()}
    schema = json.loads(members.pop(SCHEMA))
    _sort_sets(schema, members)
    spelling = _Spelling()
    schema = spelling.respell(schema)
    target = io.BytesIO()
    with ZipFile(target, "w") as archive:
        for before, name in spelling.names.items():
            archive.writestr(_describe_member(name, compression[before]), members[before])
        text = json.dumps(schema, ensure_ascii=False, separators=(",", ":"))
        archive.writestr(_describe_member(SCHEMA, compression[SCHEMA]), text.encode(errors="surrogatepass"))
    return target.getvalue()


def _describe_member(name: str, compression: int = ZIP_STORED) -> ZipInfo:
    info = ZipInfo(name, _EARLIEST)
    info.compress_type, info.create_system, info.external_attr = compression, _UNIX, _PLAIN_FILE
    return info


class _Spelling:
    """The new numbers of objects and names of members, given in the order of appearance."""

    def __init__(self) -> None:
        self._numbers: dict[Any, int] = {}
        self.names: dict[str, str] = {}

    def respell(self, value: Any) -> Any:
        """Return a part of the schema with numbers and names of its own."""
        if isinstance(value, list):
            return [self.respell(item) for item in value]
        if not isinstance(value, dict):
            return value
        node = self._respell_node(value) if _is_node(value) else value
        return {key: self.respell(_without_address(key, item)) for key, item in node.items()}

    def _respell_node(self, node: Mapping[str, Any]) -> dict[str, Any]:
        found = dict(node)
        if isinstance(node.get("__id__"), int):
            found["__id__"] = self._numbers.setdefault(_identity(node), len(self._numbers) + 1)
        if isinstance(node.get("file"), str):
            name = f"{len(self.names) + 1}{PurePosixPath(node['file']).suffix}"
            found["file"] = self.names.setdefault(node["file"], name)
        return found


def _is_node(value: Mapping[str, Any]) -> bool:
    """True for what skops wrote about an object; a dictionary's own keys never hold plain text there."""
    return isinstance(value.get("__loader__"), str)


def _without_address(key: str, item: Any) -> Any:
    is_address = key in _ADDRESSES and isinstance(item, dict) and item.get("__loader__") == "JsonNode"
    return {**item, "content": "0"} if is_address else item


def _identity(node: Mapping[str, Any]) -> Any:
    # Whether two equal numbers or texts are one object is the interpreter's affair.
    return ("json", node["content"]) if node["__loader__"] == "JsonNode" else node["__id__"]


# Sets, whose order is another one in every process


def _sort_sets(value: Any, members: Mapping[str, bytes]) -> None:
    """Sort the items of every set by what they hold, the innermost first."""
    for item in _inner(value):
        _sort_sets(item, members)
    if isinstance(value, dict) and _is_node(value):
        _set_items(value).sort(key=lambda item: canonical_json(_content_of(item, members)))


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _set_items(node: Mapping[str, Any]) -> list[Any]:
    if node["__loader__"] == "SetNode":
        return node["content"]
    if (node.get("__module__"), node.get("__class__")) == ("builtins", "frozenset"):
        return node["content"]["content"][0]["content"]
    return []


def _content_of(value: Any, members: Mapping[str, bytes]) -> Any:
    """Return a part of the schema without numbers and names."""
    if isinstance(value, list):
        return [_content_of(item, members) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _content_of(item, members) for key, item in value.items()}
    if _is_node(value):
        kept.pop("__id__", None)
        if isinstance(value.get("file"), str):
            kept["file"] = sha256_hex(members[value["file"]])
    return kept


# How far two models are from each other


def find_model_difference(ours: bytes, theirs: bytes) -> float | None:
    """Return the largest relative difference between the numbers of two canonical files; None when more than numbers differs."""
    first, second = _read_members(ours), _read_members(theirs)
    if first is None or second is None or list(first) != list(second):
        return None
    found = [0.0]
    for name in first:
        difference = _find_member_difference(name, first[name], second[name])
        if difference is None:
            return None
        found.append(difference)
    return max(found)


def _read_members(content: bytes) -> dict[str, bytes] | None:
    try:
        with ZipFile(io.BytesIO(content)) as source:
            return {name: source.read(name) for name in source.namelist()}
    except Exception:  # whatever a file that is none says, it cannot be compared
        return None


def _find_member_difference(name: str, ours: bytes, theirs: bytes) -> float | None:
    if ours == theirs:
        return 0.0
    if name == SCHEMA:
        return find_text_difference(ours.decode(errors="replace"), theirs.decode(errors="replace"))
    if not name.endswith(".npy"):
        return None
    pairs = list(_pair_columns(ours, theirs))
    differences = [_find_array_difference(*pair) for pair in pairs]
    known = [difference for difference in differences if difference is not None]
    return max(known) if pairs and len(known) == len(pairs) else None


def _pair_columns(ours: bytes, theirs: bytes) -> Iterator[tuple[Any, Any]]:
    """Yield the arrays of two members, column by column where they are tables; nothing when they are built differently."""
    import numpy as np

    first, second = (np.load(io.BytesIO(content), allow_pickle=False) for content in (ours, theirs))
    if (first.dtype, first.shape) != (second.dtype, second.shape):
        return
    for column in first.dtype.names or [...]:
        yield first[column], second[column]


def _find_array_difference(ours: Any, theirs: Any) -> float | None:
    import numpy as np

    if ours.dtype.kind not in "fc":
        return 0.0 if np.array_equal(ours, theirs) else None
    if not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
        return None
    finite = np.isfinite(ours)
    if not np.array_equal(ours[~finite], theirs[~finite], equal_nan=True):
        return None
    gap, size = np.abs(ours - theirs)[finite], np.maximum(np.abs(ours), np.abs(theirs))[finite]
    return float(np.max(gap[gap > 0] / size[gap > 0], initial=0.0))

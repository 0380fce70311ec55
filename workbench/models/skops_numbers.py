"""What a skops file says of its model in numbers: settings and coefficients, read from the archive; nothing is constructed."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from zipfile import ZipFile

from workbench.models.skops_archive import SCHEMA

_LARGEST_SCHEMA, _LARGEST_NUMBERS, _MOST_NUMBERS, _MOST_OBJECTS = 8 * 1024**2, 8 * 1024**2, 20_000, 500
_COEFFICIENTS, _INTERCEPT = "coef_", "intercept_"
# What is fitted is not looked into, but for the one estimator that answers.
_ANSWERING = ("best_estimator_",)
# These hand on each column in its place: a coefficient is then that of the column.
_IN_PLACE = frozenset(
    {
        "Pipeline",
        "StandardScaler",
        "MinMaxScaler",
        "MaxAbsScaler",
        "RobustScaler",
        "PowerTransformer",
        "QuantileTransformer",
    }
)


def read_model_numbers(content: bytes, columns: Sequence[str]) -> tuple[dict[str, str], dict[str, list[float]] | None]:
    """Return the settings of a model's parts, each spelled as JSON, and its coefficients by name; None where it has no such.

    A coefficient is called like its column (of several classes each has one for each class) where the parts before keep the
    columns in their places, else by its number. Whatever is no such archive, or a large one, has neither.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            schema = json.loads(_read_member(archive, SCHEMA, _LARGEST_SCHEMA))
            parts = [*_list_parts(schema)]
            return _list_settings(parts), _read_coefficients(archive, parts, columns)
    except Exception:  # whatever a file that is none says, it tells no numbers
        return {}, None


def _read_member(archive: ZipFile, name: str, largest: int) -> bytes:
    if archive.getinfo(name).file_size > largest:
        raise ValueError(f"{name} is too large")
    return archive.read(name)


def _list_parts(schema: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the class and the attributes of each object that was built, not of what was fitted in it."""
    waiting, count = [schema], 0
    while waiting and count < _MOST_OBJECTS:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += reversed(node)
        elif isinstance(node, Mapping) and node.get("__loader__") == "ObjectNode":
            held = node["content"]["content"] if isinstance(node.get("content"), Mapping) else {}
            yield str(node["__class__"]), held
            waiting += [
                each for name, each in reversed([*held.items()]) if not name.endswith("_") or name in _ANSWERING
            ]
            count += 1
        elif isinstance(node, Mapping):
            waiting += reversed([each for each in node.values() if isinstance(each, list | Mapping)])


def _list_settings(parts: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, str]:
    found: dict[str, str] = {}
    seen: dict[str, int] = {}
    for kind, held in parts:
        seen[kind] = seen.get(kind, 0) + 1
        name = kind if seen[kind] == 1 else f"{kind} {seen[kind]}"
        told = {key: node for key, node in held.items() if not key.startswith("_") and not key.endswith("_")}
        found |= {f"{name}.{key}": str(node["content"])[:200] for key, node in told.items() if _is_plain(node)}
    return found


def _is_plain(node: Any) -> bool:
    return isinstance(node, Mapping) and node.get("__loader__") == "JsonNode"


def _read_coefficients(
    archive: ZipFile, parts: Sequence[tuple[str, Mapping[str, Any]]], columns: Sequence[str]
) -> dict[str, list[float]] | None:
    holding = [(kind, held) for kind, held in parts if _COEFFICIENTS in held]
    if len(holding) != 1:
        return None
    kind, held = holding[0]
    values = _read_array(archive, held[_COEFFICIENTS])
    rows = values.reshape(-1, values.shape[-1])
    is_in_place = {each for each, _ in parts} - {kind} <= _IN_PLACE and rows.shape[1] == len(columns)
    names = columns if is_in_place else [f"coefficient {number}" for number in range(1, rows.shape[1] + 1)]
    found = {name: rows[:, place].tolist() for place, name in enumerate(names)}
    is_kept = isinstance(held.get(_INTERCEPT), Mapping) and held[_INTERCEPT].get("type") == "numpy"
    return {**found, "intercept": _read_array(archive, held[_INTERCEPT]).ravel().tolist()} if is_kept else found


def _read_array(archive: ZipFile, node: Mapping[str, Any]) -> Any:
    """Return an array of numbers, at least one-dimensional; raises ValueError for any other, and for very many."""
    import numpy as np

    array = np.atleast_1d(
        np.load(io.BytesIO(_read_member(archive, node["file"], _LARGEST_NUMBERS)), allow_pickle=False)
    )
    if array.dtype.kind not in "fiu" or array.size > _MOST_NUMBERS:
        raise ValueError("no coefficients")
    return array.astype(float)

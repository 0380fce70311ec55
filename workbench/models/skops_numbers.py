"""What a skops file says of its model in numbers: settings and coefficients, read from the archive; nothing is constructed."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zipfile import ZipFile

from workbench.models.skops_archive import SCHEMA
from workbench.models.skops_settings import ModelPart, list_parts, spell_settings

_LARGEST_SCHEMA, _LARGEST_NUMBERS, _MOST_NUMBERS = 32 * 1024**2, 8 * 1024**2, 20_000
_COEFFICIENTS, _INTERCEPT = "coef_", "intercept_"
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


@dataclass(frozen=True)
class ModelNumbers:
    """The settings of a model's parts, each as text, and its coefficients by name; None where it has no such.

    `untold` says why not all settings, or coefficients, can be told; empty where they can.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    coefficients: Mapping[str, list[float]] | None = None
    untold: str = ""


def read_model_numbers(content: bytes, columns: Sequence[str]) -> ModelNumbers:
    """Return what the file of a model says of it; whatever is no such archive, or a very large one, says nothing, and why.

    A coefficient is called like its column (of several classes each has one for each class) where the parts before keep the
    columns in their places, else by its number.
    """
    try:
        with ZipFile(io.BytesIO(content)) as archive:
            schema = json.loads(_read_member(archive, SCHEMA, _LARGEST_SCHEMA))
            parts, are_all = list_parts(schema)
            settings = spell_settings(archive, parts)
            untold = "" if are_all else f"The settings of its first {len(parts):,} parts are told alone."
            return _add_coefficients(ModelNumbers(settings, None, untold), archive, parts, columns)
    except _TooLarge as exc:
        return ModelNumbers(untold=f"Its settings are not read: {exc}.")
    except Exception:  # whatever a file that is none says, it tells no numbers
        return ModelNumbers(untold="Its settings cannot be read: its file is not as skops writes it.")


def _add_coefficients(
    told: ModelNumbers, archive: ZipFile, parts: Sequence[ModelPart], columns: Sequence[str]
) -> ModelNumbers:
    """Return the same with the coefficients; an odd or a large one takes no setting away."""
    try:
        return replace(told, coefficients=_read_coefficients(archive, parts, columns))
    except Exception as exc:  # as above
        why = f"they are too many: {exc}" if isinstance(exc, _TooLarge) else "they are no plain numbers"
        return replace(told, untold=" ".join(filter(None, [told.untold, f"Its coefficients are not read: {why}."])))


class _TooLarge(ValueError):
    """More than is read."""


def _read_member(archive: ZipFile, name: str, largest: int) -> bytes:
    size = archive.getinfo(name).file_size
    if size > largest:
        raise _TooLarge(f"{name} has {size:,} bytes; up to {largest:,} are read")
    return archive.read(name)


def _read_coefficients(
    archive: ZipFile, parts: Sequence[ModelPart], columns: Sequence[str]
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
    if array.dtype.kind not in "fiu":
        raise ValueError("no coefficients")
    if array.size > _MOST_NUMBERS:
        raise _TooLarge(f"{array.size:,}; up to {_MOST_NUMBERS:,} are read")
    return array.astype(float)

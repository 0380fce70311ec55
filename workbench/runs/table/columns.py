"""Columns of runs as they are kept: Arrow arrays by name, how far they were read, and what else could be read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ("metrics", "params", "tags")
# What a run itself is described by; times are ISO 8601 texts in UTC.
OWN = (
    *("id", "name", "note", "notebook", "experiment", "state", "author", "sweep", "holdout", "error", "replay_of"),
    *("scored_rows", "created", "started", "ended", "attempt", "archived"),
)


@dataclass(frozen=True)
class Columns:
    """Rows of runs, newest first: `run.` columns are always there, those of metrics, parameters and tags as far as anybody asked.

    `arrays` are 64-bit floats for metrics and whole numbers for `run.attempt`, texts for all else; null is where a run has
    none. `mark` is the source's own note of how far it read; `names` has every name of metrics, params and tags that could be
    asked for; `spelling` says how parameters are spelled (json, or plain as MLflow has them).
    """

    arrays: Mapping[str, pa.Array]
    mark: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, Sequence[str]] = field(default_factory=dict)
    spelling: str = "json"

    def __len__(self) -> int:
        return len(self.arrays["run.id"])

    def is_same(self, other: Columns) -> bool:
        """True where other columns say the same."""
        return (
            (self.mark, self.names, self.spelling) == (other.mark, other.names, other.spelling)
            and self.arrays.keys() == other.arrays.keys()
            and all(_bits(array).equals(_bits(other.arrays[name])) for name, array in self.arrays.items())
        )

    @property
    def asked(self) -> list[str]:
        """The columns of metrics, parameters and tags that are there."""
        return [name for name in self.arrays if not name.startswith("run.")]


def _bits(array: pa.Array) -> pa.Array:
    """Return a column as it can be compared: what is no number is equal to nothing, its bits are."""
    import pyarrow as pa

    return array.view(pa.int64()) if array.type == pa.float64() else array


class ColumnSource(Protocol):
    """A store of runs that columns are read from."""

    @property
    def place(self) -> str:
        """What tells this store from every other one; empty where nothing of it is to be kept."""
        ...

    def refresh(self, kept: Columns | None, asked: Sequence[str]) -> Columns:
        """Return the columns asked for, and those kept, as the store has them now: `kept` itself where nothing changed."""
        ...


def split_names(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of columns by what they are of: metrics, params, tags."""
    pairs = [name.partition(".")[::2] for name in names]
    return {of: [key for kind, key in pairs if kind == of] for of in KINDS}


def build_array(name: str, values: Sequence[Any]) -> pa.Array:
    """Return values as the array of a column."""
    import pyarrow as pa

    # `pa.array` would import pandas, which takes longer than all else here, and fifty megabytes.
    if type_of(name) == pa.string():
        texts = pa.lib.StringBuilder()
        texts.append_values(values)
        return texts.finish()
    return _build_numbers(values, type_of(name))


def _build_numbers(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    import numpy as np
    import pyarrow as pa

    there = np.array([value is not None for value in values], dtype=bool)
    numbers = np.array(
        [0 if value is None else value for value in values], dtype=str(kind).replace("double", "float64")
    )
    buffers = [pa.py_buffer(np.packbits(there, bitorder="little").tobytes()), pa.py_buffer(numbers.tobytes())]
    return pa.Array.from_buffers(kind, len(values), buffers)


def type_of(name: str) -> pa.DataType:
    """Return the Arrow type of a column."""
    import pyarrow as pa

    if name.startswith("metrics."):
        return pa.float64()
    return pa.int64() if name in ("run.attempt", "run.changed") else pa.string()


def build_columns(rows: Mapping[str, Sequence[Any]]) -> dict[str, pa.Array]:
    """Return columns of values as arrays."""
    return {name: build_array(name, values) for name, values in rows.items()}


def join_columns(parts: Sequence[Mapping[str, pa.Array]]) -> dict[str, pa.Array]:
    """Return the rows of several parts, which have the same columns, one after the other."""
    import pyarrow as pa

    return {name: pa.concat_arrays([part[name] for part in parts]) for name in parts[0]}


def patch_array(array: pa.Array, places: Sequence[int], values: pa.Array) -> pa.Array:
    """Return an array with other values at some places, each named once and in rising order."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if not len(places):
        return array
    mask = np.zeros(len(array), dtype=bool)
    mask[list(places)] = True
    return pc.replace_with_mask(array, pa.array(mask), values)


def replace_rows(
    kept: Mapping[str, pa.Array], fresh: Mapping[str, pa.Array], gone: Iterable[str]
) -> dict[str, pa.Array]:
    """Return rows with fresh ones in the place of those of their ids, without those that are gone, the newest first."""
    import pyarrow as pa
    import pyarrow.compute as pc

    out = pa.concat_arrays([fresh["run.id"], pa.array(list(gone), pa.string())])
    stays = pc.invert(pc.is_in(kept["run.id"], value_set=out))
    joined = {name: pa.concat_arrays([kept[name].filter(stays), array]) for name, array in fresh.items()}
    order = pc.sort_indices(
        pa.table({name: joined[name] for name in ("run.created", "run.id")}),
        sort_keys=[("run.created", "descending"), ("run.id", "ascending")],
    )
    return {name: array.take(order) for name, array in joined.items()}

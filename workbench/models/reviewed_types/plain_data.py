"""Data of Python, NumPy and SciPy that any model may hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workbench.models.reviewed_types.family import CALL, DTYPE, SPARSE, Family, named

# Where each of NumPy's generators keeps its place in a block of numbers, and how many such a block has.
_PLACES = {"MT19937": ("state", "pos", 624), "Philox": (None, "buffer_pos", 4)}


def find_plain_faults(part: Any) -> Iterator[str]:
    """Yield what is wrong with sparse matrices and random generators: native code follows their indices."""
    kind = type(part).__name__
    if kind in ("RandomState", "Generator"):
        yield from _find_place_faults(part)
    elif hasattr(part, "check_format"):
        try:
            part.check_format(full_check=True)
        except ValueError:
            yield "A sparse matrix has indices that do not exist."


def _find_place_faults(generator: Any) -> Iterator[str]:
    bits = getattr(generator, "bit_generator", None) or generator._bit_generator
    within, name, most = _PLACES.get(type(bits).__name__, (None, "", 0))
    if name:
        place = (bits.state[within] if within else bits.state)[name]
        if not 0 <= place <= most:
            yield "A random generator stands at a place that does not exist."


PLAIN_DATA = Family(
    "plain data",
    reason="They hold values and call nothing.",
    estimators=(),
    parts={
        DTYPE: ("numpy.dtype",),
        CALL: ("builtins.frozenset",),
        SPARSE: named("scipy.sparse", "_csc.csc_array _csc.csc_matrix _csr.csr_array _csr.csr_matrix"),
    },
    checked="indices of sparse matrices exist; random generators stand at a place that exists",
    find_faults=find_plain_faults,
)

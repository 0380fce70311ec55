"""Loading `.skops` models: only types on our own reviewed list, only from bytes, only within bounds, only without files."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from workbench.errors import Refused
from workbench.packaging.outside_readers import find_outside_readers
from workbench.packaging.skops_archive import find_archive_faults
from workbench.packaging.tree_bounds import find_tree_faults

# What skops does not trust by itself and we do. The first two are trees, whose node arrays scikit-learn follows without
# looking: they are trusted because `find_tree_faults` looks. This list is policy; no model's files can widen it.
TRUSTED_TYPES = frozenset(
    {
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
    }
)


def find_untrusted_types(content: bytes) -> tuple[str, ...]:
    """Return the types in a skops file that are not on the reviewed list, sorted; nothing is constructed.

    Raises Refused when the bytes are not a sound skops file.
    """
    import skops.io

    _require_sound_archive(content)
    try:
        found = skops.io.get_untrusted_types(data=content)
    except Exception as exc:
        raise _unreadable(exc) from exc
    return tuple(sorted(set(found) - TRUSTED_TYPES))


def load_model(content: bytes) -> Any:
    """Return the model in these bytes, the very ones whose digest was taken.

    Raises Refused, naming the types that are not trusted or what is wrong with the file.
    """
    import skops.io

    untrusted = find_untrusted_types(content)
    if untrusted:
        raise Refused(
            "The model holds types that are not trusted.",
            why=untrusted,
            next_step="Build the model from scikit-learn's own estimators.",
        )
    try:
        model = skops.io.loads(content, trusted=sorted(TRUSTED_TYPES))
    except Exception as exc:
        raise _unreadable(exc) from exc
    faults = sorted(set(find_tree_faults(model)))
    if faults:
        raise Refused("The model's trees lead out of bounds.", why=faults)
    readers = sorted(set(find_outside_readers(model)))
    if readers:
        raise Refused("The model reads files.", why=readers, next_step='Use input="content", and give it the texts.')
    return model


def _unreadable(exc: Exception) -> Refused:
    return Refused("The model cannot be read.", why=f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}")


def _require_sound_archive(content: bytes) -> None:
    """Raise Refused unless the archive is one skops could have written."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            problems = find_archive_faults(archive)
    # zipfile and its decompressors raise whatever they met in a file that is none.
    except Exception as exc:
        raise _unreadable(exc) from exc
    if problems:
        raise Refused("The model's archive is not sound.", why=problems)

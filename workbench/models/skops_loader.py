"""Loading `.skops` models: only reviewed types and approved own code, only from bytes, only within bounds, only without files."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from workbench.errors import Refused
from workbench.models.advice import advise_on
from workbench.models.hidden_methods import find_hidden_methods
from workbench.models.outside_effects import find_outside_effects, quieten
from workbench.models.own_modules import OwnModules, import_modules
from workbench.models.reviewed_types import find_bounds_faults
from workbench.models.skops_archive import find_archive_faults
from workbench.models.skops_schema import judge_names

_NOTHING = OwnModules()


def find_untrusted_types(content: bytes, own: OwnModules = _NOTHING) -> tuple[str, ...]:
    """Return the types in a skops file that are neither on the reviewed list nor `own`, sorted; nothing is constructed.

    Raises Refused when the bytes are not a sound skops file.
    """
    return _judge_types(content, own)[1]


def load_model(content: bytes, own: OwnModules = _NOTHING) -> Any:
    """Return the model in these bytes, the very ones whose digest was taken; it works alone and prints nothing.

    Of `own` modules, which are imported, it may hold the names they list.

    Raises Refused, naming the types that are not trusted or what is wrong with the file.
    """
    import skops.io

    trusted, untrusted = _judge_types(content, own)
    if untrusted:
        raise Refused("The model holds types that are not trusted.", why=untrusted, next_step=advise_on(untrusted))
    import_modules(own)
    try:
        model = skops.io.loads(content, trusted=trusted)
    except Exception as exc:
        raise _unreadable(exc) from exc
    _require_harmless(model)
    quieten(model)
    return model


def _judge_types(content: bytes, own: OwnModules) -> tuple[list[str], tuple[str, ...]]:
    """Return the reviewed types in a file and those that are not, both sorted; raises Refused for one that is not sound."""
    import skops.io

    _require_sound_archive(content)
    try:
        reviewed, objections = judge_names(content, own.forms)
        untrusted = objections | ({*skops.io.get_untrusted_types(data=content)} - reviewed)
    except Exception as exc:
        raise _unreadable(exc) from exc
    return sorted(reviewed), tuple(sorted(untrusted))


def list_types_to_trust(content: bytes) -> list[str]:
    """Return the reviewed types in a skops file, sorted, for tools that ask to be told; none when the file is not sound."""
    try:
        _require_sound_archive(content)
    except Refused:
        return []
    return sorted(judge_names(content)[0])


def _require_harmless(model: Any) -> None:
    """Raise Refused when a model's own attributes would lead it out of bounds or out of its process."""
    # What is looked at second relies on what scikit-learn checks by itself, and the first finds what would switch that off.
    for what, find in (
        ("The model is not what it says.", find_hidden_methods),
        ("The model's arrays lead out of bounds.", find_bounds_faults),
        ("The model reaches out of its process.", find_outside_effects),
    ):
        try:
            faults = sorted({*find(model)})
        # What is no model of its type breaks in any way when it is looked at.
        except Exception as exc:
            raise _unreadable(exc) from exc
        if faults:
            raise Refused(what, why=faults)


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

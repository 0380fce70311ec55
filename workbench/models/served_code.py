"""What the bundle of a model holds besides it: the code that serves it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def stage_bundle(model_files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what a manifest covers: the serving code as `workbench/**` and the model as `release/model/**`.

    The code is this installed package's own sources; templates and bytecode are not served.
    """
    sources = {
        path.relative_to(_PACKAGE.parent).as_posix(): path.read_bytes()
        for path in sorted(_PACKAGE.rglob("*.py"))
        if path.relative_to(_PACKAGE).parts[0] != "templates"
    }
    return {**sources, **{f"release/model/{name}": content for name, content in model_files.items()}}

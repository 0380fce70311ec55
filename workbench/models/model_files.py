"""Which files a model may consist of: judged by name and first bytes, before anything parses them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.models.own_modules import find_module_faults
from workbench.records.digest import strict_json

SKOPS_FILE = "model.skops"
ONNX_FILE = "model.onnx"
CONTRACT_FILE = "contract.json"


def find_formats(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the file formats present, by suffix without the dot, sorted; a file without one counts as "none"."""
    return tuple(sorted({_suffix(name) or "none" for name in files}))


def find_refused_files(files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return one reason for each file that no model may have, sorted; empty when all may stay.

    Allowed are `.skops`, `.onnx` and `.json` directly in the folder, whose content begins as their name says, and the `.py` of own
    modules that are listed with their digests. A list of what is allowed, not of what is dangerous: pickles come under any name.
    """
    faults = [f"{name}: {fault}" for name, content in files.items() if (fault := _find_fault(name, content))]
    return tuple(sorted([*faults, *find_module_faults(files)]))


def _find_fault(name: str, content: bytes) -> str | None:
    if "/" in name:
        return "a model has no folders."
    looks_right = _FORMATS.get(_suffix(name))
    if looks_right is None:
        return f"only {', '.join('.' + suffix for suffix in sorted(_FORMATS))} files are allowed."
    return None if looks_right(content) else f"its content is not {_suffix(name)}."


def _suffix(name: str) -> str:
    return name.rpartition("/")[2].rpartition(".")[2] if "." in name.rpartition("/")[2] else ""


def _is_zip(content: bytes) -> bool:
    return content.startswith(b"PK\x03\x04")


def _is_onnx(content: bytes) -> bool:
    # An ONNX ModelProto begins with field 1 (ir_version, a small varint).
    return len(content) > 2 and content[0] == 0x08 and content[1] < 0x80


def _is_json(content: bytes) -> bool:
    try:
        strict_json(content)
    except ValueError:
        return False
    return True


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


_FORMATS: Mapping[str, Callable[[bytes], bool]] = {"skops": _is_zip, "onnx": _is_onnx, "json": _is_json, "py": _is_text}

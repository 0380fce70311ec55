"""Own code: which source may be recorded with a model, so that whoever approves it reads all that runs and nothing else."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workbench.records.digest import sha256_hex

Kind = Literal["class", "function"]
MAIN = "__main__"
# What a review shows in full, line by line; what is longer nobody would read there.
MOST_LINES, WIDEST_LINE = 1_000, 400
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}(\.[A-Za-z][A-Za-z0-9_]{0,63}){0,7}")
_PACKAGE = ".__init__"
_SUFFIX = ".py"


@dataclass(frozen=True)
class OwnModule:
    """An own module: its source as Python reads it, and the names in it that a model's file may use.

    `is_package` is true for the `__init__.py` of a package.
    """

    name: str
    source: bytes
    names: tuple[str, ...]
    is_package: bool = False

    @property
    def digest(self) -> str:
        """The sha256 of its source."""
        return sha256_hex(self.source)

    @property
    def file(self) -> str:
        """The name of the file it is kept in beside the model, which has no folders."""
        return f"{self.name}{_PACKAGE if self.is_package else ''}{_SUFFIX}"


def name_module(file: str) -> tuple[str, bool]:
    """Return the module kept in a file, and whether it is a package; raises ValueError for what names none."""
    name, is_package = file.removesuffix(_SUFFIX), file.endswith(f"{_PACKAGE}{_SUFFIX}")
    name = name.removesuffix(_PACKAGE) if is_package else name
    if not file.endswith(_SUFFIX) or not is_module_name(name):
        raise ValueError(f"{file} names no module")
    return name, is_package


def is_module_name(name: str) -> bool:
    """True for a plain dotted name, which is the same on every disk and to every reader."""
    return _NAME.fullmatch(name) is not None


def parents_of(name: str) -> list[str]:
    """Return the packages a module lies in, the outermost first."""
    parts = name.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def find_source_fault(source: bytes) -> str | None:
    """Return why a source cannot be approved by reading it, None when it can: what is shown must be what Python reads."""
    try:
        encoding, _ = tokenize.detect_encoding(iter(source.splitlines(keepends=True)).__next__)
        text = source.decode()
    except (SyntaxError, ValueError) as exc:
        return f"it is no text in UTF-8: {exc}"
    lines = text.removesuffix("\n").split("\n")
    if encoding != "utf-8":
        return f"it says that it is written in {encoding}; write it in UTF-8, without a mark at its beginning"
    if len(lines) > MOST_LINES:
        return f"it has {len(lines):,} lines, and a review shows {MOST_LINES:,}; divide it"
    faults = (fault for number, line in enumerate(lines, 1) if (fault := _find_line_fault(number, line)))
    return next(faults, None) or _find_syntax_fault(text)


def _find_syntax_fault(text: str) -> str | None:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as exc:
        return f"it is no Python: {' '.join(str(exc).split())[:200]}"
    return None


def _find_line_fault(number: int, line: str) -> str | None:
    line = line.removesuffix("\r")
    if len(line) > WIDEST_LINE:
        return f"line {number} has {len(line):,} characters, and a review shows {WIDEST_LINE}"
    odd = next((letter for letter in line if not letter.isprintable() and letter != "\t"), None)
    return None if odd is None else f"line {number} holds {odd!a}, which a reader does not see; write it as an escape"


def parse_source(source: bytes) -> ast.Module:
    """Return the syntax tree of a source that has no fault."""
    return ast.parse(source.decode())


def find_defined(tree: ast.Module) -> dict[str, Kind]:
    """Return the classes and functions that a module itself defines at its top, by name."""
    return {node.name: "class" if isinstance(node, ast.ClassDef) else "function" for node in _find_top(tree.body)}


def _find_top(body: Sequence[ast.stmt]) -> Iterator[ast.ClassDef | ast.FunctionDef]:
    for node in body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            yield node
        elif isinstance(node, ast.If | ast.Try | ast.With):
            parts = [node.body, getattr(node, "orelse", []), getattr(node, "finalbody", [])]
            parts += [handler.body for handler in getattr(node, "handlers", [])]
            yield from (found for part in parts for found in _find_top(part))


def find_constants(tree: ast.Module) -> dict[str, Any]:
    """Return what a module assigns once, at its top, to a name of its own: numbers, texts, truth values, and tuples of them."""
    assigned = [
        (node.targets[0].id, node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name)
    ]
    stored = [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return {name: ast.literal_eval(value) for name, value in assigned if _is_fixed(value) and stored.count(name) == 1}


def _is_fixed(value: ast.expr) -> bool:
    """True for what stands there as it is and that nothing changes in its place, as a list can be."""
    if isinstance(value, ast.UnaryOp):
        return isinstance(value.op, ast.USub) and isinstance(value.operand, ast.Constant) and _is_number(value.operand)
    return all(map(_is_fixed, value.elts)) if isinstance(value, ast.Tuple) else isinstance(value, ast.Constant)


def _is_number(value: ast.Constant) -> bool:
    return isinstance(value.value, int | float | complex)


def find_imports(tree: ast.Module, module: str, *, is_package: bool) -> list[tuple[str, tuple[str, ...]]]:
    """Return every module that a source imports anywhere in it, with the names it takes from it (none: all of it)."""
    found: list[tuple[str, tuple[str, ...]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _find_base(node, module, is_package=is_package)
            found.append((base, tuple(alias.name for alias in node.names if alias.name != "*")))
    return found


def _find_base(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    if not node.level:
        return node.module or ""
    parts = module.split(".")
    kept = parts[: len(parts) - node.level + is_package]
    return ".".join([*kept, *filter(None, [node.module])])


def describe_modules(modules: Mapping[str, Sequence[str]]) -> str:
    """Return own modules and the names that are used of each, in words."""
    return ", ".join(f"{name} ({', '.join(names)})" if names else name for name, names in modules.items())

"""Locating: what installed packages hold, read from their source; nothing of them, and none of their parents, is imported."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from pathlib import Path
from typing import Any

# A package that says one of these may have submodules that lie elsewhere, or nowhere.
_MAKES_MODULES = re.compile(r"sys\.modules|__path__|meta_path|lazy", re.IGNORECASE)
# A module that says one of these may give out names that do not stand in it.
_MAKES_NAMES = re.compile(
    r"__getattr__|globals\(\)|sys\.modules|\bexec\(|\bsetattr\(|import \*|lazy|__path__|importlib|vars\(\)"
)
_FOLLOWED = 8
_LONGEST_SOURCE = 2_000_000


def is_there(module: str, folder: Path) -> bool:
    """Whether a top-level module, or one in a namespace that several packages share, is installed or lies in a folder."""
    top, _, rest = module.partition(".")
    beside = PathFinder.find_spec(top, [str(folder)])
    spec = beside if beside is not None and beside.loader is not None else _find_top(top) or beside
    if spec is None or not rest or not _is_namespace(spec):
        return spec is not None
    inner = f"{top}.{rest.partition('.')[0]}"
    places = [*(spec.submodule_search_locations or ()), *((beside and beside.submodule_search_locations) or ())]
    return PathFinder.find_spec(inner, places) is not None


def is_beside(top: str, folder: Path) -> bool:
    """Whether a folder has a module or package of this name."""
    return PathFinder.find_spec(top, [str(folder)]) is not None


@cache
def _find_top(name: str) -> ModuleSpec | None:
    if name in sys.builtin_module_names or name in sys.stdlib_module_names:
        return ModuleSpec(name, None, origin="built-in")
    try:
        return importlib.util.find_spec(name)
    except (ImportError, ValueError, AttributeError):
        return None


def _is_namespace(spec: ModuleSpec) -> bool:
    return spec.origin is None and spec.submodule_search_locations is not None


def find_lacking(module: str, member: str | None) -> str | None:
    """Return in words what has no such submodule or name, with its version; None where it has it or nobody can tell."""
    parts = module.split(".")
    for depth in range(1, len(parts)):
        parent, source = ".".join(parts[:depth]), _read_source(".".join(parts[:depth]))
        is_known = source is not None and _is_package(parent) and not _MAKES_MODULES.search(source)
        if is_known and _find(f"{parent}.{parts[depth]}") is None:
            return f"{_name_version(parent)} has no {parts[depth]}."
    return None if member is None or _has(module, member) else f"{_name_version(module)} has no {member}."


def find_lacking_attribute(module: str, path: Sequence[str]) -> tuple[str, str] | None:
    """Return the attribute on a path from a module that it, or a module on the way, does not have, by its full name, and in words.

    None where all are there, where one is no module, as far as the path is known, or nobody can tell.
    """
    for name in path:
        if lacking := find_lacking(module, name):
            return f"{module}.{name}", lacking
        module = f"{module}.{name}"
        if _find(module) is None:
            return None
    return None


def _is_package(module: str) -> bool:
    spec = _find(module)
    return spec is not None and spec.submodule_search_locations is not None


def _has(module: str, name: str) -> bool:
    """True where a module has a name, or a submodule of that name, or nobody can tell."""
    spec = _find(module)
    source, stub = _read_source(module), _list_stub_names(module)
    if stub is not None:
        is_told = name.startswith("_") or name in stub or name in _list_own_names(module)
        return is_told or _find(f"{module}.{name}") is not None
    if spec is None or source is None or _MAKES_NAMES.search(source) or re.search(rf"\b{re.escape(name)}\b", source):
        return True
    return spec.submodule_search_locations is not None and _find(f"{module}.{name}") is not None


@cache
def _find(module: str) -> ModuleSpec | None:
    """Find a module through its parents' folders, importing none of them."""
    parent, _, _ = module.rpartition(".")
    if not parent:
        return _find_top(module)
    above = _find(parent)
    places = above.submodule_search_locations if above else None
    return PathFinder.find_spec(module, list(places)) if places else None


@cache
def _read_source(module: str) -> str | None:
    spec = _find(module)
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        return None
    path = Path(spec.origin)
    try:
        return path.read_text(encoding="utf-8") if path.stat().st_size <= _LONGEST_SOURCE else None
    except (OSError, UnicodeDecodeError):
        return None


@cache
def _list_stub_names(module: str) -> frozenset[str] | None:
    """Return the names that the stub beside a module's source gives it; None where there is none, or it leaves some untold."""
    spec = _find(module)
    path = Path(spec.origin).with_suffix(".pyi") if spec and spec.origin and spec.origin.endswith(".py") else None
    try:
        if path is None or path.stat().st_size > _LONGEST_SOURCE:
            return None
        names = frozenset(_list_bound(ast.parse(path.read_text(encoding="utf-8")).body))
    except (OSError, SyntaxError, ValueError, RecursionError):
        return None
    return None if names & {"*", "__getattr__"} else names


@cache
def _list_own_names(module: str) -> frozenset[str]:
    tree = _parse(module)
    return frozenset(_list_bound(tree.body)) if tree else frozenset()


def _list_bound(body: Sequence[ast.stmt]) -> Iterator[str]:
    """Yield the names that statements bind in their module, under whatever condition; `*` for what nobody knows."""
    for node in body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Import(names=names):
                yield from (alias.asname or alias.name.partition(".")[0] for alias in names)
            case ast.ImportFrom(names=names):
                yield from (alias.asname or alias.name for alias in names)
            case ast.If() | ast.Try() | ast.With() | ast.For() | ast.While():
                inner = [getattr(node, part, []) for part in ("body", "orelse", "finalbody")]
                for each in [*inner, *(handler.body for handler in getattr(node, "handlers", []))]:
                    yield from _list_bound(each)
            case _:
                stored = (
                    each for each in ast.walk(node) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
                )
                yield from (each.id for each in stored)


_packages = cache(packages_distributions)


@cache
def _name_version(module: str) -> str:
    for name in _packages().get(module.partition(".")[0], ())[:1]:
        try:
            return f"{module} ({name} {version(name)})"
        except PackageNotFoundError:
            break
    return module


def find_lacking_style(style: str) -> str | None:
    """Return in words that Matplotlib has no such style; None where it has it or nobody can tell."""
    known = _list_styles()
    return f"{_name_version('matplotlib')} has no style {style}." if known and style not in known else None


@cache
def _list_styles() -> frozenset[str]:
    spec = _find("matplotlib")
    folder = Path(spec.origin).parent / "mpl-data" / "stylelib" if spec and spec.origin else None
    names = {path.stem for path in folder.glob("*.mplstyle")} if folder else set()
    return frozenset(names | {"default"} if names else ())


# Definitions


def find_defaults(name: str) -> Mapping[str, Any] | None:
    """Return the defaults of what a function or class takes, by name (`...` for one that is no literal or is none).

    None where no source tells.
    """
    module, _, last = name.rpartition(".")
    return _find_defaults(module, last, _FOLLOWED)


@cache
def _find_defaults(module: str, name: str, followed: int) -> Mapping[str, Any] | None:
    tree = _parse(module)
    if tree is None or followed == 0:
        return None
    for node in _bindings_of(tree, name):
        if isinstance(node, ast.FunctionDef):
            return _read_defaults(node)
        if isinstance(node, ast.ClassDef):
            return _find_initial(module, node, followed)
        if isinstance(node, ast.ImportFrom):
            original = next(alias.name for alias in node.names if (alias.asname or alias.name) == name)
            return _find_defaults(_absolute(module, node), original, followed - 1)
    return None


def _find_initial(module: str, node: ast.ClassDef, followed: int) -> Mapping[str, Any] | None:
    """Return the defaults of a class: its own `__init__`, or that of the first base that has one."""
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name == "__init__":
            return _read_defaults(each)
    for base in node.bases:
        if isinstance(base, ast.Name) and (found := _find_defaults(module, base.id, followed - 1)) is not None:
            return found
    return None


@cache
def _parse(module: str) -> ast.Module | None:
    source = _read_source(module)
    try:
        return None if source is None else ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _bindings_of(tree: ast.Module, name: str) -> Iterator[ast.stmt]:
    return (node for node in tree.body if name in _names_bound_by(node))


def _names_bound_by(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    return [node.name] if isinstance(node, ast.FunctionDef | ast.ClassDef) else []


def _absolute(module: str, node: ast.ImportFrom) -> str:
    """Return the module an import means that stands in another one."""
    if not node.level:
        return node.module or ""
    is_package = _is_package(module)
    kept = module.split(".")[: len(module.split(".")) - node.level + is_package]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _read_defaults(node: ast.FunctionDef) -> Mapping[str, Any]:
    arguments = node.args
    placed = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(reversed(placed), reversed(arguments.defaults), strict=False),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return {each.arg: _read_literal(value) for each, value in pairs}


def _read_literal(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node) if node is not None else ...
    except ValueError:
        return ...

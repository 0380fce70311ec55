"""What a notebook asks of modules by a dot (`np.infty`), where its text tells that the module itself is asked."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from workbench.readiness.notebook_code import NotebookCode, Place


@dataclass(frozen=True)
class ModuleAttribute:
    """An attribute that a module is certain to be asked for: where, and the module's full name and the attribute's, with dots."""

    place: Place
    module: str
    path: tuple[str, ...]


def list_module_attributes(code: NotebookCode) -> Iterator[ModuleAttribute]:
    """Yield what is asked of modules that were imported plainly (`import numpy as np`), under a name that means nothing else.

    Left out is what may never be asked (under a condition, in a function, after `and`), and what the notebook itself sets.
    """
    modules = _find_modules(code)
    parts = {node.value for _, node, _ in code.nodes() if isinstance(node, ast.Attribute)}
    left_out = _list_unsure(code) | parts
    for place, node, is_certain in code.nodes():
        if is_certain and isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load) and node not in left_out:
            name, path = _read_path(node)
            if name in modules and path:
                yield ModuleAttribute(place, modules[name], path)


def _find_modules(code: NotebookCode) -> dict[str, str]:
    """Return the modules by the names they were imported under, but for names that are given to something else, too, or changed."""
    found: dict[str, set[str]] = {}
    others = set[str]()
    for _, node, _ in code.nodes():
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found.setdefault(alias.asname or top, set()).add(alias.name if alias.asname else top)
        else:
            others.update(_list_bound(node))
    return {
        name: full
        for name, (full, *more) in ((name, sorted(each)) for name, each in found.items())
        if not more and name not in others
    }


def _list_bound(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds, and the modules whose attributes it sets."""
    match node:
        case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
            yield name
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            yield name
        case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name):
            yield name
        case ast.ImportFrom(names=names):
            yield from (alias.asname or alias.name for alias in names)
        case ast.Attribute(ctx=ast.Store() | ast.Del()):
            yield _read_path(node)[0]
        case ast.Call(func=ast.Name(id="setattr" | "delattr"), args=[first, *_]):
            yield _read_path(first)[0]


def _list_unsure(code: NotebookCode) -> set[ast.AST]:
    chosen = (value for _, node, _ in code.nodes() if isinstance(node, ast.BoolOp) for value in node.values[1:])
    return {inner for value in chosen for inner in ast.walk(value)}


def _read_path(node: ast.AST) -> tuple[str, tuple[str, ...]]:
    """Return the name at the beginning of `a.b.c` and what follows; empty where it begins with something else."""
    path: list[str] = []
    while isinstance(node, ast.Attribute):
        path.append(node.attr)
        node = node.value
    return (node.id, tuple(reversed(path))) if isinstance(node, ast.Name) else ("", ())

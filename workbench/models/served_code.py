"""What the bundle of a model holds besides it: the code that serves it, and no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

BYTECODE = "__pycache__"
_PACKAGE = Path(__file__).resolve().parents[1]
_SERVED = "workbench.bentoml_service"
# Where statements hold others, in all that Python's grammar has.
_BLOCKS = ("body", "orelse", "finalbody", "handlers", "cases")


def stage_bundle(model_files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return what a manifest covers: the serving code as `workbench/**` and the model as `release/model/**`.

    The code is the import closure of the served file among this installed package's own sources: whatever it imports, wherever in a
    module, but for types. Own code that imports this package itself brings all of it. In each folder of code an empty file stands
    where Python would make one for bytecode: whoever starts the release by hand leaves nothing in it that nobody approved.
    """
    paths = _list_sources() if _asks_for_more(model_files) else find_served_code()
    code = {path: (_PACKAGE.parent / path).read_bytes() for path in paths}
    stops = {f"{path.rpartition('/')[0]}/{BYTECODE}": b"" for path in paths}
    return {**code, **stops, **{f"release/model/{name}": content for name, content in model_files.items()}}


def _asks_for_more(model_files: Mapping[str, bytes]) -> bool:
    own = [content for name, content in model_files.items() if name.endswith(".py")]
    return any(True for content in own for _ in _list_imports(content))


def _list_sources() -> tuple[str, ...]:
    found = (path.relative_to(_PACKAGE.parent) for path in sorted(_PACKAGE.rglob("*.py")))
    return tuple(path.as_posix() for path in found if path.parts[1] != "templates")


@cache
def find_served_code() -> tuple[str, ...]:
    """Return the files of the package that the served file imports, itself included, by their path beside the package."""
    found: set[str] = set()
    waiting = [_SERVED]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found.add(name)
        path = _find_source(name)
        waiting += [name.rpartition(".")[0]] if "." in name else []
        waiting += [each for each in _list_imports(path.read_bytes()) if each not in found]
    return tuple(sorted(_find_source(name).relative_to(_PACKAGE.parent).as_posix() for name in found))


def _find_source(name: str) -> Path:
    path = _PACKAGE.parent.joinpath(*name.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _list_imports(source: bytes) -> Iterator[str]:
    """Yield the modules of this package that a source imports; what is imported for types only is not run."""
    for node in _walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_module(alias.name))
        elif isinstance(node, ast.ImportFrom) and node.module and _is_module(node.module):
            yield node.module
            yield from (name for alias in node.names if _is_module(name := f"{node.module}.{alias.name}"))


def _walk(node: ast.AST) -> Iterator[ast.stmt]:
    """Yield every statement in a piece of code but for those that only types need; no expression holds one."""
    for name in _BLOCKS:
        for inner in getattr(node, name, ()):
            if isinstance(inner, ast.If) and isinstance(inner.test, ast.Name) and inner.test.id == "TYPE_CHECKING":
                continue
            if isinstance(inner, ast.stmt):
                yield inner
            yield from _walk(inner)


def _is_module(name: str) -> bool:
    return name.partition(".")[0] == _PACKAGE.name and _find_source(name).is_file()

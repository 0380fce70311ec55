"""Recording own code: which of a model's types come from the user's own modules, and the source these were imported from."""

from __future__ import annotations

import importlib.util
import inspect
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from workbench.errors import UsageError
from workbench.models.model_parts import code_of
from workbench.models.own_code_source import (
    MAIN,
    OwnModule,
    find_constants,
    find_defined,
    find_imports,
    find_source_fault,
    is_module_name,
    parents_of,
    parse_source,
)
from workbench.models.own_modules import OwnModules, find_shadowed, is_own_file
from workbench.models.skops_loader import find_untrusted_types
from workbench.models.skops_schema import names_in

_MOVE = (
    "Write it into a module of its own, a .py file beside the notebook, import it from there and fit the model again."
)
_CORRECT = "Correct that, restart the kernel, and log the model again."
_SAME_FOLDER = "Put it into the same folder as the module that imports it, or install it."


@dataclass(frozen=True)
class _Located:
    """A module and where its source lies; `root` is the folder its dotted name starts from."""

    name: str
    path: Path
    root: Path
    is_package: bool


@dataclass(frozen=True)
class OwnCode:
    """A model's own modules, and where the source of each lies; none when it needs none."""

    modules: OwnModules
    paths: tuple[Path, ...]

    @property
    def files(self) -> dict[str, bytes]:
        """The files that carry them beside the model."""
        return self.modules.to_files()


def record_own_code(model: Any, content: bytes, folders: Sequence[Path]) -> OwnCode:
    """Return the own code a model needs.

    `content` is the model as skops wrote it, `folders` are the project and the notebook's own. What an own module imports from
    its folder comes along. Each source is held against what is in memory: functions and methods to the instruction, constants,
    and the time Python noted when it compiled the file. What a module computed when it was imported cannot be held against a
    text; that the recorded code answers as this one did is found out when the model is nominated.

    Raises UsageError, with every reason, for own code that cannot be recorded.
    """
    used = _group(names_in(content))
    faults = [*_find_faults(used, folders), *_find_stale(model)]
    found = {} if faults else _follow(used, faults)
    own = OwnModules(tuple(found[path] for path in sorted(found, key=lambda path: found[path].name)))
    if not faults and own:
        faults += [f"{name} is held in a way that cannot be loaded." for name in _left_over(content, own, used)]
    if faults:
        next_step = _MOVE if MAIN in used else _CORRECT
        raise UsageError("The model cannot be logged with its own code.", why=sorted({*faults}), next_step=next_step)
    return OwnCode(own, tuple(sorted(found)))


def write_files(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write a model's files into its folder; the own code of a model that was logged there before is gone with that one."""
    folder.mkdir(exist_ok=True)
    for path in folder.iterdir():
        if path.name not in files and is_own_file(path.name):
            path.unlink()
    for name, content in files.items():
        (folder / name).write_bytes(content)


def _left_over(content: bytes, own: OwnModules, used: Mapping[str, Sequence[str]]) -> list[str]:
    left = find_untrusted_types(content, own)
    return [name for name in left if name.partition(" ")[0].rpartition(".")[0] in used]


def _group(names: Collection[str]) -> dict[str, list[str]]:
    """Return the names that are neither Python's, a package's nor ours, by the module they come from."""
    grouped: dict[str, list[str]] = {}
    for each in names:
        module, _, name = each.rpartition(".")
        if module == MAIN or find_shadowed(module) is None:
            grouped.setdefault(module, []).append(name)
    return {module: sorted({*names}) for module, names in grouped.items()}


# Where it lies


def _find_faults(used: Mapping[str, Sequence[str]], folders: Sequence[Path]) -> Iterator[str]:
    for module, names in used.items():
        if module == MAIN:
            yield from (f"{name} is defined in the notebook itself, and nobody else can import it." for name in names)
        elif fault := _find_place_fault(module, folders):
            yield f"{', '.join(names)} of {module}: {fault}."
        else:
            yield from (
                f"{module}.{name}: it has no name at the top of its module." for name in names if not _has(module, name)
            )


def _has(module: str, name: str) -> bool:
    return name.isidentifier() and hasattr(sys.modules[module], name)


def _find_place_fault(name: str, folders: Sequence[Path]) -> str | None:
    located = _locate_imported(name)
    if not is_module_name(name):
        return "its name is not plain letters, digits and _"
    if located is None:
        return "it was not imported from a .py file"
    if not any(located.path.is_relative_to(folder.resolve()) for folder in folders):
        return f"{located.path} lies neither in the project nor beside the notebook"
    return None


def _locate_imported(name: str) -> _Located | None:
    """Return where an imported module came from; None when that is no plain file that its name leads to."""
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    if spec is None or type(spec.loader) is not SourceFileLoader or not spec.origin:
        return None
    path = Path(spec.origin).resolve()
    is_package, parts = path.name == "__init__.py", name.split(".")
    depth = len(parts) if is_package else len(parts) - 1
    located = _look_below(path.parents[depth], name) if len(path.parents) > depth else None
    return located if located is not None and located.path == path else None


def _look_below(root: Path, name: str) -> _Located | None:
    """Return a module of that name whose file lies below a folder; None when there is none."""
    below = root.joinpath(*name.split("."))
    for path, is_package in ((below / "__init__.py", True), (below.with_name(f"{below.name}.py"), False)):
        if path.is_file():
            return _Located(name, path, root, is_package)
    return None


# What it imports


def _follow(used: Mapping[str, Sequence[str]], faults: list[str]) -> dict[Path, OwnModule]:
    """Return the modules that are used with all that they import from their folders; what is wrong is added to `faults`."""
    waiting = [located for name in used if (located := _locate_imported(name))]
    found: dict[Path, OwnModule] = {}
    while waiting:
        located = waiting.pop()
        if located.path in found:
            continue
        names = tuple(used.get(located.name, ()))
        module = OwnModule(located.name, located.path.read_bytes(), names, located.is_package)
        found[located.path] = module
        fault = find_source_fault(module.source) or find_shadowed(module.name) or _find_change(module, located)
        if fault:
            faults.append(f"{located.path.name}: {fault}.")
        else:
            waiting += _find_needed(module, located, faults)
    named = [module.name for module in found.values()]
    faults += [f"Two files are called {name}; rename one." for name in sorted({*named}) if named.count(name) > 1]
    return found


def _find_needed(module: OwnModule, located: _Located, faults: list[str]) -> Iterator[_Located]:
    """Yield the modules that one needs: the packages it lies in, and what it imports from its own folder."""
    tree = parse_source(module.source)
    for base, taken in find_imports(tree, module.name, is_package=module.is_package):
        if base and find_shadowed(base) and _look_below(located.root, base) is None:
            continue
        found = _look_below(located.root, base) if is_module_name(base) else None
        if found is None:
            faults.append(
                f"{located.path.name}: it imports {base}, which is neither installed nor beside it. {_SAME_FOLDER}"
            )
            continue
        yield found
        yield from filter(None, (_look_below(located.root, f"{base}.{name}") for name in taken if found.is_package))
        yield from _find_parents(base, located, faults)
    yield from _find_parents(module.name, located, faults)


def _find_parents(name: str, located: _Located, faults: list[str]) -> Iterator[_Located]:
    for parent in parents_of(name):
        found = _look_below(located.root, parent)
        if found is None or not found.is_package:
            faults.append(f"{located.path.name}: the folder {parent} has no __init__.py, so it is no package.")
        else:
            yield found


# Whether it is still what was imported


def _find_stale(model: Any) -> Iterator[str]:
    """Yield which classes and functions of a model are not those that their modules hold now."""
    for code in code_of(model):
        module = sys.modules.get(getattr(code, "__module__", None) or "")
        if isinstance(module, ModuleType) and find_shadowed(module.__name__) is None:
            now = getattr(module, code.__name__, code)
            if now is not code and module.__name__ != MAIN:
                yield f"{module.__name__}.{code.__name__} was imported again since the model was made."


def _find_change(module: OwnModule, located: _Located) -> str | None:
    """Return how a source differs from the module in memory, None when nothing shows that it does or it is not imported."""
    loaded = sys.modules.get(module.name)
    if loaded is None:
        return None
    compiled = compile(module.source.decode(), located.path, "exec", dont_inherit=True)
    known = {_fingerprint(code) for code in _codes_in(compiled)}
    changed = [code.co_qualname for code in _codes_of(loaded) if _fingerprint(code) not in known]
    constants = find_constants(parse_source(module.source)).items()
    changed += [name for name, value in constants if not _is_same(getattr(loaded, name, None), value)]
    defined = find_defined(parse_source(module.source))
    changed += [name for name in module.names if name not in defined]
    if changed:
        return f"{', '.join(sorted({*changed}))} in memory is not what the file says"
    if _was_written_later(located.path):
        return "it was changed since it was imported"
    return None


def _is_same(now: Any, written: Any) -> bool:
    return type(now) is type(written) and (now == written or now != now)


def _codes_of(module: ModuleType) -> Iterator[CodeType]:
    """Yield the code of each function and method that was defined in a module's file."""
    for value in [*vars(module).values()]:
        holders = [value, *vars(value).values()] if isinstance(value, type) else [value]
        for holder in holders:
            function = inspect.unwrap(getattr(holder, "fget", None) or getattr(holder, "__func__", None) or holder)
            if isinstance(function, FunctionType) and function.__code__.co_filename == module.__file__:
                yield function.__code__


def _codes_in(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes_in(constant)


def _fingerprint(code: CodeType) -> tuple[Any, ...]:
    constants = tuple(
        _fingerprint(each) if isinstance(each, CodeType) else (type(each), each) for each in code.co_consts
    )
    return code.co_qualname, code.co_firstlineno, code.co_code, code.co_names, code.co_varnames, constants


def _was_written_later(path: Path) -> bool:
    """True when Python compiled another state of this file than is there now, as far as it noted time and size."""
    try:
        header = Path(importlib.util.cache_from_source(str(path))).read_bytes()[:16]
        stat = path.stat()
    except (OSError, NotImplementedError):
        return False
    if len(header) < 16 or int.from_bytes(header[4:8], "little"):  # kept by its content, not by time
        return False
    noted = int.from_bytes(header[8:12], "little"), int.from_bytes(header[12:16], "little")
    return noted != (int(stat.st_mtime) & 0xFFFFFFFF, stat.st_size & 0xFFFFFFFF)

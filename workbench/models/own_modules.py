"""Own modules among a model's files: which there are, and importing exactly those bytes under their own names."""

from __future__ import annotations

import importlib
import site
import sys
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.abc import InspectLoader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.metadata import packages_distributions
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from workbench.errors import Refused
from workbench.models.model_facts import ModuleFact
from workbench.models.own_code_source import (
    OwnModule,
    describe_modules,
    find_defined,
    find_imports,
    find_source_fault,
    name_module,
    parents_of,
    parse_source,
)
from workbench.models.reviewed_types.family import FUNCTION, OBJECT, TYPE
from workbench.records.digest import canonical_json, strict_json

MODULES_FILE = "modules.json"
_PACKAGE_FOLDERS = ("site-packages", "dist-packages")
_FORMS = {"class": frozenset({OBJECT, TYPE}), "function": frozenset({FUNCTION})}


@dataclass(frozen=True)
class OwnModules:
    """The own modules of one model, by name; none is the usual case."""

    modules: tuple[OwnModule, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.modules)

    @property
    def forms(self) -> dict[str, frozenset[str]]:
        """Every name that the model may hold of them, with the ways it may be written."""
        return {
            f"{module.name}.{name}": _FORMS[kinds[name]]
            for module in self.modules
            if (kinds := find_defined(parse_source(module.source)))
            for name in module.names
        }

    def to_files(self) -> dict[str, bytes]:
        """Return them as files beside a model, with the list that names each by its digest; no modules, no files."""
        listed = {module.file: {"digest": module.digest, "names": module.names} for module in self.modules}
        sources = {module.file: module.source for module in self.modules}
        return {**sources, MODULES_FILE: canonical_json(listed)} if sources else {}

    def to_facts(self) -> tuple[ModuleFact, ...]:
        """Return what is approved of them."""
        return tuple(ModuleFact(module.name, module.digest, module.names) for module in self.modules)

    def describe(self) -> str:
        """Return them in words, with the names that are used."""
        return describe_modules({module.name: module.names for module in self.modules})


def is_own_file(name: str) -> bool:
    """True for a file that belongs to a model's own code: a source, or the list of them."""
    return name.endswith(".py") or name == MODULES_FILE


def read_modules(files: Mapping[str, bytes]) -> OwnModules:
    """Return the own modules among a model's files; raises Refused, with every reason, when they are not as listed."""
    faults = find_module_faults(files)
    if faults:
        raise Refused("The model's own code is not as it was recorded.", why=faults)
    listed = _read_list(files)
    return OwnModules(tuple(_read_module(file, files[file], listed[file]["names"]) for file in sorted(listed)))


def _read_list(files: Mapping[str, bytes]) -> dict[str, Any]:
    return dict(strict_json(files[MODULES_FILE])) if MODULES_FILE in files else {}


def _read_module(file: str, source: bytes, names: Sequence[str]) -> OwnModule:
    name, is_package = name_module(file)
    return OwnModule(name, source, tuple(names), is_package)


def find_packages(files: Mapping[str, bytes]) -> list[str]:
    """Return the installed distributions that a model's own modules import from, sorted."""
    by_module = packages_distributions()
    tops = {
        base.partition(".")[0]
        for module in read_modules(files).modules
        for base, _ in find_imports(parse_source(module.source), module.name, is_package=module.is_package)
    }
    return sorted({name for top in tops - {"workbench"} for name in by_module.get(top, ())})


# What is wrong with them


def find_module_faults(files: Mapping[str, bytes]) -> list[str]:
    """Return why own modules do not count, sorted: each is listed with its digest, readable, whole, and shadows nothing."""
    try:
        listed = _read_list(files)
        modules = [_read_module(file, files.get(file, b""), listed[file]["names"]) for file in sorted(listed)]
        wrong = [file for file, each in listed.items() if not _is_entry(each)]
    except (ValueError, TypeError, KeyError, AttributeError) as exc:
        return [f"{MODULES_FILE}: it is no list of modules ({exc})."]
    found = [f"{file}: {MODULES_FILE} says of it what it cannot say." for file in wrong]
    # What lies in a folder is refused for that alone.
    unlisted = [file for file in files if file.endswith(".py") and "/" not in file and file not in listed]
    found += [f"{file}: {MODULES_FILE} does not name it." for file in unlisted]
    known = {module.name: module for module in modules if module.file not in wrong}
    found += [
        f"{module.file}: {fault}."
        for module in known.values()
        if (fault := _find_fault(module, listed[module.file]["digest"], files, known))
    ]
    return sorted(found)


def _is_entry(entry: Any) -> bool:
    return set(entry) == {"digest", "names"} and all(isinstance(each, str) for each in entry["names"])


def _find_fault(
    module: OwnModule, digest: str, files: Mapping[str, bytes], known: Mapping[str, OwnModule]
) -> str | None:
    if module.file not in files:
        return "it is missing"
    if module.digest != digest:
        return f"it is not the source that {MODULES_FILE} names"
    if fault := find_source_fault(module.source):
        return fault
    if missing := [name for name in parents_of(module.name) if name not in known or not known[name].is_package]:
        return f"the package {missing[0]} is not among the modules"
    if undefined := sorted({*module.names} - {*find_defined(parse_source(module.source))}):
        return f"it defines no {undefined[0]} at its top"
    return find_shadowed(module.name)


def find_shadowed(name: str) -> str | None:
    """Return why a module cannot have this name: Python's own, an installed package's or ours; None when it is free."""
    top = name.partition(".")[0]
    if top in sys.stdlib_module_names or top == "workbench":
        return f"{top} is the name of a module that comes with {'Python' if top != 'workbench' else 'the workbench'}"
    return f"{top} is the name of an installed package" if is_installed(top) else None


@cache
def is_installed(top: str) -> bool:
    """True when a package of this name is among what is installed, in this environment or in one it borrows from.

    Nothing of it is run.
    """
    folders = [sysconfig.get_path(kind) for kind in ("stdlib", "platstdlib", "purelib", "platlib")]
    # A `.pth` file or PYTHONPATH lends the packages of another environment.
    folders += [*site.getsitepackages(), *(path for path in sys.path if Path(path).name in _PACKAGE_FOLDERS)]
    return PathFinder.find_spec(top, [*dict.fromkeys(folders)]) is not None


# Importing


# By name, the digest of every own module this process imports from approved bytes.
_IMPORTED: dict[str, str] = {}


def import_modules(own: OwnModules) -> None:
    """Import own modules from their bytes, whatever lies in a folder, and let nothing else answer to their names.

    Raises Refused when the process knows another module of such a name, or when importing fails; what they do when imported,
    they do with the rights of this process.
    """
    taken = [module.name for module in own.modules if _is_taken(module)]
    if taken:
        raise Refused(
            "The model's own code cannot be imported.", why=[f"Another {name} is imported." for name in taken]
        )
    if any(module.name not in _IMPORTED for module in own.modules):
        sys.meta_path.insert(0, _Finder(own))
        _IMPORTED.update({module.name: module.digest for module in own.modules})
    for module in own.modules:
        try:
            importlib.import_module(module.name)
        # It is somebody's code: whatever it raises is said.
        except Exception as exc:
            said = f"{module.name}: {type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
            raise Refused("The model's own code cannot be imported.", why=said) from exc


def _is_taken(module: OwnModule) -> bool:
    if module.name in _IMPORTED:
        return _IMPORTED[module.name] != module.digest
    return module.name in sys.modules or module.name.partition(".")[0] in sys.modules


class _Finder(MetaPathFinder):
    """Answers for own modules, and says of everything else below their packages that it is not there."""

    def __init__(self, own: OwnModules) -> None:
        self._modules = {module.name: module for module in own.modules}
        self._tops = {name.partition(".")[0] for name in self._modules}

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,  # noqa: ARG002 - the shape of a finder
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return where a module comes from: from its approved source, or from elsewhere (None)."""
        module = self._modules.get(fullname)
        if module is not None:
            return spec_from_loader(fullname, _Loader(module), origin=module.file, is_package=module.is_package)
        if fullname.partition(".")[0] in self._tops:
            raise ModuleNotFoundError(f"{fullname} is not among the model's recorded modules", name=fullname)
        return None


class _Loader(InspectLoader):
    """Runs one module's source."""

    def __init__(self, module: OwnModule) -> None:
        self._module = module

    def is_package(self, fullname: str) -> bool:  # noqa: ARG002 - the shape of a loader
        """True for the `__init__.py` of a package."""
        return self._module.is_package

    def get_source(self, fullname: str) -> str:  # noqa: ARG002
        """Return the source, for tracebacks."""
        return self._module.source.decode()

    def get_code(self, fullname: str) -> CodeType:
        """Return the compiled source; what is read as text was shown as text."""
        return self.source_to_code(self.get_source(fullname), self._module.file)

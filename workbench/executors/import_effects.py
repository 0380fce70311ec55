"""What imports leave in their process beside the modules: noted where they are done ahead, had by a kernel as if it did them."""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_modules: set[str] = set()
_variables: dict[str, str] = {}
_exits: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
_first_filters: list[Any] = []
_last_filters: list[Any] = []
_process_ids: list[tuple[dict[str, Any], str]] = []
_folders: list[tuple[dict[str, Any], str]] = []


def note_variables(before: Mapping[str, str]) -> None:
    """Note which variables were set since: a kernel that had imported the same would have them too."""
    _variables.update({name: value for name, value in os.environ.items() if before.get(name) != value})


def find_variables() -> dict[str, str]:
    """Return the variables that imports set, as they set them."""
    return dict(_variables)


@contextlib.contextmanager
def noted_effects() -> Iterator[None]:
    """Note what is imported, and take back the exit functions and filters of warnings it adds: a kernel's start comes first."""
    modules, before, register = set(sys.modules), list(warnings.filters), atexit.register
    is_noting = True

    def note(function: Callable[..., Any], /, *arguments: Any, **options: Any) -> Callable[..., Any]:
        if not is_noting:  # whoever kept this function
            return register(function, *arguments, **options)
        _exits.append((function, arguments, options))
        return function

    atexit.register = note
    try:
        yield
    finally:
        is_noting, atexit.register = False, register
        _modules.update(sys.modules.keys() - modules)
        _note_filters(before)


def _note_filters(before: list[Any]) -> None:
    after = list(warnings.filters)
    end = next((number for number, each in enumerate(after) if each in before), len(after))
    _first_filters[:] = after[:end]
    _last_filters[:] = [each for each in after[end:] if each not in before]
    _set_filters(before)


def find_modules() -> frozenset[str]:
    """Return the names of the modules that were imported."""
    return frozenset(_modules)


def repeat_effects() -> None:
    """Have the noted exit functions run before those registered by now, and the noted filters around those set by now."""
    for function, arguments, options in _exits:
        atexit.register(function, *arguments, **options)
    own = [each for each in warnings.filters if each not in (*_first_filters, *_last_filters)]
    _set_filters([*_first_filters, *own, *_last_filters])


def _set_filters(wanted: list[Any]) -> None:
    warnings.filters[:] = wanted  # type: ignore[index]
    # Entering tells every module that what it remembers of its warnings was for other filters.
    with warnings.catch_warnings():
        pass


def note_process() -> None:
    """Note which modules remember the process that imported them: by its id, in a name with `pid`, or by its working folder."""
    process_id, folder = os.getpid(), Path.cwd()
    for module in list(sys.modules.values()):
        names = getattr(module, "__dict__", {})
        for name, value in list(names.items()):
            if type(value) is int and value == process_id and "pid" in name and name.islower():
                _process_ids.append((names, name))
            elif isinstance(value, str | Path) and str(value) == str(folder):
                _folders.append((names, name))


def tell_process() -> None:
    """Have those modules remember this process."""
    for names, name in _process_ids:
        names[name] = os.getpid()
    for names, name in _folders:
        names[name] = type(names[name])(Path.cwd())

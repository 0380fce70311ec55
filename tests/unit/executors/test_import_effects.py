"""What imports leave in their process is noted where they are done ahead, and comes to the kernel after its own start."""

from __future__ import annotations

import atexit
import os
import sys
import types
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from workbench.executors import import_effects
from workbench.executors.import_effects import (
    find_modules,
    find_variables,
    note_process,
    note_variables,
    noted_effects,
    repeat_effects,
    tell_process,
)


@pytest.fixture(autouse=True)
def nothing_noted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("_exits", "_first_filters", "_last_filters", "_process_ids", "_folders"):
        monkeypatch.setattr(import_effects, name, [])
    monkeypatch.setattr(import_effects, "_modules", set())
    monkeypatch.setattr(import_effects, "_variables", {})
    with warnings.catch_warnings():
        yield


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What is registered to run at exit, which no test of this process may leave behind."""
    found: list[object] = []
    monkeypatch.setattr(atexit, "register", lambda function, *arguments: found.append((function, arguments)))
    return found


def add_module(monkeypatch: pytest.MonkeyPatch, **names: object) -> types.ModuleType:
    module = types.ModuleType("wb_imported")
    vars(module).update(names)
    monkeypatch.setitem(sys.modules, "wb_imported", module)
    return module


def test_an_exit_function_is_registered_after_those_of_the_kernels_start(registered):
    with noted_effects():
        assert atexit.register(print, "mine") is print
    assert registered == []
    atexit.register(len, "of the start")
    repeat_effects()
    assert registered == [(len, ("of the start",)), (print, ("mine",))]


def test_who_kept_the_function_that_registers_can_use_it_later(registered):
    with noted_effects():
        kept = atexit.register
    kept(print, "later")
    assert registered == [(print, ("later",))]


def test_filters_of_warnings_stand_around_those_of_the_kernels_start():
    warnings.resetwarnings()
    warnings.simplefilter("default", UserWarning)
    with noted_effects():
        warnings.simplefilter("ignore", SyntaxWarning)
        warnings.simplefilter("error", BytesWarning, append=True)
    assert [found[2] for found in warnings.filters] == [UserWarning]
    warnings.simplefilter("default", DeprecationWarning)
    repeat_effects()
    kinds = [found[2] for found in warnings.filters]
    assert kinds == [SyntaxWarning, DeprecationWarning, UserWarning, BytesWarning]


def test_what_was_imported_and_which_variables_it_set_is_known(monkeypatch):
    before = dict(os.environ)
    with noted_effects():
        add_module(monkeypatch)
        monkeypatch.setenv("SET_BY_AN_IMPORT", "1")
    note_variables(before)
    assert find_modules() == {"wb_imported"}
    assert find_variables() == {"SET_BY_AN_IMPORT": "1"}


def test_a_module_that_remembers_its_process_is_told_another(monkeypatch, tmp_path):
    here, number = Path.cwd(), os.getpid()
    remembered = {"_pid": number, "PORT": number, "pid_of_another": 1, "text": str(here), "path": here, "other": "x"}
    module = add_module(monkeypatch, **remembered)
    # This process goes on as it was: no other module of it is looked at.
    monkeypatch.setattr(import_effects, "sys", types.SimpleNamespace(modules={"wb_imported": module}))
    note_process()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(os, "getpid", lambda: -1)
    tell_process()
    told = {"_pid": -1, "text": str(tmp_path), "path": tmp_path}
    assert {name: getattr(module, name) for name in remembered} == {**remembered, **told}

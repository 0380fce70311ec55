"""A store to ask, and how it is filled: who imports these fixtures may give them another database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import change_database
from tests.unit.people import AUTHOR, RUN_ID
from workbench.errors import WorkbenchError
from workbench.ledger.ledger import Entry, Event
from workbench.runs.run import Run, RunState, new_run_id
from workbench.runs.sqlalchemy_store import Store

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path) -> Path:
    return tmp_path / "deep" / "er" / "workbench.db"


@pytest.fixture
def address(path) -> str:
    """A database of its own; whoever imports these tests may give them another."""
    return f"sqlite:///{path}"


@pytest.fixture
def store(address) -> Iterator[Store]:
    with closing(Store(address)) as opened:
        yield opened


@pytest.fixture
def change(address, store) -> Callable[..., None]:
    """Change the database behind the store's back."""
    return lambda statement, **values: change_database(address, statement, **values)


def build_run(**changes) -> Run:
    facts = {
        "id": new_run_id(),
        "notebook": "notebooks/01_train.ipynb",
        "notebook_digest": "ab" * 32,
        "parameters": {"strength": 0.1, "größe": "☃", "depth": None},
        "provenance": {"git_commit": None, "machine": {"processors": 2}},
        "author": AUTHOR,
        "created": "2026-11-20T09:12:31+00:00",
    }
    return Run(**{**facts, **changes})


def add(store: Store, *states: RunState, **changes) -> Run:
    run = build_run(**changes)
    store.add_run(run)
    for state in states:
        move(store, run, state)
    return store.find_run(run.id)


def move(store: Store, run: Run, state: RunState, **changes) -> None:
    store.move_run(replace(run, state=state, **changes))


def append(store: Store, **changes) -> Entry:
    facts = {"event": Event.NOMINATED, "actor": AUTHOR, "subject": "tumour/3", "body": {"run": RUN_ID}}
    return store.append_entry(**{**facts, **changes})


def at_once(*calls: Callable[[], object]) -> list[object]:
    """Run the calls in threads that begin together; return what each returned or how it was refused."""
    barrier = threading.Barrier(len(calls))

    def call(function):
        barrier.wait()
        try:
            return function()
        except WorkbenchError as exc:
            return exc

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(call, calls))


def append_many(address: str, name: str, count: int) -> list[str]:
    """Open the store, append, and return the digests: the work of one process."""
    with closing(Store(address)) as store:
        return [append(store, subject=f"{name}/{number}").digest for number in range(count)]

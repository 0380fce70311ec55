"""Nobody approves what they wrote: authors are known before a run starts, by the lines that survive, however names are written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.conftest import AUTHOR, NOTEBOOKS, run_command
from tests.integration.governed import Governed, reasons_of
from workbench.config import Settings
from workbench.errors import Refused
from workbench.ledger.ledger import Event
from workbench.reviews.nominees import find_approved, load_nominee
from workbench.workflow import Workbench

NOTEBOOK = NOTEBOOKS / "logs_everything.ipynb"


@pytest.mark.parametrize("author", ["Ada <ada@example.org>", "\u0430da@example.org"])
def test_an_author_who_could_not_be_a_principal_is_refused_before_anything_starts(project: Path, author: str) -> None:
    done = run_command(project, "run", str(NOTEBOOK), WORKBENCH_AUTHOR=author)
    said = " ".join(done.stderr.split())
    assert done.returncode == 2
    assert "cannot be an author" in said
    assert "WORKBENCH_AUTHOR=" in said
    bench = Workbench.open(Settings(project))
    assert (bench.list_runs(), bench.store.read_ledger()) == ([], [])
    bench.store.close()


def test_what_was_said_of_the_lines_of_the_served_version_is_what_the_next_one_is_held_against(
    released: Governed,
) -> None:
    settings, entries = released.bench.settings, released.bench.store.read_ledger()
    approved = find_approved("shop", settings=settings, entries=entries)
    assert approved is not None
    assert approved.version == 2
    assert approved.authorship == released.bench.review("shop/2").evidence.authorship
    assert find_approved("shop", settings=settings, entries=entries[:1]) is None
    nominated = [entry.body["authors"] for entry in entries if entry.event is Event.NOMINATED]
    assert nominated == [[AUTHOR], [AUTHOR]]


def test_the_authors_that_the_ledger_names_are_those_of_the_facts(nominated: Governed) -> None:
    """By the ledger alone both verifiers see who signed their own work."""
    settings, entries = nominated.bench.settings, nominated.bench.store.read_ledger()

    def name(authors: list[str] | None) -> None:
        bodies = [entry.body if entry.event is Event.NOMINATED else None for entry in entries]
        changed = [
            entry if body is None else replace(entry, body={**body, "authors": authors})
            for entry, body in zip(entries, bodies, strict=True)
        ]
        load_nominee("shop/1", settings=settings, entries=changed)

    name([AUTHOR])
    name(None)  # from before they were named
    with pytest.raises(Refused) as refused:
        name(["eve@example.org"])
    assert reasons_of(refused) == f"Its authors are ['{AUTHOR}'], the ledger names ['eve@example.org']."

"""A rollback serves the version before, and only bytes that still hold."""

from __future__ import annotations

import pytest

from tests.conftest import AUTHOR, free_port
from tests.integration.governed import MODEL, OWNER, Governed
from workbench.errors import NotFound, Refused
from workbench.ledger.ledger import Event
from workbench.releases.aliases import CHAMPION


def test_a_rollback_serves_the_version_before_and_only_a_named_version_goes_forward(released: Governed) -> None:
    released.bench.rollback(MODEL)
    assert (released.bench.find_served(MODEL), released.alias()) == ("shop/1", 1)
    with pytest.raises(NotFound, match="no version to go back to"):
        released.bench.rollback(MODEL)
    released.bench.rollback(MODEL, to=2)
    assert (released.bench.find_served(MODEL), released.alias()) == ("shop/2", 2)
    assert [entry.event for entry in released.bench.store.read_ledger()][-2:] == [Event.ROLLED_BACK] * 2


def test_a_rollback_to_changed_bytes_is_refused_and_recorded(released: Governed) -> None:
    path = released.bento(1) / "src" / "release" / "model" / "contract.json"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(Refused, match=r"release/model/contract.json was changed"):
        released.bench.rollback(MODEL)
    assert released.bench.find_served(MODEL) == "shop/2"
    assert released.refusals()[-1] == (AUTHOR, "roll back to", "shop/1")


@pytest.mark.parametrize("version", [3, 99])
def test_a_rollback_to_what_never_was_is_refused(released: Governed, version: int) -> None:
    with pytest.raises(NotFound):
        released.bench.rollback(MODEL, to=version)
    assert released.bench.find_served(MODEL) == "shop/2"


def test_a_rollback_to_what_is_served_moves_nothing_and_finishes_what_was_interrupted(released: Governed) -> None:
    before = released.bench.store.read_ledger()
    released.bench.tracker.point_alias(MODEL, CHAMPION, 1)
    notes = released.bench.rollback(MODEL, to=2).notes
    assert notes[0] == "shop serves version 2 already; nothing was moved."
    assert "pointed to version 1 while the ledger served version 2" in notes[1]
    assert released.bench.store.read_ledger() == before
    assert released.alias() == 2


def test_a_second_rollback_from_the_same_version_is_told_who_was_first(released: Governed) -> None:
    released.acting(OWNER).rollback(MODEL, served=2)
    with pytest.raises(Refused, match=r"shop changed meanwhile\.") as refused:
        released.bench.rollback(MODEL, served=2)
    assert refused.value.reasons[0].startswith(f"{OWNER} rolled back to version 1 at ")
    assert "workbench ledger" in refused.value.next_step
    assert released.bench.find_served(MODEL) == "shop/1"


def test_a_revoked_signer_takes_the_release_with_them(released: Governed) -> None:
    signers = released.bench.settings.signers_file
    signers.write_text(
        "".join(line for line in signers.read_text().splitlines(keepends=True) if OWNER not in line), encoding="utf-8"
    )
    reasons = "\n".join(released.bench.verify("shop/2").decision.reasons)
    assert f"The signature of {OWNER} (owner) does not hold" in reasons
    with pytest.raises(Refused):
        released.bench.serve(MODEL, port=free_port())

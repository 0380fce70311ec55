"""What a machine saw of a ledger is remembered, never goes back by itself, and needs no database to be read."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.ledger.ledger_exports import build_chain
from workbench.errors import Unavailable
from workbench.ledger.last_seen import LastSeen, read_last_seen
from workbench.ledger.ledger import GENESIS, Checkpoint, find_checkpoint_fault, head_of, parse_checkpoint

CHAIN, OTHER = build_chain(12), build_chain(12, salt="other")


@pytest.fixture
def seen(tmp_path: Path) -> LastSeen:
    return LastSeen(tmp_path / "deep" / "seen", "here")


# Checkpoints


@given(st.integers(0, 12), st.integers(0, 12))
def test_a_chain_holds_every_checkpoint_of_its_past_and_none_of_its_future(noted: int, now: int) -> None:
    fault = find_checkpoint_fault(CHAIN[:now], head_of(CHAIN[:noted]))
    assert (fault is None) is (noted <= now)
    if fault:
        assert f"entry {noted} " in fault
        assert f"entry {now}, " in fault
        assert head_of(CHAIN[:noted]).digest in fault
        assert head_of(CHAIN[:now]).digest in fault


@given(st.integers(1, 12), st.integers(1, 12))
def test_another_chain_holds_none(noted: int, now: int) -> None:
    assert find_checkpoint_fault(OTHER[:now], head_of(CHAIN[:noted]))


def test_nothing_is_held_by_everything_and_a_checkpoint_is_read_back_as_it_is_written() -> None:
    assert find_checkpoint_fault(CHAIN, Checkpoint(0, GENESIS)) is None
    assert find_checkpoint_fault(CHAIN, Checkpoint(0, "a" * 64))
    assert parse_checkpoint(str(head_of(CHAIN))) == head_of(CHAIN)


# What is remembered


def test_what_was_seen_must_be_there(seen: LastSeen) -> None:
    seen.note(CHAIN[:5])
    for entries in (CHAIN[:5], CHAIN):
        assert seen.find_fault(entries) is None
    for entries in (CHAIN[:4], [], OTHER):
        assert seen.find_fault(entries)
    assert seen.recall(CHAIN) == [head_of(CHAIN[:5])]


def test_it_never_goes_back_by_itself(seen: LastSeen) -> None:
    seen.note(CHAIN)
    seen.note(CHAIN[:3])
    assert seen.recall(CHAIN) == [head_of(CHAIN)]


def test_of_many_who_note_at_once_the_highest_stays(seen: LastSeen) -> None:
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda count: seen.note(CHAIN[:count]), [3, 12, 5, 1, 9, 7] * 5))
    assert seen.recall(CHAIN) == [head_of(CHAIN)]


def test_a_ledger_that_moves_to_another_place_is_known_there(seen: LastSeen, tmp_path: Path) -> None:
    seen.note(CHAIN)
    elsewhere = LastSeen(tmp_path / "deep" / "seen", "there")
    assert elsewhere.find_fault(CHAIN[:6])
    assert elsewhere.find_fault(OTHER) is None


def test_what_is_accepted_is_what_was_seen_from_then_on(seen: LastSeen) -> None:
    seen.note(CHAIN)
    seen.accept(CHAIN[:3])
    assert seen.find_fault(CHAIN[:3]) is None
    seen.accept(OTHER)
    assert (seen.find_fault(OTHER), bool(seen.find_fault(CHAIN))) == (None, True)
    seen.accept([])
    assert seen.find_fault([]) is None


def test_a_folder_that_cannot_be_made_stops_what_must_be_remembered_and_no_reading(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    seen = LastSeen(tmp_path / "file" / "seen", "here")
    seen.note(CHAIN)
    assert seen.find_fault(CHAIN) is None
    for use in (seen.require_writable, lambda: seen.accept(CHAIN)):
        with pytest.raises(Unavailable) as caught:
            use()
        assert caught.value.reasons[0]
        assert "checkpoints" in caught.value.next_step


@pytest.mark.parametrize("name", ["", "..", "../x", "A" * 64, "a" * 63, "a" * 65])
def test_only_a_digest_names_a_ledger(tmp_path: Path, name: str) -> None:
    assert read_last_seen(tmp_path, name) is None


def test_whoever_serves_reads_it_without_a_database(seen: LastSeen, tmp_path: Path) -> None:
    seen.note(CHAIN)
    code = (
        "import sys; from pathlib import Path; from workbench.ledger.last_seen import read_last_seen;"
        "print(read_last_seen(Path(sys.argv[1]), sys.argv[2])); print('sqlalchemy' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "deep" / "seen"), CHAIN[0].digest]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3])
    assert done.stdout.splitlines() == [str(head_of(CHAIN)), "False"]

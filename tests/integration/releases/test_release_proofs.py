"""Promotions at once, tampered with and claimed: small sizes of the proofs that `make soak` runs in full."""

from __future__ import annotations

from pathlib import Path

from tests.soak import forgeries, promoters, tampering
from tests.soak.__main__ import PROOFS
from tests.soak.forgeries import HONEST


def test_of_those_who_move_an_endpoint_at_once_one_wins_and_the_others_are_told_who(blank_tracking: Path) -> None:
    assert promoters.prove(PROOFS["promoters"].small, blank_tracking).failures == ()


def test_whatever_is_tampered_with_is_refused_for_its_own_reason_and_nothing_valid_is() -> None:
    assert tampering.prove(PROOFS["tampering"].small).failures == ()


def test_whatever_is_claimed_and_is_not_so_is_refused_for_its_own_reason_and_no_honest_story_is() -> None:
    tried, faults, _ = forgeries.try_stories(len(forgeries.FAMILIES), len(HONEST))
    assert (tried, faults) == (len(forgeries.FAMILIES) + len(HONEST), [])

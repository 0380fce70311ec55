"""What a review holds besides the decision: what changed, the card, and whose key it would be signed with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.integration.governed import VALIDATOR, Governed, reasons_of
from workbench.errors import Refused, UsageError


def test_a_review_says_what_changed_since_the_version_that_is_served(released: Governed) -> None:
    changes = released.bench.review("shop/2").changes
    assert changes is not None
    assert changes.version == 1
    assert [(item.name, item.before, item.after) for item in changes.parameters] == [("strength", 1.0, 0.5)]
    assert (changes.datasets, changes.code.hunks, changes.code.fault) == ((), (), None)


def test_a_first_version_has_nothing_to_be_held_against(nominated: Governed) -> None:
    assert nominated.bench.review("shop/1").changes is None


def test_a_source_changed_after_the_nomination_is_refused(nominated: Governed) -> None:
    source = nominated.bench.settings.models_folder / "shop" / "2" / "source.ipynb"
    source.write_bytes(source.read_bytes() + b" ")
    with pytest.raises(Refused) as refused:
        nominated.bench.review("shop/2")
    assert "source.ipynb was changed since the nomination." in reasons_of(refused)


def test_the_model_card_is_a_page_too(nominated: Governed, tmp_path: Path) -> None:
    nominated.bench.write_card_page("shop/2", tmp_path / "card.html")
    page = (tmp_path / "card.html").read_text(encoding="utf-8")
    assert "Model card: shop, version 2" in page
    assert "4 of 4 questions to people are answered." in page
    assert "<script" not in page


def test_who_holds_a_key_is_known_before_it_signs(nominated: Governed) -> None:
    assert nominated.bench.find_keyholder(nominated.keys / "grace") == VALIDATOR
    assert nominated.bench.find_keyholder(nominated.keys / "mallory.pub") is None
    with pytest.raises(UsageError, match="There is no key at"):
        nominated.bench.find_keyholder(nominated.keys / "nobody")

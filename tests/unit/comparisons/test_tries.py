"""How often a holdout was looked at is one number, told in the same words by compare, check and model card."""

from __future__ import annotations

import pytest

from tests.unit.comparisons.builders import build_comparison
from tests.unit.evidence.builders import build_evidence, build_tries
from workbench.comparisons.comparison import headline
from workbench.evidence.measures.tries import describe_tries
from workbench.reviews.card_markdown import render_model_card
from workbench.widgets.comparison_state import comparison_state


@pytest.mark.parametrize(
    ("tried", "other_rules", "other_splits", "said"),
    [
        (1, 0, 0, "1 try"),
        (1234, 0, 0, "1,234 tries"),
        (2, 1, 0, "2 tries, 1 of them another policy"),
        (9, 2, 0, "9 tries, 2 of them other policies"),
        (2, 0, 1, "2 tries, 1 of them on another split of the data"),
        (9, 1, 5, "9 tries, 5 of them on other splits of the data, 1 of them another policy"),
    ],
)
def test_tries_and_other_rules_are_said_in_the_same_words_wherever_they_count(tried, other_rules, other_splits, said):
    comparison = build_comparison(tried=tried, other_rules=other_rules, other_splits=other_splits)
    tries = build_tries(distinct=tried, runs=5, drafts=1, other_rules=("p",) * other_rules, other_splits=other_splits)
    evidence = build_evidence(baseline=comparison, tries=tries)
    card = render_model_card(evidence, {}, "{sections}")
    assert f"corrected for {said})" in headline(comparison)
    assert f"{said}{'' if other_splits else ' on this holdout'}" in str(comparison_state(comparison)["facts"])
    assert describe_tries(tries).startswith(f"{said}{',' if ',' in said[6:] else ''} in 5 runs and 1 draft")
    assert f"corrected for {said}" in card and f"looked at: {describe_tries(tries).partition(';')[0]}" in card
    assert ("also planned under" in card, "another split of the same data:" in card) == (
        other_rules > 0,
        other_splits > 0,
    )

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
    ("tried", "other_rules", "said"),
    [
        (1, 0, "1 try"),
        (1234, 0, "1,234 tries"),
        (2, 1, "2 tries, 1 of them another policy"),
        (9, 2, "9 tries, 2 of them other policies"),
    ],
)
def test_tries_and_other_rules_are_said_in_the_same_words_wherever_they_count(tried, other_rules, said):
    comparison = build_comparison(tried=tried, other_rules=other_rules)
    tries = build_tries(distinct=tried, runs=5, drafts=1, other_rules=("p",) * other_rules)
    evidence = build_evidence(baseline=comparison, tries=tries)
    card = render_model_card(evidence, {}, "{sections}")
    assert f"corrected for {said})" in headline(comparison)
    assert f"{said} on this holdout" in str(comparison_state(comparison)["facts"])
    assert describe_tries(tries).startswith(f"{said}{',' if other_rules else ''} in 5 runs and 1 draft")
    assert f"corrected for {said}" in card and f"looked at: {describe_tries(tries).partition(';')[0]}" in card
    assert ("also planned under" in card) is bool(other_rules)

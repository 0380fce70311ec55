"""Facts that are computed again are the same, or named with what they were and are."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.evidence.builders import build_evidence, build_holdout, build_identity, build_model, build_score
from workbench.evidence.recomputation import find_differing_facts

FROZEN = build_evidence()


def test_facts_that_are_the_same_are_not_named():
    assert find_differing_facts(FROZEN, build_evidence()) == []


@pytest.mark.parametrize(
    ("now", "reason"),
    [
        (build_evidence(files_unmodified=False), "files_unmodified was True at its nomination and is False now."),
        (build_evidence(holdout=build_holdout(rows=142)), "holdout.rows was 143 at its nomination and is 142 now."),
        (
            build_evidence(score=build_score(logged=None)),
            "score.logged was 0.995178197064",
        ),
        (
            build_evidence(identity=build_identity(parameters={})),
            "identity.parameters.seed was 7 at its nomination and is nothing",
        ),
        (
            build_evidence(model=build_model(load_error="It " + "x" * 99)),
            "model.load_error was nothing at its nomination and is It",
        ),
        (build_evidence(datasets=()), "datasets.0.digest was "),
    ],
)
def test_a_fact_that_is_another_is_named_with_both_values(now, reason):
    assert any(each.startswith(reason) for each in find_differing_facts(FROZEN, now))


def test_what_is_measured_may_be_another_number():
    assert find_differing_facts(FROZEN, replace(FROZEN, model=build_model(largest_difference=6.1e-8))) == []

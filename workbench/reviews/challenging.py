"""Challenging: a nominee's facts held against those of the version that is served, as both were frozen (champion, challenger)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from workbench.comparisons.comparing import Reference, Scored, compare_scored, find_difference
from workbench.comparisons.comparison import Comparison
from workbench.comparisons.slicing import describe_slices
from workbench.evidence.evidence import Evidence
from workbench.models.predictions import Predictions, parse_predictions, parse_slices
from workbench.policies.policy import Policy


@dataclass(frozen=True)
class Before:
    """What was frozen of the version a nominee is held against; `source` is None when it was nominated before sources were kept."""

    facts: Evidence
    predictions: bytes
    source: bytes | None
    modules: Mapping[str, bytes]


def hold_against_champion(facts: Evidence, policy: Policy, predicted: bytes, before: Before) -> Evidence:
    """Return the facts with the champion as reference, of all rows and of each slice; None when they were not scored alike."""
    pair = _pair_with_champion(facts, predicted, before)
    slices = (
        describe_slices(parse_slices(predicted, facts.identity.run_id), *pair, policy)
        if pair and facts.slices
        else None
    )
    compared = _compare_with_champion(facts, policy, *pair) if pair else None
    return replace(facts, champion_version=before.facts.identity.version, champion=compared, slices=slices)


def _pair_with_champion(facts: Evidence, predicted: bytes, before: Before) -> tuple[Predictions, Reference] | None:
    """Return what was predicted and what a served version predicts for the same rows, as frozen; None when they differ."""
    champion = before.facts
    if facts.baseline is None or facts.holdout is None or champion.holdout is None:
        return None
    if champion.holdout.digest != facts.holdout.digest:
        return None
    own, served = (
        parse_predictions(content, of.identity.run_id)
        for content, of in ((predicted, facts), (before.predictions, champion))
    )
    return (
        None
        if find_difference(own, served)
        else (own, Reference(f"the champion, version {champion.identity.version}", served))
    )


def _compare_with_champion(
    facts: Evidence, policy: Policy, own: Predictions, reference: Reference
) -> Comparison | None:
    if facts.baseline is None or facts.holdout is None:
        return None
    compared = compare_scored(
        [Scored(facts.identity.run_id, facts.identity.parameters, own)],
        holdout_digest=facts.holdout.digest,
        reference=reference,
        rule=policy.rule_of(own.task),
        tried=facts.baseline.tried,
    )
    return compared if compared.is_defined else None

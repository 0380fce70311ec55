"""Challenging: a nominee's facts held against those of the version that is served, as both were frozen (champion, challenger)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from workbench.comparisons.comparing import Reference, Scored, compare_scored, find_difference
from workbench.comparisons.slicing import describe_slices
from workbench.evidence.evidence import Evidence
from workbench.models.predictions import parse_predictions, parse_slices
from workbench.policies.policy import Policy


@dataclass(frozen=True)
class Before:
    """What was frozen of the version a nominee is held against; `source` is None when it was nominated before sources were kept."""

    facts: Evidence
    predictions: bytes
    source: bytes | None
    modules: Mapping[str, bytes]
    local_code: Mapping[str, str]


def hold_against_champion(facts: Evidence, policy: Policy, predicted: bytes, before: Before) -> Evidence:
    """Return the facts with the champion as reference, of all rows and of each slice; None when they were not scored alike."""
    held = replace(facts, champion_version=before.facts.identity.version, champion=None, slices=None)
    if facts.baseline is None or facts.holdout is None or before.facts.holdout is None:
        return held
    own = parse_predictions(predicted, facts.identity.run_id)
    served = parse_predictions(before.predictions, before.facts.identity.run_id)
    if before.facts.holdout.digest != facts.holdout.digest or find_difference(own, served):
        return held
    reference = Reference(f"the champion, version {before.facts.identity.version}", served)
    compared = compare_scored(
        [Scored(facts.identity.run_id, facts.identity.parameters, own)],
        holdout_digest=facts.holdout.digest,
        reference=reference,
        rule=policy.rule_of(own.task),
        tried=facts.baseline.tried,
    )
    slices = parse_slices(predicted, facts.identity.run_id) if facts.slices else None
    return replace(
        held,
        champion=compared if compared.is_defined else None,
        slices=None if slices is None else describe_slices(slices, own, reference, policy),
    )

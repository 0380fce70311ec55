"""Governance checks: one per file, each a pure function from evidence and policy to a finding."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache

from workbench.checks.authors_known import authors_known
from workbench.checks.beats_baseline import beats_baseline
from workbench.checks.calibrated import calibrated
from workbench.checks.data_known import data_known
from workbench.checks.data_quality import data_quality
from workbench.checks.enough_data import enough_data
from workbench.checks.fast_enough import fast_enough
from workbench.checks.holdout_untouched import holdout_untouched
from workbench.checks.holdout_wear import holdout_wear
from workbench.checks.metric_limit import metric_limit
from workbench.checks.metric_recomputed import metric_recomputed
from workbench.checks.model_card_complete import model_card_complete
from workbench.checks.model_loads import model_loads
from workbench.checks.no_leaking_feature import no_leaking_feature
from workbench.checks.no_secrets_shown import no_secrets_shown
from workbench.checks.not_worse_than_champion import not_worse_than_champion
from workbench.checks.numerically_sound import numerically_sound
from workbench.checks.planned_first import planned_first
from workbench.checks.replay_agrees import replay_agrees
from workbench.checks.robust import robust
from workbench.checks.run_finished import run_finished
from workbench.checks.run_unmodified import run_unmodified
from workbench.checks.safe_format import safe_format
from workbench.checks.slices_hold import slices_hold
from workbench.evidence.evidence import Evidence, Finding, Severity, Status
from workbench.policies.policy import Known, Policy, parse_policy
from workbench.stats.metrics import METRICS, Metric

Check = Callable[[Evidence, Policy], Finding]

CHECKS: Mapping[str, Check] = {
    "run_finished": run_finished,
    "run_unmodified": run_unmodified,
    "authors_known": authors_known,
    "planned_first": planned_first,
    "replay_agrees": replay_agrees,
    "data_known": data_known,
    "data_quality": data_quality,
    "holdout_untouched": holdout_untouched,
    "no_leaking_feature": no_leaking_feature,
    "holdout_wear": holdout_wear,
    "enough_data": enough_data,
    "metric_recomputed": metric_recomputed,
    "metric_limit": metric_limit,
    "beats_baseline": beats_baseline,
    "not_worse_than_champion": not_worse_than_champion,
    "slices_hold": slices_hold,
    "calibrated": calibrated,
    "robust": robust,
    "numerically_sound": numerically_sound,
    "safe_format": safe_format,
    "model_loads": model_loads,
    "fast_enough": fast_enough,
    "no_secrets_shown": no_secrets_shown,
    "model_card_complete": model_card_complete,
}
# By check: the limits a policy gives it, besides its severity.
LIMITS: Mapping[str, tuple[str, ...]] = {
    name: getattr(sys.modules[check.__module__], "LIMITS", ()) for name, check in CHECKS.items()
}
# What policies may name in this version.
KNOWN = Known(LIMITS, {name: metric.tasks for name, metric in METRICS.items()})
# What those may that were judged by before: by which metrics was known when they were.
FROZEN = Known(LIMITS, None)


@lru_cache(maxsize=8)
def read_policy(content: bytes) -> Policy:
    """Read a policy with the checks and metrics this version knows."""
    return parse_policy(content, known=KNOWN)


def read_frozen_policy(content: bytes, *own: Metric) -> Policy:
    """Read a policy that was judged by, with the metrics of somebody's own that were frozen beside it."""
    return parse_policy(content, known=replace(FROZEN, own={metric.name: metric for metric in own}))


def run_checks(evidence: Evidence, policy: Policy) -> tuple[Finding, ...]:
    """Return the finding of each check the policy names, in the policy's order and with its severity."""
    found = (CHECKS[name](evidence, policy) for name in policy.checks)
    return tuple(replace(each, severity=weigh(each, policy.severity_of(each.check))) for each in found)


def weigh(finding: Finding, severity: Severity) -> Severity:
    """Return what a severity means for this finding: what is known to fail is not waived where only the unknown may be."""
    if severity is not Severity.WAIVABLE_IF_UNKNOWN:
        return severity
    return Severity.BLOCKING if finding.status is Status.FAIL else Severity.WAIVABLE

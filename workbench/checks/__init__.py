"""Governance checks: one per file, each a pure function from evidence and policy to a finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workbench.checks.beats_baseline import beats_baseline
from workbench.checks.data_known import data_known
from workbench.checks.holdout_untouched import holdout_untouched
from workbench.checks.metric_limit import metric_limit
from workbench.checks.metric_recomputed import metric_recomputed
from workbench.checks.model_card_complete import model_card_complete
from workbench.checks.model_loads import model_loads
from workbench.checks.not_worse_than_champion import not_worse_than_champion
from workbench.checks.run_finished import run_finished
from workbench.checks.run_unmodified import run_unmodified
from workbench.checks.safe_format import safe_format
from workbench.domain.evidence import Evidence, Finding
from workbench.domain.policy import Policy

Check = Callable[[Evidence, Policy], Finding]

CHECKS: Mapping[str, Check] = {
    "run_finished": run_finished,
    "run_unmodified": run_unmodified,
    "data_known": data_known,
    "holdout_untouched": holdout_untouched,
    "metric_recomputed": metric_recomputed,
    "metric_limit": metric_limit,
    "beats_baseline": beats_baseline,
    "not_worse_than_champion": not_worse_than_champion,
    "safe_format": safe_format,
    "model_loads": model_loads,
    "model_card_complete": model_card_complete,
}


def run_checks(evidence: Evidence, policy: Policy) -> tuple[Finding, ...]:
    """Return the finding of each check the policy names, in the policy's order."""
    return tuple(CHECKS[name](evidence, policy) for name in policy.checks)

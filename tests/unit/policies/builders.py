"""The shipped policies, read with what exists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from workbench.checks import LIMITS
from workbench.policies.policy import Known, Policy, parse_policy
from workbench.stats.metrics import METRICS

STANDARD_POLICY = Path(__file__).parents[3] / "templates" / "policies" / "standard.yaml"


# The one that asks for every check.
STRICT_POLICY = STANDARD_POLICY.with_name("strict.yaml")


def build_policy_bytes() -> bytes:
    """Return the bytes of the standard policy, as shipped."""
    return STANDARD_POLICY.read_bytes()


def read_policy(content: bytes) -> Policy:
    """Read a policy with the checks and metrics that exist."""
    return parse_policy(content, known=Known(LIMITS, {name: item.tasks for name, item in METRICS.items()}))


def build_policy(**changes: Any) -> Policy:
    """Return the standard policy, with some fields replaced."""
    return Policy(**{**vars(read_policy(build_policy_bytes())), **changes})

"""What a nominee may be held back by: an objection, and a limit that it misses."""

from __future__ import annotations

from pathlib import Path

from tests.unit.policies.builders import STANDARD_POLICY

TEXT = "Nobody looked at visitors without a name"


def reach_too_high(folder: Path) -> Path:
    """Write the standard policy with a limit that no model reaches, and that may be waived."""
    content = STANDARD_POLICY.read_text(encoding="utf-8")
    content = content.replace("limit: 0.80}", "limit: 0.99999}").replace(
        "metric_limit: {}", "metric_limit: {severity: waivable}"
    )
    # The run was made under the standard one.
    content = content.replace("planned_first: {}", "planned_first: {severity: advisory}")
    path = folder / "high.yaml"
    path.write_text(content, encoding="utf-8")
    return path

"""What policies may name: the checks with their limits, and the metrics with their tasks, of this version."""

from __future__ import annotations

from workbench.checks import LIMITS
from workbench.domain.policy import Known
from workbench.stats.metrics import METRICS

KNOWN = Known(LIMITS, {name: metric.tasks for name, metric in METRICS.items()})

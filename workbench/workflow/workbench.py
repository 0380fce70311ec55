"""Workbench: the verbs of every chapter put together, the same for the command line, the widgets and Python."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from workbench.comparisons.verbs import ComparisonVerbs
from workbench.config import Settings, read_settings
from workbench.models.verbs import ModelVerbs
from workbench.nominations.verbs import NominationVerbs
from workbench.policies.policy import Known
from workbench.readiness.verbs import ReadinessVerbs
from workbench.releases.verbs import ReleaseVerbs
from workbench.replays.verbs import ReplayVerbs
from workbench.reviews.verbs import ReviewVerbs
from workbench.runs.finding.drafting import explain_draft
from workbench.runs.mlflow_tracker import MlflowTracker
from workbench.runs.sqlalchemy_store import Store
from workbench.runs.verbs import RunVerbs
from workbench.serving.verbs import ServingVerbs
from workbench.sweeps.verbs import SweepVerbs
from workbench.widgets.verbs import PageVerbs
from workbench.workflow.verbs import WorkflowVerbs


# The latest chapter first: what it knows better than one before it holds.
@dataclass(frozen=True)
class Workbench(
    WorkflowVerbs,
    PageVerbs,
    ServingVerbs,
    ReleaseVerbs,
    NominationVerbs,
    ReviewVerbs,
    ComparisonVerbs,
    ReplayVerbs,
    SweepVerbs,
    ReadinessVerbs,
    RunVerbs,
    ModelVerbs,
):
    """One project's workbench; `open` builds the real parts, a test may pass others."""

    @classmethod
    def open(cls, settings: Settings | None = None) -> Workbench:
        """Open the workbench of the current folder's project, or the one these settings describe."""
        settings = settings or read_settings()
        tracker = MlflowTracker(settings.tracking_address, settings.artifacts_folder)
        explain = partial(explain_draft, settings)
        store = Store(settings.store_address, last_seen=settings.checkpoints_folder, explain=explain)
        return cls(settings, store, tracker, list_known)


def list_known() -> Known:
    """Return what policies may name in this version; only who reads one needs the metrics."""
    from workbench.checks import KNOWN

    return KNOWN

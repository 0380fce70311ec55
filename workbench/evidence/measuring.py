"""Measuring: every fact about a run that holds whatever people answer and whatever is served."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from workbench.comparisons.comparing import Reference
from workbench.comparisons.comparison import Comparison
from workbench.comparisons.slicing import describe_slices
from workbench.evidence.features import FeatureColumn, read_features, read_holdout
from workbench.evidence.measures.authorship import Approved, measure_authorship
from workbench.evidence.measures.calibration import measure_calibration
from workbench.evidence.measures.classes import measure_classes
from workbench.evidence.measures.diagnostics import measure_diagnostics
from workbench.evidence.measures.disclosures import measure_disclosures
from workbench.evidence.measures.holdout import measure_holdout
from workbench.evidence.measures.importance import measure_importance
from workbench.evidence.measures.leakage import measure_leakage
from workbench.evidence.measures.profiles import measure_profiles
from workbench.evidence.measures.robustness import measure_robustness
from workbench.evidence.measures.sample import measure_sample
from workbench.evidence.measures.score import measure_score
from workbench.models.model_inspection import Inspection
from workbench.models.predictions import Predictions
from workbench.notebooks.execution import Execution
from workbench.policies.policy import MetricRule, Policy
from workbench.runs.concluding import read_contract, read_threshold
from workbench.runs.kept_run import KeptRun
from workbench.runs.tables import DatasetFact, LoggedTable


@dataclass(frozen=True)
class MeasuredRun:
    """What is measured: a run as it was read once, what it is held against, and what a confined process saw of its model.

    `authors` are the addresses of people whose names stand in its provenance, `approved` is what was released of the model before.
    """

    kept: KeptRun
    policy: Policy
    inspection: Inspection
    reference: Reference
    baseline: Comparison
    authors: Collection[str]
    approved: Approved | None = None

    @property
    def predictions(self) -> Predictions:
        """What it predicted."""
        return self.kept.predictions

    @property
    def rule(self) -> MetricRule:
        """By which metric the policy judges runs of its task."""
        return self.policy.rule_of(self.predictions.task)

    @property
    def holdout(self) -> LoggedTable | None:
        """The table that was logged as the holdout."""
        return next((table for table in self.kept.tables if table.fact.role == "holdout"), None)

    @cached_property
    def features(self) -> list[FeatureColumn] | None:
        """The holdout's feature rows."""
        return read_features(self.kept)


# By the field of the evidence: how it is measured. A new fact is a field there, a file in measures/ and a line here.
MEASURES: Mapping[str, Callable[[MeasuredRun], Any]] = {
    "execution": lambda run: Execution(**run.kept.run.record["execution"]),
    "files_unmodified": lambda run: not run.kept.changed,
    "datasets": lambda run: tuple(DatasetFact(**item) for item in run.kept.run.record["datasets"]),
    "holdout": lambda run: measure_holdout(run.kept.tables, run.predictions),
    "score": lambda run: measure_score(run.kept.run, run.predictions, run.rule),
    "baseline": lambda run: run.baseline if run.baseline.is_defined else None,
    "model": lambda run: run.inspection.model,
    "serving": lambda run: run.inspection.serving,
    "profiles": lambda run: measure_profiles(run.kept.tables, run.features),
    "leakage": lambda run: measure_leakage(run.features, run.predictions),
    "sample": lambda run: measure_sample(run.predictions, run.holdout, read_holdout(run.kept), run.features),
    "slices": lambda run: describe_slices(run.kept.slices, run.predictions, run.reference, run.policy),
    "calibration": lambda run: measure_calibration(run.predictions),
    "robustness": lambda run: measure_robustness(run.kept, run.inspection.answers, run.inspection.disturbed, run.rule),
    "importance": lambda run: measure_importance(
        run.kept, run.inspection.answers, run.inspection.disturbed, run.rule, read_contract(run.kept.files)
    ),
    "numerics": lambda run: run.inspection.numerics,
    "disclosures": lambda run: measure_disclosures(run.kept.files, known=run.authors, larger=run.kept.larger),
    "cost": lambda run: run.inspection.cost,
    "classes": lambda run: measure_classes(
        run.predictions, read_threshold(run.kept.files), run.inspection.differing_labels
    ),
    "diagnostics": lambda run: measure_diagnostics(run.predictions, read_threshold(run.kept.files)),
    "own_code": lambda run: run.inspection.own_code,
    "authorship": lambda run: measure_authorship(run.kept.authorship, run.approved, run.policy.authors),
    "local_files": lambda run: run.kept.local_files,
}


def measure_run(run: MeasuredRun) -> dict[str, Any]:
    """Return every fact by its field of the evidence."""
    return {name: measure(run) for name, measure in MEASURES.items()}

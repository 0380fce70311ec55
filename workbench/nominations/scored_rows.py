"""Scored rows: what the predictions of a run give by themselves, as nominating will measure it again, without its model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from workbench.evidence.measures.calibration import CalibrationFact, measure_calibration
from workbench.evidence.measures.classes import ClassesFact, measure_classes
from workbench.evidence.measures.sample import SampleFact, measure_sample
from workbench.evidence.measures.score import ScoreFact, measure_score
from workbench.models.predictions import Predictions
from workbench.policies.policy import Policy
from workbench.runs.run import Run

# Whether scores mean what they say costs a second on so many rows.
_MOST_CALIBRATED = 20_000


@dataclass(frozen=True)
class ScoredRows:
    """What is certain of the rows that were scored: the score, whether they are the holdout's (`covered`), how many they are.

    `judged` names the checks that this is all they ask for.
    """

    score: ScoreFact
    covered: bool
    sample: SampleFact
    calibration: CalibrationFact | None
    classes: ClassesFact | None
    judged: frozenset[str]


def measure_scored_rows(
    run: Run, predictions: Predictions, row_ids: Sequence[str] | None, policy: Policy
) -> ScoredRows | None:
    """Return what predictions give; None without a rule for the task, or a value.

    `row_ids` are the holdout's, sorted; None: nobody knows them.
    """
    rule, few = policy.metrics.get(predictions.task), len(predictions.rows) <= _MOST_CALIBRATED
    score = measure_score(run, predictions, rule) if rule else None
    if score is None:
        return None
    return ScoredRows(
        score=score,
        covered=row_ids is None or tuple(row_ids) == predictions.rows,
        # Whose rows they are besides is for nominating to find.
        sample=replace(measure_sample(predictions), strangers=0),
        calibration=measure_calibration(predictions) if few else None,
        classes=_take_labels_for_the_models(measure_classes(predictions)) if few else None,
        judged=frozenset({"metric_recomputed", *(["calibrated"] if few else [])}),
    )


def _take_labels_for_the_models(classes: ClassesFact | None) -> ClassesFact | None:
    """That they differ is not known before what is served was asked."""
    return classes and replace(classes, decided_by="score")

"""A scorecard: what stored predictions come to, by which thousands of runs are paired and ranked without reading them again."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.records.digest import canonical_json

if TYPE_CHECKING:
    from workbench.models.predictions import Predictions

# One that was computed in another way is none.
FORMAT = 1
_MOST_SCORES = 5_000_000  # rows times classes: two seconds


@dataclass(frozen=True)
class Scorecard:
    """What predictions can be paired with, and the value of each metric of their task that is a finite number.

    Two runs can be paired row by row where `pairing` (a SHA-256 of rows, truth, task and how many classes) is the same, and
    `classes` (as JSON with the positive one; empty where nobody named them) does not say otherwise. `units` are as `Units.spell`
    tells them; empty where the holdout named neither groups nor times.
    """

    pairing: str
    rows: int
    task: str
    classes: str
    values: Mapping[str, float]
    units: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return it as a record keeps it."""
        return {"format": FORMAT, **vars(self), "values": dict(self.values)}


def measure_scorecard(predictions: Predictions) -> Scorecard:
    """Compute the scorecard of predictions."""
    return Scorecard(
        pairing=_digest_pairing(predictions),
        rows=len(predictions.rows),
        task=predictions.task,
        classes=spell_classes(predictions),
        values=_measure_all(predictions),
        units=predictions.units.spell() if predictions.units is not None else "",
    )


def can_be_measured_at_once(predictions: Predictions) -> bool:
    """True unless it would take so long that whoever ended a run should not wait for it."""
    return predictions.score.size <= _MOST_SCORES


def parse_scorecard(document: Any) -> Scorecard | None:
    """Return the scorecard that a record keeps; None where it keeps none, or one of another format."""
    if not isinstance(document, Mapping) or document.get("format") != FORMAT:
        return None
    try:
        card = Scorecard(**{key: value for key, value in document.items() if key != "format"})
    except TypeError:
        return None
    return card if isinstance(card.values, Mapping) and isinstance(card.pairing, str) else None


def spell_classes(predictions: Predictions) -> str:
    """Return the names of the classes, in their order, and the positive one; empty where nobody named them."""
    if predictions.classes is None:
        return ""
    return canonical_json([list(predictions.classes), predictions.positive_class]).decode()


def _digest_pairing(predictions: Predictions) -> str:
    said = [predictions.task, predictions.width, list(predictions.rows)]
    truth = predictions.truth + 0.0  # a zero with a minus is a zero
    return hashlib.sha256(canonical_json(said) + truth.tobytes()).hexdigest()


def _measure_all(predictions: Predictions) -> dict[str, float]:
    from workbench.stats.metrics import METRICS

    own = (metric for metric in METRICS.values() if predictions.task in metric.tasks)
    found = {metric.name: metric.score(predictions.truth, predictions.read_by(metric)) for metric in own}
    return {name: value for name, value in found.items() if value is not None}

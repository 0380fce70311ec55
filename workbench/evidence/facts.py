"""Facts: what is measured about the data, the scores and the model of a run; records the evidence is made of.

A fact that could not be measured is None, never a number that stands for it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnStrength:
    """How well one feature alone tells the truth on the holdout: its AUC, or its rank correlation; from 0.5 or 0 to 1."""

    name: str
    strength: float


@dataclass(frozen=True)
class LeakageFact:
    """Features that know too much: the strongest ones first, and those that only number the rows.

    `judged` of `features` columns had a strength; the others are constant, or text with too many values.
    """

    features: int
    judged: int
    measure: str
    strongest: tuple[ColumnStrength, ...]
    id_like: tuple[str, ...]


@dataclass(frozen=True)
class TriesFact:
    """How often the holdout was looked at: finished runs on it, those among them that predict otherwise, their best and median.

    `scored` of the `distinct` ones could be scored again here; the run itself is one of them.
    """

    metric: str
    runs: int
    distinct: int
    scored: int
    best: float | None
    median: float | None


@dataclass(frozen=True)
class SampleFact:
    """How much the holdout can say: its rows, and those of the rarest class (None in regression).

    `strangers` counts scored rows that are not the holdout's: their features and their truth do not give the digest of the row
    that was logged under this name. None: features were left out or the truth is spelt otherwise, so nobody can tell.
    """

    rows: int
    rarer_class: int | None
    strangers: int | None = None


@dataclass(frozen=True)
class CalibrationFact:
    """Whether scores mean what they say; `slope` and `intercept` are those of the truth on the score.

    In classification on the log-odds, with the expected calibration error over bins of equal size and the error that a
    perfectly calibrated model of these scores would show by chance; in regression in the target's units, with the mean
    residual as a share of the truth's standard deviation. Each `_error` is a standard error. Of several classes the errors are
    means over all, each against the rest, and there is no line.
    """

    rows: int
    slope: float | None
    slope_error: float | None
    intercept: float | None
    brier: float | None = None
    log_loss: float | None = None
    ece: float | None = None
    ece_by_chance: float | None = None
    bins: int | None = None
    bias: float | None = None
    bias_error: float | None = None


@dataclass(frozen=True)
class Share:
    """A share of rows with its 95 % interval (Wilson 1927)."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class MetricValue:
    """A metric over the holdout; None where it is not defined."""

    name: str
    value: float | None


@dataclass(frozen=True)
class ClassFact:
    """One class: `rows` are of it, `called` were called so, `right` are both.

    `recall` is the share of its rows that were called so, `precision` the share of those called so that are of it; None of no
    rows. `roc_auc` and `calibration` are of its score against the rest, `calibration` only where there are several.
    """

    name: str
    rows: int
    called: int
    right: int
    recall: Share | None
    precision: Share | None
    f1: float
    roc_auc: float | None
    calibration: CalibrationFact | None = None


@dataclass(frozen=True)
class ClassesFact:
    """What is decided for: how often each class (a line of `confusion`) was called what (a column), in the order of `classes`.

    `decided_by` says where the decision comes from: the model's own `label`, or the `score` where nobody kept labels.
    `positive_class` and `threshold` are of two classes; `response` is what of the model the scores are. `differing_labels` counts
    the rows on which what will be served decides otherwise; None: no labels were kept, or nothing was asked.
    """

    classes: tuple[ClassFact, ...]
    confusion: tuple[tuple[int, ...], ...]
    accuracy: Share
    metrics: tuple[MetricValue, ...]
    decided_by: str
    positive_class: str | None
    response: str | None
    threshold: float | None
    threshold_class: str | None
    differing_labels: int | None


@dataclass(frozen=True)
class Scenario:
    """What happened to the answers when the holdout was disturbed in one way; of several columns the worst one is told.

    `drop` is how much worse the metric became, as a share of its value in regression; None where it has none. `refused` rows no
    longer kept the contract, and were not asked; `not_finite` counts answers that are no number, `error` is what the model
    raised.
    """

    name: str
    columns: int
    worst_column: str | None
    refused: int
    not_finite: int
    drop: float | None
    error: str | None


@dataclass(frozen=True)
class RobustnessFact:
    """The scenarios that were tried on `rows` rows of the holdout, with the metric that was watched."""

    metric: str
    rows: int
    scenarios: tuple[Scenario, ...]


@dataclass(frozen=True)
class Disclosure:
    """A kind of thing nobody should show, where it stands and how often; never the thing itself."""

    kind: str
    file: str
    place: str
    count: int


@dataclass(frozen=True)
class DisclosureFact:
    """What was found in the text that a run keeps: `files` that were read, and every finding in them.

    `unread` names what nobody could read although it is none of the formats a run writes: no text, or too large.
    """

    files: int
    found: tuple[Disclosure, ...]
    unread: tuple[str, ...] = ()

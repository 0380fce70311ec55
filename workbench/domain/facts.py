"""Facts: what is measured about the data, the scores and the model of a run; records the evidence is made of.

A fact that could not be measured is None, never a number that stands for it.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ColumnProfile:
    """One column: how many values are missing, how many different ones there are, how many lie far outside.

    `outlying` counts numbers beyond three interquartile ranges of the quartiles (Tukey's outer fence); None where that has no
    meaning or nobody counted.
    """

    name: str
    missing: int
    distinct: int
    outlying: int | None = None


@dataclass(frozen=True)
class TableProfile:
    """A table that was logged: `duplicates` are rows that equal an earlier one, counted from the digests of the rows.

    `recomputed` says that its columns were counted here, from the feature rows that are kept, and not by the notebook's own
    kernel. None instead of columns: nobody counted.
    """

    name: str
    role: str
    rows: int
    duplicates: int
    recomputed: bool
    columns: tuple[ColumnProfile, ...] | None


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
class ReplayFact:
    """The newest replay of the run: `verdict` on all that came out, and the kinds of things that were different.

    `largest_difference` is that of the holdout scores, absolute; None when they cannot be paired. Without a replay all is None
    and `reasons` say why.
    """

    run_id: str | None
    verdict: str | None
    largest_difference: float | None
    different: tuple[str, ...]
    reasons: tuple[str, ...]


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
class SliceValue:
    """The rows of the holdout that share a value: the metric there, the reference's, and whether it is worse beyond chance.

    `advantage` is positive where the model is better. `p_value` is one-sided, small where it is worse; `adjusted` is that of
    Benjamini and Hochberg over the slices the policy names. None: too few rows, or the metric is not defined on them.
    """

    slice: str
    value: str
    rows: int
    rarer_class: int | None
    score: float | None
    reference_score: float | None
    advantage: float | None
    p_value: float | None
    adjusted: float | None


@dataclass(frozen=True)
class SlicesFact:
    """The slices that were logged with the predictions, each value held against a reference on the same rows.

    `left_out` are slices with more values than are looked at.
    """

    metric: str
    direction: str
    reference: str
    values: tuple[SliceValue, ...]
    left_out: tuple[str, ...] = ()


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
class NumericsFact:
    """Whether the answers are numbers, and the same when rows are asked one by one; the difference is in units of their spread."""

    rows: int
    not_finite: int
    asked_singly: int
    largest_batch_difference: float | None


@dataclass(frozen=True)
class ComparedRows:
    """Rows of one kind on which a compiled form was held against the estimator; `of` is how many of that kind there were.

    `differing` counts scores beyond the limit, `labels` other labels; `largest_difference` is relative to the spread of scores, or
    to the score where that is larger.
    """

    kind: str
    rows: int
    of: int
    differing: int
    labels: int
    largest_difference: float


@dataclass(frozen=True)
class FormFact:
    """A form in which the model could be served: whether it is, and why or why not in words, with the rows it was tried on."""

    name: str
    served: bool
    reason: str
    rows: tuple[ComparedRows, ...] = ()


@dataclass(frozen=True)
class ServingFact:
    """The form a model is served in, and all that were tried, in order.

    `own_difference` is how far the estimator is from itself between a row alone and among others, in units of the scores' spread.
    """

    form: str
    spread: float
    own_difference: float
    tried: tuple[FormFact, ...]


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


@dataclass(frozen=True)
class CostFact:
    """What answering takes, measured on the machine that nominated; the only facts that differ each time.

    Times of requests of one row are in milliseconds; `peak_megabytes` is that of the whole confined process, with the libraries
    it needs to compile and compare.
    """

    load_s: float
    calls: int
    p50_ms: float
    p95_ms: float
    p99_ms: float
    peak_megabytes: float
    model_bytes: int

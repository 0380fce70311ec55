"""What is measured of a model and of the forms it could be served in, and is kept in the evidence."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True)
class ModuleFact:
    """An own module that the model needs: its name, the digest of its source, and the names in it that the model holds."""

    name: str
    digest: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class ModelFact:
    """The model's files, and what a separate process saw when it loaded them.

    `untrusted_types` are types in the file that are not on the reviewed list; `largest_difference` is that between the
    served model and the stored holdout predictions, over all holdout rows, in units of the spread of the stored scores (in evidence
    before format 3: absolute). `None`: it could not be measured.
    """

    formats: tuple[str, ...]
    refused_files: tuple[str, ...]
    untrusted_types: tuple[str, ...]
    served_as: str | None
    largest_difference: float | None
    load_error: str | None

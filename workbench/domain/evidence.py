"""Evidence: the facts computed from run, notebook, data and model; canonical bytes with one sha256 digest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any

from workbench.domain.comparison import ComparedRun, Comparison, Interval, Verdict
from workbench.domain.digest import canonical_json, sha256_hex, strict_json
from workbench.domain.run import Execution
from workbench.errors import UsageError

FORMAT = 1


@dataclass(frozen=True)
class Identity:
    """Exactly which model this is, where it came from, and who made it."""

    model: str
    version: int
    endpoint: str
    run_id: str
    run_state: str
    draft: bool
    authors: tuple[str, ...]
    notebook: str
    notebook_digest: str
    parameters: Mapping[str, Any]
    git_commit: str | None
    git_dirty: bool | None
    lock_digest: str | None
    bundle_digest: str
    ended: str | None


@dataclass(frozen=True)
class DatasetFact:
    """A table the notebook declared: its role, its content digest and its size."""

    name: str
    role: str
    digest: str
    rows: int
    columns: int


@dataclass(frozen=True)
class HoldoutFact:
    """The frozen evaluation rows and whether training could have seen them.

    `shared_rows` counts holdout rows that stand in a training table too (`None`: the tables cannot be compared); `covered`
    is true when the predictions are on exactly the holdout's rows, each once.
    """

    digest: str
    rows: int
    shared_rows: int | None
    covered: bool


@dataclass(frozen=True)
class ScoreFact:
    """The deciding metric, as the notebook logged it and as recomputed here from the stored predictions."""

    task: str
    metric: str
    direction: str
    value: float
    logged: float | None


@dataclass(frozen=True)
class ModelFact:
    """The model's files, and what a separate process saw when it loaded them.

    `untrusted_types` are types in the file that are not on the reviewed list; `largest_difference` is that between the
    served model and the stored holdout predictions, over all holdout rows. `None`: it could not be measured.
    """

    formats: tuple[str, ...]
    refused_files: tuple[str, ...]
    untrusted_types: tuple[str, ...]
    served_as: str | None
    largest_difference: float | None
    load_error: str | None


@dataclass(frozen=True)
class Evidence:
    """Everything a check may look at; what is not in here cannot make a finding pass."""

    identity: Identity
    execution: Execution
    files_unmodified: bool
    datasets: tuple[DatasetFact, ...]
    holdout: HoldoutFact | None
    score: ScoreFact | None
    baseline: Comparison | None
    champion: Comparison | None
    champion_version: int | None
    model: ModelFact
    answers: Mapping[str, str]
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """Return the canonical bytes; the digest is theirs."""
        return canonical_json(self)

    @property
    def digest(self) -> str:
        """The sha256 of the canonical bytes."""
        return sha256_hex(self.to_bytes())


def parse_evidence(content: bytes) -> Evidence:
    """Read evidence back from its canonical bytes; raises UsageError when they are of another format or damaged."""
    try:
        document = strict_json(content)
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']}, this version reads {FORMAT}")
        evidence = _build_evidence(document)
        canonical = evidence.to_bytes()
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise UsageError("The evidence cannot be read.", why=f"{type(exc).__name__}: {exc}") from exc
    if canonical != content:
        raise UsageError("The evidence cannot be read.", why="Its bytes are not in canonical form.")
    return evidence


def _build_evidence(document: dict[str, Any]) -> Evidence:
    parts = dict(document)
    parts["identity"] = _build(Identity, {**parts["identity"], "authors": tuple(parts["identity"]["authors"])})
    parts["execution"] = _build(Execution, parts["execution"])
    parts["datasets"] = tuple(_build(DatasetFact, item) for item in parts["datasets"])
    parts["holdout"] = _build(HoldoutFact, parts["holdout"])
    parts["score"] = _build(ScoreFact, parts["score"])
    parts["baseline"] = _build_comparison(parts["baseline"])
    parts["champion"] = _build_comparison(parts["champion"])
    model = parts["model"]
    parts["model"] = _build(ModelFact, {key: tuple(v) if isinstance(v, list) else v for key, v in model.items()})
    return Evidence(**parts)


def _build(kind: type[Any], document: dict[str, Any] | None) -> Any:
    if document is None:
        return None
    if set(document) != {f.name for f in fields(kind)}:
        raise ValueError(f"{kind.__name__} has other fields than expected")
    return kind(**document)


def _build_comparison(document: dict[str, Any] | None) -> Comparison | None:
    if document is None:
        return None
    return _build(Comparison, {**document, "runs": tuple(_build_compared_run(run) for run in document["runs"])})


def _build_compared_run(document: dict[str, Any]) -> ComparedRun:
    verdict = document["verdict"]
    return _build(
        ComparedRun,
        {
            **document,
            "advantage": _build(Interval, document["advantage"]),
            "verdict": None if verdict is None else Verdict(verdict),
        },
    )


class Status(StrEnum):
    """How a check ended; unknown is never green."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Finding:
    """What one check found: the value, the limit it was held against, and the reason in words."""

    check: str
    status: Status
    value: str
    limit: str
    reason: str

    @property
    def blocks(self) -> bool:
        """True unless it passed."""
        return self.status is not Status.PASS

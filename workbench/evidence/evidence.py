"""Evidence: the facts computed from run, notebook, data and model; canonical bytes with one sha256 digest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from enum import StrEnum
from typing import Any

from workbench.comparisons.comparison import Comparison
from workbench.comparisons.overlap import OverlapFact
from workbench.comparisons.shift import ShiftFact
from workbench.comparisons.slices import SlicesFact
from workbench.errors import UsageError
from workbench.evidence.measures.authorship import AuthorshipFact
from workbench.evidence.measures.calibration import CalibrationFact
from workbench.evidence.measures.classes import ClassesFact
from workbench.evidence.measures.disclosures import DisclosureFact
from workbench.evidence.measures.holdout import HoldoutFact
from workbench.evidence.measures.importance import ImportanceFact
from workbench.evidence.measures.leakage import LeakageFact
from workbench.evidence.measures.robustness import RobustnessFact
from workbench.evidence.measures.sample import SampleFact
from workbench.evidence.measures.score import ScoreFact
from workbench.evidence.measures.tries import TriesFact
from workbench.models.diagnostics import Diagnostics
from workbench.models.model_facts import CostFact, ModelFact, ModuleFact, NumericsFact, ServingFact
from workbench.notebooks.execution import Execution
from workbench.policies.severity import Severity as Severity  # noqa: PLC0414 - who reads findings takes it from here
from workbench.records.digest import canonical_json, sha256_hex, strict_json
from workbench.records.document import build_record
from workbench.replays.replay_fact import ReplayFact
from workbench.runs.local_files import LocalFilesFact
from workbench.runs.tables import DatasetFact, TableProfile

FORMAT = 4
# What evidence of format 1 held; all that came later is None there, and a check on it is UNKNOWN.
_FIRST_FIELDS = frozenset(
    {
        *("identity", "execution", "files_unmodified", "datasets", "holdout", "score", "baseline"),
        *("champion", "champion_version", "model", "answers", "format"),
    }
)
# By the format they came with: fields, and fields of facts, that evidence of before cannot hold, with what stands for nothing.
_CAME_WITH: Mapping[int, Mapping[str, Any]] = {
    3: {"serving": None, "classes": None, "own_code": ()},
    4: {
        "authorship": None,
        "local_files": None,
        "diagnostics": None,
        "importance": None,
        "said_by": (),
        "champion_unscored": None,
        "champion_shift": None,
        "champion_overlap": None,
        "holdout.alike_rows": None,
        "holdout.name": "",
        "holdout.target": None,
        "sample.other_truth": "",
        "tries.drafts": 0,
        "tries.other_rules": (),
        "tries.other_splits": 0,
        "tries.beside": 0,
        "tries.scored_rows": 0,
        "baseline.other_rules": 0,
        "baseline.other_splits": 0,
        "baseline.units": None,
        "champion.other_rules": 0,
        "champion.other_splits": 0,
        "champion.units": None,
        "plan.drafted": None,
        "plan.code": None,
        "score.code": None,
    },
}


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
class PlanFact:
    """How the run was to be judged, as the ledger said before it started: its entry, when, and by which rules.

    `holdout_digest` is `None` when no rows had been scored on before; `first_scored` is when the first run on this holdout
    started, or a draft had it at hand, which is `drafted` too; `started` is when this one did (ISO 8601 UTC). `code` is the sha256
    of the file of a metric of the project's own.
    """

    sequence: int
    time: str
    policy_digest: str
    metric: str
    direction: str
    margin: float
    slices: tuple[str, ...]
    holdout_digest: str | None
    started: str
    first_scored: str
    drafted: str | None = None
    code: str | None = None


@dataclass(frozen=True)
class WaiverFact:
    """A signed exception: the check, the finding it covers, who gave it in which role, why and until when.

    `digest` is the sha256 of the signed statement.
    """

    check: str
    finding: str
    principal: str
    role: str
    reason: str
    issued: str
    expires: str
    digest: str


@dataclass(frozen=True)
class ObjectionFact:
    """What somebody holds against the nominee, by its ledger entry; `cleared` and `resolution` are None while it is open."""

    number: int
    principal: str
    text: str
    raised: str
    cleared: str | None
    resolution: str | None


@dataclass(frozen=True)
class AnswerFact:
    """Whose an answer is: who wrote it in these words, and who besides the authors stands for them (nobody: it is a draft)."""

    question: str
    written_by: str
    vouched_by: tuple[str, ...]

    @property
    def whose(self) -> str:
        """Say so, as the card, the review and the terminal do."""
        if self.written_by in self.vouched_by:
            return f"Answered by {self.written_by}"
        if self.vouched_by:
            return f"Drafted by {self.written_by}, confirmed by {', '.join(self.vouched_by)}"
        return f"Drafted by {self.written_by}, an author of the run; whoever approves confirms it"


@dataclass(frozen=True)
class Evidence:
    """Everything a check may look at; what is not in here cannot make a finding pass.

    `champion_unscored` says why the version that is served could not be scored on this holdout, where nobody could.
    `champion_shift` says how it does here beside its own holdout; None where that is this one.
    `champion_overlap` says how many of these rows it was trained on: on more than the policy allows it is not compared.
    """

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
    plan: PlanFact | None = None
    checklist_digest: str | None = None
    waivers: tuple[WaiverFact, ...] = ()
    objections: tuple[ObjectionFact, ...] = ()
    profiles: tuple[TableProfile, ...] | None = None
    leakage: LeakageFact | None = None
    replay: ReplayFact | None = None
    tries: TriesFact | None = None
    sample: SampleFact | None = None
    slices: SlicesFact | None = None
    calibration: CalibrationFact | None = None
    robustness: RobustnessFact | None = None
    numerics: NumericsFact | None = None
    disclosures: DisclosureFact | None = None
    cost: CostFact | None = None
    serving: ServingFact | None = None
    classes: ClassesFact | None = None
    own_code: tuple[ModuleFact, ...] = ()
    authorship: AuthorshipFact | None = None
    local_files: LocalFilesFact | None = None
    diagnostics: Diagnostics | None = None
    importance: ImportanceFact | None = None
    champion_unscored: str | None = None
    champion_shift: ShiftFact | None = None
    champion_overlap: OverlapFact | None = None
    said_by: tuple[AnswerFact, ...] = ()
    format: int = FORMAT

    def to_bytes(self) -> bytes:
        """Return the canonical bytes, in the format it was read in; the digest is theirs.

        Raises ValueError for a fact that its format cannot hold: what is left out of the bytes would be left out of the digest.
        """
        document = asdict(self)
        held = []
        for name, absent in _later_fields(self.format).items():
            place, last = _find_place(document, name)
            if place is not None and place.pop(last) != absent:
                held.append(name)
        if held:
            raise ValueError(f"format {self.format} cannot hold {', '.join(sorted(held))}")
        return canonical_json(document)

    @property
    def moments(self) -> tuple[str, ...]:
        """When what it tells of happened (ISO 8601, or in words what is no time): nobody signed it before."""
        said = [time for each in self.objections for time in (each.raised, each.cleared) if time]
        return (self.identity.ended or "an unknown time", *said, *(each.issued for each in self.waivers))

    @property
    def digest(self) -> str:
        """The sha256 of the canonical bytes."""
        return sha256_hex(self.to_bytes())

    def confirmed_by(self, people: Iterable[str]) -> Evidence:
        """Return what is judged once `people` signed these bytes: they stand for every answer in them. It is never written."""
        signed, whose = tuple(people), {fact.question: fact for fact in self.said_by}
        if not signed:
            return self
        known = (whose.get(name, AnswerFact(name, "somebody unknown", ())) for name in self.answers)
        return replace(self, said_by=tuple(replace(each, vouched_by=(*each.vouched_by, *signed)) for each in known))


def parse_evidence(content: bytes) -> Evidence:
    """Read evidence back from its canonical bytes; raises UsageError when they are of another format or damaged."""
    try:
        document = strict_json(content)
        evidence = build_record(Evidence, _complete(document))
        canonical = evidence.to_bytes()
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise UsageError("The evidence cannot be read.", why=f"{type(exc).__name__}: {exc}") from exc
    if canonical != content:
        raise UsageError("The evidence cannot be read.", why="Its bytes are not in canonical form.")
    return evidence


def _complete(document: Any) -> dict[str, Any]:
    """Return the document of an older format with the fields that came later; raises ValueError for an unknown one."""
    if document["format"] not in range(1, FORMAT + 1) or isinstance(document["format"], bool):
        raise ValueError(f"format {document['format']}, this version reads 1 to {FORMAT}")
    whole = dict(document)
    for name, absent in _later_fields(document["format"]).items():
        place, last = _find_place(whole, name)
        if place is not None and last in place:
            raise ValueError(f"Evidence of format {document['format']} has other fields than expected: {name}")
        if place is not None:
            place[last] = [] if absent == () else absent
    return whole


def _find_place(document: dict[str, Any], name: str) -> tuple[dict[str, Any] | None, str]:
    """Return where a field stands in the document and what it is called there; None where the fact is not there at all."""
    fact, _, field = name.rpartition(".")
    return (document.get(fact), field) if fact else (document, field)


def _later_fields(written: int) -> dict[str, Any]:
    """Return the fields that a format did not have yet, with what stands for nothing."""
    later = {name: absent for came, names in _CAME_WITH.items() if came > written for name, absent in names.items()}
    defaults = {each.name: each.default for each in fields(Evidence) if each.name not in _FIRST_FIELDS}
    return {**later, **(defaults if written == 1 else {})}


class Status(StrEnum):
    """How a check ended; unknown is never green."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True)
class Finding:
    """What one check found: the value, the limit it was held against, and the reason in words.

    `severity` is the policy's; `waiver` says who made an exception until when, empty when nobody did.
    """

    check: str
    status: Status
    value: str
    limit: str
    reason: str
    severity: Severity = Severity.BLOCKING
    waiver: str = ""

    @property
    def blocks(self) -> bool:
        """True unless it passed, is waived, or is only said."""
        return self.status is not Status.PASS and self.severity is not Severity.ADVISORY and not self.waiver

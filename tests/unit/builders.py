"""Valid records with realistic values: a logistic regression on the breast-cancer table, nominated as version 3.

Everything here passes every check of the standard policy, so a test that changes one fact sees what that fact does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from workbench.checks import CHECKS, run_checks
from workbench.domain.approval import Approval, Statement
from workbench.domain.comparison import ComparedRun, Comparison, Direction, Interval, Verdict
from workbench.domain.decision import decide, find_blocking
from workbench.domain.digest import canonical_json, sha256_hex
from workbench.domain.evidence import (
    DatasetFact,
    Evidence,
    HoldoutFact,
    Identity,
    ModelFact,
    ScoreFact,
)
from workbench.domain.policy import Known, Policy, parse_policy
from workbench.domain.release import CARD, EVIDENCE, MANIFEST, POLICY, SUBJECTS, approval_paths
from workbench.domain.review import GivenApproval, Question, Review
from workbench.domain.run import Execution
from workbench.stats import METRICS

STANDARD_POLICY = Path(__file__).parents[2] / "templates" / "policies" / "standard.yaml"

RUN_ID = "3f9a1c27"
CHAMPION_RUN_ID = "b07d5e10"
AUTHOR = "ada@example.org"
VALIDATOR = "vera@example.org"
OWNER = "otto@example.org"
ENDED = "2026-11-20T09:12:31+00:00"
ISSUED = "2026-11-20T10:00:00+00:00"
NOW = "2026-11-21T08:30:00+00:00"
EXPIRES = "2027-05-19T10:00:00+00:00"

ANSWERS = {
    "intended_use": "Ranks fine-needle aspirates for a second reading by a pathologist; it never replaces the reading.",
    "data_rights": "Public research data of the University of Wisconsin under CC BY 4.0, without personal data.",
    "limitations": "Not for images digitised with other equipment, nor for patients under eighteen years of age.",
    "harm": "A missed malignancy delays treatment; every case is read by a person whatever the score says.",
}

MODEL_FILES: Mapping[str, bytes] = {
    "workbench/serving/guard.py": b'"""The code that serves."""\n',
    "release/model/model.onnx": b"\x08\x09onnx logistic regression weights",
    "release/model/contract.json": b'{"columns":["mean radius","mean texture"]}',
}


def build_bundle_files() -> dict[str, bytes]:
    """Return the files of a bundle with the manifest that lists them."""
    listed = {path: sha256_hex(content) for path, content in MODEL_FILES.items()}
    return {**MODEL_FILES, MANIFEST: canonical_json(listed)}


def build_identity(**changes: Any) -> Identity:
    """Return the identity of version 3 of the model `tumour`."""
    facts: dict[str, Any] = {
        "model": "tumour",
        "version": 3,
        "endpoint": "tumour",
        "run_id": RUN_ID,
        "run_state": "FINISHED",
        "draft": False,
        "authors": (AUTHOR,),
        "notebook": "notebooks/01_train_classifier.ipynb",
        "notebook_digest": sha256_hex(b"notebook source"),
        "parameters": {"regularisation": 0.5, "seed": 7, "scale": True},
        "git_commit": "9c1d2f7b6a5e4c3d2b1a0f9e8d7c6b5a4f3e2d1c",
        "git_dirty": False,
        "lock_digest": sha256_hex(b"requirements.lock"),
        "bundle_digest": sha256_hex(build_bundle_files()[MANIFEST]),
        "ended": ENDED,
    }
    return Identity(**{**facts, **changes})


def build_execution(**changes: Any) -> Execution:
    """Return a clean execution of nine code cells."""
    facts: dict[str, Any] = {
        "code_cells": 9,
        "executed_cells": 9,
        "in_order": True,
        "error": None,
        "failed_cell": None,
        "completed": True,
    }
    return Execution(**{**facts, **changes})


def build_datasets() -> tuple[DatasetFact, ...]:
    """Return the two splits of the 569 breast-cancer rows."""
    return (
        DatasetFact("breast_cancer_train", "train", sha256_hex(b"train rows"), 426, 31),
        DatasetFact("breast_cancer_holdout", "holdout", sha256_hex(b"holdout rows"), 143, 31),
    )


def build_holdout(**changes: Any) -> HoldoutFact:
    """Return an untouched holdout of 143 rows."""
    facts = {"digest": sha256_hex(b"holdout rows"), "rows": 143, "shared_rows": 0, "covered": True}
    return HoldoutFact(**{**facts, **changes})  # type: ignore[arg-type]


def build_score(**changes: Any) -> ScoreFact:
    """Return the deciding metric, logged and recomputed alike."""
    facts: dict[str, Any] = {
        "task": "classification",
        "metric": "roc_auc",
        "direction": "higher",
        "value": 0.9951781970649895,
        "logged": 0.9951781970649895,
    }
    return ScoreFact(**{**facts, **changes})


def build_model(**changes: Any) -> ModelFact:
    """Return a model of reviewed formats that answers as stored."""
    facts: dict[str, Any] = {
        "formats": ("json", "onnx", "skops"),
        "refused_files": (),
        "untrusted_types": (),
        "served_as": "onnx",
        "largest_difference": 5.9e-8,
        "load_error": None,
    }
    return ModelFact(**{**facts, **changes})


def build_interval(**changes: Any) -> Interval:
    """Return an advantage whose lower bound is above zero."""
    facts = {"estimate": 0.4952, "low": 0.4871, "high": 0.4989, "level": 0.95}
    return Interval(**{**facts, **changes})


def build_compared_run(**changes: Any) -> ComparedRun:
    """Return the nominee as one side of a comparison."""
    facts: dict[str, Any] = {
        "run_id": RUN_ID,
        "parameters": {"regularisation": 0.5, "seed": 7, "scale": True},
        "value": 0.9951781970649895,
        "advantage": build_interval(),
        "verdict": Verdict.BETTER,
    }
    return ComparedRun(**{**facts, **changes})


def build_comparison(**changes: Any) -> Comparison:
    """Return the nominee against the constant baseline on the holdout."""
    direction: Direction = "higher"
    facts: dict[str, Any] = {
        "metric": "roc_auc",
        "direction": direction,
        "margin": 0.005,
        "holdout_digest": sha256_hex(b"holdout rows"),
        "rows": 143,
        "reference": "constant",
        "reference_value": 0.5,
        "tried": 1,
        "runs": (build_compared_run(),),
    }
    return Comparison(**{**facts, **changes})


def build_champion_comparison(**changes: Any) -> Comparison:
    """Return the nominee against the served champion: slightly ahead, and not worse within the margin."""
    advantage = Interval(estimate=0.0011, low=-0.0021, high=0.0048, level=0.95)
    facts: dict[str, Any] = {
        "reference": CHAMPION_RUN_ID,
        "reference_value": 0.9940782,
        "tried": 4,
        "runs": (build_compared_run(advantage=advantage, verdict=Verdict.NOT_WORSE),),
    }
    return build_comparison(**{**facts, **changes})


def build_evidence(**changes: Any) -> Evidence:
    """Return evidence that passes every check of the standard policy; the champion is version 2."""
    facts: dict[str, Any] = {
        "identity": build_identity(),
        "execution": build_execution(),
        "files_unmodified": True,
        "datasets": build_datasets(),
        "holdout": build_holdout(),
        "score": build_score(),
        "baseline": build_comparison(),
        "champion": build_champion_comparison(),
        "champion_version": 2,
        "model": build_model(),
        "answers": dict(ANSWERS),
    }
    return Evidence(**{**facts, **changes})


def build_policy_bytes() -> bytes:
    """Return the bytes of the standard policy, as shipped."""
    return STANDARD_POLICY.read_bytes()


def read_policy(content: bytes) -> Policy:
    """Read a policy with the checks and metrics that exist."""
    return parse_policy(content, known=Known(frozenset(CHECKS), {name: item.task for name, item in METRICS.items()}))


def build_policy(**changes: Any) -> Policy:
    """Return the standard policy, with some fields replaced."""
    return Policy(**{**vars(read_policy(build_policy_bytes())), **changes})


def build_subject_files(evidence: Evidence | None = None) -> dict[str, bytes]:
    """Return the four files that approvals bind."""
    card = "\n\n".join(f"## {name}\n\n{answer}" for name, answer in ANSWERS.items())
    return {
        MANIFEST: build_bundle_files()[MANIFEST],
        EVIDENCE: (evidence or build_evidence()).to_bytes(),
        POLICY: build_policy_bytes(),
        CARD: card.encode(),
    }


def build_subjects(files: Mapping[str, bytes] | None = None) -> dict[str, str]:
    """Return the digests of the four files that approvals bind."""
    return {path: sha256_hex((files or build_subject_files())[path]) for path in SUBJECTS}


def build_statement(**changes: Any) -> Statement:
    """Return the validator's statement over the standard release."""
    facts: dict[str, Any] = {
        "subjects": build_subjects(),
        "principal": VALIDATOR,
        "role": "validator",
        "model": "tumour",
        "version": 3,
        "endpoint": "tumour",
        "previous": 2,
        "issued": ISSUED,
        "expires": EXPIRES,
    }
    return Statement(**{**facts, **changes})


def build_statements(**changes: Any) -> tuple[Statement, Statement]:
    """Return the two statements the standard policy asks for."""
    return build_statement(**changes), build_statement(**{"principal": OWNER, "role": "owner", **changes})


def seal(statement: Statement) -> Approval:
    """Return an approval with a stand-in for a signature: one that depends on the statement, but on no key."""
    return Approval(statement.to_bytes(), sha256_hex(statement.to_bytes()).encode())


def find_seal_fault(approval: Approval, statement: Statement) -> str | None:
    """Return what is wrong with a `seal`, or None when it holds."""
    return None if approval.signature == sha256_hex(approval.statement).encode() else "Could not verify signature."


def build_release_files(
    approvals: Sequence[Approval] | None = None, *, evidence: Evidence | None = None
) -> dict[str, bytes]:
    """Return a whole release: bundle, subjects and approvals (default: `seal`ed ones of the two statements needed)."""
    files = {**build_bundle_files(), **build_subject_files(evidence)}
    if approvals is None:
        approvals = [seal(statement) for statement in build_statements(subjects=build_subjects(files))]
    for number, approval in enumerate(approvals, start=1):
        statement_path, signature_path = approval_paths(number)
        files |= {statement_path: approval.statement, signature_path: approval.signature}
    return files


def build_questions(answers: Mapping[str, str] | None = None) -> tuple[Question, ...]:
    """Return the questions of the standard policy with their answers."""
    given = ANSWERS if answers is None else answers
    return tuple(
        Question(name, text, given[name], AUTHOR, ENDED) if name in given else Question(name, text)
        for name, text in build_policy().questions.items()
    )


def build_review(**changes: Any) -> Review:
    """Return a review in which everything passed and the validator has signed; the owner has not yet."""
    evidence, policy = changes.get("evidence") or build_evidence(), build_policy()
    findings = changes.get("findings") or run_checks(evidence, policy)
    reasons = [*find_blocking(findings), "Role owner: 0 of 1 approvals.", "Approvals come from 1 of 2 distinct people."]
    facts: dict[str, Any] = {
        "evidence": evidence,
        "evidence_digest": evidence.digest,
        "policy_name": policy.name,
        "policy_digest": policy.digest,
        "findings": findings,
        "questions": build_questions(evidence.answers),
        "roles": policy.roles,
        "principals": policy.principals,
        "approvals": (GivenApproval(VALIDATOR, "validator", ISSUED, EXPIRES, ()),),
        "decision": decide("promote", f"{evidence.identity.model}/{evidence.identity.version}", reasons),
        "reviewed_at": NOW,
    }
    return Review(**{**facts, **changes})

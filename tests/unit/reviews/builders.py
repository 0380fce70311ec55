"""What people say of that nominee, and the review of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.unit.evidence.builders import ANSWERS, build_datasets, build_evidence, build_identity, build_score
from tests.unit.models.builders import build_bundle_files
from tests.unit.people import AUTHOR, ENDED, EXPIRES, ISSUED, NOW, OWNER, VALIDATOR
from tests.unit.policies.builders import build_policy, build_policy_bytes
from workbench.checks import run_checks
from workbench.evidence.evidence import Evidence, WaiverFact
from workbench.records.digest import canonical_json, sha256_hex
from workbench.reviews.approval import Statement, Target, Terms
from workbench.reviews.bundle import CARD, EVIDENCE, MANIFEST, POLICY, SUBJECTS
from workbench.reviews.changes import Changes, find_changes
from workbench.reviews.checklist import judge_checklist, parse_checklist
from workbench.reviews.decision import decide, find_blocking
from workbench.reviews.objection import Objection
from workbench.reviews.review import GivenApproval, Question, Review
from workbench.reviews.waiver import Waiver

CHECKLIST = Path(__file__).parents[3] / "templates" / "checklist.yaml"


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
    content = files or build_subject_files()
    return {path: sha256_hex(content[path]) for path in SUBJECTS}


def build_terms(**changes: Any) -> Terms:
    """Terms that the statements of `build_statements` meet."""
    standard: dict[str, Any] = {
        "subjects": build_subjects(),
        "authors": (AUTHOR,),
        "endpoint": "tumour",
        "target": Target("tumour", 3, 2),
        "roles": {"validator": 1, "owner": 1},
        "principals": 2,
        "valid_days": 180,
        "now": NOW,
        "moments": build_evidence().moments,
    }
    return Terms(**standard | changes)


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
        "sequence": 17,
        "head": sha256_hex(b"entry 17"),
        "issued": ISSUED,
        "expires": EXPIRES,
    }
    return Statement(**{**facts, **changes})


def build_statements(**changes: Any) -> tuple[Statement, Statement]:
    """Return the two statements the standard policy asks for."""
    return build_statement(**changes), build_statement(**{"principal": OWNER, "role": "owner", **changes})


def build_waiver(**changes: Any) -> Waiver:
    """Return the owner's waiver of the comparison with the baseline, given at `ISSUED` for thirty days."""
    facts: dict[str, Any] = {
        "subjects": build_waived_subjects(),
        "principal": OWNER,
        "role": "owner",
        "model": "tumour",
        "version": 3,
        "check": "beats_baseline",
        "finding": "FAIL: not better",
        "reason": "The baseline is retired at the end of the month.",
        "issued": ISSUED,
        "expires": "2026-12-20T10:00:00+00:00",
    }
    return Waiver(**{**facts, **changes})


def build_waiver_fact(**changes: Any) -> WaiverFact:
    """Return the fact that the owner waived the comparison with the baseline."""
    waiver = build_waiver(**changes)
    return waiver.to_fact(sha256_hex(waiver.to_bytes()))


def build_waived_subjects() -> dict[str, str]:
    """Return the digests a waiver binds."""
    files = build_bundle_files() | {POLICY: build_policy_bytes()}
    return {name: sha256_hex(files[name]) for name in (MANIFEST, POLICY)}


def build_objection(**changes: Any) -> Objection:
    """Return an objection of the validator."""
    facts: dict[str, Any] = {
        "subjects": {MANIFEST: build_waived_subjects()[MANIFEST]},
        "principal": VALIDATOR,
        "model": "tumour",
        "version": 3,
        "clears": 0,
        "text": "Nobody looked at the youngest patients",
        "issued": ISSUED,
    }
    return Objection(**{**facts, **changes})


def build_questions(answers: Mapping[str, str] | None = None) -> tuple[Question, ...]:
    """Return the questions of the standard policy with their answers."""
    given = ANSWERS if answers is None else answers
    return tuple(
        Question(name, text, given[name], VALIDATOR, ENDED, (VALIDATOR,)) if name in given else Question(name, text)
        for name, text in build_policy().questions.items()
    )


SOURCE = """strength = 0.5
model = LogisticRegression(C=strength)
model.fit(train, target)
wb.log_metrics(roc_auc=roc_auc_score(truth, score))
"""


def build_source(code: str = SOURCE) -> bytes:
    """Return the source of a notebook with a heading and one code cell, as frozen at nomination."""
    cells = [
        {"cell_type": "markdown", "source": "# Train", "metadata": {}},
        {"cell_type": "code", "source": code, "metadata": {}},
    ]
    return canonical_json({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})


def build_changes(after: Evidence | None = None, **changes: Any) -> Changes:
    """Return what changed from version 2, which had another regularisation, other training rows and one line of code less."""
    train, holdout = build_datasets()
    before = build_evidence(
        identity=build_identity(version=2, parameters={"regularisation": 1.0, "seed": 7}),
        datasets=(replace(train, digest=sha256_hex(b"other rows"), rows=412), holdout),
        score=build_score(value=0.9940782),
    )
    old = SOURCE.replace("model.fit(train, target)\n", "model.fit(train[:412], target[:412])\n").replace(
        "(C=strength)", "()"
    )
    sources = {"source_before": build_source(old), "source_after": build_source()}
    return find_changes(before, after or build_evidence(), **{**sources, **changes})


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
        "tier": policy.tier,
        "findings": findings,
        "waivers": (),
        "waiver_roles": policy.waivers.roles,
        "questions": build_questions(evidence.answers),
        "roles": policy.roles,
        "principals": policy.principals,
        "approvals": (GivenApproval(VALIDATOR, "validator", ISSUED, EXPIRES, ()),),
        "checklist": judge_checklist(
            parse_checklist(CHECKLIST.read_bytes()),
            tier=policy.tier,
            findings=findings,
            answered={name: name in evidence.answers for name in policy.questions},
            gate={"inventory": True, "approvals": False, "objections": True, "expiry": True},
        ),
        "decision": decide("promote", f"{evidence.identity.model}/{evidence.identity.version}", reasons),
        "changes": build_changes(evidence),
        "nominated_at": ENDED,
        "reviewed_at": NOW,
    }
    return Review(**{**facts, **changes})

"""Valid records with realistic values: a logistic regression on the breast-cancer table, nominated as version 3.

Everything here passes every check of the standard policy, so a test that changes one fact sees what that fact does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.checks import LIMITS, run_checks
from workbench.comparisons.comparison import ComparedRun, Comparison, Verdict
from workbench.comparisons.slices import SlicesFact, SliceValue
from workbench.evidence.evidence import Evidence, Identity, ObjectionFact, PlanFact, WaiverFact
from workbench.evidence.measures.calibration import CalibrationFact
from workbench.evidence.measures.classes import ClassesFact, ClassFact, MetricValue, Share
from workbench.evidence.measures.disclosures import Disclosure, DisclosureFact
from workbench.evidence.measures.holdout import HoldoutFact
from workbench.evidence.measures.leakage import ColumnStrength, LeakageFact
from workbench.evidence.measures.robustness import RobustnessFact, Scenario
from workbench.evidence.measures.sample import SampleFact
from workbench.evidence.measures.score import ScoreFact
from workbench.evidence.measures.tries import TriesFact
from workbench.models.contract import Column, ColumnType, Contract
from workbench.models.model_facts import ComparedRows, CostFact, FormFact, ModelFact, NumericsFact, ServingFact
from workbench.notebooks.execution import Execution
from workbench.policies.policy import Known, Policy, Task, parse_policy
from workbench.records.digest import canonical_json, sha256_hex
from workbench.releases.release import approval_paths, waiver_paths
from workbench.replays.replay import ReplayFact
from workbench.reviews.approval import Statement, Target, Terms
from workbench.reviews.bundle import CARD, EVIDENCE, MANIFEST, POLICY, SUBJECTS
from workbench.reviews.changes import Changes, find_changes
from workbench.reviews.checklist import judge_checklist, parse_checklist
from workbench.reviews.decision import decide, find_blocking
from workbench.reviews.objection import Objection
from workbench.reviews.review import GivenApproval, Question, Review
from workbench.reviews.waiver import Waiver
from workbench.runs.tables import ColumnProfile, DatasetFact, TableProfile
from workbench.signing.statement import Signed, Signer, Statable
from workbench.stats.interval import Interval
from workbench.stats.metrics import METRICS
from workbench.stats.task import Direction

STANDARD_POLICY = Path(__file__).parents[2] / "templates" / "policies" / "standard.yaml"
# The one that asks for every check.
STRICT_POLICY = STANDARD_POLICY.with_name("strict.yaml")
CHECKLIST = Path(__file__).parents[2] / "templates" / "checklist.yaml"

RUN_ID = "3f9a1c27d05b"
CHAMPION_RUN_ID = "b07d5e10a4c8"
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


def build_plan(**changes: Any) -> PlanFact:
    """Return a plan that the ledger held before the first run on the holdout."""
    facts: dict[str, Any] = {
        "sequence": 1,
        "time": "2026-11-20T09:00:00+00:00",
        "policy_digest": sha256_hex(build_policy_bytes()),
        "metric": "roc_auc",
        "direction": "higher",
        "margin": 0.005,
        "slices": (),
        "holdout_digest": None,
        "started": "2026-11-20T09:12:00+00:00",
        "first_scored": "2026-11-20T09:05:00+00:00",
    }
    return PlanFact(**{**facts, **changes})


def build_column(**changes: Any) -> ColumnProfile:
    """Return a column without gaps."""
    return ColumnProfile(**{"name": "mean radius", "missing": 0, "distinct": 136, "outlying": 1, **changes})


def build_profile(**changes: Any) -> TableProfile:
    """Return the profile of the training table; the notebook's kernel counted its columns."""
    facts: dict[str, Any] = {
        "name": "breast_cancer_train",
        "role": "train",
        "rows": 426,
        "duplicates": 0,
        "recomputed": False,
        "columns": (
            build_column(distinct=351, outlying=None),
            build_column(name="malignant", distinct=2, outlying=None),
        ),
    }
    return TableProfile(**{**facts, **changes})


def build_profiles() -> tuple[TableProfile, ...]:
    """Return the profiles of both splits."""
    holdout = build_profile(
        name="breast_cancer_holdout", role="holdout", rows=143, recomputed=True, columns=(build_column(),)
    )
    return build_profile(), holdout


def build_leakage(**changes: Any) -> LeakageFact:
    """Return thirty features of which the strongest has an AUC of 0.979 by itself."""
    facts: dict[str, Any] = {
        "features": 30,
        "judged": 30,
        "measure": "AUC alone",
        "strongest": (ColumnStrength("worst perimeter", 0.978679906542056), ColumnStrength("worst area", 0.972)),
        "id_like": (),
    }
    return LeakageFact(**{**facts, **changes})


def build_replay(**changes: Any) -> ReplayFact:
    """Return a replay in which all came out identical."""
    facts: dict[str, Any] = {
        "run_id": "c4b0a9d2",
        "verdict": "identical",
        "largest_difference": 0.0,
        "different": (),
        "reasons": (),
    }
    return ReplayFact(**{**facts, **changes})


def build_tries(**changes: Any) -> TriesFact:
    """Return four tries on the holdout."""
    facts: dict[str, Any] = {
        "metric": "roc_auc",
        "runs": 5,
        "distinct": 4,
        "scored": 4,
        "best": 0.9951781970649895,
        "median": 0.9912,
    }
    return TriesFact(**{**facts, **changes})


def build_slice(**changes: Any) -> SliceValue:
    """Return a slice on which the model is as good as the champion."""
    facts: dict[str, Any] = {
        "slice": "size",
        "value": "medium",
        "rows": 120,
        "rarer_class": 47,
        "score": 0.9912,
        "reference_score": 0.9908,
        "advantage": 0.0004,
        "p_value": 0.61,
        "adjusted": 0.61,
    }
    return SliceValue(**{**facts, **changes})


def build_slices(**changes: Any) -> SlicesFact:
    """Return one slice, held against the champion."""
    facts: dict[str, Any] = {
        "metric": "roc_auc",
        "direction": "higher",
        "reference": "the champion, version 2",
        "values": (build_slice(),),
    }
    return SlicesFact(**{**facts, **changes})


def build_calibration(**changes: Any) -> CalibrationFact:
    """Return the calibration of a model whose scores mean what they say."""
    facts: dict[str, Any] = {
        "rows": 143,
        "slope": 1.08,
        "slope_error": 0.21,
        "intercept": 0.04,
        "brier": 0.0213,
        "log_loss": 0.0794,
        "ece": 0.0312,
        "ece_by_chance": 0.0241,
        "bins": 7,
    }
    return CalibrationFact(**{**facts, **changes})


def build_class(**changes: Any) -> ClassFact:
    """Return the positive class: 53 rows, of which 50 were called so, and 2 that are not."""
    facts: dict[str, Any] = {
        "name": "malignant",
        "rows": 53,
        "called": 52,
        "right": 50,
        "recall": Share(0.9434, 0.8463, 0.9806),
        "precision": Share(0.9615, 0.8702, 0.9894),
        "f1": 0.9524,
        "roc_auc": 0.9951781970649895,
    }
    return ClassFact(**{**facts, **changes})


def build_classes(**changes: Any) -> ClassesFact:
    """Return what was decided for on the 143 rows, with the labels of the model itself."""
    benign = build_class(name="benign", rows=90, called=91, right=88, f1=0.9724)
    facts: dict[str, Any] = {
        "classes": (benign, build_class()),
        "confusion": ((88, 2), (3, 50)),
        "accuracy": Share(0.965, 0.9207, 0.985),
        "metrics": (MetricValue("accuracy", 0.965), MetricValue("roc_auc", 0.9951781970649895)),
        "decided_by": "label",
        "positive_class": "malignant",
        "response": "predict_proba",
        "threshold": None,
        "threshold_class": None,
        "differing_labels": 0,
    }
    return ClassesFact(**{**facts, **changes})


def build_scenario(**changes: Any) -> Scenario:
    """Return what a little noise did: next to nothing."""
    facts: dict[str, Any] = {
        "name": "noise",
        "columns": 0,
        "worst_column": None,
        "refused": 0,
        "not_finite": 0,
        "drop": 0.0007,
        "error": None,
    }
    return Scenario(**{**facts, **changes})


def build_robustness(**changes: Any) -> RobustnessFact:
    """Return two scenarios on all rows of the holdout."""
    unit = build_scenario(name="unit", columns=20, worst_column="concavity error", drop=0.52)
    facts = {"metric": "roc_auc", "rows": 143, "scenarios": (build_scenario(), unit)}
    return RobustnessFact(**{**facts, **changes})  # type: ignore[arg-type]


def build_numerics(**changes: Any) -> NumericsFact:
    """Return answers that are numbers, alone and among others the same."""
    facts: dict[str, Any] = {"rows": 143, "not_finite": 0, "asked_singly": 72, "largest_batch_difference": 0.0}
    return NumericsFact(**{**facts, **changes})


def build_disclosure(**changes: Any) -> Disclosure:
    """Return a token that a cell showed."""
    facts: dict[str, Any] = {"kind": "GitHub token", "file": "notebook.ipynb", "place": "cell 3 stdout", "count": 1}
    return Disclosure(**{**facts, **changes})


def build_disclosures(**changes: Any) -> DisclosureFact:
    """Return eight files in which nothing was found."""
    return DisclosureFact(**{"files": 8, "found": (), **changes})


def build_cost(**changes: Any) -> CostFact:
    """Return the cost of a compiled model."""
    facts: dict[str, Any] = {
        "load_s": 0.0081,
        "calls": 200,
        "p50_ms": 0.0103,
        "p95_ms": 0.0129,
        "p99_ms": 0.0578,
        "peak_megabytes": 300.5,
        "model_bytes": 1624,
    }
    return CostFact(**{**facts, **changes})


def build_compared(**changes: Any) -> ComparedRows:
    """Return rows on which a compiled form answered like the model."""
    facts: dict[str, Any] = {"kind": "holdout", "rows": 143, "of": 143, "differing": 0, "labels": 0}
    return ComparedRows(**{**facts, "largest_difference": 1.2e-15, **changes})


def build_form(**changes: Any) -> FormFact:
    """Return a form that our own converters made and that is served."""
    compared = tuple(
        build_compared(kind=kind, rows=rows, of=rows)
        for kind, rows in (("holdout", 143), ("training", 426), ("drawn", 1000))
    )
    facts: dict[str, Any] = {"name": "own converters, double precision", "served": True, "rows": compared}
    return FormFact(**{**facts, "reason": "It answers like the model on 1,569 rows.", **changes})


def build_serving(**changes: Any) -> ServingFact:
    """Return how a model is served that was compiled by our own converters."""
    form = build_form()
    facts: dict[str, Any] = {"form": form.name, "spread": 0.99, "own_difference": 0.0, "tried": (form,)}
    return ServingFact(**{**facts, **changes})


def build_waiver_fact(**changes: Any) -> WaiverFact:
    """Return the fact that the owner waived the comparison with the baseline."""
    waiver = build_waiver(**changes)
    return waiver.to_fact(sha256_hex(waiver.to_bytes()))


def build_objection_fact(**changes: Any) -> ObjectionFact:
    """Return an open objection of the validator."""
    facts: dict[str, Any] = {
        "number": 9,
        "principal": VALIDATOR,
        "text": "Nobody looked at the youngest patients",
        "raised": ISSUED,
        "cleared": None,
        "resolution": None,
    }
    return ObjectionFact(**{**facts, **changes})


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
        "plan": build_plan(),
        "profiles": build_profiles(),
        "leakage": build_leakage(),
        "replay": build_replay(),
        "tries": build_tries(),
        "sample": SampleFact(143, 53, 0),
        "slices": build_slices(),
        "calibration": build_calibration(),
        "robustness": build_robustness(),
        "numerics": build_numerics(),
        "disclosures": build_disclosures(),
        "cost": build_cost(),
        "serving": build_serving(),
        "classes": build_classes(),
    }
    return Evidence(**{**facts, **changes})


def build_policy_bytes() -> bytes:
    """Return the bytes of the standard policy, as shipped."""
    return STANDARD_POLICY.read_bytes()


def read_policy(content: bytes) -> Policy:
    """Read a policy with the checks and metrics that exist."""
    return parse_policy(content, known=Known(LIMITS, {name: item.tasks for name, item in METRICS.items()}))


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


def seal(statement: Statable) -> Signed:
    """Return a statement with a stand-in for a signature: one that depends on the statement, but on no key."""
    return Signed(statement.to_bytes(), sha256_hex(statement.to_bytes()).encode())


def find_seal_fault(signed: Signed, signer: Signer) -> str | None:
    """Return what is wrong with a `seal`, or None when it holds."""
    return None if signed.signature == sha256_hex(signed.statement).encode() else "Could not verify signature."


def build_release_files(
    approvals: Sequence[Signed] | None = None, *, evidence: Evidence | None = None, waivers: Sequence[Signed] = ()
) -> dict[str, bytes]:
    """Return a whole release: bundle, subjects, waivers and approvals (default: `seal`ed ones of the two statements needed)."""
    files = {**build_bundle_files(), **build_subject_files(evidence)}
    if approvals is None:
        approvals = [seal(statement) for statement in build_statements(subjects=build_subjects(files))]
    for paths, kept in ((approval_paths, approvals), (waiver_paths, waivers)):
        for number, signed in enumerate(kept, start=1):
            statement_path, signature_path = paths(number)
            files |= {statement_path: signed.statement, signature_path: signed.signature}
    return files


def build_questions(answers: Mapping[str, str] | None = None) -> tuple[Question, ...]:
    """Return the questions of the standard policy with their answers."""
    given = ANSWERS if answers is None else answers
    return tuple(
        Question(name, text, given[name], AUTHOR, ENDED) if name in given else Question(name, text)
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


_TYPES: Mapping[str, ColumnType] = {"f": "number", "i": "integer", "b": "boolean", "O": "string"}


def build_contract(
    columns: Sequence[tuple[str, str, bool]], task: Task, *, positive_class: str | None = None
) -> Contract:
    """Return the contract of columns given as name, numpy's letter for their kind, and whether they may be missing."""
    return Contract(task, tuple(Column(name, _TYPES[kind], gaps) for name, kind, gaps in columns), positive_class)

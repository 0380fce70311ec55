"""Facts with realistic values: a logistic regression on the breast-cancer table, nominated as version 3.

Everything here passes every check of the standard policy, so a test that changes one fact sees what that fact does.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tests.unit.comparisons.builders import build_champion_comparison, build_comparison, build_overlap
from tests.unit.evidence.measure_builders import (
    build_calibration,
    build_classes,
    build_cost,
    build_diagnostics,
    build_disclosures,
    build_importance,
    build_leakage,
    build_numerics,
    build_profiles,
    build_robustness,
    build_slices,
)
from tests.unit.models.builders import build_bundle_files
from tests.unit.people import AUTHOR, ENDED, ISSUED, RUN_ID, VALIDATOR
from tests.unit.policies.builders import build_policy_bytes
from workbench.evidence.evidence import (
    FORMAT,
    AnswerFact,
    Evidence,
    Identity,
    ObjectionFact,
    PlanFact,
    _find_place,
    _later_fields,
    parse_evidence,
)
from workbench.evidence.measures.authorship import AuthorshipFact, WrittenFact
from workbench.evidence.measures.holdout import HoldoutFact
from workbench.evidence.measures.sample import SampleFact
from workbench.evidence.measures.score import ScoreFact
from workbench.evidence.measures.tries import TriesFact
from workbench.models.model_facts import ComparedRows, FormFact, ModelFact, ServingFact
from workbench.notebooks.execution import Execution
from workbench.records.digest import canonical_json, sha256_hex
from workbench.replays.replay_fact import ReplayFact
from workbench.reviews.bundle import MANIFEST
from workbench.runs.local_files import LocalFilesFact, LocalModule, ReadFile, SeenBy, Standing
from workbench.runs.tables import DatasetFact

ANSWERS = {
    "intended_use": "Ranks fine-needle aspirates for a second reading by a pathologist; it never replaces the reading.",
    "data_rights": "Public research data of the University of Wisconsin under CC BY 4.0, without personal data.",
    "limitations": "Not for images digitised with other equipment, nor for patients under eighteen years of age.",
    "harm": "A missed malignancy delays treatment; every case is read by a person whatever the score says.",
}


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
    facts = {"digest": sha256_hex(b"holdout rows"), "rows": 143, "shared_rows": 0, "covered": True, "alike_rows": 0}
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


def build_local_files(**changes: Any) -> LocalFilesFact:
    """Return one committed module beside the notebook, and one file that was read."""
    facts: dict[str, Any] = {
        "modules": (LocalModule("notebooks/rounding.py", sha256_hex(b"import math\n"), Standing.COMMITTED),),
        "reads": (ReadFile("data/units.csv", sha256_hex(b"mm\n"), 3, SeenBy.KERNEL),),
        "more_read": 0,
        "is_complete": True,
        "unseen": (),
    }
    return LocalFilesFact(**{**facts, **changes})


def build_serving(**changes: Any) -> ServingFact:
    """Return how a model is served that was compiled by our own converters."""
    form = build_form()
    facts: dict[str, Any] = {"form": form.name, "spread": 0.99, "own_difference": 0.0, "tried": (form,)}
    return ServingFact(**{**facts, **changes})


def build_written(**changes: Any) -> WrittenFact:
    """Return a notebook whose lines two commits wrote."""
    facts: dict[str, Any] = {
        "path": "notebooks/01_train_classifier.ipynb",
        "commits": ("1f" * 20, "9c" * 20),
        "uncommitted": 0,
        "untold": 0,
    }
    return WrittenFact(**{**facts, **changes})


def build_authorship(**changes: Any) -> AuthorshipFact:
    """Return whose lines are new since version 2: the author's own."""
    facts = {"since": 2, "files": (build_written(),), "authors": (AUTHOR,)}
    return AuthorshipFact(**{**facts, **changes})  # type: ignore[arg-type]


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
        "local_files": build_local_files(),
        "classes": build_classes(),
        "authorship": build_authorship(),
    }
    facts |= changes
    whose = tuple(AnswerFact(name, VALIDATOR, (VALIDATOR,)) for name in facts["answers"])
    later = {
        "said_by": whose,
        "champion_overlap": build_overlap(),
        "diagnostics": build_diagnostics(),
        "importance": build_importance(),
    }
    if facts.get("format", FORMAT) != FORMAT:
        later = {}
    return Evidence(**{**later, **facts})


def write_in_format(evidence: Evidence, written: int) -> Evidence:
    """Return evidence as a version of before would have written it: without what came later."""
    document = asdict(evidence)
    for name in _later_fields(written):
        place, field = _find_place(document, name)
        if place is not None:
            del place[field]
    return parse_evidence(canonical_json({**document, "format": written}))

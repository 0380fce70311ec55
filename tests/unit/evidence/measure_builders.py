"""What is measured of that nominee: its tables, slices, classes, robustness, disclosures and cost."""

from __future__ import annotations

from typing import Any

from workbench.comparisons.slices import SlicesFact, SliceValue
from workbench.evidence.measures.calibration import CalibrationFact
from workbench.evidence.measures.classes import ClassesFact, ClassFact, MetricValue, Share
from workbench.evidence.measures.disclosures import Disclosure, DisclosureFact
from workbench.evidence.measures.importance import ColumnImportance, ImportanceFact
from workbench.evidence.measures.leakage import ColumnStrength, LeakageFact
from workbench.evidence.measures.robustness import RobustnessFact, Scenario
from workbench.models.diagnostics import ClassCurve, Diagnostics
from workbench.models.model_facts import CostFact, NumericsFact
from workbench.runs.tables import ColumnProfile, TableProfile
from workbench.stats.reliability import ReliabilityBin


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


def build_diagnostics(**changes: Any) -> Diagnostics:
    """Return the curves of the malignant, and three bins of probabilities."""
    roc = ((0.0, 0.0), (0.02, 0.94), (0.2, 1.0), (1.0, 1.0))
    curve = ClassCurve("malignant", 53 / 143, roc, ((0.5, 1.0), (0.94, 0.96), (1.0, 0.37)))
    bins = [(48, 0.01, 0.0, 0.0, 0.07), (47, 0.2, 0.15, 0.07, 0.28), (48, 0.98, 0.96, 0.86, 0.99)]
    facts = {"curves": (curve,), "reliability": tuple(ReliabilityBin(*each) for each in bins), "threshold": 0.5}
    return Diagnostics(**{**facts, **changes})  # type: ignore[arg-type]


def build_importance(**changes: Any) -> ImportanceFact:
    """Return two columns of which one matters."""
    columns = (ColumnImportance("worst area", 0.12, 0.09, 0.15), ColumnImportance("mean radius", 0.001, -0.002, 0.004))
    facts = {"metric": "roc_auc", "direction": "higher", "value": 0.995, "rows": 143, "columns": columns, "untried": 10}
    return ImportanceFact(**{**facts, **changes})  # type: ignore[arg-type]


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

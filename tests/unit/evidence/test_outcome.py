"""The outcome says in plain counts what the facts hold, and draws what was measured."""

from __future__ import annotations

from tests.unit.drawings.test_pictures import numbers, several_classes, two_classes
from tests.unit.evidence.builders import build_evidence, build_holdout
from tests.unit.evidence.test_importance import measure
from workbench.evidence.evidence import parse_evidence
from workbench.evidence.measures.classes import measure_classes
from workbench.evidence.measures.diagnostics import measure_diagnostics
from workbench.evidence.outcome import draw_outcome, say_outcome


def evidence_of(predictions, **changes):
    classes, diagnostics = measure_classes(predictions), measure_diagnostics(predictions)
    return build_evidence(**{"classes": classes, "diagnostics": diagnostics, "importance": None, **changes})


def titles_of(evidence) -> list[str]:
    return [picture.title for picture in draw_outcome(evidence)]


def test_the_outcome_of_classes_is_what_the_report_says():
    evidence = evidence_of(two_classes(), importance=measure(two_classes()))
    assert say_outcome(evidence).startswith("Of 300 rows 69 are named wrong at a threshold of 0.5: ")
    assert titles_of(evidence) == ["ROC curve", "Precision-recall curve", "Calibration", "What each column is worth"]
    assert parse_evidence(evidence.to_bytes()) == evidence


def test_the_outcome_of_numbers_is_in_the_unit_of_the_target():
    evidence = evidence_of(numbers(), holdout=build_holdout(target="price"))
    assert say_outcome(evidence).startswith("Half of the 200 predictions of price are off by at most")
    assert titles_of(evidence) == ["Residuals along the predictions", "How far off"]
    assert parse_evidence(evidence.to_bytes()) == evidence


def test_the_mistakes_of_many_classes_are_listed():
    assert titles_of(evidence_of(several_classes(9))) == ["What was mistaken for what", "Calibration"]


def test_evidence_of_before_has_counts_and_no_pictures():
    evidence = build_evidence(diagnostics=None, importance=None)
    assert say_outcome(evidence) == (
        "Of 143 rows 5 are named wrong: 3 of 53 malignant are called benign, 2 of 90 benign are called malignant."
    )
    assert draw_outcome(evidence) == ()
    assert say_outcome(build_evidence(classes=None, diagnostics=None)) == ""

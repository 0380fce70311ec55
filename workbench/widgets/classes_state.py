"""What a model decides for, class by class, as the review shows it."""

from __future__ import annotations

from typing import Any

from workbench.evidence.class_words import say_accuracy, say_confusion, say_decision
from workbench.evidence.measures.classes import ClassesFact, ClassFact, Share
from workbench.words.numbers import MISSING, choose_decimals, format_number

# So many classes stand side by side; of more it is said for what each is mistaken the most.
_MOST_COLUMNS = 8


def classes_state(fact: ClassesFact | None) -> dict[str, Any] | None:
    """Return the tables of the classes, None where the truth is no class."""
    if fact is None:
        return None
    shown = [_metric(item.name, item.value) for item in fact.metrics if item.value is not None]
    return {
        "text": f"{say_accuracy(fact)} {say_decision(fact)}",
        "metrics": f"{', '.join(shown)}." if shown else "",
        "note": "Bounds in brackets hold with 95 % each (Wilson).",
        "tables": [_class_table(fact), *([_confusion_table(fact)] if len(fact.classes) <= _MOST_COLUMNS else [])],
    }


def _metric(name: str, value: float | None) -> str:
    return f"{name} {format_number(value, choose_decimals([value]))}"


def _column(label: str, kind: str = "number") -> list[str]:
    return [label, kind]


def _class_table(fact: ClassesFact) -> dict[str, Any]:
    columns = [_column("Class", "text"), _column("Rows"), _column("Called so"), _column("Recall"), _column("Precision")]
    columns += [_column("F1"), _column("AUC"), _column("Mistaken most for", "text")]
    return {
        "name": "Classes",
        "columns": columns,
        "rows": [_class_row(fact, place, each) for place, each in enumerate(fact.classes)],
    }


def _class_row(fact: ClassesFact, place: int, each: ClassFact) -> dict[str, Any]:
    numbers = [f"{each.rows:,}", f"{each.called:,}"]
    cells = [{"text": text, "bounds": "", "kind": "number", "right": False} for text in numbers]
    cells += [_share_cell(each.recall), _share_cell(each.precision)]
    scores = [format_number(each.f1, 3), MISSING if each.roc_auc is None else format_number(each.roc_auc, 4)]
    cells += [{"text": text, "bounds": "", "kind": "number", "right": False} for text in scores]
    mistaken = say_confusion(fact, place) or "none"
    return {"name": each.name, "cells": [*cells, {"text": mistaken, "bounds": "", "kind": "text", "right": False}]}


def _share_cell(share: Share | None) -> dict[str, Any]:
    bounds = "" if share is None else f"({format_number(share.low, 2)} to {format_number(share.high, 2)})"
    text = MISSING if share is None else format_number(share.value, 3)
    return {"text": text, "bounds": bounds, "kind": "number", "right": False}


def _confusion_table(fact: ClassesFact) -> dict[str, Any]:
    columns = [_column("Is (lines), called (columns)", "text"), *(_column(each.name) for each in fact.classes)]
    rows = [
        {
            "name": each.name,
            "cells": [
                {"text": f"{count:,}", "bounds": "", "kind": "number", "right": at == place}
                for at, count in enumerate(fact.confusion[place])
            ],
        }
        for place, each in enumerate(fact.classes)
    ]
    return {"name": "Confusion matrix", "columns": columns, "rows": rows}

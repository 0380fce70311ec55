"""Tasks: what is truth, what a score, and what the endpoint answers; decided once, when the model is logged."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Task = Literal["classification", "multiclass", "regression"]
Label = str | int | float | bool
Response = Literal["predict_proba", "decision_function", "predict"]

# The columns of a file of predictions; of several classes there is one column of scores each, `score_0` and so on.
ROW, TRUTH, SCORE, LABEL = "row", "truth", "score", "label"
SLICE = "slice_"
FEWEST_CLASSES = 3  # of what has more than two
MOST_CLASSES = 100


@dataclass(frozen=True)
class TaskWords:
    """One task in words: how its truth, its score and its answer are to be read; `alone` is how single features are measured."""

    truth: str
    score: str
    answer: str
    alone: str


TASKS: Mapping[Task, TaskWords] = {
    "classification": TaskWords(
        truth="1 for the positive class, 0 for the other",
        score="how much the model is for the positive class: its probability, its decision function, or 1 and 0 for its label",
        answer="a number a row in `scores`, and the label the model decides for in `labels`",
        alone="AUC alone",
    ),
    "multiclass": TaskWords(
        truth="one of at least three classes",
        score="one for each class: its probability, its decision function, or 1 and 0 for its label",
        answer="a number for each class a row in `scores`, and the label the model decides for in `labels`",
        alone="AUC alone, for one class against the rest",
    ),
    "regression": TaskWords(
        truth="a number in the target's unit",
        score="the prediction, in the same unit",
        answer="a number a row in `scores`",
        alone="rank correlation",
    ),
}
_RESPONSES: Mapping[str, str] = {
    "predict_proba": "probabilities",
    "decision_function": "the model's decision function and no probabilities",
    "predict": "1 for the class the model decides for, else 0, and no probabilities",
}


def has_classes(task: str) -> bool:
    """True where the truth is a class and no number."""
    return task != "regression"


def task_of_classes(count: int) -> Task:
    """Return the task of a model that tells so many classes apart."""
    return "multiclass" if count >= FEWEST_CLASSES else "classification"


def spell_class(label: Label) -> str:
    """Return a class as the name of a member of JSON and as people read it: true, 1 and gold."""
    return label if isinstance(label, str) else json.dumps(label)


def describe_response(response: str) -> str:
    """Say what the scores of a model of classes are."""
    return _RESPONSES.get(response, response)


def describe_scores(response: str) -> str:
    """Name the numbers that are the model's own."""
    return {"predict_proba": "the model's probabilities"}.get(response, "the values of the model's decision function")


def score_columns(names: Iterable[str]) -> list[str]:
    """Return which of the columns of a file of predictions hold scores, in the order of the classes."""
    found = set(names)
    several = [f"{SCORE}_{place}" for place in range(sum(name.startswith(f"{SCORE}_") for name in found))]
    return several if several and set(several) <= found else [SCORE]


def find_place(label: Any, classes: Sequence[Label]) -> int | None:
    """Return where a label stands among the classes, None when it is none of them; text is never a number."""
    return next((at for at, each in enumerate(classes) if each == label), None)


Direction = Literal["higher", "lower"]

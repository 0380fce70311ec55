"""What a fitted model says of itself: whether it tells classes apart and which, and what it answers in the notebook's kernel."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from workbench.errors import UsageError
from workbench.models.contract import LARGEST_INTEGER, Column, Contract, Threshold, require_valid
from workbench.models.predictions import Predictions
from workbench.stats.task import MOST_CLASSES, Label, Response, Task, find_place, spell_class, task_of_classes

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Fitted:
    """What a fitted model says of itself: its task, its classes in order, and by which of its methods it can be scored.

    `flags_unseen` is asked for by who logs it, and not said by the model.
    """

    model: Any
    features: pd.DataFrame
    task: Task
    classes: tuple[Label, ...] | None
    responses: tuple[Response, ...]
    threshold: Threshold | None = None
    flags_unseen: bool = False


def decide_task(model: Any, features: pd.DataFrame) -> Fitted:
    """Return the task of a fitted model; raises UsageError for one of a task that nothing here covers."""
    classes = getattr(model, "classes_", None)
    if getattr(model, "multilabel_", False) or (
        isinstance(classes, list) and any(hasattr(each, "shape") for each in classes)
    ):
        raise _no_task("It gives several labels at once.", "Log one model for each label.")
    responses = tuple(name for name in get_args(Response) if hasattr(model, name))
    labels = None if classes is None else to_native(classes)
    if labels is None and "predict_proba" not in responses:
        return Fitted(model, features, "regression", None, ("predict",))
    if labels is None and not _is_fitted(model):
        raise _no_task("It is not fitted.", "Fit it before it is logged.")
    if labels is None:
        raise _no_task("It gives probabilities and has no classes_: it groups rows, and learned no labels.", _GROUPS)
    _require_labels(labels)
    threshold = find_threshold(model, labels)
    fitted = Fitted(model, features, task_of_classes(len(labels)), labels, responses, threshold)
    answers = ask(fitted, "predict", slice(0, 2))
    if answers is not None and answers.ndim > 1 and answers.shape[1] > 1:
        raise _no_task("It gives several labels at once.", "Log one model for each label.")
    return fitted


def _require_labels(labels: Sequence[Label]) -> None:
    if len(labels) < 2:
        raise _no_task(f"It learned one class only: {spell_class(labels[0])}.", "Fit it on rows of two or more.")
    if len(labels) > MOST_CLASSES:
        raise _no_task(f"It has {len(labels):,} classes; the most are {MOST_CLASSES}.", "Group the rare ones.")
    if strange := [each for each in labels if not _is_label(each)]:
        raise _no_task(f"Its class {strange[0]!r} has no value in JSON that everybody reads alike.", _AS_TEXT)


_AS_TEXT = "Fit it on labels that are texts, such as .astype(str) makes of them."


def _is_label(label: Any) -> bool:
    if isinstance(label, int):
        return abs(label) <= LARGEST_INTEGER
    return isinstance(label, str | float)


def _is_fitted(model: Any) -> bool:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    return True


_GROUPS = "Log a classifier, such as one that was fitted on the groups it found."


def _no_task(why: str, next_step: str) -> UsageError:
    return UsageError("The model cannot be logged.", why=why, next_step=next_step)


def to_native(values: Any) -> tuple[Any, ...]:
    """Return labels as Python has them."""
    return tuple(each.item() if hasattr(each, "item") else each for each in values)


def find_threshold(model: Any, classes: Sequence[Label]) -> Threshold | None:
    """Return where a model decides that was given a threshold, or tuned one; None for any other."""
    steps, inner = getattr(model, "steps", None), getattr(model, "best_estimator_", None)
    if steps or inner is not None:
        return find_threshold(steps[-1][1] if steps else inner, classes)
    name = type(model).__name__
    if name not in ("FixedThresholdClassifier", "TunedThresholdClassifierCV") or len(classes) != 2:
        return None
    fitted, asked = getattr(model, "estimator_", None), getattr(model, "response_method", "auto")
    response: Response = "decision_function" if asked == "decision_function" else "predict_proba"
    if asked == "auto" and not hasattr(fitted, "predict_proba"):
        response = "decision_function"
    at = getattr(model, "best_threshold_", None) if name.startswith("Tuned") else model.threshold
    if at == "auto" or at is None:
        at = 0.5 if response == "predict_proba" else 0.0
    return Threshold(_find_positive_of(model, classes), float(at), response)


def _find_positive_of(model: Any, classes: Sequence[Label]) -> Label:
    scorer = getattr(model, "_curve_scorer", None)
    positive = scorer._get_pos_label() if scorer is not None else getattr(model, "pos_label", None)
    place = None if positive is None else find_place(to_native([positive])[0], classes)
    return classes[1 if place is None else place]


def describe_contract(fitted: Fitted, columns: tuple[Column, ...], predictions: Predictions | None) -> Contract:
    """Return the contract of a model: what its scores are is what the predictions say, as far as there are any."""
    if fitted.classes is None:
        return require_valid(Contract(fitted.task, columns, flags_unseen=fitted.flags_unseen))
    threshold = fitted.threshold
    positive = None if fitted.task == "multiclass" else threshold.label if threshold else fitted.classes[1]
    response = fitted.responses[0]
    if predictions is not None and predictions.response is not None:
        positive, response = predictions.positive_class, predictions.response
    return require_valid(
        Contract(fitted.task, columns, positive, fitted.classes, response, threshold, fitted.flags_unseen)
    )


# What it answers


def ask(fitted: Fitted, response: Response, rows: Any = None) -> NDArray[Any] | None:
    """Return what a model answers, None where it cannot: whether it can be served is found out later, by asking it there."""
    import numpy as np

    table = fitted.features if rows is None else fitted.features.iloc[rows]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.asarray(getattr(fitted.model, response)(table))
    except Exception:
        return None


def ask_labels(fitted: Fitted, classes: Sequence[Label]) -> NDArray[np.float64] | None:
    """Return the place of the class a model decides for on each row, shape (n,)."""
    answers = ask(fitted, "predict")
    return None if answers is None or answers.ndim > 1 else find_places(answers, classes)


def find_places(labels: NDArray[Any], classes: Sequence[Label]) -> NDArray[np.float64] | None:
    """Return labels as places of classes, None where one is none of them."""
    import numpy as np

    places = {label: find_place(label, classes) for label in set(labels.ravel().tolist())}
    if None in places.values():
        return None
    return np.array([places[label] for label in labels.ravel().tolist()], dtype=np.float64)


def ask_scores(fitted: Fitted) -> NDArray[np.float64] | None:
    """Return the scores a model gives by the first of its ways, None where it gives labels only."""
    import numpy as np

    if fitted.responses[0] == "predict":
        return None
    answers = ask(fitted, fitted.responses[0])
    return None if answers is None else answers.astype(np.float64)


def column_of(scores: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    """Return what scores of two classes say for one of them; a decision function says it of the second."""
    return scores[:, place] if scores.ndim > 1 else scores if place else -scores


def ask_own_scores(fitted: Fitted, positive: Any = None) -> Any:
    """Return the scores a model gives, of two classes those of `positive` (default: the one its threshold is of, else the second).

    Where it gives labels only, they are returned.
    """
    scores = ask_scores(fitted)
    if scores is None or fitted.classes is None:
        return fitted.model.predict(fitted.features)
    if fitted.task == "multiclass":
        return scores
    wanted = to_native([positive])[0] if positive is not None else fitted.threshold and fitted.threshold.label
    place = None if wanted is None else find_place(wanted, fitted.classes)
    return column_of(scores, 1 if place is None else place)

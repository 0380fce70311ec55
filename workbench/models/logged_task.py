"""Which task a model and its predictions are of: decided once, in the notebook's own kernel, and written down with both.

The estimator says whether it tells classes apart and which; the scores say what of it they are: they are held against what the
model answers to the very feature rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

from workbench.errors import UsageError
from workbench.models.fitted_model import Fitted, ask, ask_labels, ask_scores, column_of, find_places, to_native
from workbench.models.predictions import Predictions, one_hot
from workbench.records.digest import canonical_json, sha256_hex
from workbench.stats.task import Label, Response, Task, describe_scores, find_place, spell_class

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_ASKED = 200
_NEAR, _SAME = 0.01, 1e-9  # of the spread of scores: rounded ones are the model's too
_GIVE = "Give one row id, one truth and one score (of several classes one for each) for each row of the holdout."


@dataclass(frozen=True)
class Said:
    """What a notebook logged of its predictions: `truth` as it is, `score` (n,) or (n, classes), or the labels themselves."""

    rows: tuple[str, ...]
    truth: tuple[Label, ...]
    score: NDArray[Any]
    slices: Mapping[str, Sequence[str]]
    classes: tuple[Label, ...] | None = None
    positive: Label | None = None

    @property
    def digest(self) -> str:
        """What tells one look at the holdout from another: the rows and what was said of each."""
        return sha256_hex(canonical_json([self.rows, [str(value) for value in self.score.ravel().tolist()]]))


@dataclass(frozen=True)
class _Found:
    """What of the model the scores are: its response and, of two classes, the place of the one they are for."""

    response: Response
    place: int = 1


# The predictions


def read_said(
    rows: Sequence[Any], truth: Any, score: Any, slices: Mapping[str, Sequence[Any]], classes: Any, positive: Any
) -> Said:
    """Return what was logged as it was said; raises UsageError listing what differs in length, is missing or cannot be told."""
    import numpy as np

    named, truths = tuple(str(row) for row in rows), to_native(list(truth))
    scores = np.asarray(score) if hasattr(score, "shape") else np.asarray(list(score), dtype=object)
    kept = {name: [str(value) for value in values] for name, values in slices.items()}
    declared = None if classes is None else to_native(classes)
    said = Said(named, truths, scores, kept, declared, None if positive is None else to_native([positive])[0])
    if problems := list(_find_problems(said)):
        raise UsageError("The predictions cannot be logged.", why=problems, next_step=_GIVE)
    return replace(said, score=scores if _is_text(scores.ravel()) else scores.astype(np.float64))


def _find_problems(said: Said) -> Iterator[str]:
    lengths = {"row": len(said.rows), "truth": len(said.truth), "score": len(said.score)}
    lengths |= {f"slice_{name}": len(values) for name, values in said.slices.items()}
    if not said.rows or len(set(lengths.values())) > 1:
        yield f"They differ in length or are empty: {', '.join(f'{name} {count}' for name, count in lengths.items())}."
    if len(set(said.rows)) < len(said.rows):
        yield f"Rows are named more than once: {len(said.rows)} rows, {len(set(said.rows))} names."
    yield from _value_problems("truth", said.truth)
    yield from _value_problems("score", said.score.ravel().tolist())
    if said.score.ndim > 2:
        yield f"The scores have {said.score.ndim} dimensions; two are rows and classes."
    yield from _declared_problems(said)


def _value_problems(name: str, values: Sequence[Any]) -> Iterator[str]:
    if _is_text(values):
        return
    wrong = [value for value in values if not _is_number(value)]
    if wrong:
        yield f"{len(wrong)} of {len(values)} values of {name} are no finite number, e.g. {str(wrong[0])[:60]!r}."


def _declared_problems(said: Said) -> Iterator[str]:
    classes, positive = said.classes, said.positive
    if classes is not None and len(set(classes)) < max(len(classes), 2):
        yield f"The classes are {classes}: there must be two or more, all of them different."
    elif classes is not None and positive is not None and find_place(positive, classes) is None:
        yield f"The positive class {positive!r} is none of {classes}."


def _is_text(values: Any) -> bool:
    return len(values) > 0 and all(isinstance(value, str) for value in values)


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, str) and math.isfinite(value)
    except (TypeError, ValueError, OverflowError):
        return False


def settle(said: Said, fitted: Fitted | None) -> Predictions:
    """Return predictions in the terms of their task: that of the model, or while there is none that of what was said.

    Truth becomes the place of its class, of two classes 1 for the positive one. Of several classes, labels that are what the model
    decides for give way to the model's own scores on the same rows. Raises UsageError where truth and model do not fit.
    """
    classes = _find_classes(said, fitted)
    if classes is None:
        return _settle_numbers(said, fitted)
    if len(classes) > 2:
        return _settle_several(said, fitted, classes)
    return _settle_two(said, fitted, classes)


def describe_replaced(said: Said, predictions: Predictions) -> str | None:
    """Say what of the model is stored where the scores that were given are labels; None where it is what was given, as 1 and 0."""
    labels = said.score.size == len(said.rows) and (_is_text(said.score.ravel()) or _are_labels(said, predictions))
    if not labels or {*predictions.score.ravel().tolist()} <= {0.0, 1.0}:
        return None
    return describe_scores(predictions.response or "predict")


def _are_labels(said: Said, predictions: Predictions) -> bool:
    return {*said.score.ravel().tolist()} <= {*(predictions.classes or ())}


def _find_classes(said: Said, fitted: Fitted | None) -> tuple[Label, ...] | None:
    """Return the classes in the order of the model; None where the truth is a number, or 0 and 1 of nobody knows what."""
    if fitted is not None:
        declared = said.classes if fitted.classes is None else None
        if fitted.task == "regression" and (said.classes or said.positive is not None or _is_text(said.truth)):
            raise _unfit(
                "The model predicts numbers, and the predictions are of classes.", "Log the classifier that made them."
            )
        return fitted.classes or declared
    if said.classes is not None:
        return said.classes
    found = _sort(set(said.truth))
    if _is_text(said.truth) or all(isinstance(each, bool) for each in said.truth) or said.positive is not None:
        labels = set(said.score.ravel().tolist()) if _is_text(said.score.ravel()) else set()
        return _sort({*found, *labels}) if len({*found, *labels}) > 1 else None
    columns = said.score.shape[1] if said.score.ndim > 1 else 1
    if columns < 2:
        return None
    if set(found) <= set(range(columns)):
        return tuple(range(columns))
    if len(found) != columns:
        raise _unfit(
            f"There are {columns} scores a row and {len(found)} different truths.", "Name them with classes=…."
        )
    return found


def _sort(labels: set[Label]) -> tuple[Label, ...]:
    """Return labels as scikit-learn orders its classes: numbers by their size."""
    return tuple(sorted(labels, key=lambda each: (isinstance(each, str), each)))


def _unfit(why: str, next_step: str) -> UsageError:
    return UsageError("The predictions and the model do not fit.", why=why, next_step=next_step)


def _settle_numbers(said: Said, fitted: Fitted | None) -> Predictions:
    import numpy as np

    if _is_text(said.truth) or _is_text(said.score.ravel()) or (said.score.ndim > 1 and said.score.shape[1] != 1):
        raise _unfit(
            "Truth and score are no numbers, one each a row, and no two classes are known.",
            "Name the classes in the order of the scores with wb.log_predictions(…, classes=…).",
        )
    truth, score = np.array(said.truth, dtype=np.float64), said.score.reshape(len(said.rows))
    is_regression = fitted is not None and fitted.task == "regression"
    task: Task = "regression" if is_regression or not set(truth.tolist()) <= {0.0, 1.0} else "classification"
    return Predictions(said.rows, truth, score, task)


# Two classes


def _settle_two(said: Said, fitted: Fitted | None, classes: tuple[Label, ...]) -> Predictions:
    import numpy as np

    wanted = None if said.positive is None else _require_place(said.positive, classes, "The positive class")
    if said.score.ndim > 1 and said.score.shape[1] > 1:
        wanted = 1 if wanted is None else wanted
        said = replace(said, score=_in_order(said, classes)[:, wanted])
    said = replace(said, score=said.score.reshape(len(said.rows)))
    if _is_text(said.score):
        said = _score_labels(said, fitted, classes, 1 if wanted is None else wanted)
    found = _find_response(said, fitted, classes, wanted)
    if found is None and {*classes} != {0, 1} and {*said.score.tolist()} <= {*classes}:
        said = _score_labels(said, fitted, classes, 1 if wanted is None else wanted)
        found = _find_response(said, fitted, classes, wanted)
    if found and not found.place and said.positive is None and {*classes} == {0, 1}:
        raise _unfit(
            "The scores are those of class 0, and the truth may be labels, or say where class 0 is.",
            "Log the scores of class 1; or write positive=0, and log the labels as truth.",
        )
    place = found.place if found else _default_place(fitted, classes) if wanted is None else wanted
    label = ask_labels(fitted, classes) if found and fitted else None
    return Predictions(
        rows=said.rows,
        truth=_read_two(said, classes, place),
        score=said.score,
        task="classification",
        label=None if label is None else (label == place).astype(np.float64),
        classes=classes,
        positive_class=classes[place],
        response=_name_response(found, fitted),
    )


def _name_response(found: _Found | None, fitted: Fitted | None) -> Response | None:
    return found.response if found else fitted.responses[0] if fitted else None


def _default_place(fitted: Fitted | None, classes: Sequence[Label]) -> int:
    place = find_place(fitted.threshold.label, classes) if fitted and fitted.threshold else None
    return 1 if place is None else place


def _require_place(label: Label, classes: Sequence[Label], what: str) -> int:
    place = find_place(label, classes)
    if place is None:
        named = ", ".join(map(spell_class, classes))
        raise _unfit(f"{what} {label!r} is none of the model's: {named}.", "Log them as the model was fitted on them.")
    return place


def _read_two(said: Said, classes: Sequence[Label], place: int) -> NDArray[np.float64]:
    """Return 1 where the truth is the positive class, as a label; as 1 where 0 and 1 are no classes, or nobody named a class."""
    import numpy as np

    is_flag = set(said.truth) <= {0, 1}
    is_named = set(said.truth) <= set(classes)
    if is_flag and (not is_named or (set(classes) == {0, 1} and said.positive is None)):
        return np.array(said.truth, dtype=np.float64)
    places = [_require_place(each, classes, "The truth") for each in said.truth]
    return np.array([each == place for each in places], dtype=np.float64)


def _score_labels(said: Said, fitted: Fitted | None, classes: Sequence[Label], place: int) -> Said:
    """Return labels as scores: those of the model where it decides so, else 1 and 0."""
    import numpy as np

    places = np.array([_require_place(each, classes, "The score") for each in said.score.tolist()])
    own = ask_scores(fitted) if fitted and _is_own(places, ask_labels(fitted, classes)) else None
    score = (places == place).astype(np.float64) if own is None else column_of(own, place)
    return replace(said, score=score)


def _is_own(places: NDArray[Any], label: NDArray[Any] | None) -> bool:
    import numpy as np

    return label is not None and np.array_equal(places, label)


# Several classes


def _settle_several(said: Said, fitted: Fitted | None, classes: tuple[Label, ...]) -> Predictions:
    import numpy as np

    if said.positive is not None:
        raise _unfit(f"Of {len(classes)} classes none is the positive one.", "Leave positive= out.")
    truth = np.array([_require_place(each, classes, "The truth") for each in said.truth], dtype=np.float64)
    label = ask_labels(fitted, classes) if fitted else None
    own = None
    if said.score.ndim == 1:
        places = np.array(
            [_require_place(each, classes, "The score") for each in said.score.tolist()], dtype=np.float64
        )
        own = ask_scores(fitted) if fitted and _is_own(places, label) else None
        score, label, found = one_hot(places, len(classes)) if own is None else own, places, _Found("predict")
        if own is not None and fitted:
            found = _Found(fitted.responses[0])
    else:
        score = _in_order(said, classes)
        near = _find_response(replace(said, score=score), fitted, classes, None)
        found, label = near or _Found(_name_response(None, fitted) or "predict_proba"), label if near else None
    return Predictions(said.rows, truth, score, "multiclass", label, classes, None, found.response)


def _in_order(said: Said, classes: Sequence[Label]) -> NDArray[np.float64]:
    """Return the scores with their columns in the order of the model's classes."""
    if said.score.shape[1] != len(classes):
        raise _unfit(
            f"There are {said.score.shape[1]} scores a row and {len(classes)} classes.", "Log one for each class."
        )
    given = said.classes or classes
    places = [place for place in (find_place(each, given) for each in classes) if place is not None]
    if len(places) < len(classes) or len(given) != len(classes):
        named = ", ".join(map(spell_class, classes))
        raise _unfit(f"The classes given are not the model's: {named}.", "Leave classes= out, or give model.classes_.")
    return cast("NDArray[np.float64]", said.score[:, places])


# What the model says of the rows


def _find_response(said: Said, fitted: Fitted | None, classes: Sequence[Label], wanted: int | None) -> _Found | None:
    """Return which of the model's answers the scores are, by asking it about some of the rows; None when they are none."""
    import numpy as np

    if fitted is None or len(fitted.features) != len(said.rows):
        return None
    asked = np.unique(np.linspace(0, len(said.rows) - 1, _MOST_ASKED).astype(int))
    given, several = said.score[asked], said.score.ndim > 1
    spread = float(np.ptp(given)) or float(np.abs(given).max()) or 1.0
    near: list[tuple[float, _Found]] = []
    for found, answer in _list_answers(fitted, asked, classes, several):
        is_wanted = wanted is None or several or found.place == wanted
        gap = float(np.abs(answer - given).max()) / spread if answer.shape == given.shape and is_wanted else math.inf
        near += [(gap, found)] if gap <= _NEAR else []
        if gap <= _SAME:
            break
    return min(near, key=lambda each: each[0])[1] if near else None


def _list_answers(
    fitted: Fitted, asked: NDArray[Any], classes: Sequence[Label], several: bool
) -> Iterator[tuple[_Found, NDArray[np.float64]]]:
    for response in fitted.responses:
        answers = ask(fitted, response, asked)
        if answers is not None and response == "predict":
            places = find_places(answers, classes)
            answers = None if places is None else one_hot(places, len(classes))
        if answers is None:
            continue
        if several:
            yield _Found(response), answers
        else:
            yield from ((_Found(response, place), column_of(answers, place)) for place in (1, 0))

"""Answering with the scikit-learn model itself, for models that cannot be compiled exactly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from workbench.errors import Refused
from workbench.models.contract import Answers, Contract, Predict
from workbench.models.frames import Rows, build_frame, find_fitting
from workbench.models.own_modules import OwnModules
from workbench.models.skops_loader import load_model
from workbench.stats.task import Label


def load_skops_predictor(content: bytes, contract: Contract, own: OwnModules) -> Predict:
    """Return the function from rows to answers of the model in these bytes; raises Refused as `load_model` does."""
    return predictor_of(load_model(content, own), contract)


def predictor_of(model: Any, contract: Contract) -> Predict:
    """Return the function from rows to answers of a fitted scikit-learn model; raises Refused as `answer_frames` does."""
    answer, fits = answer_frames(model, contract), find_fitting(contract)

    def predict(rows: Rows) -> Answers:
        if all(map(fits, rows)):
            return answer(build_frame(rows, contract))
        # A row that widens its frame would change what the model computes of the others.
        fitting = [row for row in rows if fits(row)]
        together = answer(build_frame(fitting, contract)) if fitting else Answers([], [])
        parts = [together, *(answer(build_frame([row], contract)) for row in rows if not fits(row))]
        places = sorted(range(len(rows)), key=lambda at: not fits(rows[at]))  # where each of these answers belongs
        scores = _put([score for part in parts for score in part.scores], places)
        labels = _put([label for part in parts for label in part.labels or ()], places)
        return Answers(scores, None if contract.classes is None else labels)

    return predict


def _put(answers: list[Any], places: Sequence[int]) -> list[Any]:
    return [answer for _, answer in sorted(zip(places, answers, strict=False), key=lambda each: each[0])]


def load_prepared_predictor(content: bytes, preparation: bytes, contract: Contract, own: OwnModules) -> Predict:
    """Return the function from rows to answers of a pipeline with all steps but the last compiled; raises as `load_model` does."""
    return prepared_predictor_of(load_model(content, own), preparation, contract)


def prepared_predictor_of(model: Any, preparation: bytes, contract: Contract) -> Predict:
    """Return the function from rows to answers of a fitted pipeline behind its compiled preparation: no frame is built."""
    from workbench.models.onnx_predictor import load_onnx_preparation

    prepare, answer = load_onnx_preparation(preparation, contract), answer_frames(model.steps[-1][1], contract)
    return lambda rows: answer(prepare(rows))


def answer_frames(model: Any, contract: Contract) -> Callable[[Any], Answers]:
    """Return the function from frames, as the model was fitted on, to answers.

    Raises Refused when the model cannot give the score its task asks for.
    """
    if contract.task == "regression":
        return lambda frame: Answers([float(value) for value in model.predict(frame).ravel()])
    _require_response(model, contract)
    prepare, last = _split(model)

    def answer(frame: Any) -> Answers:
        table = prepare(frame)
        return Answers(_score(last, table, contract), _find_labels(last, table, contract))

    return answer


def _require_response(model: Any, contract: Contract) -> None:
    classes = 2 if contract.classes is None else len(contract.classes)
    if not hasattr(model, contract.response) or len(model.classes_) != classes:
        raise Refused(
            "The model does not give the scores its contract names.",
            why=f"It needs {contract.response} and exactly {'two' if classes == 2 else classes} classes.",
        )


def _split(model: Any) -> tuple[Callable[[Any], Any], Any]:
    """Return what prepares a frame and what then answers, so that it is prepared once for the score and the label."""
    if type(model).__name__ != "Pipeline" or len(model.steps) < 2:
        return (lambda frame: frame), model
    *steps, (_, last) = model.steps
    return model[: len(steps)].transform, last


def _score(last: Any, table: Any, contract: Contract) -> list[Any]:
    if contract.task == "multiclass":
        return _score_classes(last, table, contract)
    if contract.response == "predict_proba":
        return [float(value) for value in last.predict_proba(table)[:, contract.positive_place]]
    if contract.response == "decision_function":
        sign = 1 if contract.positive_place else -1
        return [sign * float(value) for value in last.decision_function(table)]
    positive = last.classes_[contract.positive_place]
    return [float(value) for value in last.predict(table) == positive]


def _score_classes(last: Any, table: Any, contract: Contract) -> list[list[float]]:
    """Return a score for each class, in the order of the model; its decision where it gives labels only."""
    if contract.response != "predict":
        return [[float(value) for value in row] for row in getattr(last, contract.response)(table)]
    return [[float(label == each) for each in contract.classes or ()] for label in native(last.predict(table))]


def _find_labels(last: Any, table: Any, contract: Contract) -> list[Label] | None:
    return None if contract.classes is None else native(last.predict(table))


def native(labels: Any) -> list[Label]:
    """Return labels as JSON has them."""
    return [label.item() if hasattr(label, "item") else label for label in labels]

"""Can this model be served, and how? Said the moment it is logged.

Nothing that is accepted here is refused at nomination for a reason that was known before.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from workbench.errors import Refused, UsageError
from workbench.models.advice import advise_on, advise_owner
from workbench.models.column_problems import name_foreign, name_type
from workbench.models.contract import Contract, Predict
from workbench.models.first_answers import FirstAnswers
from workbench.models.frames import to_rows
from workbench.models.own_modules import OwnModules

if TYPE_CHECKING:
    from workbench.models.fitted_model import Fitted
    from workbench.models.predictions import Predictions

_TRIED_ROWS = 20
_TRIED_ALONE, _LARGEST_BATCH = 6, 1e-6  # the policy's own check is finer, and on more rows
_LAST_BITS = 1e-9
_OWN_CODE = "it holds own code, which nothing can compile"
_NOTHING = OwnModules()


@dataclass(frozen=True)
class LoggedModel:
    """A model that was logged and can be served; `obstacle` says why it will not be compiled, None where it likely will.

    `is_prepared` says that the steps before its last likely will.
    """

    name: str
    columns: int
    obstacle: str | None
    is_prepared: bool = False

    def __repr__(self) -> str:
        """Say what a notebook shows of it."""
        itself = "by scikit-learn behind a compiled preparation" if self.is_prepared else "as it is, by scikit-learn"
        form = f"{itself} ({self.obstacle})" if self.obstacle else "compiled"
        columns = f"{self.columns} column{'' if self.columns == 1 else 's'}"
        return f"{self.name} on {columns} is logged. It can be served, likely {form}; nominating proves it."


@dataclass(frozen=True)
class RefusedModel:
    """A model that was not logged, for no endpoint could take or answer it; why was said when it was to be logged."""

    name: str
    why: str

    def __repr__(self) -> str:
        """Say what a notebook shows of it."""
        return f"{self.name} is not logged: {self.why}"


def require_frame(features: Any) -> None:
    """Raise UsageError unless the features are a pandas DataFrame with rows."""
    if not (hasattr(features, "dtypes") and hasattr(features, "columns") and name_type(features).startswith("pandas.")):
        raise UsageError(
            "The model cannot be logged.",
            why=f"The features must be a pandas DataFrame, not {name_foreign(features)}.",
            next_step="Pass the holdout's feature columns, e.g. `wb.log_model(model, holdout[features])`.",
        )
    if not len(features):
        raise UsageError(
            "The model cannot be logged.",
            why="The features have no rows.",
            next_step="Pass the holdout's feature rows, in the order of the predictions.",
        )


def require_predict(model: Any) -> None:
    """Raise UsageError for what answers nothing."""
    if not hasattr(model, "predict"):
        raise UsageError(
            "The model cannot be served, and was not logged.",
            why=f"{type(model).__name__} has no method `predict`.",
            next_step="Log a fitted estimator that has one; a search needs refit=True.",
        )


def require_names(features: Any) -> None:
    """Raise UsageError for columns that a request could not name."""
    strange = [repr(name) for name in features.columns if not isinstance(name, str)]
    if strange:
        raise UsageError(
            "The model cannot be served, and was not logged.",
            why=f"Names of columns must be texts, for requests carry them: {', '.join(strange[:5])}.",
            next_step="Before fitting: table.columns = [str(name) for name in table.columns].",
        )


def require_reviewed(model: Any, content: bytes, own: OwnModules = _NOTHING) -> None:
    """Raise UsageError for a model, written as `content`, that holds what nobody reviewed, with what to write instead.

    What it holds of its recorded `own` modules is reviewed with it, and what those hold is told by the attribute.
    """
    from workbench.models.model_parts import find_holder
    from workbench.models.skops_loader import find_untrusted_types

    untrusted = find_untrusted_types(content, own)
    if untrusted:
        names = {module.name for module in own.modules}
        held = {name: holder for name in untrusted if (holder := find_holder(model, name, names))}
        where = {name: f", which attribute {attribute} of {owner} holds" for name, (attribute, owner) in held.items()}
        others = advise_on([name for name in untrusted if name not in held])
        raise UsageError(
            "The model cannot be served, and was not logged.",
            why=[f"Nobody reviewed {name}{where.get(name, '')}." for name in untrusted],
            next_step=" ".join(filter(None, [*(advise_owner(name, *holder) for name, holder in held.items()), others])),
        )


def judge_answers(
    model: Any, content: bytes, features: Any, contract: Contract, own: OwnModules = _NOTHING
) -> LoggedModel:
    """Return how a fitted model, written as `content`, will likely be served.

    Raises UsageError where what is read back does not answer requests as the model answers its own frame.
    """
    from workbench.models.compiler.onnx_compiler import can_prepare, find_obstacle

    _require_same_answers(model, content, features.head(_TRIED_ROWS), contract, own)
    obstacle = _OWN_CODE if own else find_obstacle(model, contract)
    is_prepared = bool(obstacle) and not own and can_prepare(model, contract)
    return LoggedModel(type(model).__name__, len(contract.columns), obstacle, is_prepared)


def _require_same_answers(model: Any, content: bytes, features: Any, contract: Contract, own: OwnModules) -> None:
    """Raise UsageError unless the model as it is read back answers rows of a request as it answers its own frame here."""
    import numpy as np
    import sklearn

    from workbench.models.skops_loader import load_model
    from workbench.models.skops_predictor import answer_frames, predictor_of

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        own_scores: Any = None
        try:
            scores = own_scores = answer_frames(model, contract)(features).scores
            with sklearn.config_context(**_AS_SERVED):
                read = model if own else load_model(content)
                predict, rows = predictor_of(read, contract), to_rows(features, contract)
                asked = predict(rows).scores
                alone = [_ask_alone(predict, row) for row in rows[:_TRIED_ALONE]]
        except Refused as exc:
            raise UsageError(
                "The model cannot be served, and was not logged.",
                why=[exc.what, *exc.reasons],
                next_step=exc.next_step or "Build it from what `workbench models` lists.",
            ) from exc
        except Exception as exc:
            raise UsageError(
                "The model does not answer these features, and was not logged.",
                why=f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}",
                next_step=_advise_on_failure(exc, model, features, is_own=own_scores is None),
            ) from exc
    _require_one_each(scores, features, contract)
    if silent := [at for at, score in enumerate(scores) if not np.isfinite(np.array(score, dtype=float)).all()]:
        raise UsageError(
            "The model has no answer to rows of its own holdout, and was not logged.",
            why=f"Its score of {len(silent)} of the first {len(scores)} rows is no number, of row {silent[0] + 1} first.",
            next_step="Let it answer every row, such as IsotonicRegression(out_of_bounds='clip'), or leave those rows out.",
        )
    largest = float(np.abs(np.array(scores, dtype=float) - np.array(asked, dtype=float)).max(initial=0.0))
    if not largest <= _LAST_BITS * max(1.0, float(np.abs(scores).max(initial=0.0))):
        raise UsageError(
            "The model answers a request otherwise than its own frame, and was not logged.",
            why=f"On the first {len(scores)} rows scores differ by up to {largest:.3g}.",
            next_step=_advise_on_settings()
            or "Give the columns plain types (float, int, bool, text, categories), and fit it again.",
        )
    _require_independent(asked, alone)


def _ask_alone(predict: Predict, row: Mapping[str, Any]) -> Any:
    """Return the score of a row that is asked by itself, None where the model has none."""
    try:
        return predict([row]).scores[0]
    # Whatever a step raises that needs more rows than one.
    except Exception:
        return None


def _require_independent(asked: Sequence[Any], alone: Sequence[Any]) -> None:
    """Raise UsageError where a row's answer depends on the rows beside it: callers send them in any company."""
    import numpy as np

    spread = float(np.ptp(np.array(asked, dtype=float), axis=0).max()) or 1.0
    gaps = [
        np.inf if own is None else float(np.abs(np.array(own) - np.array(score)).max())
        for own, score in zip(alone, asked, strict=False)
    ]
    if max(gaps) > _LARGEST_BATCH * spread:
        raise UsageError(
            "The model's answer to a row depends on the rows beside it, and was not logged.",
            why="A row asked alone gets no answer."
            if max(gaps) == np.inf
            else f"A row asked alone gets a score {max(gaps):.3g} away.",
            next_step="Let a step learn what it needs when it is fitted: none may draw, or measure the rows it is asked about.",
        )


# What is served runs with scikit-learn's own settings, whatever a notebook sets for itself.
_AS_SERVED = {"assume_finite": False, "transform_output": "default", "array_api_dispatch": False}


def _advise_on_failure(exc: Exception, model: Any, features: Any, *, is_own: bool) -> str:
    """Say what may help; `is_own` tells that the model already failed on its own frame, as it would in the notebook."""
    if type(exc).__name__ == "NotFittedError":
        return "Fit it before it is logged."
    if advice := _advise_on_settings():
        return advice
    if is_own and [*getattr(model, "feature_names_in_", ())] == [*features.columns]:
        return "model.predict(...) of these rows fails here as well: mend that first, then log it."
    if not is_own:
        return (
            "It answers its own frame, but not the same rows as a request brings them: give the columns plain types (float, int, "
            "bool, text, categories), and fit it again."
        )
    return "Pass the columns it was fitted on, in their order and with their types, and no others."


def _advise_on_settings() -> str:
    """Name the settings of this kernel that what is served will not have; empty where there are none."""
    import sklearn

    changed = {name: value for name, value in sklearn.get_config().items() if value != _AS_SERVED.get(name, value)}
    said = ", ".join(f"{name}={value!r}" for name, value in sorted(changed.items()))
    return (
        f"Leave out sklearn.set_config({said}), which what is served does not know; model.set_output(transform='pandas') before "
        "fitting is kept with the model."
        if said
        else ""
    )


def _require_one_each(scores: Sequence[Any], features: Any, contract: Contract) -> None:
    """Raise UsageError unless there is one score a row or, of several classes, one for each class."""
    if len(scores) != len(features):
        raise UsageError(
            "The model cannot be served, and was not logged.",
            why=f"It gives {len(scores)} values for {len(features)} rows.",
            next_step="Log one model for each target.",
        )
    width, classes = len(scores[0]) if isinstance(scores[0], Sequence) else 1, len(contract.classes or ())
    if contract.task == "multiclass" and width != classes:
        raise UsageError(
            "The model cannot be served, and was not logged.",
            why=f"It gives {width} scores a row for {classes} classes.",
            next_step="Write model.set_params(decision_function_shape='ovr'), which needs no fitting.",
        )


def compare_first_answers(fitted: Fitted, contract: Contract, predictions: Predictions) -> FirstAnswers:
    """Ask a fitted model about the first rows and hold its answers against the scores that were logged."""
    import numpy as np

    from workbench.models.compiler.proof import find_spread
    from workbench.models.skops_predictor import answer_frames

    rows, scores = len(fitted.features), len(predictions.rows)
    if rows != scores:
        return FirstAnswers(fault=f"The model was logged with {rows:,} rows and there are {scores:,} scores.")
    given = predictions.score[:_TRIED_ROWS]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers = np.array(
                answer_frames(fitted.model, contract)(fitted.features.head(_TRIED_ROWS)).scores, dtype=float
            )
    except Exception:  # it answered before; what it raises now is for nominating to find
        return FirstAnswers()
    if answers.shape != given.shape or not np.isfinite(answers).all():
        return FirstAnswers()
    return FirstAnswers(float(np.abs(answers - given).max()) / find_spread(predictions.score))

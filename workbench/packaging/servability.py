"""Can this model be served, and how? Said the moment it is logged.

Nothing that is accepted here is refused at nomination for a reason that was known before.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

from workbench.domain.contract import Contract, require_valid
from workbench.errors import Refused, UsageError
from workbench.packaging.advice import advise_on
from workbench.packaging.column_problems import name_foreign, name_type
from workbench.packaging.frames import build_frame, describe_columns, to_rows

_TRIED_ROWS = 20
_LAST_BITS = 1e-9


@dataclass(frozen=True)
class LoggedModel:
    """A model that was logged and can be served; `obstacle` says why it will not be compiled, None where it likely will."""

    name: str
    columns: int
    obstacle: str | None

    def __repr__(self) -> str:
        """Say what a notebook shows of it."""
        form = f"as it is, by scikit-learn ({self.obstacle})" if self.obstacle else "compiled"
        return (
            f"{self.name} on {self.columns} columns is logged. It can be served, likely {form}; nominating proves it."
        )


def require_frame(features: Any) -> None:
    """Raise UsageError unless the features are a pandas DataFrame."""
    if hasattr(features, "dtypes") and hasattr(features, "columns") and name_type(features).startswith("pandas."):
        return
    raise UsageError(
        "The model cannot be logged.",
        why=f"The features must be a pandas DataFrame, not {name_foreign(features)}.",
        next_step="Pass the holdout's feature columns, e.g. `wb.log_model(model, holdout[features])`.",
    )


def judge_model(
    model: Any, content: bytes, features: Any, training: Any, *, longest_text: int
) -> tuple[Contract, LoggedModel]:
    """Return the contract of a fitted model, `content` being its skops file, and how it will likely be served.

    Raises UsageError with what to write instead: types nobody reviewed, columns no request could carry, a model that does not
    answer its own columns.
    """
    _require_reviewed(content)
    contract = _infer_contract(model, describe_columns(features, training, longest_text=longest_text))
    _require_same_answers(model, features.head(_TRIED_ROWS), contract)
    from workbench.packaging.onnx_compiler import find_obstacle

    return contract, LoggedModel(type(model).__name__, len(contract.columns), find_obstacle(model, contract))


def _require_reviewed(content: bytes) -> None:
    from workbench.packaging.skops_loader import find_untrusted_types

    untrusted = find_untrusted_types(content)
    if untrusted:
        raise UsageError(
            "The model cannot be served, and was not logged.",
            why=[f"Nobody reviewed {name}." for name in untrusted],
            next_step=advise_on(untrusted),
        )


def _infer_contract(model: Any, columns: Any) -> Contract:
    classes = getattr(model, "classes_", None)
    if not hasattr(model, "predict_proba"):
        return require_valid(Contract("regression", columns))
    two = None if classes is None or len(classes) != 2 else tuple(classes.tolist())
    return require_valid(Contract("classification", columns, classes=two))


def _require_same_answers(model: Any, features: Any, contract: Contract) -> None:
    """Raise UsageError unless the model answers rows of a request as it answers its own frame."""
    from workbench.packaging.skops_predictor import answer_frames

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = answer_frames(model, contract)
            own = answer(features).scores
            asked = answer(build_frame(to_rows(features), contract)).scores
        except Refused as exc:
            raise UsageError("The model cannot be served, and was not logged.", why=[exc.what, *exc.reasons]) from exc
        except Exception as exc:
            raise UsageError(
                "The model does not answer these features, and was not logged.",
                why=f"{type(exc).__name__}: {' '.join(str(exc).split())[:300]}",
                next_step="Pass the columns it was fitted on, in their order and with their types, and no others.",
            ) from exc
    largest = max((abs(a - b) for a, b in zip(asked, own, strict=True)), default=0.0)
    if not largest <= _LAST_BITS * max(1.0, *map(abs, own)):
        raise UsageError(
            "The model answers a request otherwise than its own frame, and was not logged.",
            why=f"On the first {len(own)} rows scores differ by up to {largest:.3g}.",
            next_step="Give the columns plain types (float, int, bool, text, categories), and fit it again.",
        )

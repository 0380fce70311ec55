"""What `mlflow.pyfunc` loads a model by: read and asked as an endpoint does it, so that both answer the same.

MLflow finds this module by the name in the file `MLmodel`. Nothing is loaded but reviewed types, and nothing is unpickled; own code
of the model's author runs only where the caller says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.errors import Refused, UsageError
from workbench.models.contract import Contract, Predict, find_row_problems, parse_contract
from workbench.models.model_files import CONTRACT_FILE, SKOPS_FILE
from workbench.models.own_modules import is_own_file, read_modules

if TYPE_CHECKING:
    import pandas as pd

ALLOW_OWN_CODE = "allow_own_code"
_MOST_TOLD = 10


class ContractModel:
    """A model that takes frames by its contract and answers `scores` and `labels` for each row."""

    def __init__(self, predict: Predict, contract: Contract) -> None:
        self._predict, self._contract = predict, contract

    def predict(self, model_input: pd.DataFrame, params: Mapping[str, Any] | None = None) -> pd.DataFrame:  # noqa: ARG002
        """Return a frame with the index of the given one: `scores` (of several classes a score by class) and, of classes, `labels`.

        Raises UsageError naming rows that no endpoint would take, and what the model has no answer to.
        """
        import pandas as pd

        rows = _read_rows(model_input, self._contract)
        try:
            answers = self._predict(rows)
        except ValueError as exc:
            raise UsageError("The model has no answer to these values.", why=str(exc)[:300]) from exc
        labels = {} if answers.labels is None else {"labels": answers.labels}
        return pd.DataFrame({"scores": _name_scores(answers.scores, self._contract), **labels}, index=model_input.index)


def _load_pyfunc(path: str, model_config: Mapping[str, Any] | None = None) -> ContractModel:
    """Return the model in a folder; raises Refused for what may not be loaded, and for own code that nobody allowed."""
    from workbench.models.skops_predictor import load_skops_predictor

    files = {file.name: file.read_bytes() for file in sorted(Path(path).iterdir()) if _is_needed(file)}
    if missing := {SKOPS_FILE, CONTRACT_FILE} - files.keys():
        raise Refused("This is no model of a run.", why=f"It lacks {', '.join(sorted(missing))}.")
    own = read_modules({name: content for name, content in files.items() if is_own_file(name)})
    if own and (model_config or {}).get(ALLOW_OWN_CODE) is not True:
        raise Refused(
            "The model holds own code of its author, which would run here.",
            why=own.describe(),
            next_step="Read it in the review. If it may run: "
            f"mlflow.pyfunc.load_model(uri, model_config={{{ALLOW_OWN_CODE!r}: True}}).",
        )
    contract = parse_contract(files[CONTRACT_FILE])
    return ContractModel(load_skops_predictor(files[SKOPS_FILE], contract, own), contract)


def _is_needed(file: Path) -> bool:
    return file.is_file() and (file.name in (SKOPS_FILE, CONTRACT_FILE) or is_own_file(file.name))


def _read_rows(frame: Any, contract: Contract) -> list[dict[str, Any]]:
    """Return a frame as the rows of a request; raises UsageError with the first faults that keep it from being one."""
    from workbench.models.frames import to_rows

    missing = [name for name in contract.names if name not in getattr(frame, "columns", ())]
    if missing:
        why = (
            f"It lacks {', '.join(missing)[:300]}." if hasattr(frame, "columns") else f"It is a {type(frame).__name__}."
        )
        raise UsageError("The model takes a frame with its columns.", why=why)
    if not len(frame):
        raise UsageError(
            "There are no rows to answer.",
            why="The frame has its columns and 0 rows; an endpoint refuses a request of 0 rows, too.",
            next_step="Ask for 1 row or more, and leave out what is empty.",
        )
    rows = to_rows(frame[list(contract.names)], contract)
    problems = find_row_problems(contract, rows, most_rows=len(rows))
    if problems:
        raise UsageError(
            "The rows do not keep the contract.",
            why=[
                f"Row {p.row}, column {p.column!r}: expected {p.expected}, got {p.got}." for p in problems[:_MOST_TOLD]
            ],
        )
    return rows


def _name_scores(scores: list[Any], contract: Contract) -> list[Any]:
    """Return the scores of several classes as objects with a member for each, as an endpoint does."""
    from workbench.stats.task import spell_class

    if contract.task != "multiclass":
        return scores
    names = [spell_class(each) for each in contract.classes or ()]
    return [dict(zip(names, row, strict=True)) for row in scores]

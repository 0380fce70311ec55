"""Pairing: on which rows of its holdout a nominee is held against its champion; of its training rows that knows the answers."""

from __future__ import annotations

from collections.abc import Sequence

from workbench.evidence.holdout_rows import HoldoutRows
from workbench.models.predictions import Predictions
from workbench.policies.policy import Policy
from workbench.runs.recognizing import find_missing_columns, find_trained_on
from workbench.runs.training_rows import TrainingTable
from workbench.stats.paired_bootstrap import FEWEST_ROWS

_LEAST_OF_A_CLASS = 1


def find_known_rows(training: Sequence[TrainingTable] | None, rows: HoldoutRows | None) -> list[bool] | str:
    """Return for each row whether the champion was trained on it, or why nobody can tell and what to do."""
    if training is None:
        return (
            "Its training rows were not kept with it. Hold out the rows that it was judged on, and run the notebook again. Where "
            "it logged none (`wb.log_dataset(train, role='train')`), run its notebook again with them; where it was nominated "
            "before they were kept, nominate its run again; and release that."
        )
    if rows is None:
        return (
            "The rows of this holdout were not kept with the nominee as they were logged. Log them with "
            "`wb.log_dataset(holdout, role='holdout')`, run the notebook again and nominate that run."
        )
    if missing := find_missing_columns(training, rows.columns):
        return (
            f"This holdout lacks {', '.join(missing)}, by which its training rows are known. Log it with every column they have "
            "(columns that are no features are fine), and run the notebook again."
        )
    return find_trained_on(training, rows.columns)


def find_few(left: Predictions, policy: Policy) -> str | None:
    """Return how many rows it takes to compare, where these are fewer; what the policy asks of a holdout it asks of them."""
    rows = max(policy.limit_of("enough_data", "fewest_rows") or 0, FEWEST_ROWS)
    each = max(policy.limit_of("enough_data", "fewest_of_a_class") or 0, _LEAST_OF_A_CLASS)
    rarest = left.count_rarest()
    if len(left.rows) >= rows and (rarest is None or rarest >= each):
        return None
    return f"It takes {rows:g} rows" + (
        "." if rarest is None else f", {each:g} of each class; the rarest has {rarest:,}."
    )

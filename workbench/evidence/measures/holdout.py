"""The holdout: the frozen rows, and whether training could have seen them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from workbench.models.predictions import Predictions
from workbench.runs.tables import LoggedTable, count_alike_rows, count_shared_rows


@dataclass(frozen=True)
class HoldoutFact:
    """The frozen evaluation rows and whether training could have seen them.

    `shared_rows` counts holdout rows that stand in a training table too (`None`: the tables cannot be compared), `alike_rows` those
    that do once numbers are rounded to 1/10,000 of their range and texts lack case and blanks; `covered` is true when the
    predictions are on exactly the holdout's rows, each once. `target` is the column that was named as the truth.
    """

    digest: str
    rows: int
    shared_rows: int | None
    covered: bool
    alike_rows: int | None = None
    name: str = ""
    target: str | None = None


def measure_holdout(tables: Sequence[LoggedTable], predictions: Predictions) -> HoldoutFact:
    """Return which rows were held out, and whether training could have seen them."""
    own = next(table for table in tables if table.fact.role == "holdout")
    return HoldoutFact(
        digest=own.fact.digest,
        rows=own.fact.rows,
        shared_rows=count_shared_rows(tables),
        covered=sorted(own.row_ids) == sorted(predictions.rows),
        alike_rows=count_alike_rows(tables),
        name=own.fact.name,
        target=own.target,
    )

"""A training row that is a holdout row but for noise, case, blanks or type is counted, and no other."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from workbench.files.trees import read_tree
from workbench.runs import spool
from workbench.runs.tables import count_alike_rows, count_shared_rows, read_tables

RNG = np.random.default_rng(5)
ROWS = pd.DataFrame(
    {
        "size": RNG.normal(size=20),
        "town": RNG.choice(["Bern", "Ulm", None], 20),
        "seen": pd.date_range("2026-01-01", periods=20),
        "label": RNG.integers(0, 2, 20),
    }
)
OTHERS = ROWS.assign(size=RNG.normal(size=20), town="Graz")


@pytest.fixture
def count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Log these as training and holdout rows of a run, and return how many are shared and how many alike."""
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(tmp_path))

    def log(
        train: pd.DataFrame, holdout: pd.DataFrame = ROWS, *, first: str = "train"
    ) -> tuple[int | None, int | None]:
        for role, table in sorted([("train", train), ("holdout", holdout)], reverse=first == "train"):
            wb.log_dataset(table, role=role)
        tables = read_tables(read_tree(tmp_path))
        return count_shared_rows(tables), count_alike_rows(tables)

    return log


SEEN = {
    "themselves": ROWS,
    "another order": ROWS.sample(frac=1, random_state=1)[sorted(ROWS, reverse=True)],
    "single precision": ROWS.astype({"size": "float32"}),
    "text": ROWS.astype({"size": str, "label": str}),
    "decimals": ROWS.assign(size=[Decimal(repr(value)) for value in ROWS["size"].tolist()]),
    "case and blanks": ROWS.assign(town="  " + ROWS.town.str.upper()),
    "another zone": ROWS.assign(seen=ROWS.seen.dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo")),
}


@pytest.mark.parametrize("train", SEEN.values(), ids=SEEN.keys())
@pytest.mark.parametrize("first", ["train", "holdout"])
def test_rows_that_training_had_seen_are_counted_however_they_were_written(count, train, first) -> None:
    assert count(pd.concat([train, OTHERS.set_axis(range(50, 70))]), first=first)[1] == len(ROWS)


def test_a_little_noise_hides_few_rows_and_none_from_the_exact_figure(count) -> None:
    noise = np.ptp(ROWS["size"]) * RNG.uniform(-1e-6, 1e-6, 20)
    shared, alike = count(ROWS.assign(size=ROWS["size"] + noise))
    assert shared == 0
    assert alike >= 18  # a number that lies where it is rounded up or down may go either way


def test_other_rows_are_not_alike(count) -> None:
    assert count(OTHERS) == (0, 0)


def test_a_column_of_one_value_in_the_table_that_came_first_is_not_rounded_away(count) -> None:
    varied = ROWS.assign(size=[0.2, *RNG.uniform(0, 0.4, 19)])
    assert count(varied.assign(size=0.2), varied) == (1, 1)


def test_tables_with_other_columns_cannot_be_compared(count) -> None:
    assert count(ROWS.assign(weight=1.0)) == (None, None)

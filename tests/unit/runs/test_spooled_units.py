"""A group or time of the holdout reaches the predictions as numbers, whichever of them is logged first."""

from __future__ import annotations

import logging

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from sklearn.linear_model import LogisticRegression

import workbench as wb
from tests.unit.runs.kept_runs import read_predictions
from tests.unit.runs.spooled import datasets, reasons_of
from workbench.files.trees import read_tree
from workbench.runs.folder import PREDICTIONS
from workbench.runs.tables import read_tables

ROWS = 60
GENERATOR = np.random.default_rng(3)
HOLDOUT = pd.DataFrame(
    {
        "age": GENERATOR.normal(size=ROWS),
        "bought": np.arange(ROWS) % 2,
        "customer": [f"customer {number:02}" for number in GENERATOR.permutation(ROWS) // 3],
        "month": [f"2026-{1 + number % 12:02}" for number in GENERATOR.permutation(ROWS)],
        "spoken": "Jan",
        "gaps": [None, *["a"] * (ROWS - 1)],
    },
    index=GENERATOR.permutation(ROWS),
)


def log_scores(rows=None):
    rows = HOLDOUT.index if rows is None else rows
    wb.log_predictions(rows, np.arange(len(rows)) % 2, np.linspace(0.1, 0.9, len(rows)))


def read_labels(folder, kind):
    units = read_predictions(folder).units
    assert units.kind == kind
    return dict(zip(read_predictions(folder).rows, units.labels.tolist(), strict=True))


def expect(column):
    ranks = {value: rank for rank, value in enumerate(sorted({*HOLDOUT[column]}))}
    return {str(row): ranks[value] for row, value in HOLDOUT[column].items()}


@pytest.mark.parametrize(("kind", "column"), [("group", "customer"), ("time", "month")])
def test_each_row_is_labelled_with_the_number_of_its_group_and_never_with_its_name(run_folder, kind, column):
    wb.log_dataset(HOLDOUT, role="holdout", target="bought", **{kind: column})
    log_scores(HOLDOUT.index[::-1])
    assert read_labels(run_folder, kind) == expect(column)
    assert pq.read_schema(run_folder / PREDICTIONS).names == ["row", "truth", "score", kind]
    assert str(HOLDOUT[column].iloc[0]).encode() not in (run_folder / PREDICTIONS).read_bytes()
    assert read_tables(read_tree(run_folder))[0].units == (kind, column)


def test_predictions_that_were_logged_before_the_holdout_get_their_labels_then_and_lose_those_it_no_longer_names(
    run_folder,
):
    log_scores()
    without = (run_folder / PREDICTIONS).read_bytes()
    wb.log_dataset(HOLDOUT, role="holdout", group="customer")
    assert read_labels(run_folder, "group") == expect("customer")
    wb.log_dataset(HOLDOUT, role="holdout")
    assert (run_folder / PREDICTIONS).read_bytes() == without


def test_rows_that_are_none_of_the_holdouts_have_no_group(run_folder):
    wb.log_dataset(HOLDOUT, role="holdout", group="customer")
    log_scores([*HOLDOUT.index[1:], "another"])
    assert read_predictions(run_folder).units is None


def test_one_call_takes_them_as_well(run_folder):
    model = LogisticRegression().fit(HOLDOUT[["age"]], HOLDOUT.bought)
    wb.log_evaluation(model, HOLDOUT, target="bought", group="customer")
    assert read_labels(run_folder, "group") == expect("customer")


@pytest.mark.parametrize(
    ("names", "says"),
    [
        ({"group": "client"}, "The group 'client' is no column of it: age, bought, customer, month, spoken, gaps."),
        ({"group": "gaps"}, "The group gaps is missing in 1 of 60 rows; every row is of one."),
        ({"group": "customer", "time": "month"}, "It names a group (customer) and a time (month): rows are drawn by one of them."),
        ({"time": "spoken"}, "The time spoken cannot be put in order: \"Jan\" is neither a number nor a date that begins with its "
                             "year; give numbers, dates, or texts that begin with the year (2026-01-31)."),
        ({"role": "train", "time": "month"}, "Only the holdout is resampled: a table with the role 'train' has no time."),
    ],
)  # fmt: skip
def test_what_names_no_groups_is_refused_and_nothing_is_recorded(run_folder, names, says):
    assert reasons_of(lambda: wb.log_dataset(HOLDOUT, **{"role": "holdout", **names})) == (says,)
    assert datasets(run_folder) == []


def test_too_few_groups_for_an_interval_are_told_and_logged_all_the_same(run_folder, caplog):
    with caplog.at_level(logging.WARNING):
        wb.log_dataset(HOLDOUT.assign(shop=np.arange(ROWS) % 6), role="holdout", group="shop")
    assert "Column shop of the holdout has 6 groups. Fewer than 10 carry no interval" in caplog.text
    assert datasets(run_folder)[0]["group"] == "shop"

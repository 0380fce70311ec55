"""Scored rows are the holdout's own, each with its truth and features, or nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.evidence.logged_rows import table
from tests.unit.runs.kept_runs import keep, read_predictions
from workbench.evidence.features import read_features, read_holdout
from workbench.evidence.measures.sample import measure_sample
from workbench.files.trees import read_tree
from workbench.models.predictions import find_order, spell_predictions
from workbench.runs import spool
from workbench.runs.folder import HOLDOUT, PREDICTIONS
from workbench.runs.tables import read_tables


def sample(folder: Path):
    kept = keep(folder)
    (holdout,) = (each for each in read_tables(read_tree(folder)) if each.fact.role == "holdout")
    return measure_sample(read_predictions(folder), holdout, read_holdout(kept), read_features(kept))


def swap(data, rows, **changes):
    changed = data.copy()
    changed.loc[changed.index[:rows], list(changes)] = list(changes.values())
    return changed


def score_others(folder: Path, data) -> Path:
    """Score and keep other rows than were logged, under the names of those that were."""
    spool.log_predictions(data.index, data.bought, data.score)
    data[["x", "kind"]].to_parquet(folder / spool.FEATURES, index=False)
    return folder


def test_scored_rows_are_proven_to_be_the_logged_ones_by_their_digests(leave):
    data = table()
    data.loc[data.index[:5], "x"] = np.nan
    data.loc[data.index[5:9], "kind"] = None
    assert sample(leave(data)).strangers == 0
    assert sample(leave(data.sample(frac=1, random_state=2))).strangers == 0


@pytest.mark.parametrize("change", [{"x": 9.5}, {"kind": "c"}])
def test_scored_rows_that_are_other_ones_are_counted(leave, change):
    data = table()
    assert sample(score_others(leave(data), swap(data, 3, **change))).strangers == 3


def test_a_truth_that_was_turned_round_for_some_rows_is_counted(leave):
    data = table()
    turned = data.assign(bought=np.where(data.index < 7, 1 - data.bought, data.bought))
    assert sample(score_others(leave(data), turned)).strangers == 7


@pytest.mark.parametrize("names", [(1, 2), (-1, 1), (False, True), ("no", "yes"), (1.5, 2.5)])
def test_classes_are_told_by_their_own_names(leave, names):
    data = table()
    named = data.assign(bought=data.bought.map(dict(enumerate(names))))
    folder = leave(named)
    spool.log_predictions(named.index, named.bought, named.score, classes=names)
    assert sample(folder).strangers == 0
    turned = named.assign(bought=np.where(data.index < 7, named.bought.to_numpy()[::-1], named.bought))
    differing = int((turned.bought != named.bought).sum())
    spool.log_predictions(turned.index, turned.bought, turned.score, classes=names)
    assert sample(folder).strangers == differing > 0


def test_a_truth_that_was_turned_round_for_all_rows_is_told_by_nobody(leave):
    data = table()
    assert sample(score_others(leave(data), data.assign(bought=1 - data.bought))).strangers is None


def test_a_target_that_is_named_may_have_columns_beside_it_that_are_no_features(leave):
    data = table().assign(customer=np.arange(200), bought_on="2026-01-01")
    folder = leave(data)
    assert sample(folder).strangers is None
    spool.log_dataset(data.drop(columns="score"), role="holdout", target="bought")
    assert sample(folder).strangers == 0
    spool.log_predictions(data.index, np.where(data.index < 9, 1 - data.bought, data.bought), data.score)
    assert sample(folder).strangers == 9


def test_a_row_that_is_drawn_with_others_than_its_groups_is_counted(leave):
    data = table().assign(customer=[f"customer {number}" for number in np.arange(200) // 4])
    folder, logged = leave(data), data.drop(columns="score")
    for named in ({}, {"group": "customer"}, {"time": "x"}):
        spool.log_dataset(logged, role="holdout", target="bought", **named)
        assert sample(folder).strangers == 0
    spool.log_dataset(logged, role="holdout", target="bought", group="customer")
    as_logged = np.argsort(find_order((folder / PREDICTIONS).read_bytes(), "r"))
    stored = read_predictions(folder).take(as_logged)
    for units, strangers in (
        (None, 200),
        (replace(stored.units, kind="time"), 200),
        (replace(stored.units, labels=np.where(np.arange(200) < 3, 99, stored.units.labels)), 3),
    ):
        (folder / PREDICTIONS).write_bytes(spell_predictions(replace(stored, units=units), {}))
        assert sample(folder).strangers == strangers


def test_another_column_than_the_truth_named_as_the_target_is_found(leave):
    data = table()
    data["other"] = np.where(data.index < 150, data.bought, 1 - data.bought)
    folder = leave(data)
    spool.log_dataset(data.drop(columns="score"), role="holdout", target="other")
    assert sample(folder).strangers == 50


def test_a_target_that_was_rescaled_is_told_by_nobody(leave):
    data = table().assign(bought=np.linspace(10, 20, 200))
    folder = leave(data)
    assert sample(folder).strangers == 0
    spool.log_predictions(data.index, np.log(data.bought), data.score)
    assert sample(folder).strangers is None


def test_rows_that_were_kept_otherwise_than_they_were_logged_are_not_the_holdouts(leave):
    data = table()
    folder = leave(data)
    kept = pd.read_parquet(folder / HOLDOUT)
    kept.loc[:3, "bought"] = kept.loc[:3, "bought"].map({"0": "1", "1": "0"})
    kept.to_parquet(folder / HOLDOUT, index=False)
    spool.log_predictions(data.index, kept.bought.astype(int), data.score)
    assert sample(folder).strangers == 4
    (folder / HOLDOUT).unlink()
    assert sample(folder).strangers is None


ODD = {
    "mixed": ["A5", 5], "mappings": [{1: 2}, {3: [4]}], "lists": [[1], [2, 3]], "huge": [2**70, 1], "complex": [1j, 2j],
    "decimals": [Decimal("1.5"), Decimal("1.50")], "durations": pd.to_timedelta(["1h", "2D"]), "intervals": pd.cut([1, 2], 2),
    "numbers": [np.int64(3), np.float32(0.1)], "surrogates": np.array(["\ud800", "a"], dtype=object), "gaps": [None, np.nan],
    "sparse": pd.arrays.SparseArray([0, 1]), "zoned": pd.to_datetime(["2026-01-01", "2026-07-01"]).tz_localize("Europe/Berlin"),
}  # fmt: skip


@pytest.mark.parametrize("values", ODD.values(), ids=ODD)
def test_a_column_of_whatever_kind_beside_the_features_keeps_nobody_from_telling(leave, values):
    data = table(100)
    kept = {"dtype": object} if isinstance(values, np.ndarray) else {}
    data["odd"] = pd.concat([pd.Series(values, **kept)] * 50, ignore_index=True)
    folder = leave(data)
    spool.log_dataset(data.drop(columns="score"), role="holdout", target="bought")
    assert sample(folder).strangers == 0
    spool.log_predictions(data.index, np.where(data.index < 9, 1 - data.bought, data.bought), data.score)
    assert sample(folder).strangers == 9


@pytest.mark.parametrize(("column", "truth"), [("decimal", "float64"), ("float64", "float32"), ("float32", "float32")])
def test_a_number_is_the_target_whatever_number_type_either_has(leave, column, truth):
    data = table().assign(bought=np.linspace(10, 20, 200).round(1))
    decimals = [Decimal(str(each)) for each in data.bought]
    folder = leave(data.assign(bought=decimals if column == "decimal" else data.bought.astype(column)))
    spool.log_predictions(data.index, data.bought.astype(truth), data.score)
    assert sample(folder).strangers == 0


def test_columns_that_change_their_names_are_other_columns(leave):
    data = table().assign(other=lambda rows: 1 - rows.bought)
    folder = leave(data)
    spool.log_dataset(data.drop(columns="score"), role="holdout", target="bought")
    kept = pd.read_parquet(folder / HOLDOUT)
    kept.rename(columns={"bought": "z", "other": "bought"}).to_parquet(folder / HOLDOUT, index=False)
    spool.log_predictions(data.index, data.other, data.score)
    assert sample(folder).strangers is None


def test_rows_of_which_columns_were_left_out_cannot_be_told(leave):
    data = table()
    assert sample(leave(data, features=("x",))).strangers is None
    assert sample(leave(data.assign(bought=data.bought.map({0: "no", 1: "yes"}), y=data.bought))).strangers is None


def test_a_truth_that_is_nowhere_the_target_is_told_from_a_score_that_is_it_everywhere(leave):
    data = table().assign(bought=np.linspace(10, 20, 200).round(1))
    folder = leave(data)
    spool.log_predictions(data.index, data.score, data.bought)
    assert (sample(folder).strangers, sample(folder).other_truth) == (None, "swapped")
    spool.log_predictions(data.index, data.bought * 2, data.score)
    assert (sample(folder).strangers, sample(folder).other_truth) == (None, "other")
    spool.log_predictions(data.index, data.bought, data.bought)
    assert (sample(folder).strangers, sample(folder).other_truth) == (0, "")
    turned = table()
    assert sample(score_others(leave(turned), turned.assign(bought=1 - turned.bought))).other_truth == "other"

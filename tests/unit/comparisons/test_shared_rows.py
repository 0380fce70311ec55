"""Rows of two runs are the same where that is known of their holdouts; a number that both begin with 0 is no row."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.unit.cli.printing import printed
from tests.unit.comparisons.sides import build_predictions, build_side
from tests.unit.comparisons.test_data_difference import keep, table_of
from workbench.cli.diffed_runs import print_difference
from workbench.comparisons.difference import example_rows
from workbench.comparisons.difference.data import compare_data
from workbench.comparisons.difference.matched_holdouts import find_shared
from workbench.comparisons.difference.metrics import compare_metrics
from workbench.comparisons.difference.pair import Pair, Side
from workbench.comparisons.difference.part import Likeness
from workbench.comparisons.difference.predictions import compare_predictions
from workbench.comparisons.difference.run_difference import find_difference
from workbench.comparisons.difference.shared_rows import ONE_HOLDOUT
from workbench.words.differences import difference_state


def score(side: Side, holdout: pd.DataFrame, seed: int) -> Side:
    """The same run with predictions for its holdout; the truth is that of the older half."""
    found = np.random.default_rng(seed).random(len(holdout))
    rows = tuple(str(row) for row in holdout.index)
    return replace(side, predictions=build_predictions(found, (holdout["age"] > 40).astype(float), rows=rows))


def pair_of(folder: Path, before: pd.DataFrame, after: pd.DataFrame, *, is_one: bool = False) -> Pair:
    folder.mkdir(exist_ok=True)
    one, other = (
        score(keep(folder / name, name, holdout), holdout, seed)
        for name, holdout, seed in (("a", before, 5), ("b", after, 6))
    )
    shared = find_shared((one, other), is_one=is_one)
    return Pair(one, other, unpaired=shared.says, shared=shared)


def test_rows_of_another_draw_are_not_comparable_whatever_their_ids_and_all_parts_say_the_same(tmp_path: Path):
    pair = pair_of(tmp_path, table_of(), table_of(rows=300, seed=3))
    says = "They were scored on other holdouts: of 400 and 300 rows none is the same."
    found = find_difference(pair)
    parts = {part.name: part for part in found.parts}
    assert says in found.headline
    assert (parts["predictions"].likeness, parts["predictions"].tables) == (Likeness.UNKNOWN, ())
    assert parts["predictions"].says == f"Not comparable. {says}"
    assert parts["data"].tables[0].rows[0]["in common"] == 0
    assert pair.shared.are_others
    logged = replace(pair, b=build_side("b" * 12, record={"metrics": {"auc": 0.7}}))
    assert compare_metrics(logged).says == "Of other rows: 1 logged metric differs."


def test_of_holdouts_that_share_some_rows_only_these_are_compared(tmp_path: Path):
    grown = pd.concat([table_of().head(350), table_of(seed=3).tail(40).set_axis(range(390, 430))])
    pair = pair_of(tmp_path, table_of(), grown)
    assert pair.shared.says == "They were scored on other holdouts: of 400 and 390 rows 350 are the same."
    part = compare_predictions(pair)
    assert " of 350 rows changed side" in part.says
    assert part.unknown[:2] == (
        pair.shared.says,
        "90 rows that one run alone predicted, or of another truth, are left out.",
    )
    assert {int(row["row"]) for table in part.tables for row in table.rows} <= {*range(350)}
    assert compare_data(pair).tables[0].rows[0]["in common"] == 350


def test_rows_that_were_numbered_anew_are_not_taken_for_those_of_their_number(tmp_path: Path):
    turned = table_of().iloc[::-1].reset_index(drop=True)
    says = "of 400 and 400 rows 400 are the same"
    moved = pair_of(tmp_path / "moved", table_of(), turned.rename(index=lambda row: row + 1000), is_one=True)
    assert moved.shared.says.endswith(f"{says}, under other row ids.")
    assert compare_predictions(moved).likeness is Likeness.UNKNOWN
    for name, is_one in (("one", True), ("other", False)):
        pair = pair_of(
            tmp_path / name, table_of().tail(399), turned.head(399).rename(index=lambda row: row + 1), is_one=is_one
        )
        assert pair.shared.says.endswith("of 399 and 399 rows 399 are the same, 1 of them under the same row id.")
        assert pair.shared.ids == {"200"}


def test_small_tables_of_categories_share_values_by_chance_and_no_row(tmp_path: Path):
    before, after = (table_of(seed=seed)[["town"]].assign(age=41.0) for seed in (1, 2))
    pair = pair_of(tmp_path, before, after)
    assert pair.shared.says.endswith("hold the same values, as independent draws may.")
    assert pair.shared.ids == frozenset()


def test_another_column_is_the_same_holdout_where_that_is_known_and_nothing_is_known_otherwise(tmp_path: Path):
    wider = table_of().assign(height=1.0)
    assert pair_of(tmp_path / "same", table_of(), wider, is_one=True).shared == ONE_HOLDOUT
    pair = pair_of(tmp_path / "other", table_of(), wider.drop(columns=["town", "weight"]))
    assert pair.shared.says.startswith("They were scored on other holdouts, of 400 and 400 rows with other columns; ")
    row = compare_data(pair).tables[0].rows[0]
    assert (row["in common"], row["told by"]) == (None, "not known: other columns")
    gone = (pair.a, replace(pair.b, files={}))
    assert find_shared(gone, is_one=False).says.endswith("one is no longer kept.")


def test_without_a_holdout_rows_are_the_same_where_all_ids_and_truths_are():
    one = build_side("a" * 12, predictions=build_predictions([0.9, 0.2, 0.6], [1, 0, 0]))
    other = replace(build_side("b" * 12), predictions=build_predictions([0.1, 0.2, 0.6], [1, 0, 0]))
    shared = find_shared((one, other), is_one=False)
    part = compare_predictions(Pair(one, other, shared=shared))
    assert part.says.startswith("1 of 3 rows changed side")
    assert part.unknown == (
        "Run aaaaaaaaaaaa and run bbbbbbbbbbbb declared no holdout: rows are taken for the same, since all their ids and "
        "truths are.",
    )
    turned = replace(other, predictions=build_predictions([0.1, 0.2, 0.6], [1, 1, 0]))
    assert "not known" in find_shared((one, turned), is_one=False).says
    assert not find_shared((one, build_side("b" * 12)), is_one=False).is_one


@pytest.fixture
def same(tmp_path: Path) -> Pair:
    """Two runs on one holdout, which the second kept; its model takes two of the columns, and one is called like one of ours."""
    holdout = table_of().rename(columns={"town": "A"})
    pair = pair_of(tmp_path, holdout, holdout)
    assert pair.shared == ONE_HOLDOUT
    return replace(pair, a=replace(pair.a, files={}), b=replace(pair.b, takes=("weight", "age")))


def test_examples_say_who_the_rows_are_what_the_model_takes_first(same: Pair):
    table = compare_predictions(same).tables[0]
    assert table.values == ("weight", "age", "A (column)")
    row = table.rows[0]
    told = table_of().iloc[int(row["row"])]
    assert [row[name] for name in table.values] == [told["weight"], told["age"], told["town"]]
    assert row["A"] in ("0", "1")


def test_of_a_very_large_holdout_and_a_broken_one_nothing_is_read_and_that_is_said(same: Pair, monkeypatch):
    broken = replace(same, b=replace(same.b, files={**same.b.files, "holdout.parquet": b"no table"}))
    assert compare_predictions(broken).unknown == (
        "What stands in these rows is not shown: the holdout that was kept cannot be read.",
    )
    monkeypatch.setattr(example_rows, "MOST_VALUES", 100)
    part = compare_predictions(same)
    assert part.tables[0].values == ()
    assert part.unknown == ("What stands in these rows is not shown: the holdout has 400 rows of 3 columns.",)


def test_of_many_columns_as_many_as_fit_are_shown_and_the_others_are_counted(tmp_path: Path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    holdout = table_of().assign(year=2024, note="a text that is folded " * 3, **{f"x{n}": "abcdefgh" for n in range(9)})
    difference = find_difference(pair_of(tmp_path, holdout, holdout))
    part = next(part for part in difference_state(difference)["parts"] if part["name"] == "predictions")
    shown = part["tables"][0]
    names = [column["label"] for column in shown["columns"] if "is_value" in column]
    assert names == ["age", "note", "town", "weight", "x0", "x1"]
    assert shown["columns_left"] == "8 more columns of the holdout; --json has all."
    lines = printed(capsys, print_difference, difference).splitlines()
    assert max(len(line) for line in lines if "──" in line) <= 80
    assert any(line.endswith("more columns of the holdout; --json has all.") for line in lines)
    assert any("folded" in line for line in lines)

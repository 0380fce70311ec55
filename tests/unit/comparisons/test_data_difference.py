"""Tables of two runs: columns, rows in common, and which columns shifted; what a run did not keep nobody knows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.unit.comparisons.sides import COMPLETE, build_side
from workbench.comparisons.difference.data import compare_data
from workbench.comparisons.difference.pair import Pair, Side
from workbench.comparisons.difference.part import Likeness
from workbench.files.trees import read_tree
from workbench.records.digest import sha256_hex, strict_json
from workbench.runs.folder import HOLDOUT, TRAINING
from workbench.runs.tables import read_tables
from workbench.runs.tabulating import Named, keep_table, write_table


def table_of(rows: int = 400, shift: float = 0.0, seed: int = 1) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "age": random.normal(40, 9, rows),
            "weight": random.normal(70 + shift, 9, rows),
            "town": random.choice(["Bern", "Ulm"], rows),
        }
    )


def keep(folder: Path, name: str, holdout: pd.DataFrame, train: pd.DataFrame | None = None) -> Side:
    """A run that logged these tables, and was fitted on the training rows."""
    folder.mkdir()
    keep_table(holdout, folder, Named("holdout"), is_run=False)
    if train is not None:
        keep_table(train, folder, Named("train"), is_run=False)
        write_table(train, folder / TRAINING)
    files = read_tree(folder)
    record = {
        "files": {path: sha256_hex(content) for path, content in files.items()},
        "datasets": [vars(table.fact) for table in read_tables(files)],
    }
    return build_side(name * 12, files=files, record=record)


def test_another_draw_is_no_shift_and_a_shift_is_the_first_row(tmp_path: Path):
    one = keep(tmp_path / "a", "a", table_of(), table_of(seed=2))
    other = keep(tmp_path / "b", "b", table_of(seed=3, shift=12), table_of(seed=4))
    part = compare_data(Pair(one, other))
    shifts = next(table for table in part.tables if table.title == "Distribution of columns")
    assert [(row["table"], row["column"]) for row in shifts.rows] == [("holdout", "weight")]
    assert "Of 3 columns of holdout rows 1 shifted by more than chance." in part.says
    assert "Of 3 columns of training rows none shifted by more than chance." in part.says
    assert part.upshot == "data (holdout, train)"


def test_rows_in_common_are_counted_by_their_values_in_whatever_order(tmp_path: Path):
    table = table_of()
    one, other = keep(tmp_path / "a", "a", table), keep(tmp_path / "b", "b", table.iloc[::-1].head(300))
    row = compare_data(Pair(one, other)).tables[0].rows[0]
    assert (row["rows A"], row["rows B"], row["in common"], row["told by"]) == (400, 300, 300, "every value")


def test_columns_that_are_added_removed_and_of_another_type_are_named(tmp_path: Path):
    table = table_of()
    changed = table.assign(age=table["age"].round().astype(str), height=1.0).drop(columns="town")
    part = compare_data(Pair(keep(tmp_path / "a", "a", table), keep(tmp_path / "b", "b", changed)))
    columns = next(each for each in part.tables if each.title == "Columns")
    assert {(row["column"], row["what"]) for row in columns.rows} == {
        ("age", "another type"),
        ("height", "added"),
        ("town", "removed"),
    }


def test_a_table_of_one_run_alone_and_files_that_are_gone_are_said(tmp_path: Path):
    one = keep(tmp_path / "a", "a", table_of(), table_of(seed=2))
    other = keep(tmp_path / "b", "b", table_of(seed=3))
    bare = build_side(other.name, files={}, record=dict(other.run.record), faults={HOLDOUT: "holdout.parquet is gone."})
    part = compare_data(Pair(one, bare))
    assert part.upshot == "data (holdout, train not there any more)"
    assert any("distributed is not known: holdout.parquet is gone." in line for line in part.unknown)
    assert any(line.startswith("holdout: ") for line in part.unknown)


def test_the_same_tables_are_a_line_and_other_files_that_were_read_are_no_sameness(tmp_path: Path):
    side = keep(tmp_path / "a", "a", table_of())
    same = compare_data(Pair(side, build_side("b" * 12, record=dict(side.run.record))))
    assert (same.likeness, same.says) == (Likeness.SAME, "1 table (holdout), the same to the byte.")
    read = {"path": "prices.csv", "digest": "e" * 64, "bytes": 12, "seen_by": "the kernel"}
    local = {**COMPLETE, "reads": [read]}
    other = compare_data(Pair(side, build_side("b" * 12, record={**side.run.record, "local_files": local})))
    assert (other.likeness, other.says) == (Likeness.DIFFERENT, "1 file that was read differs; 1 table is the same.")


def test_a_table_that_was_written_by_somebody_else_is_told(tmp_path: Path):
    one, other = keep(tmp_path / "a", "a", table_of()), keep(tmp_path / "b", "b", table_of(seed=3))
    path = next(path for path in other.files if path.startswith("datasets/"))
    assert strict_json(other.files[path])["rows"] == 400
    broken = build_side(
        other.name, files={**other.files, path: b'{"types": 1}', HOLDOUT: b"no table"}, record=dict(other.run.record)
    )
    part = compare_data(Pair(one, broken))
    assert len(part.unknown) == 2
    assert part.likeness is Likeness.DIFFERENT

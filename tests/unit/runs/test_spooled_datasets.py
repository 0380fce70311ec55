"""A table that is logged is named by what it holds, and refused where its rows cannot be named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

import workbench as wb
from tests.unit.runs.spooled import FEATURES, TABLE, TWO_CLASSES, datasets, reasons_of
from workbench.errors import UsageError
from workbench.records.row_digests import digest_row, spell
from workbench.runs import spool, tabulating
from workbench.runs.folder import DATASETS


def digest_of(table: pd.DataFrame, folder: Path) -> str:
    for path in (folder / DATASETS).glob("*.json"):
        path.unlink()
    wb.log_dataset(table, role="train")
    return datasets(folder)[0]["digest"]


def test_a_dataset_is_named_by_what_it_holds(run_folder):
    wb.log_dataset(TABLE, role="holdout", name="patients")
    (item,) = datasets(run_folder)
    assert {key: item[key] for key in ("name", "role", "rows", "columns", "row_ids")} == {
        "name": "patients",
        "role": "holdout",
        "rows": 3,
        "columns": 4,
        "row_ids": ["7", "3", "5"],
    }
    assert len(item["digest"]) == 64
    assert len(set(item["row_digests"])) == 3


def test_a_name_stands_for_one_table_and_the_one_that_clashes_is_told(run_folder):
    for name in "abcdefgh":
        wb.log_dataset(TABLE, role="train", name=name)
    with pytest.raises(UsageError, match="other rows as train 'e' before"):
        wb.log_dataset(TABLE.iloc[[1]], role="train", name="e")
    wb.log_dataset(TABLE, role="train", name="e")
    assert len(datasets(run_folder)) == 8


def test_the_same_rows_have_the_same_digest_in_another_process(run_folder):
    code = (
        "import pandas as pd, workbench as wb;"
        "wb.log_dataset(pd.DataFrame({'a': [1, 2], 'b': ['x', None], 'c': [0.1, float('nan')]}), role='train')"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=run_folder)
    digest = datasets(run_folder)[0]["digest"]
    assert digest == digest_of(pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [0.1, np.nan]}), run_folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.head(2),
        lambda table: pd.concat([table, table.head(1)], ignore_index=True),
        lambda table: table.rename(columns={"age": "years"}),
        lambda table: table.assign(weight=table["weight"].fillna(0)),
        lambda table: table.assign(weight=table["weight"] + 1e-12),
        lambda table: table.assign(town=table["town"].fillna("None")),
        lambda table: table.assign(smoker=~table["smoker"]),
        lambda table: table.drop(columns="town"),
    ],
    ids=[
        "fewer",
        "more",
        "name",
        "missing",
        "last digit",
        "none",
        "flag",
        "dropped",
    ],
)
def test_the_digest_changes_with_the_rows(run_folder, change):
    assert digest_of(change(TABLE), run_folder) != digest_of(TABLE, run_folder)


@pytest.mark.parametrize(
    "same",
    [
        lambda table: table.iloc[::-1],
        lambda table: table[["weight", "age", "smoker", "town"]],
        lambda table: table.assign(age=table["age"].astype("int32")),
        lambda table: table.assign(age=table["age"].astype("float64")),
    ],
    ids=["order", "columns", "width", "type"],
)
def test_the_same_rows_have_the_same_digest_however_they_stand(run_folder, same):
    assert digest_of(same(TABLE), run_folder) == digest_of(TABLE, run_folder)


def test_rows_under_other_names_are_another_table(run_folder):
    assert digest_of(TABLE.reset_index(drop=True), run_folder) != digest_of(TABLE, run_folder)


def test_the_same_row_has_the_same_digest_in_two_tables(run_folder):
    wb.log_dataset(TABLE, role="train")
    wb.log_dataset(TABLE.iloc[[1]], role="holdout")
    both = {item["role"]: item["row_digests"] for item in datasets(run_folder)}
    assert both["holdout"] == both["train"][1:2]


@given(
    st.lists(
        st.tuples(
            st.floats(),
            st.floats(width=32),
            st.integers(-(2**63), 2**63 - 1),
            st.booleans(),
            st.one_of(st.none(), st.text(), st.floats(), st.integers(), st.booleans(), st.lists(st.integers())),
            st.one_of(st.none(), st.floats(allow_nan=False)),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_the_digest_of_a_row_is_that_of_its_values_as_json(rows):
    table = pd.DataFrame(rows, columns=list("fedcba"))
    table = table.astype({"e": "float32", "b": "object", "a": "Float64"})
    missing = table.isna()
    expected = [
        digest_row([None if missing.at[row, name] else spell(table[name].tolist()[row]) for name in "abcdef"])
        for row in table.index
    ]
    assert tabulating._digest_rows(tabulating._spell_table(table, missing.to_numpy())) == expected


def test_a_table_of_dates_categories_and_missing_values_can_be_logged(run_folder):
    table = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-01-01", None]),
            "kind": pd.Categorical(["a", None]),
            "count": pd.array([1, None], dtype="Int64"),
            "any": [{"a": 1}, b"\xff"],
        }
    )
    assert digest_of(table, run_folder) == digest_of(table.copy(), run_folder)


@pytest.mark.parametrize(
    ("table", "role", "says"),
    [
        (TABLE, "test", "'test' is no role"),
        (TABLE, "Holdout", "'Holdout' is no role"),
        (TABLE.set_index([[1, 1, 2]]), "train", "3 rows, 2 names"),
        (TABLE.set_index(pd.Index([1, "1", 2], dtype=object)), "train", "3 rows, 2 names"),
        (TABLE.head(0), "train", "no rows"),
        (TABLE["age"], "train", "not pandas.Series; use .to_frame()"),
        (np.zeros((2, 2)), "train", "not numpy.ndarray; use pd.DataFrame"),
        (None, "train", "not NoneType"),
        ([[1, 2]], "train", "not list"),
    ],
)
def test_a_table_whose_rows_cannot_be_named_is_refused(run_folder, table, role, says):
    assert says in " ".join(reasons_of(lambda: wb.log_dataset(table, role=role)))
    assert not (run_folder / DATASETS).exists()


def test_a_run_has_one_holdout(run_folder):
    wb.log_dataset(TABLE, role="holdout")
    wb.log_dataset(TABLE, role="holdout", name="again")
    reasons = reasons_of(lambda: wb.log_dataset(TABLE.head(2), role="holdout", name="easier"))
    assert reasons == ("3 rows then, 2 rows now.",)


def test_a_training_table_does_not_replace_another_of_the_same_name(run_folder):
    wb.log_dataset(TABLE, role="train")
    assert reasons_of(lambda: wb.log_dataset(TABLE.head(2), role="train"))
    wb.log_dataset(TABLE.head(2), role="train", name="second")
    assert sorted(item["rows"] for item in datasets(run_folder)) == [2, 3]


def test_tables_of_two_roles_may_have_one_name_and_both_are_training_rows(run_folder):
    wb.log_dataset(FEATURES, role="train", name="wine")
    wb.log_dataset(FEATURES * 3, role="validation", name="wine")
    wb.log_model(LogisticRegression().fit(FEATURES, TWO_CLASSES), FEATURES)
    assert len(pd.read_parquet(run_folder / spool.TRAINING)) == 2 * len(FEATURES)


@pytest.mark.parametrize("name", ["../../escape", "a/b", "/etc/passwd", "...", "größe", "x" * 100])
def test_a_name_never_becomes_a_path(run_folder, name):
    wb.log_dataset(TABLE, role="train", name=name)
    assert [path.parent for path in run_folder.rglob("*.json")] == [run_folder / DATASETS]


@pytest.mark.parametrize("name", ["\x00", "\ud800", "a\nb", "\u202e", "x" * 101])
def test_a_name_that_nobody_could_read_is_refused(run_folder, name):
    assert "is no name" in " ".join(reasons_of(lambda: wb.log_dataset(TABLE, role="train", name=name)))

"""What a notebook logs is written as it was said, or refused while the notebook can still be mended."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.cluster import BisectingKMeans
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import workbench as wb
from tests.unit.runs.refusals import refuse
from workbench.errors import UsageError
from workbench.models.contract import parse_contract
from workbench.models.first_answers import parse_first_answers
from workbench.records.row_digests import digest_row, spell
from workbench.runs import spool, tabulating
from workbench.runs.folder import DATASETS
from workbench.runs.logged_calls import read_calls

TABLE = pd.DataFrame(
    {
        "age": [31, 42, 57],
        "weight": [61.5, np.nan, 80.25],
        "smoker": [True, False, True],
        "town": ["Bern", "Ulm", None],
    },
    index=[7, 3, 5],
)


@pytest.fixture
def run_folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(spool.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def reasons_of(call) -> tuple[str, ...]:
    with pytest.raises(UsageError) as caught:
        call()
    assert caught.value.what
    assert caught.value.next_step
    return caught.value.reasons


def datasets(folder: Path) -> list[dict]:
    return [json.loads(path.read_bytes()) for path in sorted((folder / DATASETS).glob("*.json"))]


# Metrics


def points(folder: Path) -> list[tuple[str, float, int]]:
    lines = [json.loads(line) for line in (folder / spool.LOGGED_METRICS).read_text(encoding="utf-8").splitlines()]
    return [(line["name"], line["value"], line["step"]) for line in lines]


def times_ms(folder: Path) -> list[int]:
    return [
        json.loads(line)["time_ms"] for line in (folder / spool.LOGGED_METRICS).read_text(encoding="utf-8").splitlines()
    ]


def test_metrics_are_kept_in_order_with_their_step_and_the_time(run_folder):
    before = time.time_ns() // 1_000_000
    wb.log_metrics({"loss": 1})
    wb.log_metrics({"loss": 0.5, "roc_auc": 0.9}, step=1)
    assert points(run_folder) == [("loss", 1.0, 0), ("loss", 0.5, 1), ("roc_auc", 0.9, 1)]
    assert before <= min(times_ms(run_folder)) <= max(times_ms(run_folder)) <= time.time_ns() // 1_000_000


@pytest.mark.parametrize(
    "step", [3, 3.0, np.int64(3), np.uint8(3), np.float32(3.0), Fraction(3), pd.Series([3]).iloc[0]], ids=repr
)
def test_a_whole_number_of_any_kind_is_a_step(run_folder, step):
    wb.log_metrics({"loss": 0.5}, step=step)
    assert points(run_folder) == [("loss", 0.5, 3)]


@pytest.mark.parametrize("step", [-3, -(2**63) + 1, 2**63 - 1, np.iinfo(np.int64).max])
def test_a_step_may_be_below_zero_and_as_long_as_mlflow_takes(run_folder, step):
    wb.log_metrics({"loss": 0.5}, step=step)
    assert points(run_folder) == [("loss", 0.5, int(step))]


@pytest.mark.parametrize(
    "step",
    [
        0.5,
        np.float64(2.5),
        math.nan,
        math.inf,
        True,
        False,
        np.True_,
        "3",
        None,
        [3],
        3j,
        2**63,
        -(2**63),
        1e300,
        pd.NA,
    ],
    ids=repr,
)
def test_what_is_no_whole_number_is_no_step(run_folder, step):
    assert reasons_of(lambda: wb.log_metrics({"loss": 0.5}, step=step)) == (f"The step is {step!r}.",)
    assert not (run_folder / spool.LOGGED_METRICS).exists()


def test_a_wrong_step_is_told_with_advice_beside_every_other_problem(run_folder):
    with pytest.raises(UsageError) as caught:
        wb.log_metrics({"a@b": math.nan}, step=0.5)
    assert caught.value.reasons == ("'a@b' cannot name a metric.", "a@b is nan.", "The step is 0.5.")
    assert "count batches instead of parts of an epoch" in caught.value.next_step


def test_of_two_values_of_one_step_the_later_has_the_later_time(run_folder):
    for value in (3.0, 1.0, 2.0):
        wb.log_metrics({"loss": value})
        wb.log_metrics({"loss": value}, step=7)
    assert all(len(set(times_ms(run_folder)[first::2])) == 3 for first in (0, 1))
    assert read_calls(b"", own=(run_folder / spool.LOGGED_METRICS).read_bytes()).metrics == {"loss": 2.0}


def test_points_of_different_steps_never_wait_for_one_another(run_folder, monkeypatch):
    monkeypatch.setattr(time, "sleep", lambda _: pytest.fail("It waited."))
    for step in range(2_000):
        wb.log_metrics({"loss": 1.0, "auc": 0.5}, step=step)
    assert len(points(run_folder)) == 4_000


def test_a_clock_that_stands_still_holds_nobody_up(run_folder, monkeypatch):
    monkeypatch.setattr(time, "time_ns", lambda: 5_000_000_000)
    for value in (3.0, 1.0):
        wb.log_metrics({"loss": value})
    assert (points(run_folder), times_ms(run_folder)) == ([("loss", 3.0, 0), ("loss", 1.0, 0)], [5_000, 5_000])


@pytest.mark.parametrize("value", [np.float64(0.5), np.float32(0.5), np.float16(0.5), pd.Series([0.5]).iloc[0]])
def test_a_number_of_numpy_is_a_number(run_folder, value):
    wb.log_metrics({"m": value, "n": np.int64(3), "o": np.uint8(4)})
    lines = (run_folder / spool.LOGGED_METRICS).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["value"] for line in lines] == [0.5, 3.0, 4.0]


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, -math.inf, np.float64("nan"), True, np.True_, "0.5", None, [1.0], 1j, 10**400, pd.NA, b"1"],
    ids=repr,
)
def test_what_is_no_finite_number_is_no_metric(run_folder, value):
    assert reasons_of(lambda: wb.log_metrics({"m": value})) == (f"m is {value!r}.",)
    assert not (run_folder / spool.LOGGED_METRICS).exists()


@pytest.mark.parametrize("name", ["loss", "f1 score", "val/loss", "top-5", "a.b_c", "0"])
def test_a_name_that_mlflow_keeps_is_taken(run_folder, name):
    wb.log_metrics({name: 1.0})
    assert (run_folder / spool.LOGGED_METRICS).is_file()


@pytest.mark.parametrize(
    "name",
    ["", " x", "a\nb", "f1@5", "../x", "/x", "x/", "a//b", "a/../b", "x\n", "größe", "x" * 251, 3, None],
    ids=repr,
)
def test_a_name_that_mlflow_would_refuse_after_the_run_is_refused_now(run_folder, name):
    assert reasons_of(lambda: wb.log_metrics({name: 1.0})) == (f"{name!r} cannot name a metric.",)


def test_every_wrong_metric_is_told_and_none_is_kept(run_folder):
    reasons = reasons_of(lambda: wb.log_metrics({"good": 1.0, "a@b": 1.0, "bad": math.nan}))
    assert reasons == ("'a@b' cannot name a metric.", "bad is nan.")
    assert not (run_folder / spool.LOGGED_METRICS).exists()


# Datasets


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


# Predictions


def read_predictions(folder: Path) -> pd.DataFrame:
    return pd.read_parquet(folder / spool.PREDICTIONS)


def test_predictions_are_kept_row_by_row_with_their_slices(run_folder):
    slices = {"town": TABLE["town"], "age": pd.cut(TABLE["age"], [0, 50, 99])}
    wb.log_predictions(TABLE.index, TABLE["smoker"], np.array([0.9, 0.2, 0.5], dtype="float32"), slices=slices)
    table = read_predictions(run_folder)
    assert table["row"].tolist() == ["7", "3", "5"]
    assert table["truth"].tolist() == [1.0, 0.0, 1.0]
    assert table["score"].tolist() == pytest.approx([0.9, 0.2, 0.5])
    assert list(table.columns) == ["row", "truth", "score", "slice_town", "slice_age"]
    assert table["slice_age"].tolist() == ["(0, 50]", "(0, 50]", "(50, 99]"]


@given(st.lists(st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.floats(0, 1)), min_size=1, max_size=8))
def test_every_finite_prediction_survives_exactly(tmp_path_factory, pairs):
    folder = tmp_path_factory.mktemp("run")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(spool.FOLDER_VARIABLE, str(folder))
        wb.log_predictions(range(len(pairs)), [truth for truth, _ in pairs], [score for _, score in pairs])
    table = read_predictions(folder)
    assert list(zip(table["truth"], table["score"], strict=True)) == pairs


@pytest.mark.parametrize(
    ("rows", "truth", "score", "says"),
    [
        ([1, 2], [0, 1], [0.5], "row 2, truth 2, score 1"),
        ([1], [0, 1], [0.5, 0.5], "row 1, truth 2, score 2"),
        ([], [], [], "row 0, truth 0, score 0"),
        ([1, 1], [0, 1], [0.5, 0.5], "2 rows, 1 names"),
        ([1, "1"], [0, 1], [0.5, 0.5], "2 rows, 1 names"),
        ([1, 2], [0, None], [0.5, 0.5], "1 of 2 values of truth"),
        ([1, 2], [0, math.nan], [0.5, math.inf], "1 of 2 values of score are no finite number, e.g. 'inf'"),
        ([1, 2], ["benign", None], [0.5, 0.5], "2 of 2 values of truth are no finite number, e.g. 'benign'"),
        ([1, 2], ["benign", 1], [0.5, 0.5], "1 of 2 values of truth are no finite number, e.g. 'benign'"),
        ([1, 2], [0, 1], [[0.5, 0.5], [0.1, math.nan]], "1 of 4 values of score"),
        ([1, 2], [0, 1], np.zeros((2, 2, 2)), "3 dimensions"),
        ([1, 2], [0, 1], [[0.5, 0.5], [0.9]], "2 of 2 values of score"),
        ([1, 2], [0, 1], [0.5, 1j], "1 of 2 values of score"),
        ([1, 2], [0, 1], [0.5, 10**400], "1 of 2 values of score"),
    ],
)
def test_predictions_that_nobody_could_recompute_a_score_from_are_refused(run_folder, rows, truth, score, says):
    assert says in " ".join(reasons_of(lambda: wb.log_predictions(rows, truth, score)))
    assert not (run_folder / spool.PREDICTIONS).exists()


def test_a_slice_names_every_row():
    reasons = reasons_of(lambda: wb.log_predictions([1, 2], [0, 1], [0.5, 0.5], slices={"town": ["Bern"]}))
    assert reasons == ("They differ in length or are empty: row 2, truth 2, score 2, slice_town 1.",)


# Models

FEATURES = pd.DataFrame({"age": [31, 42, 57, 22], "weight": [61.5, 70.0, 80.25, 55.0]})


def test_a_classifier_is_kept_with_its_contract_and_without_pickle(run_folder):
    model = LogisticRegression().fit(FEATURES, [0, 1, 1, 0])
    wb.log_model(model, FEATURES)
    files = {path.name: path.read_bytes() for path in (run_folder / spool.MODEL).iterdir()}
    assert set(files) == {"contract.json", "model.skops"}
    assert files["model.skops"].startswith(b"PK\x03\x04")
    contract = parse_contract(files["contract.json"])
    assert contract.task == "classification"
    assert [(column.name, column.type, column.nullable) for column in contract.columns] == [
        ("age", "integer", False),
        ("weight", "number", False),
    ]
    pd.testing.assert_frame_equal(pd.read_parquet(run_folder / spool.FEATURES), FEATURES)


def test_a_kept_model_answers_as_it_did(run_folder):
    import skops.io

    model = LinearRegression().fit(FEATURES, [1.0, 2.0, 3.0, 0.5])
    wb.log_model(model, FEATURES)
    path = run_folder / spool.MODEL / "model.skops"
    loaded = skops.io.load(path, trusted=skops.io.get_untrusted_types(file=path))
    assert loaded.predict(FEATURES).tolist() == model.predict(FEATURES).tolist()
    assert parse_contract((run_folder / spool.MODEL / "contract.json").read_bytes()).task == "regression"


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (FEATURES.set_axis(["age", "age"], axis=1), "Two columns are named 'age'"),
        (FEATURES.assign(day=pd.Timestamp("2026-01-01").date()), "Column 'day' holds datetime.date"),
        (FEATURES[[]], "column"),
    ],
    ids=["duplicate names", "dates", "no columns"],
)
def test_features_that_no_endpoint_could_take_are_refused(run_folder, features, says):
    model = LinearRegression().fit(FEATURES, [1.0, 2.0, 3.0, 0.5])
    assert says in " ".join(refuse(model, features).why)


@pytest.mark.parametrize(
    ("features", "says"),
    [
        (FEATURES.to_numpy(), "not numpy.ndarray; use pd.DataFrame"),
        (FEATURES["age"], "not pandas.Series"),
    ],
    ids=["array", "series"],
)
def test_a_call_without_a_frame_is_a_wrong_call(run_folder, features, says):
    model = LinearRegression().fit(FEATURES, [1.0, 2.0, 3.0, 0.5])
    assert says in " ".join(reasons_of(lambda: wb.log_model(model, features)))
    assert not (run_folder / spool.MODEL).exists()


TWO_CLASSES = [0, 1, 1, 0]
DAY = pd.Timestamp("2026-01-01")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([Decimal("1.5")] * 4, "holds decimal.Decimal: take .astype(float)"),
        (pd.qcut([1, 2, 3, 4], 2), "holds pandas.Interval: take .astype(str)"),
        ([[1, 2]] * 4, "holds list: give each place a column of its own"),
        ([DAY.date()] * 4, "holds datetime.date: take pd.to_datetime(...)"),
        (pd.period_range(DAY, periods=4), "take .astype(str)"),
        (pd.arrays.SparseArray([0.0, 0, 0, 1]), "take .sparse.to_dense()"),
        (["a", 1, "b", 2], "values of several types (int, str)"),
        ([2**60] * 4, "whole numbers beyond ±9007199254740991"),
        ([np.inf, 1.0, 2.0, 3.0], "holds inf, beyond"),
        ([1e200, 1.0, 2.0, 3.0], "holds 1e+200, beyond"),
        (["a\0b"] * 4, "a text with a null or half a character"),
        (["x" * 100_001] * 4, "a text of 100,001 characters; the longest allowed is 100,000"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_column_that_no_request_could_carry_is_named_with_what_to_write_instead(run_folder, values, says):
    refused = refuse(LogisticRegression().fit(FEATURES, TWO_CLASSES), FEATURES.assign(odd=values))
    assert any(reason.startswith("Column 'odd' holds ") and says in reason for reason in refused.why)


def test_columns_without_names_are_told_to_get_some(run_folder):
    model = LogisticRegression().fit(FEATURES.to_numpy(), TWO_CLASSES)
    refused = refuse(model, pd.DataFrame(FEATURES.to_numpy()))
    assert "Names of columns must be texts, for requests carry them: 0" in " ".join(refused.why)
    assert "str(name)" in refused.next_step


@pytest.mark.parametrize(
    ("dtype", "instead"), [("int64[pyarrow]", "Int64"), ("double[pyarrow]", "float64"), ("bool[pyarrow]", "boolean")]
)
def test_columns_of_arrow_are_told_what_to_become(run_folder, dtype, instead):
    odd = pd.Series([0, 1, 1, 0]).astype(dtype)
    refused = refuse(LogisticRegression().fit(FEATURES, TWO_CLASSES), FEATURES.assign(odd=odd))
    assert f"Column 'odd' holds {dtype}: take .astype('{instead}')." in refused.why
    assert str(odd.astype(instead).dtype) == instead


def test_a_table_with_a_sparse_column_is_logged_as_its_dense_twin(run_folder):
    dense = FEATURES.assign(odd=[0.0, 0.0, 1.0, 0.5])
    sparse = dense.assign(odd=pd.arrays.SparseArray(dense.odd))
    missing = np.zeros(dense.shape, dtype=bool)
    assert tabulating._spell_table(sparse, missing) == tabulating._spell_table(dense, missing)
    wb.log_dataset(sparse, role="train")


def test_what_is_said_of_a_logged_model_names_what_stands_before_its_last_step(run_folder):
    model = make_pipeline(StandardScaler(), SVC()).fit(FEATURES, TWO_CLASSES)
    said = repr(wb.log_model(model, FEATURES))
    assert "likely by scikit-learn behind a compiled preparation (no converter for SVC)" in said


def test_the_longest_text_is_a_setting(run_folder, monkeypatch):
    monkeypatch.setenv("WORKBENCH_LONGEST_TEXT", "10")
    refused = refuse(LogisticRegression().fit(FEATURES, TWO_CLASSES), FEATURES.assign(note="x" * 11))
    assert "longest_text" in str(refused)


def test_long_texts_are_allowed_twice_the_length_that_was_seen(run_folder):
    from sklearn.feature_extraction.text import TfidfVectorizer

    notes = pd.DataFrame({"note": ["late refund " * 100, "fast delivery " * 130] * 2})
    model = make_pipeline(ColumnTransformer([("words", TfidfVectorizer(), "note")]), LogisticRegression())
    wb.log_model(model.fit(notes, TWO_CLASSES), notes)
    contract = parse_contract((run_folder / spool.MODEL / "contract.json").read_bytes())
    assert contract.columns[0].longest == 2 * notes.note.str.len().max()


def test_a_type_nobody_reviewed_is_refused_at_once_with_what_to_write_instead(run_folder):
    model = make_pipeline(BisectingKMeans(2), LogisticRegression())
    refused = refuse(model.fit(FEATURES.fillna(0), TWO_CLASSES), FEATURES)
    assert "Nobody reviewed sklearn.cluster._bisect_k_means.BisectingKMeans." in refused.why
    assert "use KMeans" in refused.next_step


class Doubled(LogisticRegression):
    """Own code, of a module that pytest rewrote: no file holds what is in memory."""


def test_own_code_that_cannot_be_recorded_is_refused_before_anything_is_written(run_folder):
    refused = refuse(Doubled().fit(FEATURES, TWO_CLASSES), FEATURES)
    assert "own code" in refused.what
    assert refused.why == (f"Doubled of {__name__}: it was not imported from a .py file.",)


def test_a_model_that_does_not_answer_these_features_is_refused_at_once(run_folder):
    refused = refuse(LogisticRegression().fit(FEATURES, TWO_CLASSES), FEATURES[["weight"]])
    assert "does not answer these features" in refused.what


def test_a_refused_model_is_said_in_the_notebook_and_one_that_was_logged_before_is_not_this_runs(run_folder, caplog):
    wb.log_predictions(range(4), TWO_CLASSES, [0.1, 0.9, 0.9, 0.1])
    wb.log_model(LogisticRegression().fit(FEATURES, TWO_CLASSES), FEATURES)
    refuse(Doubled().fit(FEATURES, TWO_CLASSES), FEATURES)
    assert caplog.text.count("The notebook goes on; without a model its run cannot be nominated.") == 1
    left = {path.name for path in run_folder.iterdir()}
    assert left == {"looks.jsonl", "predictions.parquet", "refusal.json"}


def test_a_model_that_is_logged_after_one_was_refused_is_the_runs(run_folder):
    refuse(Doubled().fit(FEATURES, TWO_CLASSES), FEATURES)
    wb.log_model(LogisticRegression().fit(FEATURES, TWO_CLASSES), FEATURES)
    assert not (run_folder / "refusal.json").exists()


# Whether it gives the scores that were logged


def first_answers(run_folder):
    return parse_first_answers((run_folder / "first_answers.json").read_bytes())


@pytest.mark.parametrize("is_model_first", [True, False])
def test_scores_the_model_does_not_give_are_told_at_once_and_the_advice_works(run_folder, caplog, is_model_first):
    model = LogisticRegression().fit(FEATURES, TWO_CLASSES)
    score = model.predict_proba(FEATURES)[:, 1]

    def log(given):
        calls = [lambda: wb.log_model(model, FEATURES), lambda: wb.log_predictions(range(4), TWO_CLASSES, given)]
        for call in calls if is_model_first else reversed(calls):
            call()

    log(score[::-1])
    assert "the same rows in the same order" in first_answers(run_folder).advice
    assert "does not give the scores that were logged" in caplog.text
    caplog.clear()
    log(score)
    assert first_answers(run_folder).difference < 1e-12
    assert "does not give the scores" not in caplog.text  # nor in between, where one of them is still that of before


def test_more_scores_than_rows_of_the_model_are_told(run_folder, caplog):
    wb.log_model(LinearRegression().fit(FEATURES, TWO_CLASSES), FEATURES)
    wb.log_predictions(range(5), [*TWO_CLASSES, 0], [0.5] * 5)
    assert "The model was logged with 4 rows and there are 5 scores." in first_answers(run_folder).advice
    assert "4 rows" in caplog.text


def test_a_logged_model_says_how_it_will_likely_be_served(run_folder):
    compiled = wb.log_model(LogisticRegression().fit(FEATURES, TWO_CLASSES), FEATURES)
    assert "likely compiled" in repr(compiled)
    uncompiled = wb.log_model(KNeighborsClassifier(2).fit(FEATURES, TWO_CLASSES), FEATURES)
    assert "by scikit-learn (no converter for KNeighborsClassifier)" in repr(uncompiled)


def test_what_may_be_missing_is_told_by_training_too(run_folder):
    gaps = FEATURES.assign(weight=[np.nan, 61.0, 70.5, 80.0])
    wb.log_dataset(gaps.assign(y=TWO_CLASSES).rename(index=lambda row: row + 100), role="train")
    model = make_pipeline(SimpleImputer(), LogisticRegression()).fit(gaps, TWO_CLASSES)
    wb.log_model(model, FEATURES)
    contract = parse_contract((run_folder / spool.MODEL / "contract.json").read_bytes())
    assert [column.nullable for column in contract.columns] == [False, True]
    pd.testing.assert_frame_equal(pd.read_parquet(run_folder / spool.TRAINING), gaps)


def test_what_cannot_predict_is_no_model(run_folder):
    assert "no method `predict`" in str(refuse(object(), FEATURES))


# Parameters and drafts


def test_the_parameters_of_a_run_are_those_it_was_started_with(run_folder):
    (run_folder / spool.PARAMETERS).write_text('{"seed": 3, "family": "ridge"}', encoding="utf-8")
    assert wb.params == {"seed": 3, "family": "ridge"}


def in_a_draft(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith("WORKBENCH_")}
    environment["JPY_SESSION_NAME"] = ""
    (folder / "pyproject.toml").write_text("[tool.workbench]\nhome = 'kept'\n", encoding="utf-8")
    command = [sys.executable, "-c", f"import workbench as wb\n{code}"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_outside_of_a_run_a_notebook_keeps_a_draft_and_says_so_once(tmp_path):
    done = in_a_draft("wb.log_metrics({'a': 1}); wb.log_metrics({'a': 2})", tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "kept" / "drafts").iterdir()
    assert done.stdout == f"Draft run {folder.name}: kept for you to look at, never promotable.\n"
    assert len((folder / spool.LOGGED_METRICS).read_text(encoding="utf-8").splitlines()) == 2


def test_a_cell_of_a_draft_may_be_run_again_with_other_rows(tmp_path):
    code = "import pandas as pd\nfor count in (3, 2): wb.log_dataset(pd.DataFrame({'a': range(count)}), role='holdout')"
    done = in_a_draft(code, tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "kept" / "drafts").iterdir()
    assert [item["rows"] for item in datasets(folder)] == [2]


def test_outside_of_a_run_and_of_jupyterlab_there_are_no_parameters(tmp_path):
    done = in_a_draft("wb.params", tmp_path)
    assert done.returncode == 1
    assert "The parameters are not known here." in done.stderr


def test_a_name_that_is_not_there_is_told():
    with pytest.raises(AttributeError, match="no attribute 'log_everything'"):
        wb.log_everything  # noqa: B018


def test_a_table_of_another_library_is_refused_with_what_to_hand_over(run_folder):
    class DataFrame:
        """As polars has it: columns and dtypes, and no rows as tuples."""

        columns = ("age",)
        dtypes = ("Int64",)

        def to_pandas(self):
            return TABLE

    DataFrame.__module__ = "polars.dataframe.frame"
    for log in (
        lambda: wb.log_dataset(DataFrame(), role="train"),
        lambda: wb.log_model(LinearRegression(), DataFrame()),
    ):
        with pytest.raises(UsageError) as caught:
            log()
        assert "use .to_pandas()" in str(caught.value)

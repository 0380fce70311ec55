"""The frame that reaches the served model is the frame it was fitted on: dates, durations and whole numbers beyond 2^53."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from tests.integration.contracts import infer_contract
from workbench.errors import UsageError
from workbench.models.compiler.onnx_compiler import compile_own, find_obstacle
from workbench.models.contract import Contract, find_row_problems, require_valid
from workbench.models.frames import build_frame, describe_columns, to_rows
from workbench.models.onnx_predictor import load_onnx_predictor
from workbench.models.servability import judge_answers
from workbench.models.skops_canonical import write_model
from workbench.models.skops_predictor import predictor_of

ROWS = 60
HOURS = pd.date_range("2026-03-28T22:30", periods=ROWS, freq="37min", tz="UTC")
DRAW = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "berlin": HOURS.tz_convert("Europe/Berlin"),
        "offset": HOURS.tz_convert("+05:30").as_unit("ms"),
        "day": pd.date_range("1969-12-01", periods=ROWS).as_unit("s"),
        "exact": pd.to_datetime(["2020-01-01T00:00:00.123456789", None] * (ROWS // 2)).as_unit("ns"),
        "lasts": pd.to_timedelta([1, -2, None] * (ROWS // 3), unit="us"),
        "account": 2**60 + np.arange(ROWS),
        "hash": np.uint64(2**64 - 1) - np.arange(ROWS, dtype="uint64"),
        "parent": pd.array([2**60 + 1, None] * (ROWS // 2), dtype="Int64"),
        "amount": DRAW.normal(size=ROWS),
    }
)
AS_TEXT = ("account", "hash", "parent")
TARGET = (TABLE.amount + DRAW.normal(size=ROWS) > 0).astype(int)


def test_dates_durations_and_long_numbers_come_back_as_they_were_through_json():
    contract = require_valid(Contract("regression", describe_columns(TABLE, as_text=AS_TEXT)))
    rows = json.loads(json.dumps(to_rows(TABLE, contract)))
    assert find_row_problems(contract, rows) == []
    pd.testing.assert_frame_equal(build_frame(rows, contract), TABLE)


def test_both_hours_of_a_night_that_has_one_twice_are_told_apart():
    night = pd.DataFrame(
        {"at": pd.date_range("2026-10-24T23:30", periods=6, freq="30min", tz="UTC").tz_convert("Europe/Berlin")}
    )
    contract = Contract("regression", describe_columns(night))
    pd.testing.assert_frame_equal(build_frame(to_rows(night, contract), contract), night)
    local = [{"at": "2026-10-25T02:30:00+02:00"}, {"at": "2026-10-25T02:30:00+01:00"}]
    assert build_frame(local, contract)["at"].diff().iloc[1] == pd.Timedelta(hours=1)


@pytest.mark.parametrize(
    ("judged", "logged", "dtype"),
    [
        ([0.1, 2.0], np.array([0.1, 2.0], dtype="float32"), "float64"),
        ([0.1, 2.0], np.array([0, 2]), "float64"),
        ([0.5, 2.0], np.array([0.5, 2.0], dtype="float32"), "float32"),
        ([1, 2], [1.0, None], "float64"),
    ],
)
def test_training_rows_that_cannot_hold_what_was_judged_are_not_what_was_fitted(judged, logged, dtype):
    (column,) = describe_columns(pd.DataFrame({"x": judged}), pd.DataFrame({"x": logged}))
    assert column.dtype == dtype


def test_what_was_seen_is_recorded_of_holdout_and_training():
    (column,) = describe_columns(TABLE[["lasts"]].head(3), TABLE[["lasts"]] * 2)
    assert (column.lowest, column.highest) == ("-PT0.000004S", "PT0.000002S")
    texts = pd.DataFrame({"site": ["left", "right"] * 3, "note": list("abcdef")})
    assert [column.values for column in describe_columns(texts)] == [("left", "right"), None]


def dated() -> tuple[pd.DataFrame, object]:
    features = TABLE[["berlin", "amount"]]
    steps = make_column_transformer((StandardScaler(), ["amount"]))
    return features, make_pipeline(steps, LogisticRegression()).fit(features, TARGET)


def test_a_model_that_passes_a_date_over_is_compiled():
    features, model = dated()
    contract = infer_contract(model, features)
    assert find_obstacle(model, contract) is None
    predict = load_onnx_predictor(compile_own(model, contract), contract)
    own = model.predict_proba(features)[:, 1]
    assert np.abs(np.array(predict(to_rows(features, contract)).scores) - own).max() < 1e-14


def test_a_model_that_looks_at_dates_is_served_by_scikit_learn_itself():
    features = TABLE[["day", "account", "amount"]]
    days, accounts = OneHotEncoder(handle_unknown="ignore"), OneHotEncoder(handle_unknown="ignore")
    steps = make_column_transformer((days, ["day"]), (accounts, ["account"]), (StandardScaler(), ["amount"]))
    model = make_pipeline(steps, LogisticRegression()).fit(features, TARGET)
    columns = describe_columns(features, as_text=["account"])
    contract = require_valid(Contract("classification", columns, 1, (0, 1)))
    assert "no place in ONNX" in str(judge_answers(model, write_model(model), features, contract).obstacle)
    answers = predictor_of(model, contract)(to_rows(features, contract))
    assert answers.scores == model.predict_proba(features)[:, 1].tolist()
    assert len({*answers.scores}) > ROWS // 2


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        (pd.period_range("2020-01", periods=3, freq="M"), "take .astype(str)"),
        (pd.interval_range(0, 3), "take .astype(str)"),
        ([2**60, 1, 2], "as_text=['x']"),
        (np.array(["11000-01-01", "2020-01-01", "2020-01-01"], dtype="datetime64[s]"), "no text in ISO 8601"),
        (pd.Series([HOURS[0].date()] * 3, dtype=object), "take pd.to_datetime(...)"),
        (pd.Series([float("inf"), 1.0, 2.0], dtype=object), "cut it off"),
    ],
)
def test_what_has_no_text_is_named_with_what_to_write_instead(values, advice):
    with pytest.raises(UsageError) as caught:
        describe_columns(pd.DataFrame({"x": values}))
    assert advice in str(caught.value)


def test_what_is_no_whole_number_is_not_carried_as_text():
    with pytest.raises(UsageError, match="only whole numbers"):
        describe_columns(TABLE[["amount"]], as_text=["amount"])
    with pytest.raises(UsageError, match="no column 'acount'"):
        describe_columns(TABLE[["account"]], as_text=["account", "acount"])


def test_dates_with_a_zone_in_training_and_without_in_the_holdout_are_told_apart():
    here, there = TABLE[["berlin"]], TABLE[["berlin"]].assign(berlin=TABLE.berlin.dt.tz_localize(None))
    with pytest.raises(UsageError, match="make them one"):
        describe_columns(there, here)


def test_a_whole_number_carried_as_text_stays_whole_beside_a_missing_one():
    judged = pd.DataFrame({"account": pd.array([2**53 + 1, None], dtype="Int64")})
    trained = pd.DataFrame({"account": [2**53 + 1, 2**53 + 3]})
    contract = Contract("regression", describe_columns(judged, trained, as_text=["account"]))
    assert build_frame([{"account": "9007199254740993"}], contract)["account"].tolist() == [2**53 + 1]


def test_a_row_that_its_column_cannot_hold_changes_no_other_row():
    table = pd.DataFrame({"small": np.arange(ROWS, dtype="uint8") + 100, "amount": TABLE.amount})
    model = make_pipeline(FunctionTransformer(np.square), LogisticRegression()).fit(table, TARGET)
    predict = predictor_of(model, infer_contract(model, table))
    rows = [{"small": 200, "amount": 0.5}, {"small": 300, "amount": 0.1}, {"small": 17, "amount": -2.0}]
    together = predict(rows)
    assert together.scores == [predict([row]).scores[0] for row in rows]
    assert together.labels == [predict([row]).labels[0] for row in rows]
    assert together.scores[0] == model.predict_proba(table[:1].assign(small=np.uint8(200), amount=0.5))[0, 1]


def test_two_kinds_of_missing_values_are_told_apart_before_anything_is_logged():
    mixed = pd.DataFrame({"city": pd.Series(["Oslo", None, "Bergen", float("nan")], dtype=object)})
    with pytest.raises(UsageError, match="several kinds of missing values"):
        describe_columns(mixed)
    one = mixed.assign(city=mixed.city.where(mixed.city.notna(), None))
    assert describe_columns(one)[0].missing == "none"


def test_a_category_that_no_row_had_was_not_seen():
    table = pd.DataFrame({"plan": pd.Categorical(["free", "pro"], ["free", "pro", "team"])})
    assert describe_columns(table)[0].values == ("free", "pro")
    assert describe_columns(table.assign(plan=table.plan.cat.remove_unused_categories()))[0].values is None


def test_a_model_on_whole_numbers_carried_as_text_answers_requests():
    table = TABLE[["hash", "amount"]]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(table, TARGET)
    contract = require_valid(Contract("classification", describe_columns(table, as_text=["hash"]), 1, (0, 1)))
    rows = to_rows(table, contract)
    assert rows[0]["hash"] == str(2**64 - 1)
    assert predictor_of(model, contract)(rows).scores == model.predict_proba(table)[:, 1].tolist()

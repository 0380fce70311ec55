"""A model is kept with its contract where an endpoint can take its columns and it gives the scores that were logged."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
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
from tests.unit.runs.spooled import FEATURES, TWO_CLASSES, reasons_of
from workbench.models.contract import parse_contract
from workbench.models.first_answers import parse_first_answers
from workbench.runs import spool, tabulating


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

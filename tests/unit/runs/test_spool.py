"""What a notebook logs is written as it was said, or refused while the notebook can still be mended."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

import workbench as wb
from tests.unit.runs.spooled import TABLE, datasets, reasons_of
from workbench.errors import UsageError
from workbench.runs import spool
from workbench.runs.folder import DRAFT
from workbench.runs.logged_calls import read_calls

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
    code = "wb.log_metrics({'a': 1}); wb.log_metrics({'a': 2}); (wb.folder / 'x').touch(); wb.log_file(wb.folder / 'x', 'y')"
    done = in_a_draft(code, tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "kept" / "drafts").iterdir()
    assert sorted(path.name for path in (folder / "files").iterdir()) == ["x", "y"]
    said = f"Draft {folder.name}, run by hand: kept in kept/drafts/{folder.name}, never promotable. To make it a run: "
    assert done.stdout.startswith(said)
    assert done.stdout.endswith("`workbench run NOTEBOOK`.\n")
    assert done.stdout.count("\n") == 1
    assert len((folder / spool.LOGGED_METRICS).read_text(encoding="utf-8").splitlines()) == 2
    said = json.loads((folder / DRAFT).read_bytes())
    assert (said["notebook"], said["created"][:2]) == ("", "20")


def test_only_what_is_logged_makes_a_draft(tmp_path):
    refused = (
        "wb.log_metrics({'a': float('nan')})",
        "wb.log_dataset([1], role='holdout')",
        "wb.log_predictions([1], [0], [])",
    )
    tries = "".join(f"try: {each}\nexcept UsageError: pass\nelse: raise SystemExit(3)\n" for each in refused)
    code = f"from workbench import *\nfrom workbench.errors import UsageError\n{tries}log_metrics, Workbench"
    done = in_a_draft(code, tmp_path)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert not (tmp_path / "kept" / "drafts").exists()


def test_a_draft_that_was_deleted_while_its_notebook_is_open_is_followed_by_another(tmp_path):
    code = "import shutil; wb.log_metrics({'a': 1}); shutil.rmtree('kept'); wb.log_metrics({'a': 2})"
    done = in_a_draft(code, tmp_path)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "kept" / "drafts").iterdir()
    assert '"value": 2.0' in (folder / spool.LOGGED_METRICS).read_text(encoding="utf-8")


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
    with pytest.raises(AttributeError, match=r"no attribute 'log_metric'. Did you mean wb.log_metrics"):
        wb.log_metric  # noqa: B018


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

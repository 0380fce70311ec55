"""Runs are compared row by row on the same truth, or not at all."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.people import AUTHOR, ENDED
from tests.unit.policies.builders import build_policy
from tests.unit.runs.kept_runs import read_predictions
from workbench.comparisons.comparing import compare_runs, constant_reference, find_difference
from workbench.comparisons.holdouts import runs_on_holdout_of
from workbench.comparisons.screening import compare_alike
from workbench.errors import Refused, UsageError
from workbench.models.predictions import Predictions, spell_predictions
from workbench.records.digest import sha256_hex
from workbench.runs import spool
from workbench.runs.keeping import read_recorded
from workbench.runs.run import Run, RunState

ROWS = 40
TRUTH = np.arange(ROWS) % 2
SCORE = np.clip(TRUTH * 0.4 + np.linspace(0, 0.6, ROWS), 0, 1)


def table(**changes) -> pd.DataFrame:
    columns = {"row": [str(row) for row in range(ROWS)], "truth": TRUTH.astype(float), "score": SCORE}
    return pd.DataFrame({**columns, **changes})


def write(folder: Path, content: pd.DataFrame | bytes) -> Path:
    folder.mkdir(exist_ok=True)
    if isinstance(content, bytes):
        (folder / spool.PREDICTIONS).write_bytes(content)
    else:
        content.to_parquet(folder / spool.PREDICTIONS, index=False)
    return folder


def build_run(run_id: str, digest: str = "d", folder: Path | None = None) -> Run:
    """A finished run; with the folder of runs, one that recorded what it predicts there."""
    holdout = {"name": "holdout", "role": "holdout", "digest": digest, "rows": ROWS, "columns": 3}
    record: dict[str, Any] = {"datasets": [holdout], "metrics": {}}
    stored = folder / run_id / spool.PREDICTIONS if folder else None
    if stored and stored.exists():
        record["files"] = {spool.PREDICTIONS: sha256_hex(stored.read_bytes())}
    return Run(run_id, "train.ipynb", "ab" * 32, {}, {}, AUTHOR, ENDED, state=RunState.FINISHED, record=record)


def compare(folder: Path, *run_ids: str, against: Run | None = None):
    return compare_runs(
        [build_run(run_id, folder=folder) for run_id in run_ids],
        against=against,
        policy=build_policy(),
        tried=len(run_ids),
        read=lambda run: read_recorded(run, folder / run.id),
    )


def compare_those_alike(
    folder: Path, *run_ids: str, against: Run | None = None, rows: Any = None, must_pair: bool = False
):
    return compare_alike(
        [build_run(run_id, folder=folder) for run_id in run_ids],
        against=against,
        policy=build_policy(),
        tried=len(run_ids),
        read=lambda run: read_recorded(run, folder / run.id),
        row_ids=rows,
        must_pair=must_pair,
    )


ROW_IDS = tuple(sorted(map(str, range(ROWS))))
OTHERS = table(row=[str(row) for row in range(ROWS - 1, 2 * ROWS - 1)], score=TRUTH * 1.0)


def test_a_run_that_is_not_on_the_holdouts_rows_wins_nothing_and_is_no_reference_whoever_was_first(tmp_path):
    write(tmp_path / "aaaaaaaa", OTHERS)
    write(tmp_path / "bbbbbbbb", table())
    found = compare_those_alike(tmp_path, "bbbbbbbb", "aaaaaaaa", rows=ROW_IDS)
    assert [run.run_id for run in found.runs] == ["bbbbbbbb"]
    (why,) = found.unpaired
    assert (
        "Run aaaaaaaa was not scored on just the holdout's rows. Of its 40 row ids 1 are among the holdout's 40" in why
    )
    assert found.left_out == 1
    with pytest.raises(UsageError, match="1 are among"):
        compare_those_alike(tmp_path, "aaaaaaaa", rows=ROW_IDS)
    with pytest.raises(UsageError, match="aaaaaaaa was not scored"):
        compare_those_alike(tmp_path, "bbbbbbbb", "aaaaaaaa", rows=ROW_IDS, must_pair=True)


def test_the_largest_group_of_one_truth_is_compared_and_the_others_are_told_with_the_number_of_rows(tmp_path):
    for run_id, content in {
        "aaaaaaaa": table(truth=liars_truth()),
        "bbbbbbbb": table(),
        "cccccccc": table(score=SCORE / 2),
    }.items():
        write(tmp_path / run_id, content)
    found = compare_those_alike(tmp_path, "cccccccc", "bbbbbbbb", "aaaaaaaa", rows=ROW_IDS)
    assert {run.run_id for run in found.runs} == {"bbbbbbbb", "cccccccc"}
    assert found.unpaired == ("Run aaaaaaaa cannot be paired with run bbbbbbbb. The truth differs on 3 of 40 rows.",)


def test_runs_that_pair_with_the_reference_are_compared_before_more_that_do_not(tmp_path):
    write(tmp_path / "aaaaaaaa", table(truth=liars_truth()))
    write(tmp_path / "dddddddd", table(truth=liars_truth()))
    for run_id in ("bbbbbbbb", "cccccccc"):
        write(tmp_path / run_id, table())
    found = compare_those_alike(
        tmp_path, "cccccccc", "bbbbbbbb", "aaaaaaaa", against=build_run("dddddddd", folder=tmp_path)
    )
    assert [run.run_id for run in found.runs] == ["aaaaaaaa"]
    assert found.left_out == 2


def test_runs_are_on_one_holdout_when_they_declared_the_same_rows():
    one, other, again = build_run("aaaaaaaa"), build_run("bbbbbbbb", digest="e"), build_run("cccccccc")
    assert runs_on_holdout_of(one, iter([again, other, one])) == [again, one]


def test_predictions_that_were_changed_since_are_not_compared(tmp_path):
    for name in ("aaaaaaaa", "bbbbbbbb"):
        write(tmp_path / name, table())
    reference = build_run("bbbbbbbb", folder=tmp_path)
    write(tmp_path / "bbbbbbbb", table(score=1 - SCORE))
    with pytest.raises(UsageError, match="run bbbbbbbb cannot be used") as caught:
        compare(tmp_path, "aaaaaaaa", against=reference)
    assert "not the one that was recorded" in caught.value.reasons[0]


def liars_truth() -> np.ndarray:
    """Another truth for three of the rows."""
    return np.where(np.arange(ROWS) < 3, 1 - TRUTH, TRUTH).astype(float)


# What can be read


@pytest.mark.parametrize(("first", "second"), [("aaaaaaaaaaaa", "bbbbbbbbbbbb"), ("bbbbbbbbbbbb", "aaaaaaaaaaaa")])
def test_of_runs_of_one_value_the_one_that_is_more_surely_better_comes_first_whatever_their_names(
    tmp_path, first, second
):
    def wrong_at(*rows: int) -> np.ndarray:
        return np.where(np.isin(np.arange(ROWS), rows), 0.0, TRUTH.astype(float))

    write(tmp_path / first, table(score=wrong_at(1)))
    write(tmp_path / second, table(score=wrong_at(5)))
    write(tmp_path / "cccccccccccc", table(score=wrong_at(1, 3)))
    compared = compare(tmp_path, second, first, against=build_run("cccccccccccc", folder=tmp_path)).runs
    assert [run.run_id for run in compared] == [first, second]
    assert compared[0].value == compared[1].value
    assert compared[0].advantage.low > compared[1].advantage.low


def test_predictions_are_read_in_the_order_of_their_rows(tmp_path):
    found = read_predictions(write(tmp_path / "a", table().iloc[::-1]))
    assert list(found.rows) == sorted(map(str, range(ROWS)))
    assert dict(zip(found.rows, found.score, strict=True)) == dict(zip(table()["row"], SCORE, strict=True))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"hello", "Parquet"),
        (b"", "Parquet"),
        (table().drop(columns="truth"), "it has row (large_string), score (double)"),
        (pd.DataFrame({"other": [1]}), "it has none of them"),
        (table(truth="a"), "truth (large_string)"),
        (table(score=None), "score (null)"),
        (table(row=range(ROWS)), "row (int64)"),
        (table(score=np.nan), "40 of 40 values of score are no finite number"),
        (table(truth=[np.inf, *TRUTH[1:]]), "1 of 40 values of truth"),
        (table(row="same"), "40 rows, 1 names"),
        (table().head(0), "no rows"),
    ],
)
def test_predictions_that_cannot_be_scored_are_named_in_three_parts(tmp_path, content, says):
    with pytest.raises(UsageError) as caught:
        read_predictions(write(tmp_path / "3f9a1c27", content))
    assert "3f9a1c27" in caught.value.what
    assert says in " ".join(caught.value.reasons)
    assert "wb.log_predictions" in caught.value.next_step


def test_a_folder_whose_name_looks_like_a_column_adds_none(tmp_path):
    assert len(read_predictions(write(tmp_path / "truth=1", table())).rows) == ROWS


# What can be paired


def test_runs_with_the_same_rows_and_truth_can_be_paired(tmp_path):
    ours, theirs = (
        read_predictions(write(tmp_path / name, table(score=score))) for name, score in (("a", 0.1), ("b", 0.9))
    )
    assert find_difference(ours, theirs) is None


def test_a_truth_of_ones_own_is_refused_with_the_number_of_rows(tmp_path):
    write(tmp_path / "aaaaaaaa", table(truth=liars_truth()))
    write(tmp_path / "bbbbbbbb", table())
    with pytest.raises(UsageError) as caught:
        compare(tmp_path, "aaaaaaaa", against=build_run("bbbbbbbb", folder=tmp_path))
    assert caught.value.reasons == ("The truth differs on 3 of 40 rows.",)
    assert caught.value.next_step
    with pytest.raises(UsageError, match="3 of 40"):
        compare(tmp_path, "aaaaaaaa", "bbbbbbbb")


def test_other_rows_are_refused_with_their_numbers(tmp_path):
    write(tmp_path / "aaaaaaaa", table().head(30))
    write(tmp_path / "bbbbbbbb", table())
    with pytest.raises(UsageError) as caught:
        compare(tmp_path, "aaaaaaaa", against=build_run("bbbbbbbb", folder=tmp_path))
    assert caught.value.reasons == ("One has 30 rows, the other 40, and 30 are the same.",)


def test_a_reference_from_another_holdout_is_refused_though_its_rows_have_the_same_names(tmp_path):
    write(tmp_path / "aaaaaaaa", table())
    write(tmp_path / "bbbbbbbb", table())
    with pytest.raises(UsageError, match="cannot be compared"):
        compare(tmp_path, "aaaaaaaa", against=build_run("bbbbbbbb", digest="e"))
    assert compare(tmp_path, "aaaaaaaa", against=build_run("bbbbbbbb", folder=tmp_path)).reference == "run bbbbbbbb"


@pytest.mark.parametrize("bad", [None, b"hello", table().head(10), table(truth=liars_truth()), table(score=np.nan)])
def test_one_bad_run_breaks_no_comparison_of_the_others_and_is_counted(tmp_path, bad):
    write(tmp_path / "aaaaaaaa", table())
    write(tmp_path / "bbbbbbbb", table(score=SCORE / 2))
    if bad is not None:
        write(tmp_path / "cccccccc", bad)
    found = compare_those_alike(tmp_path, "cccccccc", "bbbbbbbb", "aaaaaaaa")
    assert {run.run_id for run in found.runs} == {"aaaaaaaa", "bbbbbbbb"}
    assert (found.left_out, found.tried) == (1, 3)
    with pytest.raises(UsageError):
        compare(tmp_path, "cccccccc", "bbbbbbbb", "aaaaaaaa")


def test_when_no_run_can_be_compared_every_reason_is_said(tmp_path):
    write(tmp_path / "aaaaaaaa", b"hello")
    with pytest.raises(UsageError) as caught:
        compare_those_alike(tmp_path, "aaaaaaaa", "bbbbbbbb")
    assert len(caught.value.reasons) == 2
    assert caught.value.next_step


def test_a_metric_that_is_not_defined_on_these_rows_says_so(tmp_path):
    write(tmp_path / "aaaaaaaa", table(truth=0.0))
    assert not compare(tmp_path, "aaaaaaaa").is_defined
    write(tmp_path / "aaaaaaaa", table())
    assert compare(tmp_path, "aaaaaaaa").is_defined


# Several classes


def several(folder: Path, run_id: str, *, sharpness: float, classes: tuple[str, ...] = ("a", "b", "c"), **changes: Any):
    """Write the predictions of a run that tells three classes apart, the sharper the better."""
    truth = np.arange(ROWS) % 3
    noise = np.random.default_rng(2).random((ROWS, 3))
    score = np.exp(sharpness * np.eye(3)[truth] + noise)
    facts = {
        "rows": tuple(map(str, range(ROWS))),
        "truth": truth.astype(float),
        "score": score / score.sum(axis=1, keepdims=True),
        "task": "multiclass",
        "classes": classes,
    }
    (folder / run_id).mkdir()
    content = spell_predictions(Predictions(**{**facts, **changes}), {})
    (folder / run_id / spool.PREDICTIONS).write_bytes(content)


def test_runs_of_several_classes_are_ranked_by_the_policys_metric_against_the_shares_of_the_classes(tmp_path):
    several(tmp_path, "aaaaaaaa", sharpness=3.0)
    several(tmp_path, "bbbbbbbb", sharpness=0.0)
    comparison = compare(tmp_path, "aaaaaaaa", "bbbbbbbb")
    assert [run.run_id for run in comparison.runs] == ["aaaaaaaa", "bbbbbbbb"]
    assert (comparison.metric, comparison.reference_value) == ("roc_auc", 0.5)
    constant = constant_reference(read_predictions(tmp_path / "aaaaaaaa")).predictions
    assert constant.score[0].tolist() == pytest.approx([14 / 40, 13 / 40, 13 / 40])


def test_a_policy_without_a_rule_for_the_task_refuses_the_run_and_says_which_line_to_add(tmp_path):
    several(tmp_path, "aaaaaaaa", sharpness=1.0)
    policy = build_policy()
    policy = replace(policy, metrics={task: rule for task, rule in policy.metrics.items() if task != "multiclass"})
    with pytest.raises(Refused) as caught:
        compare_runs(
            [build_run("aaaaaaaa", folder=tmp_path)],
            against=None,
            policy=policy,
            tried=1,
            read=lambda run: read_recorded(run, tmp_path / run.id),
        )
    assert "does not say how multiclass is judged" in caught.value.what
    assert "`multiclass: {name: roc_auc, margin: 0.005, limit: 0.8}`" in caught.value.next_step


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"classes": ("a", "b", "d")}, "One tells a, b, c apart, the other a, b, d apart."),
        ({"truth": np.arange(ROWS)[::-1] % 3 * 1.0}, "The truth differs on"),
    ],
)
def test_runs_that_tell_other_classes_apart_are_not_paired(tmp_path, other, says):
    several(tmp_path, "aaaaaaaa", sharpness=1.0)
    several(tmp_path, "bbbbbbbb", sharpness=1.0, **other)
    ours, theirs = (read_predictions(tmp_path / name) for name in ("aaaaaaaa", "bbbbbbbb"))
    assert find_difference(ours, theirs).startswith(says)


def test_a_run_that_tells_other_classes_apart_is_left_out(tmp_path):
    for run_id in ("aaaaaaaa", "bbbbbbbb"):
        several(tmp_path, run_id, sharpness=1.0)
    several(tmp_path, "cccccccc", sharpness=1.0, classes=("a", "b", "d"))
    found = compare_those_alike(tmp_path, "aaaaaaaa", "bbbbbbbb", "cccccccc")
    assert ({run.run_id for run in found.runs}, found.left_out) == ({"aaaaaaaa", "bbbbbbbb"}, 1)


def test_a_run_of_classes_is_not_paired_with_one_of_numbers(tmp_path):
    several(tmp_path, "aaaaaaaa", sharpness=1.0)
    write(tmp_path / "bbbbbbbb", table(truth=np.arange(ROWS) % 3 * 1.0))
    ours, theirs = (read_predictions(tmp_path / name) for name in ("aaaaaaaa", "bbbbbbbb"))
    assert find_difference(ours, theirs) == "One is a run of multiclass with 3 classes, the other of regression."


def test_two_runs_scored_for_different_classes_of_two_are_told_apart(tmp_path):
    named = {"task": "classification", "score": SCORE, "truth": TRUTH.astype(float), "classes": ("no", "yes")}
    several(tmp_path, "aaaaaaaa", sharpness=1.0, positive_class="yes", **named)
    several(tmp_path, "bbbbbbbb", sharpness=1.0, positive_class="no", **named)
    ours, theirs = (read_predictions(tmp_path / name) for name in ("aaaaaaaa", "bbbbbbbb"))
    assert "is scored for yes, the other no, yes apart and is scored for no" in find_difference(ours, theirs)

"""A row that a model was trained on is known again by what was kept of its run, and by nothing but its digests."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import workbench as wb
from tests.unit.runs.test_rounding import OTHERS, ROWS, SEEN
from workbench.errors import Refused
from workbench.files.trees import read_tree
from workbench.runs import spool
from workbench.runs.folder import HOLDOUT
from workbench.runs.recognizing import find_missing_columns, find_trained_on
from workbench.runs.tables import LoggedTable, parse_texts, read_tables
from workbench.runs.training_rows import TrainingTable, find_training, parse_training, spell_training

Log = Callable[..., Mapping[str, bytes]]
BEFORE = OTHERS.set_axis(range(50, 70))


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Log tables by their role in a run of its own, and return its files."""

    def write(**tables: pd.DataFrame) -> Mapping[str, bytes]:
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        monkeypatch.setenv(spool.FOLDER_VARIABLE, str(folder))
        for role, table in tables.items():
            wb.log_dataset(table, role=role)
        return read_tree(folder)

    return write


def tables_of(files: Mapping[str, bytes]) -> list[LoggedTable]:
    return read_tables(files)


def columns_of(files: Mapping[str, bytes]) -> dict[str, list[str]]:
    columns = parse_texts(files[HOLDOUT])
    assert columns is not None
    return columns


def training_of(files: Mapping[str, bytes]) -> tuple[TrainingTable, ...]:
    training = find_training(tables_of(files))
    assert training is not None
    assert parse_training(spell_training(training)) == training
    return training


def count(log: Log, train: pd.DataFrame, holdout: pd.DataFrame, **more: pd.DataFrame) -> int:
    """Count the rows of one run's holdout that another run was trained on."""
    trained = log(train=train, holdout=BEFORE, **more)
    return sum(find_trained_on(training_of(trained), columns_of(log(holdout=holdout))))


@pytest.mark.parametrize("way", ["trained", "asked"])
@pytest.mark.parametrize("rows", SEEN.values(), ids=SEEN.keys())
def test_a_row_of_another_run_is_known_again_however_it_was_written(log: Log, rows: pd.DataFrame, way: str) -> None:
    train, holdout = (rows, ROWS) if way == "trained" else (ROWS, rows)
    assert count(log, pd.concat([train, BEFORE]), holdout) == len(ROWS)


def test_noise_below_half_a_step_does_not_hide_it_and_more_does(log: Log) -> None:
    step = float(np.ptp(ROWS["size"])) / 10_000
    centred = ROWS.assign(size=np.rint(ROWS["size"] / step) * step)
    assert count(log, centred, centred.assign(size=centred["size"] + 0.4 * step)) == len(ROWS)
    assert count(log, centred, centred.assign(size=centred["size"] + 2 * step)) == 0


def test_rows_that_are_new_are_new(log: Log) -> None:
    assert count(log, ROWS, OTHERS) == 0
    assert count(log, ROWS, pd.concat([ROWS[:7], BEFORE])) == 7


def test_rows_of_another_table_beside_the_holdout_count_too(log: Log) -> None:
    assert count(log, OTHERS, ROWS, validation=ROWS[:3]) == 3


def test_a_column_more_hides_nothing_and_one_less_is_named(log: Log) -> None:
    trained, more = log(train=ROWS, holdout=BEFORE), log(holdout=ROWS.assign(plan="a", age=7))
    assert all(find_trained_on(training_of(trained), columns_of(more)))
    less = log(holdout=ROWS.drop(columns=["town", "seen"]))
    assert find_missing_columns(training_of(trained), columns_of(less)) == ["seen", "town"]


def test_gaps_and_numbers_that_are_not_finite_are_known_again(log: Log) -> None:
    odd = pd.DataFrame({"a": [1.5, np.nan, np.inf], "b": [True, False, True], "c": pd.array([1, None, 3], "Int64")})
    assert count(log, odd, odd) == 3
    assert count(log, odd, odd.assign(a=[1.5, 0.0, np.inf])) == 2


def test_where_no_training_row_was_logged_or_rounded_nobody_can_tell(log: Log) -> None:
    assert find_training(tables_of(log(holdout=ROWS))) is None
    assert find_training(tables_of(log(holdout=ROWS, validation=BEFORE))) is None
    named_twice = pd.concat([ROWS, ROWS.label.rename("size")], axis=1)
    assert find_training(tables_of(log(train=named_twice))) is None


def test_what_is_kept_of_a_row_are_its_digests(log: Log) -> None:
    content = spell_training(
        training_of(log(train=ROWS.set_axis([f"customer {n}" for n in range(20)]), holdout=BEFORE))
    )
    assert b"Bern" not in content
    assert b"customer" not in content


@pytest.mark.parametrize(
    "content", [b"", b"{}", b'{"format":2,"tables":[]}', b'{"format":1,"tables":[{}]}', b'{"format":1,"tables":3}']
)
def test_what_was_not_written_so_is_refused(content: bytes) -> None:
    with pytest.raises(Refused, match="training rows cannot be read"):
        parse_training(content)

"""To look for a lucky split is to try: other splits of the same data are known by their rows, and what is new is not."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.unit.people import AUTHOR
from workbench.comparisons.looking import find_splits
from workbench.comparisons.other_splits import OtherSplits
from workbench.comparisons.tries import count_tries
from workbench.runs.folder import DATASETS, HOLDOUT, PREDICTIONS
from workbench.runs.looks import Look
from workbench.runs.run import Run, RunState
from workbench.runs.tabulating import Named, keep_table

AT = "2026-11-20T09:00:00+00:00"
RNG = np.random.default_rng(5)
TABLE = pd.DataFrame(RNG.normal(size=(442, 3)), columns=list("abc")).assign(
    town=RNG.choice(["Bern", "Ulm"], 442), target=RNG.normal(size=442)
)


class Folders:
    """Folders of runs and drafts with what they logged."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0

    def look(
        self, train: pd.DataFrame, holdout: pd.DataFrame, target: str | None = "target", *, draft: bool = False
    ) -> Look:
        self._number += 1
        folder = self._folder / f"{self._number:08d}"
        folder.mkdir()
        keep_table(train, folder, Named("train", target=target), is_run=True)
        digest = keep_table(holdout, folder, Named("holdout", target=target), is_run=True)
        files = {"files": {PREDICTIONS: digest}}
        run = Run(folder.name, "a.ipynb", "ab" * 32, {}, {}, AUTHOR, AT, RunState.FINISHED, record=files)
        return Look(folder, digest, len(holdout), AT, run=None if draft else run)

    def split(self, seed: int, table: pd.DataFrame = TABLE, *, share: float = 0.4, **parts: Any) -> Look:
        shuffled = table.sample(frac=1, random_state=seed)
        held_out = round(share * len(table))
        return self.look(shuffled.iloc[held_out:], shuffled.iloc[:held_out], **parts)


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    return Folders(tmp_path)


def describe(found: OtherSplits) -> tuple[int, int, int]:
    return len(found.anew), len(found.beside), found.scored_rows


def test_each_other_split_of_the_same_data_is_a_try_and_which_rows_were_scored_is_counted(folders: Folders) -> None:
    own, *others = (folders.split(seed) for seed in range(11, 17))
    found = find_splits(own, others)
    shared = {row for seed in range(12, 17) for row in TABLE.sample(frac=1, random_state=seed).index[:177]}
    rows = set(TABLE.sample(frac=1, random_state=11).index[:177])
    assert describe(found) == (5, 0, len(rows & shared))
    assert (count_tries([own], (), found), found.count_more([own])) == (6, 5)


@pytest.mark.parametrize("share", [0.1, 0.2])
def test_so_it_is_where_hardly_a_row_is_held_out_twice(folders: Folders, share: float) -> None:
    assert len(find_splits(folders.split(1, share=share), [folders.split(2, share=share)]).anew) == 1


def test_folds_that_share_no_row_are_splits_too(folders: Folders) -> None:
    folds = [TABLE.iloc[number::5] for number in range(5)]
    own, *others = (folders.look(TABLE.drop(fold.index), fold) for fold in folds)
    assert describe(find_splits(own, others)) == (4, 0, 0)


DISGUISED = {
    "under new names": lambda table: table.sample(frac=1, random_state=3).reset_index(drop=True),
    "a little noise": lambda table: table.assign(a=table.a + 1e-9),
    "one column less": lambda table: table.drop(columns="c"),
    "columns in another order": lambda table: table[sorted(table, reverse=True)],
    "numbers as text": lambda table: table.assign(b=table.b.astype(str)),
}


@pytest.mark.parametrize("disguise", DISGUISED.values(), ids=DISGUISED.keys())
def test_a_split_is_known_again_after_a_little_change(folders: Folders, disguise: Any) -> None:
    assert len(find_splits(folders.split(1), [folders.split(2, disguise(TABLE))]).anew) == 1


def test_rows_that_are_new_are_no_other_split(folders: Folders) -> None:
    months = [TABLE.iloc[start : start + 110] for start in range(0, 440, 110)]
    rolling = [folders.look(pd.concat(months[:last]), months[last]) for last in range(1, 4)]
    assert find_splits(rolling[-1], rolling[:-1]) == OtherSplits()
    renamed = folders.split(2, TABLE.assign(target=TABLE.target.sample(frac=1, random_state=1).to_numpy()))
    assert find_splits(folders.split(1), [renamed]) == OtherSplits()


def test_windows_that_overlap_are_told_and_count_where_they_overlap_by_half(folders: Folders) -> None:
    windows = [folders.look(TABLE.iloc[:100], TABLE.iloc[start : start + 120]) for start in (100, 180, 250, 300)]
    own, *others = reversed(windows)
    found = find_splits(own, others)
    assert describe(found) == (1, 0, 70)
    assert describe(find_splits(own, others[1:2])) == (0, 0, 0)
    assert describe(find_splits(windows[1], windows[:1])) == (0, 1, 40)


def test_the_same_table_with_another_target_is_another_question(folders: Folders) -> None:
    assert find_splits(folders.split(1), [folders.split(2, target="a")]) == OtherSplits()
    assert len(find_splits(folders.split(1), [folders.split(2, target=None)]).anew) == 1


def test_all_holdouts_of_a_draft_are_judged_by_the_tables_of_its_last_split(folders: Folders) -> None:
    last = folders.split(2, draft=True)
    gone = Look(last.folder, "gone", 177, AT)
    assert find_splits(folders.split(1), [last, gone]).anew == (last, gone)


def test_tables_that_are_gone_or_unreadable_are_not_known_again(folders: Folders) -> None:
    own, gone, odd = folders.split(1), folders.split(2), folders.split(3)
    shutil.rmtree(gone.folder / DATASETS)
    for path in (odd.folder / DATASETS).iterdir():
        path.write_text("{}", encoding="utf-8")
    assert find_splits(own, [gone, odd]) == OtherSplits()
    (own.folder / HOLDOUT).unlink()
    assert find_splits(own, [folders.split(2)]) == OtherSplits()

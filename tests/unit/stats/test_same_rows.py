"""The same rows are known again after noise, in another order, with another column; tables that only look alike are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.conftest import examples
from workbench.records.row_digests import encode_value
from workbench.stats import same_rows
from workbench.stats.same_rows import (
    DigestedRows,
    NamedRows,
    _count_matched,
    _Kinds,
    _match_beyond_chance,
    _match_by_name,
    _place_rows,
    are_same_rows,
    find_shared_rows,
    may_be_same_size,
)

RNG = np.random.default_rng(7)
MEASURED = pd.DataFrame(RNG.normal(size=(150, 4)), columns=list("abcd")).assign(
    town=RNG.choice(["Bern", "Ulm", "Graz"], 150), bought=RNG.integers(0, 2, 150)
)
RANGE = np.ptp(MEASURED[list("abcd")].to_numpy(), axis=0)


def rows_of(table: pd.DataFrame) -> NamedRows:
    columns = {str(name): [encode_value(value) for value in column.tolist()] for name, column in table.items()}
    return NamedRows([str(name) for name in table.index], columns)


def are_same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return are_same_rows(rows_of(one), rows_of(other))


def noisy(table: pd.DataFrame, share: float) -> pd.DataFrame:
    moved = table[list("abcd")] + RANGE * np.random.default_rng(1).uniform(-share, share, (len(table), 4))
    return table.assign(**moved)


SAME = {
    "another order": MEASURED.sample(frac=1, random_state=2),
    "another order under new names": MEASURED.sample(frac=1, random_state=2).reset_index(drop=True),
    "columns in another order": MEASURED[sorted(MEASURED, reverse=True)],
    "a little noise": noisy(MEASURED, 1e-7),
    "as much noise as rounding takes away": noisy(MEASURED, 4.9e-5),
    "noise, order and names": noisy(MEASURED, 1e-5).sample(frac=1, random_state=2).set_axis(range(500, 650)),
    "numbers as text": MEASURED.astype({"a": str, "bought": str}),
    "single precision": MEASURED.astype(dict.fromkeys("abcd", "float32")),
    "case and blanks": MEASURED.assign(town=" " + MEASURED.town.str.upper()),
    "one column more": MEASURED.assign(weight=1.0),
    "one column less": MEASURED.drop(columns="d"),
    "four in a hundred gone": MEASURED.iloc[6:],
    "some others": pd.concat([MEASURED.iloc[5:], MEASURED.iloc[:5].assign(a=99.0)]),
}


@pytest.mark.parametrize("other", SAME.values(), ids=SAME.keys())
def test_the_same_rows_are_known_again(other: pd.DataFrame) -> None:
    assert are_same(MEASURED, other)
    assert are_same(other, MEASURED)


OTHER = {
    "other rows": MEASURED.assign(a=RNG.normal(size=150)),
    "half of the rows": MEASURED.iloc[:75],
    "one in ten is another": pd.concat([MEASURED.iloc[15:], MEASURED.iloc[:15].assign(a=99.0)]),
    "another truth": MEASURED.assign(bought=1 - MEASURED.bought),
    "more noise than rounding takes away": noisy(MEASURED, 1e-3),
    "hardly a column in common": MEASURED[["a"]].assign(p=1, q=2, r=3, s=4),
}


@pytest.mark.parametrize("other", OTHER.values(), ids=OTHER.keys())
def test_other_rows_are_told_apart(other: pd.DataFrame) -> None:
    assert not are_same(MEASURED, other)
    assert not are_same(other, MEASURED)


def draw(seed: int, larger: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two independent draws of one small population of categories, the other so many times larger."""
    rng = np.random.default_rng(seed)
    rows, levels = int(rng.integers(20, 300)), rng.integers(2, 5, rng.integers(1, 4))
    odds = [rng.dirichlet(np.ones(count)) for count in levels]

    def one(rows: int) -> pd.DataFrame:
        drawn = {f"c{number}": rng.choice(len(odd), rows, p=odd) for number, odd in enumerate(odds)}
        return pd.DataFrame({name: [f"v{value}" for value in values] for name, values in drawn.items()}).assign(
            bought=rng.integers(0, 2, rows)
        )

    return one(rows), one(larger * rows)


@pytest.mark.parametrize("hundred", examples(range(10), [0, 1]))
def test_no_two_draws_of_a_small_table_of_categories_are_taken_for_one(hundred: int) -> None:
    pairs = [draw(100 * hundred + number) for number in range(100)]
    assert [number for number, pair in enumerate(pairs) if are_same(*pair)] == []
    assert all(are_same(one, one.sample(frac=1, random_state=1)) for one, _ in pairs[:20])


def test_two_draws_that_are_equal_by_chance_are_not_taken_for_one() -> None:
    rows = ["x"] * 20 + ["y"] * 20
    one, other = pd.DataFrame({"c": rows}), pd.DataFrame({"c": rows[::-1]})
    assert not are_same(one, other)
    assert are_same(one, other.set_axis(range(39, -1, -1)))


def test_a_column_of_one_value_in_one_table_tells_it_from_another_that_varies() -> None:
    varied = MEASURED.assign(a=MEASURED.a / 100)
    assert not are_same(varied, varied.assign(a=varied.a.iloc[0]))
    one = MEASURED.assign(a=0.5)
    assert are_same(one, one.sample(frac=1, random_state=1).reset_index(drop=True))
    assert not are_same(one, one.assign(a=0.75))


def test_rows_that_hold_no_number_are_texts() -> None:
    odd = pd.DataFrame({"a": [float("inf"), float("nan"), None, "?"] * 30, "b": range(120)})
    assert are_same(odd, odd.sample(frac=1, random_state=1).reset_index(drop=True))
    assert not are_same(odd, odd.assign(a=odd.a.iloc[::-1].tolist()))


def test_rows_that_stand_more_than_once_have_each_a_partner() -> None:
    often = pd.DataFrame({"a": RNG.normal(size=60).repeat(4), "b": RNG.normal(size=60).repeat(4)})
    assert are_same(often, often.sample(frac=1, random_state=1).reset_index(drop=True))
    assert not are_same(often, often[::2].iloc[RNG.integers(0, 120, 240)].reset_index(drop=True))


def test_one_row_that_is_repeated_is_no_table_of_rows_that_are_all_called_alike() -> None:
    one = MEASURED.set_axis(["x"] * len(MEASURED))
    assert not are_same(one, one.iloc[[-1] * len(one)])


# Rows of which all are near: one huge value in each column makes a step of it larger than all else


def blown_up(rows: int, seed: int) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(rows, 20))
    values[range(20), range(20)] = 1e9
    return pd.DataFrame(values).rename(columns=str)


def test_rows_that_are_all_near_are_not_all_looked_up_to_be_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = list[int]()
    find = _Kinds.find

    def count(kinds: _Kinds, rows: np.ndarray) -> np.ndarray:
        asked.append(len(rows))
        return find(kinds, rows)

    monkeypatch.setattr(_Kinds, "find", count)
    one = blown_up(4_000, 1)
    assert not are_same(one, blown_up(4_000, 2))
    assert sum(asked) <= 1_000
    assert are_same(one, one.sample(frac=1, random_state=1).reset_index(drop=True) + 1e-4)


def decide_plainly(one: NamedRows, other: NamedRows) -> bool:
    """Decide with each of theirs held against each of ours, and no sample."""
    ours, theirs = _place_rows(one, other, sorted(one.columns.keys() & other.columns.keys()))
    different, labels = np.unique(ours, axis=0, return_inverse=True)
    far = [np.abs(different - row).max(axis=1) for row in theirs]
    nearest = [
        int(each.argmin()) if each.min() <= 0.5 * (1 + 1e-6) else len(different) + at for at, each in enumerate(far)
    ]
    both = labels.ravel(), np.array(nearest)
    matched = _count_matched(*both)
    return (
        may_be_same_size(len(ours), len(theirs))
        and matched >= 0.95 * max(len(ours), len(theirs))
        and (_match_beyond_chance(matched, *both) or _match_by_name(one.names, other.names, *both))
    )


def vary(seed: int) -> tuple[NamedRows, NamedRows]:
    """A table with some columns that are blown up and perhaps categories, and what was made of it by noise and by others' rows."""
    rng = np.random.default_rng(seed)
    rows, columns = int(rng.integers(5, 120)), int(rng.integers(1, 6))
    one = rng.normal(size=(rows, columns))
    one[0, rng.random(columns) < 0.7] = 1e9
    one = one[rng.integers(0, rows, rows)] if rng.random() < 0.3 else one  # some rows more than once
    kept = rng.random(rows) >= rng.choice([0.0, 0.03, 0.06, 0.2, 1.0])
    noise = rng.choice([0.0, 1e-6, 1e-3, 0.1, 1.0]) * rng.normal(size=one.shape)
    other = np.where(kept[:, None], one + noise, rng.normal(size=one.shape))
    town = rng.integers(0, 3, rows)
    tables = [pd.DataFrame(each).rename(columns=str).assign(town=town) for each in (one, other)]
    order = rng.permutation(rows)[: rows - int(rng.integers(0, 3))] if rng.random() < 0.6 else np.arange(rows)
    theirs = tables[1].iloc[order]
    return rows_of(tables[0]), rows_of(theirs if rng.random() < 0.5 else theirs.reset_index(drop=True))


@pytest.mark.parametrize("hundred", examples(range(30), [0]))
def test_what_a_sample_decides_is_what_all_rows_would(hundred: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(same_rows, "_SAMPLE", 25)
    pairs = [vary(100 * hundred + number) for number in range(100)]
    decided = [are_same_rows(*pair) for pair in pairs]
    assert decided == [decide_plainly(*pair) for pair in pairs]
    assert 5 < sum(decided) < 90


# Some of the rows


def digested(table: pd.DataFrame) -> DigestedRows:
    return DigestedRows([str(name) for name in table.index], [repr(row) for row in table.itertuples(index=False)])


def count_shared(one: pd.DataFrame, other: pd.DataFrame) -> int:
    return sum(find_shared_rows(digested(one), digested(other)))


def test_rows_that_stand_in_two_tables_are_found_whatever_they_are_called() -> None:
    one, other = MEASURED.iloc[:60], MEASURED.iloc[30:].sample(frac=1, random_state=1)
    assert count_shared(one, other) == count_shared(other, one) == 30
    assert count_shared(one.reset_index(drop=True), other.reset_index(drop=True)) == 30
    assert find_shared_rows(digested(one), digested(other)) == [False] * 30 + [True] * 30
    assert count_shared(one, MEASURED.iloc[60:]) == 0


@pytest.mark.parametrize("hundred", examples(range(10), [0]))
def test_no_two_draws_of_a_small_table_of_categories_share_rows_and_two_splits_of_one_do(hundred: int) -> None:
    pairs = [draw(100 * hundred + number) for number in range(100)]
    larger = [draw(100 * hundred + number, larger=10) for number in (*range(10), 29)]
    assert [number for number, pair in enumerate([*pairs, *larger]) if count_shared(*pair)] == []
    splits = [(one.sample(frac=0.6, random_state=seed) for seed in (1, 2)) for one, _ in pairs[:20] if len(one) > 100]
    assert all(count_shared(first, second) == len({*first.index} & {*second.index}) for first, second in splits)

"""The same rows are known again after noise, in another order, with another column; tables that only look alike are not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from tests.conftest import examples
from workbench.records.row_digests import encode_value
from workbench.stats.same_rows import NamedRows, are_same_rows

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


def draw(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two independent draws of one small population of categories."""
    rng = np.random.default_rng(seed)
    rows, levels = int(rng.integers(20, 300)), rng.integers(2, 5, rng.integers(1, 4))
    odds = [rng.dirichlet(np.ones(count)) for count in levels]

    def one() -> pd.DataFrame:
        drawn = {f"c{number}": rng.choice(len(odd), rows, p=odd) for number, odd in enumerate(odds)}
        return pd.DataFrame({name: [f"v{value}" for value in values] for name, values in drawn.items()}).assign(
            bought=rng.integers(0, 2, rows)
        )

    return one(), one()


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

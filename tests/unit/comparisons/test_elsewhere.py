"""Runs on other holdouts are named with the command that compares them."""

from __future__ import annotations

from typing import Any

from tests.contract.stores import build_run
from workbench.comparisons.elsewhere import describe_elsewhere, list_other_holdouts
from workbench.runs.run import Run, RunState

TRAIN, OTHER = "notebooks/01_train.ipynb", "notebooks/other one.ipynb"


def run_on(holdout: str, day: int, notebook: str = TRAIN, *, is_scored: bool = True) -> Run:
    table = {"role": "holdout", "name": "holdout", "digest": holdout * 64, "rows": 600}
    record: dict[str, Any] = {"datasets": [table], **({"predicted": ["ab"]} if is_scored else {})}
    return build_run(state=RunState.FINISHED, record=record, created=f"2026-11-{day}T09:00:00+00:00", notebook=notebook)


def test_another_notebook_is_named_and_an_earlier_holdout_of_the_same_by_its_time() -> None:
    runs = [run_on("a", 25), run_on("b", 24, OTHER), run_on("c", 23), run_on("c", 22), run_on("d", 21, is_scored=False)]
    others = list_other_holdouts(runs)
    assert [(each.notebooks, each.runs, each.rows) for each in others] == [((OTHER,), 1, 600), ((TRAIN,), 2, 600)]
    assert [each.command for each in others] == [
        f"workbench compare --notebook '{OTHER}'",
        "workbench compare --where \"created <= '2026-11-23T09:00:00+00:00'\"",
    ]
    assert describe_elsewhere(4, others).startswith(
        "4 finished runs on other holdouts: other rows, so no comparison row by row. 1 of notebooks/other one.ipynb (600 rows): "
    )


def test_what_the_runs_were_chosen_by_is_part_of_the_command() -> None:
    (other,) = list_other_holdouts([run_on("a", 25), run_on("b", 24)], TRAIN, "roc_auc > 0.9")
    assert other.command.startswith(f'workbench compare --notebook {TRAIN} --where "(roc_auc > 0.9) and created <= ')


def test_where_none_is_elsewhere_nothing_is_said() -> None:
    assert list_other_holdouts([run_on("a", 25), run_on("a", 24)]) == ()
    assert describe_elsewhere(0, ()) == ""

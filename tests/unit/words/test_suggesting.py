"""What comes next after a comparison."""

from __future__ import annotations

import pytest

from tests.unit.comparisons.builders import build_compared_run, build_many
from workbench.words.suggesting import find_next_step

BEST = build_compared_run(run_id="a" * 12, value=0.8)


@pytest.mark.parametrize(
    ("changes", "text", "command"),
    [
        ({}, "the best of them", "workbench nominate aaaaaaaaaaaa --model train"),
        ({"all_but": ("seed",)}, "the newest of the best", "workbench nominate aaaaaaaaaaaa --model train"),
        ({"within": "size = small"}, "all rows", "workbench compare"),
        ({"within": "size = small", "all_but": ("seed", "fold")}, "all rows", "workbench compare --all-but seed,fold"),
        (
            {"reference": f"run {'b' * 12}", "reference_value": 0.9},
            "The reference has the best value",
            "workbench nominate bbbbbbbbbbbb --model train",
        ),
        ({"reference_value": 0.9, "direction": "lower"}, "the best of them", "workbench nominate aaaaaaaaaaaa"),
    ],
)
def test_the_next_step_is_the_best_before_reviewers_or_all_rows_before_that(changes, text, command) -> None:
    facts = {"runs": (BEST,), "reference_value": 0.5, "notebooks": ("notebooks/train.ipynb",)}
    found = find_next_step(build_many(1, **{**facts, **changes}))
    assert text in found.text
    assert found.command.startswith(command)

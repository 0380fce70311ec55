"""Why no run can be compared: each cause by its own words, with what to do about just that one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.contract.stores import build_run
from workbench.comparisons.holdouts import HOW_TO_DECLARE
from workbench.comparisons.nothing_compared import refuse_all
from workbench.runs.run import Run, RunState

HOLDOUT = {"datasets": [{"role": "holdout", "name": "holdout", "digest": "ab" * 32, "rows": 600}]}


def run_of(state: RunState, run_id: str = "3f9a1c27d05b", **others: Any) -> Run:
    return build_run(id=run_id, state=state, **others)


@pytest.mark.parametrize(
    ("runs", "why", "step"),
    [
        ([], "There is no run yet.", "Run a notebook: `workbench run NOTEBOOK`."),
        (
            [run_of(RunState.RUNNING), run_of(RunState.FAILED)],
            "None of 2 runs finished: 1 running, 1 failed.",
            "Wait for it: `workbench show 3f9a1c27d05b --follow`.",
        ),
        (
            [run_of(RunState.FAILED, error="ValueError: no rows")],
            "The one run there is has not finished: 1 failed.",
            "Look why run 3f9a1c27d05b ended (`workbench show 3f9a1c27d05b`), mend that, and run it again.",
        ),
        (
            [run_of(RunState.FINISHED)],
            "It finished and names no holdout: run 3f9a1c27d05b of notebooks/01_train.ipynb.",
            HOW_TO_DECLARE,
        ),
        (
            [run_of(RunState.FINISHED, record=HOLDOUT, provenance={"replay_of": "b07d5e10a4c8"})],
            "All that finished on a holdout are replays, which are no tries of their own; the newest is run 3f9a1c27d05b.",
            "Run a notebook: `workbench run NOTEBOOK`.",
        ),
    ],
)
def test_each_cause_is_told_with_what_to_do_about_it(runs: list[Run], why: str, step: str) -> None:
    refused = refuse_all(runs)
    assert (refused.what, refused.reasons[0], refused.next_step) == ("There is nothing to compare.", why, step)


def test_a_failure_is_told_with_its_error() -> None:
    assert refuse_all([run_of(RunState.FAILED, error="ValueError: no rows")]).reasons[1] == "ValueError: no rows"


def test_of_a_notebook_without_runs_is_said_which_have_some() -> None:
    refused = refuse_all([], "notebooks/tour.ipynb", {f"{letter}.ipynb" for letter in "gfedcba"})
    assert refused.reasons == (
        "No run is of notebooks/tour.ipynb.",
        "There are runs of a.ipynb, b.ipynb, c.ipynb, d.ipynb, e.ipynb and 2 more.",
    )
    assert refused.next_step == "Name one of these, or run it: `workbench run notebooks/tour.ipynb`."
